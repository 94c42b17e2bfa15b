//! The LAPA predictor holds still where it has nothing to do.
//!
//! `cargo test -p hwgen-verify --test lapa_predictor_quiet -- --nocapture` prints how often register bits change.

use hwgen_designs::attention::lapa_predictor::drive::Head;
use hwgen_designs::attention::lapa_predictor::{LapaPredictorSpec, build};
use hwgen_designs::drive::Stalls;
use hwgen_hdl::netlist::Kind;
use hwgen_hdl::sim::{Engine, Simulator};
use hwgen_verify::attention::output::Integers;
use hwgen_verify::attention::synthetic::Clustered;
use hwgen_verify::attention::{self, data};
use hwgen_verify::suite::{check, spec};

/// The first 32 queries of a head.
fn head(of: &attention::Head) -> Head {
    let mut head = Integers::of(of).driven();
    head.rows.truncate(32);
    head
}

fn registers(simulator: &Simulator) -> Vec<String> {
    let module = &simulator.flat().module;
    let named = module.ids().filter(|(_, node)| matches!(node.kind, Kind::Register(_)));
    named.filter_map(|(_, node)| node.name.as_ref().map(|name| name.to_string())).collect()
}

#[test]
fn nothing_moves_once_a_head_is_through() {
    let shape = Clustered { tokens: 128, head_dim: 32, seeds: 1, ..Clustered::default() };
    let mut workloads = vec![shape.workload()];
    workloads.extend(data::recorded_workloads().unwrap().into_iter().flatten().skip(1).take(1));
    for workload in workloads {
        let head = head(&workload.heads[0]);
        for filter in ["mean_max", "sigma", "radius", "top_k", "mass"] {
            let spec: LapaPredictorSpec =
                spec(&format!("filter.mode={filter} head_dim=32 max_keys=128"));
            let mut simulator = Simulator::new(&build(&spec), Engine::default());
            let names = registers(&simulator);
            simulator.count_toggles(&names).unwrap();
            check(&mut simulator, &spec, std::slice::from_ref(&head), Stalls::default());
            simulator.steps(20);
            let busy = simulator.toggles();
            let seen: usize = head.rows.iter().map(|row| row.visible).sum();
            println!(
                "{}, {filter}: {:.1} register bits change for a query and a key",
                workload.name,
                busy.iter().sum::<u64>() as f64 / seen as f64
            );
            simulator.steps(100);
            let toggles = simulator.toggles();
            let moved = names.iter().zip(busy.iter().zip(&toggles));
            let moved: Vec<_> = moved.filter(|(_, (before, after))| before != after).collect();
            assert!(moved.is_empty(), "{filter}: {moved:?}");
        }
    }
}
