//! The top's Verilog: clean, and in other engines what the model says.

use super::echo::{Echo, channels, identity};
use super::{over, payload, question, spec};
use hwgen_boards::link::model::Board;
use hwgen_boards::sim::bench;
use hwgen_boards::top::{Line, Payload, TopSpec, hwgen_top};
use hwgen_designs::registry::find;
use hwgen_hdl::sim::{Bench, Initial};
use hwgen_verify::cosim::{Engine, verilator_lint};

/// A session through everything the top does.
fn session(engine: Engine) {
    let module = bench(&hwgen_top(&spec(4), &payload()).unwrap(), 4);
    let mut model = Board::new(Echo::default(), channels(), identity());
    let mut device = engine.open(&module, Initial::Random(1)).unwrap();
    let mut bench = Bench::new(&mut *device);
    let (line, answers) = (bench.driver("in", 0.0, 1), bench.monitor("out", 0.0, 2));
    let mut expected: Vec<u8> = vec![];
    let questions = [
        question(10, 1, 0, 0, &[]),
        question(11, 2, 0, 1, &[1, 2, 3, 0xc0, 0xdb, 3]),
        question(11, 2, 0, 1, &[1, 2, 3, 0xc0, 0xdb, 3]),
        question(12, 3, 0, 9, &[]),
        question(13, 2, 1, 0, &[0x34, 0x12]),
        question(14, 3, 1, 2, &[]),
        question(20, 3, 1, 2, &[]),
        question(15, 4, 0, 0, &[]),
    ];
    for question in questions {
        question.iter().for_each(|&byte| bench.drivers[line].push([byte]));
        expected.extend(question.iter().flat_map(|&byte| model.push(Some(byte))));
        let all = expected.len();
        let done = |bench: &Bench<'_>| bench.monitors[answers].received.len() >= all;
        bench.run_until(20_000, "an answer", done).unwrap();
    }
    let received: Vec<u8> = (bench.monitors[answers].received.iter())
        .map(|beat| u8::try_from(&beat[0]).unwrap())
        .collect();
    assert_eq!(received, expected, "{}", engine.name());
    assert_eq!(bench.monitors[answers].unknown, 0);
}

#[test]
fn a_session_in_icarus() {
    session(Engine::Icarus);
}

#[test]
#[ignore = "compiling it takes long"]
fn a_session_in_verilator_and_in_gates() {
    session(Engine::Verilator);
    session(Engine::YosysIcarus);
}

#[test]
fn the_text_is_clean() {
    let of = |design: &str, sets: &[&str]| {
        let sets: Vec<_> = sets.iter().map(|&set| set.to_owned()).collect();
        Payload::new(design, &*find(design).unwrap().configure(None, &sets).unwrap())
    };
    let cnn = of(
        "cnn",
        &[
            "lanes=2",
            "results=1",
            "activation_words=4",
            "weight_rows=2",
            "scale_rows=2",
            "jobs=2",
            "softmax_tables=0",
            "matrices=false",
        ],
    );
    let lapa = of("lapa_predictor", &["max_keys=8", "head_dim=4", "rows=2"]);
    let board = TopSpec::new(12_000_000, 115_200);
    for (spec, payload) in [
        (board, Payload { classes: Some(12), ..cnn }),
        (spec(4), lapa),
        (over(Line::Spi), payload()),
    ] {
        let top = hwgen_top(&spec, &payload).unwrap();
        verilator_lint(&top).unwrap();
        assert_eq!(top.verilog().unwrap(), hwgen_top(&spec, &payload).unwrap().verilog().unwrap());
    }
}
