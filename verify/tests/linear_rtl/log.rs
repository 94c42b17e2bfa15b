//! `log_linear`.

use hwgen_designs::drive::{Driven, Stalls};
use hwgen_designs::generate::Generate;
use hwgen_designs::linear::LogLinearSpec;
use hwgen_designs::linear::drive::log::Batch;
use hwgen_verify::suite::{self, PRINTED, check, compare, pick, simulator};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn random_spec(rng: &mut impl Rng) -> LogLinearSpec {
    LogLinearSpec {
        inputs: pick(rng, &[1, 2, 3, 8, 13, 16, 33, 64]),
        outputs: pick(rng, &[1, 2, 3, 7, 16]),
        lanes: pick(rng, &[1, 2, 4, 8, 16, 64]),
    }
}

#[test]
fn random_sizes_stalls_and_batches() {
    suite::random(0..60, random_spec, (4, 6));
}

#[test]
fn every_result_passes_in_the_cycle_the_cost_model_says() {
    suite::cycles(0..60, random_spec, (3, 9));
}

/// Wherever a reset falls, the layer starts over with a load.
#[test]
fn a_reset_in_the_middle_leaves_nothing_behind() {
    suite::resets(&LogLinearSpec { inputs: 7, outputs: 3, lanes: 2 }, (3, 6));
}

/// Beats of weights past the load's last place are taken and forgotten.
#[test]
fn too_many_weights() {
    let rng = &mut ChaCha8Rng::seed_from_u64(8);
    let spec = LogLinearSpec { inputs: 5, outputs: 4, lanes: 2 };
    let batches = suite::jobs(&spec, rng, (2, 3));
    let mut feeds = spec.feeds(&batches, rng);
    let beats = spec.layer().weight_beats() as usize;
    let mut last = feeds[0].beats[beats - 1].clone();
    last[2] = 0.into();
    (0..70).for_each(|_| feeds[0].beats.insert(beats - 1, last.clone()));
    compare(&mut simulator(&spec.build(), 2), &spec, &feeds, Stalls::default(), &batches);
}

/// The longest sums, and the default size.
#[test]
fn extremes() {
    let rng = &mut ChaCha8Rng::seed_from_u64(9);
    let long = LogLinearSpec { inputs: 4096, outputs: 2, lanes: 256 };
    for spec in [long, LogLinearSpec::default()] {
        let batches = [true, false].map(|corners| Batch::random(&spec, rng, 3, corners));
        check(&mut simulator(&spec.build(), 3), &spec, &batches, Stalls::default());
    }
    // every product at its largest, every shift
    let spec = LogLinearSpec { inputs: 16, outputs: 2, lanes: 4 };
    let mut simulator = simulator(&spec.build(), 4);
    let mut batch = Batch::random(&spec, rng, 3, true);
    for (row, sign) in batch.load.weights.iter_mut().zip([1, -1]) {
        row.iter_mut().for_each(|w| (w.sign, w.exponent) = (sign, 7));
    }
    batch.tokens[..2].clone_from_slice(&[vec![-128; 16], vec![127; 16]]);
    let all: Vec<_> = (0..32)
        .map(|shift| {
            let mut batch = batch.clone();
            batch.load.shift = shift;
            batch
        })
        .collect();
    check(&mut simulator, &spec, &all, Stalls::default());
}

/// The printed text in engines that are not ours; nothing unknown comes out of a four-state one.
#[test]
fn the_printed_verilog() {
    let small = [(5, 3, 2), (1, 1, 1)].map(|(inputs, outputs, lanes)| LogLinearSpec {
        inputs,
        outputs,
        lanes,
    });
    suite::elsewhere(&PRINTED, &small, (3, 4));
}
