//! The core on memories of one port and multipliers of an UP5K: what Yosys makes of it, in Icarus
//! with Yosys' models of the blocks, as icestorm cannot read them back.

use super::{DIVISOR, Log, asked, open};
use hwgen_boards::board::find;
use hwgen_boards::host::cnn::{Inference, hash};
use hwgen_boards::proof::talk;
use hwgen_boards::top::{Line, Payload, TopSpec, hwgen_top};
use hwgen_boards::wrapper::{Inner, TOP, wrap};
use hwgen_designs::cnn::CnnSpec;
use hwgen_designs::generate::Generate;
use hwgen_network::graph::{
    Clamp, Conv2d, FullyConnected, Layer, Linear, Mean, Multiplier, Network, Operator, Pads,
    Rounding, Tensor, VERSION, Window,
};
use hwgen_network::interpret::Interpreter;
use hwgen_network::plan::{Budget, size};
use hwgen_tools::{require, run};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::time::Duration;

/// A convolution of 3 x 3 on 5 x 6, the mean, a dense layer of 4 scores: jobs of three kinds.
fn network(rng: &mut ChaCha8Rng) -> Network {
    let tensor = |name: &str, shape: &[usize]| Tensor {
        name: name.into(),
        shape: shape.to_vec(),
        bits: 8,
        signed: true,
        scale: 1.0,
        zero_point: -3,
        sums: None,
    };
    let clamp = Clamp { min: -128, max: 127 };
    let mut linear = |outputs: usize, each: usize, shift: i32| Linear {
        bits: 8,
        shared: None,
        weights: (0..outputs * each).map(|_| rng.random()).collect::<Vec<i8>>().into(),
        bias: (0..outputs).map(|_| rng.random_range(-900..900)).collect::<Vec<i32>>().into(),
        multipliers: [Multiplier { mantissa: rng.random_range(1 << 30..i32::MAX), shift }]
            .into_iter()
            .collect(),
        rounding: Rounding::Twice,
        clamp,
    };
    let window = Window { kernel: [3, 3], stride: [1, 1], dilation: [1, 1], pads: Pads::default() };
    let operators = [
        Operator::Conv2d(Conv2d { window, groups: 1, linear: linear(6, 9, -8) }),
        Operator::Mean(Mean {
            axes: vec![0, 1],
            keep: false,
            multiplier: Multiplier::nearest(0.09).unwrap(),
            rounding: Rounding::Twice,
            clamp,
        }),
        Operator::FullyConnected(FullyConnected { linear: linear(4, 6, -7) }),
    ];
    let names = ["x", "image", "mean", "scores"];
    let layer = |(n, operator): (usize, Operator)| Layer {
        name: format!("layer_{n}"),
        inputs: vec![names[n].into()],
        output: names[n + 1].into(),
        operator,
    };
    Network {
        version: VERSION,
        name: "small".into(),
        binary: None,
        inputs: vec![names[0].into()],
        outputs: vec![names[3].into()],
        tensors: vec![
            tensor(names[0], &[5, 6, 1]),
            tensor(names[1], &[3, 4, 6]),
            tensor(names[2], &[6]),
            tensor(names[3], &[4]),
        ],
        layers: operators.into_iter().enumerate().map(layer).collect(),
        states: vec![],
    }
}

#[test]
#[ignore = "minutes of Yosys and Icarus: `cargo xtask bars up5k_netlist`"]
fn a_netlist_of_the_up5k_gives_the_golden_answers() {
    let rng = &mut ChaCha8Rng::seed_from_u64(21);
    let network = network(rng);
    let budget = Budget { single_port: true, ..Budget::within(5) };
    let (spec, plan) = size(&network, budget).unwrap();
    let (module, spec_hash) = (spec.build(), hash(&spec));
    let payload = Payload { module, design: CnnSpec::NAME.into(), spec_hash, classes: Some(4) };
    let board = find("icebreaker").unwrap();
    let clocking = board.clocking(Some(board.clock.hertz)).unwrap();
    let top = TopSpec::over(Line::Uart { divisor: DIVISOR }, clocking.hertz);

    let log = Log::default();
    let mut host = Inference::new(open(&top, &payload, &log), &spec, plan).unwrap();
    host.load(|_, _| ()).unwrap();
    let mut golden = Interpreter::new(&network).unwrap();
    let mut scores = 0;
    for _ in 0..3 {
        let input: Vec<i16> = (0..30).map(|_| rng.random::<i8>().into()).collect();
        golden.run(&[&input]);
        assert_eq!(host.infer(&input).unwrap(), golden.outputs().collect::<Vec<_>>());
        scores += 4;
    }
    drop(host);

    let inner = Inner::of(&hwgen_top(&top, &payload).unwrap()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("design.v"), &inner.verilog).unwrap();
    std::fs::write(at("board.v"), wrap(&board, &inner, &clocking).unwrap()).unwrap();
    let script = format!(
        "read_verilog design.v board.v; synth_ice40 -dsp -spram -top {TOP}; tee -o stat.txt stat; \
         write_verilog -noattr netlist.v"
    );
    let tool = require("yosys").unwrap();
    let mut yosys = tool.command();
    let limit = Duration::from_secs(1800);
    run(yosys.current_dir(folder.path()).args(["-q", "-p", &script]), limit).unwrap();
    let stat = std::fs::read_to_string(at("stat.txt")).unwrap();
    for block in ["SB_MAC16", "SB_SPRAM256KA", "SB_RAM40_4K"] {
        assert!(stat.contains(block), "no {block}: {stat}");
    }
    // what Yosys knows of the blocks lies beside it
    let share = tool.path.parent().unwrap().join("../share/yosys/ice40/cells_sim.v");
    let blocks = std::fs::read_to_string(share).unwrap();
    // ports with default values are not Verilog-2005
    let blocks = format!("`define NO_ICE40_DEFAULT_ASSIGNMENTS\n{blocks}");
    let netlist = std::fs::read_to_string(at("netlist.v")).unwrap();
    let (questions, answers) = asked(&log);
    let said = talk(&board, TOP, &[&netlist, &blocks], DIVISOR, &questions).unwrap();
    println!("{} questions, {} bytes answered", questions.len(), said.len());
    assert_eq!(said, answers);
    println!("up5k_netlist: {scores}");
}
