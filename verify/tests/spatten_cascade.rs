//! SpAtten's two circuits together on attention heads: the tokens that one finds important are those
//! that the other leaves, layer after layer, as the golden cascade says. Heads of a recorded model
//! where the recordings are there, else synthetic ones.

use hwgen_designs::attention::attend::golden::{Memory, Query};
use hwgen_designs::attention::spatten::drive::{Head, Layer, Row, run, setting};
use hwgen_designs::attention::spatten::golden::Spatten;
use hwgen_designs::attention::spatten::golden::cascade::{self, Cascade, Keep};
use hwgen_designs::attention::spatten::tokens_drive as spatten_tokens;
use hwgen_designs::attention::spatten::{SpattenAttentionSpec, SpattenTokensSpec, build};
use hwgen_designs::drive::Stalls;
use hwgen_designs::generate::Generate;
use hwgen_hdl::sim::{Engine, Simulator};
use hwgen_verify::attention::output::Integers;
use hwgen_verify::attention::synthetic::Clustered;
use hwgen_verify::attention::{Workload, data};
use hwgen_verify::suite::check;

/// The layers of a workload whose heads are named `layer L head H`.
fn layers(workload: &Workload) -> Vec<Vec<Integers>> {
    let layer = |name: &str| name.split(' ').nth(1).map(str::to_owned);
    let heads = workload.heads.chunk_by(|a, b| layer(&a.name) == layer(&b.name));
    heads.map(|heads| heads.iter().map(Integers::of).collect()).collect()
}

fn workload() -> Workload {
    let recorded = data::recorded_workloads().unwrap().map(|workloads| workloads[0].clone());
    recorded.unwrap_or_else(|| {
        println!("no recordings: synthetic heads instead");
        let shape = Clustered { tokens: 24, head_dim: 16, seeds: 12, ..Clustered::default() };
        let mut workload = Clustered { causal: true, ..shape }.workload();
        for (i, head) in workload.heads.iter_mut().enumerate() {
            head.name = format!("layer {} head {}", i / 3, i % 3);
        }
        workload
    })
}

/// A layer as the circuit sees it: the heads that are left, rows of the tokens that are.
fn driven(heads: &[Integers], queries: &[Vec<Query>], left: &Cascade) -> Layer {
    let head = |h: usize| {
        let seen = |token: usize| left.tokens[..heads[h].visible[token]].count_ones();
        let row = |token: usize| Row::new(queries[h][token].clone(), seen(token));
        Head {
            keys: heads[h].keys.rows.clone(),
            values: heads[h].values.rows.clone(),
            rows: left.tokens.iter_ones().map(row).collect(),
        }
    };
    Layer { live: left.tokens.clone(), heads: left.heads.iter_ones().map(head).collect() }
}

#[test]
fn the_cascade_on_attention_heads() {
    let workload = workload();
    let layers = layers(&workload);
    let first = &layers[0][0];
    let (tokens, dim) = (first.keys.rows.len(), first.keys.rows[0].len());
    let spec = SpattenAttentionSpec {
        head_dim: dim as u32,
        max_keys: tokens as u32,
        lanes: 8,
        ..SpattenAttentionSpec::default()
    };
    let engine = Spatten::new(setting(&spec));
    let mut circuit = Simulator::new(&build(&spec), Engine::default());
    let mut cascade = Cascade::new(tokens, layers[0].len());
    let last = Keep { tokens256: 128, heads256: 192 };
    let mut sequence = vec![];
    for (heads, keep) in layers.iter().zip(Keep::schedule(layers.len(), last)) {
        let queries: Vec<Vec<Query>> = (heads.iter())
            .map(|head| (0..tokens).map(|token| head.query(token)).collect())
            .collect();
        let layer = driven(heads, &queries, &cascade);
        let golden: Vec<_> = (heads.iter().zip(&queries))
            .map(|(head, queries)| {
                let memory = Memory { keys: &head.keys.rows, values: &head.values.rows };
                cascade::Head { memory, queries, visible: &head.visible }
            })
            .collect();
        let before = cascade.clone();
        let must = cascade.layer(&engine, &golden, keep);

        let rows: Vec<_> = must.heads.iter().flatten().flatten().flatten().collect();
        let left = before.tokens.count_ones();
        let counts = [rows.len(), layer.heads.len(), left];
        let run = run(&mut circuit, &spec, &[layer], Stalls::default(), counts).unwrap();
        assert_eq!(run.results.rows.len(), rows.len());
        for ((is, _), must) in run.results.rows.iter().zip(rows) {
            assert_eq!(is, &must.out);
        }
        for (head, score) in before.heads.iter_ones().zip(&run.results.heads) {
            assert_eq!(before.head_scores[head] + score, cascade.head_scores[head]);
        }
        for (token, (score, _)) in before.tokens.iter_ones().zip(&run.results.tokens) {
            assert_eq!(before.token_scores[token] + score, cascade.token_scores[token]);
        }
        let counts = must.counts();
        println!(
            "{left} tokens, {} heads: {} rows, {} flat, {} cycles",
            before.heads.count_ones(),
            counts.rows,
            counts.flat,
            run.end
        );
        let scores = run.results.tokens.iter().map(|(score, _)| *score).collect();
        let keep = (tokens * keep.tokens256 as usize) >> 8;
        let stays = before.tokens.iter_ones().map(|token| cascade.tokens[token]).collect();
        sequence.push(spatten_tokens::Layer { scores, keep, stays });
    }
    assert!(cascade.tokens.count_ones() <= tokens.div_ceil(2), "tokens were pruned");

    let spec = SpattenTokensSpec { max_keys: tokens as u32 };
    let mut circuit = Simulator::new(&spec.build(), Engine::default());
    check(&mut circuit, &spec, &[sequence], Stalls::default());
}
