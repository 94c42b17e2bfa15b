//! Networks in bitstreams of three families: they fit, and are fast enough.

use hwgen_boards::board::find;
use hwgen_boards::build::{Built, Options, Verdict, build};
use hwgen_boards::host::cnn::hash;
use hwgen_boards::top::{Line, Payload, TopSpec, hwgen_top};
use hwgen_boards::wrapper::Inner;
use hwgen_designs::cnn::CnnSpec;
use hwgen_designs::generate::Generate;
use hwgen_network::graph::Network;
use hwgen_network::plan::{Budget, size};
use hwgen_network::{import, zoo};
use std::path::PathBuf;

/// The network on a board, loaded over its line.
fn built(board: &str, line: Line, network: &Network, budget: Budget, hertz: u32) -> Built {
    let board = find(board).unwrap();
    let (spec, _) = size(network, budget).unwrap();
    let (module, spec_hash) = (spec.build(), hash(&spec));
    let payload = Payload { module, design: CnnSpec::NAME.into(), spec_hash, classes: Some(12) };
    let top = hwgen_top(&TopSpec::over(line, hertz), &payload).unwrap();
    let options = Options { hertz: Some(hertz), seeds: 3, ..Options::default() };
    let inner = Inner { dsp_blocks: true, ..Inner::of(&top).unwrap() };
    let built = build(&board, &inner, &options, &mut |_| {}).unwrap();
    let (name, timing) = (&network.name, built.timing.as_ref());
    let fmax = timing.map_or(0.0, |timing| timing.fmax_mhz);
    println!("{name} on {}, {line:?}: {} MHz wanted, Fmax {fmax:.1}", board.title, built.clock_mhz);
    for part in &built.synthesized {
        println!("  {}: {} of {}", part.name, part.used, part.available);
    }
    built
}

fn budget(multipliers: u32, single_port: bool) -> Budget {
    Budget { single_port, ..Budget::within(multipliers) }
}

/// MLPerf Tiny's keyword network, on the smallest board; KWS-mini on others.
#[test]
#[ignore = "minutes of place and route, tools of pip: `cargo xtask bars network_bitstreams`"]
fn keyword_networks_fit() {
    let data = std::env::var_os("HWGEN_DATA").map(PathBuf::from).expect("HWGEN_DATA");
    let model = std::fs::read(data.join("mlperf_tiny/kws_ref_model_int8.tflite")).unwrap();
    let kws = import::import("kws", &model).unwrap();
    let mini = zoo::kws_mini(1);
    let uart = |hertz| Line::uart(hertz, 115_200);
    let all = [
        built("icebreaker", uart(12_000_000), &kws, budget(5, true), 12_000_000),
        built("icebreaker", Line::Spi, &kws, budget(5, true), 12_000_000),
        built("ulx3s", uart(25_000_000), &kws, budget(25, false), 25_000_000),
        built("tang_nano_20k", uart(27_000_000), &mini, budget(18, false), 27_000_000),
    ];
    assert!(all.iter().all(|built| built.verdict == Verdict::Met), "{all:#?}");
    // what the UP5K has
    for (name, most) in [("LUT", 5280), ("DSP", 8), ("BRAM", 30), ("SPRAM", 4)] {
        for built in &all[..2] {
            let part = built.synthesized.iter().find(|part| part.name == name).unwrap();
            assert!(part.used <= most, "{part:?}");
        }
    }
    println!("network_bitstreams: {}", all.len());
}
