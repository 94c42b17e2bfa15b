//! `feed_forward`.

use hwgen_designs::attention::lapa::LapaSpec;
use hwgen_designs::attention::lapa::drive as layer;
use hwgen_designs::attention::lapa::drive::random_job;
use hwgen_designs::drive::Stalls;
use hwgen_designs::generate::Generate;
use hwgen_designs::linear::FeedForwardSpec;
use hwgen_designs::linear::drive::feed_forward::Batch;
use hwgen_designs::linear::golden::exact::Token;
use hwgen_verify::suite::{self, GATES, PRINTED, check, check_cycles, pick, simulator};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn random_spec(rng: &mut impl Rng) -> FeedForwardSpec {
    FeedForwardSpec {
        inputs: pick(rng, &[1, 2, 5, 8, 13, 33]),
        hidden: pick(rng, &[1, 2, 3, 7, 16, 20]),
        outputs: pick(rng, &[1, 2, 5, 16]),
        first_lanes: pick(rng, &[1, 2, 4, 8, 64]),
        second_lanes: pick(rng, &[1, 2, 4, 8, 64]),
    }
}

#[test]
fn random_sizes_stalls_and_batches() {
    suite::random(0..24, random_spec, (4, 6));
}

#[test]
fn every_result_passes_in_the_cycle_the_cost_model_says() {
    suite::cycles(0..40, random_spec, (3, 9));
}

/// Wherever a reset falls, both layers start over with a load.
#[test]
fn a_reset_in_the_middle_leaves_nothing_behind() {
    let sizes = "inputs=7 hidden=5 outputs=3 first_lanes=2 second_lanes=4";
    suite::resets(&suite::spec::<FeedForwardSpec>(sizes), (3, 6));
}

const SMALL: &str = "inputs=5 hidden=4 outputs=3 first_lanes=2 second_lanes=2";

/// The default size, and tokens that are not precise in half the cycles.
#[test]
fn the_default_size() {
    let rng = &mut ChaCha8Rng::seed_from_u64(9);
    let spec = FeedForwardSpec::default();
    let mut simulator = simulator(&spec.build(), 3);
    let batch = Batch::random(&spec, rng, 6, false);
    let took = [true, false].map(|precise| {
        let mut batch = batch.clone();
        batch.tokens.iter_mut().for_each(|token| token.precise = precise);
        let run = check(&mut simulator, &spec, &[batch], Stalls::default());
        run.cycles[5] - run.cycles[0]
    });
    assert_eq!(took, [5 * 1024, 5 * 512]);
}

/// From the mask to the precision: attention on tokens says which of them matter, and the
/// feed-forward block computes those at eight bits.
#[test]
fn importance_of_a_job_chooses_the_precision() {
    let mut attention =
        LapaSpec { inputs: 12, queries_per_key: 2, max_heads: 2, hidden: 0, ..LapaSpec::default() };
    let lapa = &mut attention.attention.lapa;
    (lapa.head_dim, lapa.max_keys, lapa.rows) = (8, 32, 4);
    attention.attention.exact.lanes = 8;
    attention.counts.factor256 = 256;
    let spec =
        FeedForwardSpec { inputs: 12, hidden: 24, outputs: 12, first_lanes: 4, second_lanes: 4 };
    let mut engine = simulator(&attention.build(), 1);
    let mut block = simulator(&spec.build(), 2);
    let mut counted = [0, 0];
    for seed in 0..4 {
        let rng = &mut ChaCha8Rng::seed_from_u64(300 + seed);
        let job = random_job(&attention, rng, 30, 2);
        let result = job.results(&attention).unwrap();
        let rows = result.heads.iter().map(|head| head.rows.len()).sum();
        let stalls = Stalls::default();
        let jobs = std::slice::from_ref(&job);
        let run = layer::run(&mut engine, &attention, jobs, stalls, rows, 1).unwrap();
        let precise = |j: usize| run.importance[j / 4].precise >> (j % 4) & 1 == 1;
        let token = |(j, elements): (usize, &Vec<i32>)| Token {
            elements: elements.clone(),
            precise: precise(j),
        };
        let tokens: Vec<_> = job.tokens.iter().enumerate().map(token).collect();
        for (j, token) in tokens.iter().enumerate() {
            assert_eq!(token.precise, result.importance.precise(j), "token {j}");
            counted[usize::from(token.precise)] += 1;
        }
        let batch = Batch::random(&spec, rng, 1, false).fitted_to(tokens, rng);
        check_cycles(&mut block, &spec, &[batch]);
    }
    println!("tokens at four and eight bits: {counted:?}");
    assert!(counted.iter().all(|count| *count > 10), "{counted:?}");
}

/// The printed text in engines that are not ours; nothing unknown comes out of a four-state one.
#[test]
fn the_printed_verilog() {
    suite::elsewhere(&PRINTED, &[suite::spec::<FeedForwardSpec>(SMALL)], (3, 4));
}

#[test]
#[ignore = "synthesis"]
fn the_synthesized_gates() {
    suite::elsewhere(&GATES, &[suite::spec::<FeedForwardSpec>(SMALL)], (3, 4));
}
