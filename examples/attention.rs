//! A LAPA predictor finds the keys that queries will attend to, on synthetic attention.
//!
//! The circuit runs in the compiled engine; every beat it sends must be the golden model's.

use anyhow::{Error, Result, ensure};
use hwgen_designs::attention::lapa_predictor::{LapaPredictorSpec, build};
use hwgen_designs::drive::{Driven, Stalls};
use hwgen_hdl::sim::{Engine, Simulator};
use hwgen_verify::attention::output::Integers;
use hwgen_verify::attention::synthetic::Clustered;

/// Queries that are shown.
const QUERIES: usize = 8;

fn main() -> Result<()> {
    let spec =
        LapaPredictorSpec { head_dim: 32, max_keys: 64, rows: 8, ..LapaPredictorSpec::default() };

    // 64 tokens in 8 clusters; a query should find the keys of its own cluster
    let shape =
        Clustered { tokens: 64, head_dim: 32, clusters: 8, seeds: 1, ..Clustered::default() };
    let attention = &shape.workload().heads[0];
    let mut head = Integers::of(attention).driven();
    head.rows.truncate(QUERIES);

    let expected = spec.expected(std::slice::from_ref(&head)).map_err(Error::msg)?;
    let mut simulator = Simulator::new(&build(&spec), Engine::Jit);
    let run = spec.run(&mut simulator, &[head], Stalls::default(), expected.len())?;
    ensure!(run.beats == expected, "the circuit differs from the golden model");

    let groups_a_row = expected.len() / QUERIES;
    for (query, groups) in run.beats.chunks(groups_a_row).enumerate() {
        let kept = groups.iter().flat_map(|group| (0..spec.rows).map(|i| group.survivors >> i & 1));
        let picture: String = kept.map(|kept| if kept == 1 { '#' } else { '.' }).collect();
        println!("query {query}: {picture} {} of 64", picture.matches('#').count());
    }
    println!("{} beats equal the golden model's", expected.len());
    Ok(())
}

#[test]
fn story() {
    main().unwrap();
}
