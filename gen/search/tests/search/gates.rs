//! Gates against the subnets that they stand for, and slopes against the planner.

use crate::common::{
    any_space, batch, choice, items, leaves, list, rng, supernet, trained, trainer,
};
use burn::tensor::{Device, Tensor, TensorData};
use hwgen_search::cost::Target;
use hwgen_search::space::{Choice, Space, preset};
use hwgen_search::supernet::{Gates, Normal, Role, Run, Sharing, Supernet};
use hwgen_search::train::{Gated, Schedule, Slopes};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

const SHARINGS: [Sharing; 4] =
    [Sharing::Free, Sharing::Residual, Sharing::TopBits, Sharing::DoubleRounding];

/// Thresholds so that a choice comes out: far below what is open, far above what is not.
fn set(supernet: &mut Supernet, choice: &Choice) {
    supernet.add_thresholds();
    let genes = supernet.space.genes();
    let thresholds = supernet.numbers.parameters.iter_mut().filter(|p| p.role == Role::Threshold);
    let options = genes.iter().zip(&choice.0).flat_map(|(gene, &chosen)| {
        (1..gene.options).map(move |option| option <= usize::from(chosen))
    });
    for (threshold, open) in thresholds.zip(options) {
        let data = TensorData::new(vec![if open { -50.0f32 } else { 50.0 }], [1, 1, 1, 1]);
        threshold.value = Tensor::from_data(data, &Device::default());
    }
}

/// Scores of the gated largest subnet and of the sliced one, normalized by the same batch.
fn both(supernet: &Supernet, choice: &Choice, batch: &Tensor<4>) -> [Vec<f32>; 2] {
    let leaves = leaves(supernet);
    let largest = supernet.space.subnet(&supernet.space.largest()).unwrap();
    let gates = Gates::new(supernet, &leaves, &largest);
    let gated = Run { supernet, leaves: &leaves, subnet: &largest, gates: Some(&gates) };
    let subnet = supernet.space.subnet(choice).unwrap();
    let sliced = Run { supernet, leaves: &leaves, subnet: &subnet, gates: None };
    [gated, sliced].map(|run| list(run.scores(batch.clone(), Normal::Batch)))
}

/// The share of scores that are not the same to a thousandth of the largest: a number next to a rounding edge
/// may fall to its other side where sums are taken in another order.
fn off([gated, sliced]: &[Vec<f32>; 2]) -> f64 {
    let most = sliced.iter().fold(1e-3f32, |most, x| most.max(x.abs()));
    let other = gated.iter().zip(sliced).filter(|(g, s)| (*g - *s).abs() > 1e-3 * most);
    other.count() as f64 / sliced.len() as f64
}

fn compare(space: Space, sharing: Sharing, of: &Choice, seed: u64) -> f64 {
    let items = items(space.input, space.classes, 12, seed);
    let mut supernet = supernet(space, sharing, &items, seed);
    set(&mut supernet, of);
    assert_eq!(supernet.gated(), *of, "the choice that the thresholds make");
    off(&both(&supernet, of, &batch(&items, 12)))
}

#[test]
fn open_gates_are_the_largest_subnet() {
    for (name, input) in [
        ("shapes", [14, 13, 2]),
        ("images", [12, 12, 1]),
        ("mobile", [12, 9, 1]),
        ("keywords", [20, 10, 1]),
        ("cenet", [24, 24, 1]),
    ] {
        let space = preset(name, input, 4).unwrap();
        let largest = space.largest();
        let off = compare(space, Sharing::Free, &largest, 3);
        println!("{name}, all open: {:.1} % of scores differ", 100.0 * off);
        assert!(off < 0.03, "{name}");
    }
}

#[test]
fn thresholds_slice_as_choices_do() {
    let mut rng = rng(1);
    let (mut sum, mut count) = (0.0, 0.0);
    let presets = [
        ("shapes", [14, 13, 2]),
        ("images", [12, 12, 1]),
        ("mobile", [12, 9, 1]),
        ("keywords", [20, 10, 1]),
        ("cenet", [24, 24, 1]),
    ];
    for (name, input) in presets {
        for n in 0..8 {
            let space = preset(name, input, 4).unwrap();
            let some = choice(&space, &mut rng);
            let off = compare(space, SHARINGS[n % 4], &some, n as u64);
            assert!(off < 0.2, "{name}, {:?}: {off} of the scores of {some:?}", SHARINGS[n % 4]);
            (sum, count) = (sum + off, count + 1.0);
        }
    }
    println!("presets: {:.2} % of scores differ", 100.0 * sum / count);
    assert!(sum / count < 0.02);
}

#[test]
fn thresholds_slice_any_space() {
    let mut rng = rng(2);
    let (mut sum, mut count, mut bad) = (0.0, 0.0, vec![]);
    for n in 0..80 {
        let mut space = any_space(&mut rng);
        space.input = [space.input[0].max(4), space.input[1].max(4), space.input[2]];
        let some = choice(&space, &mut rng);
        let off = compare(space.clone(), SHARINGS[n % 4], &some, n as u64);
        if off > 0.25 {
            bad.push(format!("{off:.2} {:?} {some:?} of {space:?}", SHARINGS[n % 4]));
        }
        (sum, count) = (sum + off, count + 1.0);
    }
    println!(
        "spaces at random: {:.2} % of scores differ, {} of 80 badly",
        100.0 * sum / count,
        bad.len()
    );
    assert!(bad.len() <= 1 && sum / count < 0.02, "{}", bad.join("\n"));
}

fn target(multipliers: u32) -> Target {
    Target {
        multipliers,
        kind: hwgen_designs::cnn::Multiplier::Bits25x18,
        single_port: false,
        narrow: true,
        hertz: 100_000_000,
        device: None,
    }
}

/// The more cycles count, the fewer are chosen, and what is trained still tells items apart.
#[test]
fn gates_close_where_cycles_count() {
    let (supernet, judge) = trained("shapes", [14, 13, 2], Sharing::Free, 60);
    let cycles = |supernet: &Supernet, choice: &Choice| {
        let subnet = supernet.space.subnet(choice).unwrap();
        target(24).cost(supernet, &subnet).unwrap().cycles
    };
    let all = cycles(&supernet, &supernet.space.largest());
    let gate = |weight: f32| {
        let gated = Some(Gated { weight, target: target(24) });
        let schedule = Schedule { gated, batch: 32, rate: 0.03, ..Schedule::new(3, 12) };
        let mut trainer = trainer(supernet.clone(), &judge.calibration, schedule);
        while !trainer.is_done() {
            trainer.advance().unwrap();
        }
        let choice = trainer.supernet.gated();
        let subnet = trainer.supernet.space.subnet(&choice).unwrap();
        let accuracy = judge.accuracies(&trainer.supernet, &[subnet], 1)[0];
        (cycles(&supernet, &choice), accuracy)
    };
    let told = [0.0, 0.1, 1.0].map(gate);
    println!("of {all} cycles gates choose {told:?}");
    assert!(told[1].0 < told[0].0 && told[2].0 <= told[1].0 && told[2].0 < all / 2, "{told:?}");
    assert!(told[1].1 > 0.5, "four classes are told apart by chance in a quarter of all cases");
}

#[test]
fn cycles_raise_thresholds_of_what_costs() {
    let items = items([14, 13, 2], 3, 64, 5);
    let space = preset("shapes", [14, 13, 2], 3).unwrap();
    let train = |weight: f32| {
        let supernet = supernet(space.clone(), Sharing::Free, &items, 5);
        let gated = Some(Gated { weight, target: target(24) });
        let schedule = Schedule { gated, batch: 32, ..Schedule::new(3, 2) };
        let mut trainer = trainer(supernet, &items, schedule);
        let numbers = |supernet: &Supernet| -> Vec<f32> {
            let thresholds = supernet.numbers.parameters.iter();
            let thresholds = thresholds.filter(|p| p.role == Role::Threshold);
            thresholds.flat_map(|p| list(p.value.clone())).collect()
        };
        let before = numbers(&trainer.supernet);
        trainer.advance().unwrap();
        (before, numbers(&trainer.supernet), trainer.supernet)
    };
    let ((before, with, supernet), (_, without, _)) = (train(1000.0), train(0.0));
    let mut fresh = supernet.clone();
    set(&mut fresh, &space.largest());
    let slopes = Slopes::of(&fresh, &target(24), &space.largest()).unwrap();
    let shares: Vec<f32> = slopes.shares.concat();
    assert_eq!(shares.len(), with.len());
    let mut told = 0;
    for (n, &share) in shares.iter().enumerate() {
        // what gates do to the loss is the same in both
        let pulled = with[n] - without[n];
        assert!(before[n].is_finite() && with[n].is_finite());
        if share.abs() > 1e-3 {
            assert_eq!(pulled > 0.0, share > 0.0, "threshold {n}: share {share}, moved {pulled}");
            told += 1;
        }
    }
    println!("{told} of {} thresholds move as cycles want", shares.len());
    assert!(told >= 5, "too few change cycles");
}

/// A choice that is so many genes away.
fn neighbor(space: &Space, from: &Choice, genes: usize, rng: &mut ChaCha8Rng) -> Choice {
    let all = space.genes();
    let mut to = from.clone();
    let mut left: Vec<usize> = (0..all.len()).collect();
    for _ in 0..genes.min(all.len()) {
        let n = left.swap_remove(rng.random_range(0..left.len()));
        let step = rng.random_range(1..all[n].options);
        to.0[n] = ((usize::from(from.0[n]) + step) % all[n].options) as u8;
    }
    to
}

/// How far slopes are off, as shares of the exact cycles: mean and greatest, for neighbors at each distance.
fn slopes(name: &str, input: [usize; 3], neighbors: usize) -> Vec<(usize, f64, f64)> {
    let mut rng = rng(9);
    let space = preset(name, input, 8).unwrap();
    let items = items(input, 8, 8, 1);
    let supernet = supernet(space.clone(), Sharing::Free, &items, 1);
    let target = target(48);
    let exact = |choice: &Choice| {
        let subnet = space.subnet(choice).unwrap();
        target.cost(&supernet, &subnet).unwrap().cycles as f64
    };
    let from = choice(&space, &mut rng);
    let slopes = Slopes::of(&supernet, &target, &from).unwrap();
    assert_eq!(slopes.cycles(&from, &from), exact(&from));
    let mut told = vec![];
    for genes in [1, 2, 4, 8] {
        let mut errors = vec![];
        for _ in 0..neighbors {
            let to = neighbor(&space, &from, genes, &mut rng);
            errors.push((slopes.cycles(&from, &to) / exact(&to) - 1.0).abs());
        }
        let mean = errors.iter().sum::<f64>() / errors.len() as f64;
        let most = errors.iter().copied().fold(0.0, f64::max);
        println!(
            "{name}: {genes} genes away, cycles {:.1} % off, at most {:.1} %",
            100.0 * mean,
            100.0 * most
        );
        told.push((genes, mean, most));
    }
    told
}

#[test]
fn slopes_are_exact_one_option_away() {
    let mut rng = rng(4);
    let input = [14, 13, 2];
    let space = preset("shapes", input, 4).unwrap();
    let supernet = supernet(space.clone(), Sharing::Free, &items(input, 4, 8, 1), 1);
    let target = target(24);
    let from = choice(&space, &mut rng);
    let slopes = Slopes::of(&supernet, &target, &from).unwrap();
    for (n, gene) in space.genes().iter().enumerate() {
        for option in [usize::from(from.0[n]).wrapping_sub(1), usize::from(from.0[n]) + 1] {
            if option >= gene.options {
                continue;
            }
            let mut to = from.clone();
            to.0[n] = option as u8;
            let exact = target.cost(&supernet, &space.subnet(&to).unwrap()).unwrap().cycles as f64;
            let told = slopes.cycles(&from, &to);
            assert!((told / exact - 1.0).abs() < 1e-5, "{gene:?} {option}: {told} for {exact}");
        }
    }
}

#[test]
fn slopes_tell_about_how_many_cycles() {
    let told = slopes("shapes", [14, 13, 2], 10);
    assert!(told[0].1 < 0.10, "one gene away");
}

#[test]
#[ignore = "takes minutes: a bar"]
fn slopes_of_neighbors() {
    let mut most = 0.0f64;
    for (name, input) in [("images", [28, 28, 1]), ("keywords", [49, 10, 1])] {
        most = most.max(slopes(name, input, 50)[2].1);
    }
    println!("slopes_of_neighbors: {:.1} % off on average, four genes away", 100.0 * most);
    assert!(most < 0.25);
}
