//! Networks in bitstreams of three families: they fit, and are fast enough.

#[path = "../../../gen/network/tests/narrowing/mod.rs"]
mod narrowing;

mod keywords;
mod narrow;

use hwgen_boards::board::find;
use hwgen_boards::build::{Built, Options, build};
use hwgen_boards::host::cnn::hash;
use hwgen_boards::top::{Line, Payload, TopSpec, hwgen_top};
use hwgen_boards::wrapper::Inner;
use hwgen_designs::cnn::CnnSpec;
use hwgen_designs::generate::Generate;
use hwgen_network::plan::Budget;

/// The core as the link's top has it around.
fn payload(spec: &CnnSpec) -> Payload {
    let (module, spec_hash) = (spec.build(), hash(spec));
    Payload { module, design: CnnSpec::NAME.into(), spec_hash, classes: Some(12) }
}

/// A network's core on a board, loaded over its line.
fn built(board: &str, line: Line, name: &str, spec: &CnnSpec, hertz: u32) -> Built {
    let board = find(board).unwrap();
    let top = hwgen_top(&TopSpec::over(line, hertz), &payload(spec)).unwrap();
    let options = Options { hertz: Some(hertz), seeds: 3, ..Options::default() };
    let inner = Inner { dsp_blocks: true, ..Inner::of(&top).unwrap() };
    let built = build(&board, &inner, &options, &mut |_| {}).unwrap();
    let fmax = built.timing.as_ref().map_or(0.0, |timing| timing.fmax_mhz);
    println!("{name} on {}, {line:?}: {} MHz wanted, Fmax {fmax:.1}", board.title, built.clock_mhz);
    for part in &built.synthesized {
        println!("  {}: {} of {}", part.name, part.used, part.available);
    }
    built
}

/// No more is used than the UP5K has.
fn fits_the_up5k(built: &Built) {
    for (name, most) in [("LUT", 5280), ("DSP", 8), ("BRAM", 30), ("SPRAM", 4)] {
        let part = built.synthesized.iter().find(|part| part.name == name).unwrap();
        assert!(part.used <= most, "{part:?}");
    }
}

fn budget(multipliers: u32, single_port: bool) -> Budget {
    Budget { single_port, ..Budget::within(multipliers) }
}
