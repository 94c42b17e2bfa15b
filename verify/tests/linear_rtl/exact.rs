//! `linear`.

use hwgen_designs::drive::{Driven, Stalls};
use hwgen_designs::generate::Generate;
use hwgen_designs::linear::LinearSpec;
use hwgen_designs::linear::drive::exact::Batch;
use hwgen_verify::suite::{self, GATES, PRINTED, check, compare, pick, simulator};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn random_spec(rng: &mut impl Rng) -> LinearSpec {
    LinearSpec {
        inputs: pick(rng, &[1, 2, 3, 5, 8, 13, 16, 33, 64]),
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
    suite::resets(&LinearSpec { inputs: 7, outputs: 3, lanes: 2 }, (3, 6));
}

/// Beats past the last place of each memory are taken and forgotten.
#[test]
fn too_long_a_load() {
    let rng = &mut ChaCha8Rng::seed_from_u64(8);
    let spec = LinearSpec { inputs: 5, outputs: 4, lanes: 2 };
    let batches = [1, 2].map(|_| {
        loop {
            let batch = Batch::random(&spec, rng, 3, false);
            if batch.load.table.is_some() {
                break batch;
            }
        }
    });
    let mut feeds = spec.feeds(&batches, rng);
    for (stream, places) in [(0, spec.layer().weight_beats()), (1, spec.outputs), (2, 256)] {
        let beats = &mut feeds[stream].beats;
        let more = beats[places as usize..].to_vec();
        beats.truncate(places as usize);
        // the true last beat, but without `last`, then noise
        let end = beats[places as usize - 1].len() - 1;
        beats[places as usize - 1][end] = 0.into();
        let noise = beats[..1].to_vec();
        (0..300).for_each(|_| beats.extend(noise.clone()));
        beats[places as usize + 299][end] = 1.into();
        beats.extend(more);
    }
    compare(&mut simulator(&spec.build(), 2), &spec, &feeds, Stalls::default(), &batches);
}

/// The longest sums, and the default size.
#[test]
fn extremes() {
    let rng = &mut ChaCha8Rng::seed_from_u64(9);
    let long = LinearSpec { inputs: 4096, outputs: 2, lanes: 256 };
    for spec in [long, LinearSpec::default()] {
        let batches = [true, false].map(|corners| Batch::random(&spec, rng, 3, corners));
        check(&mut simulator(&spec.build(), 3), &spec, &batches, Stalls::default());
    }
    // every product at its largest, at either precision, every shift
    let spec = LinearSpec { inputs: 16, outputs: 2, lanes: 4 };
    let mut simulator = simulator(&spec.build(), 4);
    let mut batch = Batch::random(&spec, rng, 4, true);
    batch.load.weights = vec![vec![-128; 16], vec![127; 16]];
    for (i, token) in batch.tokens.iter_mut().enumerate() {
        (token.elements, token.precise) = (vec![if i < 2 { -128 } else { 127 }; 16], i % 2 == 0);
    }
    let all: Vec<_> = (0..64)
        .map(|shift| {
            let mut batch = batch.clone();
            batch.load.scales.iter_mut().for_each(|scale| scale.shift = shift);
            batch
        })
        .collect();
    check(&mut simulator, &spec, &all, Stalls::default());
}

/// Every weight against every element: the two multipliers of a lane lose nothing.
#[test]
fn every_product() {
    let rng = &mut ChaCha8Rng::seed_from_u64(11);
    let spec = LinearSpec { inputs: 2, outputs: 256, lanes: 1 };
    let mut batch = Batch::random(&spec, rng, 1, false);
    batch.load.table = None;
    for (w, (row, scale)) in (-128..).zip(batch.load.weights.iter_mut().zip(&mut batch.load.scales))
    {
        *row = vec![w, 0];
        (scale.bias, scale.multiplier, scale.shift) = (0, 1, 7);
    }
    let token = batch.tokens[0].clone();
    batch.tokens = (-128..=127)
        .flat_map(|x| [true, false].map(|precise| (x, precise)))
        .map(|(x, precise)| {
            let mut token = token.clone();
            (token.elements, token.precise) = (vec![x, 0], precise);
            token
        })
        .collect();
    check(&mut simulator(&spec.build(), 5), &spec, &[batch], Stalls::default());
}

/// The printed text in engines that are not ours; nothing unknown comes out of a four-state one.
#[test]
fn the_printed_verilog() {
    suite::elsewhere(&PRINTED, &small(), (3, 4));
}

#[test]
#[ignore = "synthesis"]
fn the_synthesized_gates() {
    suite::elsewhere(&GATES, &small(), (3, 4));
}

fn small() -> [LinearSpec; 2] {
    [(5, 3, 2), (1, 1, 1)].map(|(inputs, outputs, lanes)| LinearSpec { inputs, outputs, lanes })
}
