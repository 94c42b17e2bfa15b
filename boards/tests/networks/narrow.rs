//! MLPerf Tiny's keyword network with weights of 4 bits and activations of 8 on the smallest board: fewer
//! cycles than with 8 bits within as many multipliers, in a bitstream that fits and is fast enough, and the
//! simulated board gives the interpreter's scores.

use super::{budget, built, fits_the_up5k, narrowing, payload};
use hwgen_boards::build::Verdict;
use hwgen_boards::host::cnn::{Inference, class};
use hwgen_boards::host::{Board, Settings};
use hwgen_boards::sim::faults::Faults;
use hwgen_boards::sim::{SimBoard, SimLine};
use hwgen_boards::top::{Line, TopSpec};
use hwgen_designs::cnn::CnnSpec;
use hwgen_network::graph::Network;
use hwgen_network::interpret::Interpreter;
use hwgen_network::plan::{Budget, Plan, size, size_outline};
use hwgen_network::policy::Calibration;
use narrowing::{mlperf, trained, uniform};
use std::time::Duration;

/// The clock of the board.
const HERTZ: u32 = 12_000_000;

/// Multipliers of the board's core of eight bits, and of that with narrow numbers: within five there is one of two
/// results, which is hardly faster and has more cells than the board.
const MULTIPLIERS: u32 = 5;
const NARROW_MULTIPLIERS: u32 = 4;

/// How many times the cycles of 8 bits are those of 4, at least.
const LEAST_GAIN: f64 = 1.5;

/// Clips whose ranges the policy sees.
const CALIBRATED: usize = 50;

/// Clips that the board classifies, none of which the policy has seen, and how many it names right.
const CLASSIFIED: usize = 20;
const LEAST_RIGHT: usize = 16;

/// The recorded clips, and what is said in them.
fn clips() -> (Vec<Vec<i16>>, Vec<u8>) {
    let bytes = mlperf("kws01_mfcc_int8_200x490.bin").unwrap();
    let clips = bytes.chunks(490).map(|clip| clip.iter().map(|&b| i16::from(b as i8)).collect());
    (clips.collect(), mlperf("kws01_labels_u8_200.bin").unwrap())
}

/// The keyword network with weights of 4 bits, re-scaled by some clips.
fn narrowed(kws: &Network, clips: &[Vec<i16>]) -> Network {
    let seen: Vec<_> = clips.iter().map(|clip| vec![clip.clone()]).collect();
    let calibration = Calibration::new(kws, &seen).unwrap();
    uniform(kws, 4, 8).calibrated(kws, &calibration).unwrap()
}

/// Runs the clips on the simulated board, which must say what the interpreter does: how many it names right, and
/// cycles of the latest from its first byte to its last, a fast line among them.
fn classified(
    (network, spec, plan): (&Network, &CnnSpec, Plan),
    clips: &[Vec<i16>],
    labels: &[u8],
) -> (usize, u32) {
    // bits of eight cycles take little of the time
    let top = TopSpec::over(Line::Uart { divisor: 8 }, HERTZ);
    let board = SimBoard::new(&top, &payload(spec), 3).unwrap();
    let line = SimLine::new(board, [5, 6].map(|seed| Faults::new(0.0, seed)));
    let settings = Settings { margin: Duration::ZERO, ..Settings::default() };
    let board = Board::open_with(line, settings).unwrap();
    let mut board = Inference::new(board, spec, plan).unwrap();
    board.load(|_, _| ()).unwrap();
    let mut golden = Interpreter::new(network).unwrap();
    let mut right = 0;
    for (clip, &label) in clips.iter().zip(labels) {
        let scores = board.infer(clip).unwrap();
        golden.run(&[clip]);
        assert_eq!(scores, golden.outputs().collect::<Vec<_>>());
        right += usize::from(class(&scores[0]) == Some(label.into()));
    }
    (right, board.counters().unwrap().latest_cycles)
}

#[test]
#[ignore = "minutes of place and route: `cargo xtask bars narrow_board`"]
fn narrow_keywords_are_faster_on_the_smallest_board() {
    let (kws, _) = trained().expect("HWGEN_DATA");
    let (clips, labels) = clips();
    let (seen, unseen) = clips.split_at(CALIBRATED);
    let narrow = narrowed(&kws, seen);
    let wide = size_outline(&kws, budget(MULTIPLIERS, true)).unwrap().1.cycles();
    let narrow_budget = Budget { single_port: true, ..Budget::of(&narrow, NARROW_MULTIPLIERS) };
    let (spec, plan) = size(&narrow, narrow_budget).unwrap();
    let (cycles, gain) = (plan.cycles(), wide as f64 / plan.cycles() as f64);
    println!("{} multipliers: {cycles} cycles, {wide} of 8 bits", spec.all_multipliers());
    assert!(spec.all_multipliers() <= MULTIPLIERS && gain >= LEAST_GAIN, "{gain:.2}, {spec:?}");

    let built = built("icebreaker", Line::uart(HERTZ, 115_200), "kws at W4A8", &spec, HERTZ);
    assert_eq!(built.verdict, Verdict::Met);
    fits_the_up5k(&built);

    let labels = &labels[CALIBRATED..][..CLASSIFIED];
    let (right, latest) = classified((&narrow, &spec, plan), &unseen[..CLASSIFIED], labels);
    println!(
        "{right} of {CLASSIFIED} clips named right on the simulated board, {latest} cycles with its line"
    );
    assert!(right >= LEAST_RIGHT);
    assert!(wide as f64 >= LEAST_GAIN * f64::from(latest));
    println!("narrow_board: {gain:.3}");
}
