//! A cost without weights is the planner's of the trained network.

use crate::common::{choice, items, rng, supernet};
use hwgen_designs::cnn::Multiplier;
use hwgen_search::cost::Target;
use hwgen_search::integers::{Figures, network};
use hwgen_search::space::preset;
use hwgen_search::supernet::Sharing;
use hwgen_search::train::{Judge, Schedule};

/// For so many choices of each preset, on each kind of core: how many costs were compared.
fn exact(presets: &[(&str, [usize; 3])], choices: usize) -> usize {
    let mut rng = rng(1);
    let (mut compared, mut unrun) = (0, 0);
    for (n, &(name, input)) in presets.iter().enumerate() {
        let space = preset(name, input, 6).unwrap();
        let items = items(input, 6, 64, 2);
        let sharings =
            [Sharing::Free, Sharing::Residual, Sharing::TopBits, Sharing::DoubleRounding];
        for m in 0..choices {
            let supernet = supernet(space.clone(), sharings[(n + m) % 4], &items, m as u64);
            let schedule = Schedule { batch: 32, rate: 0.5, ..Schedule::new(3, 1) };
            let mut trainer = crate::common::trainer(supernet, &items, schedule);
            for _ in 0..2 {
                trainer.advance().unwrap();
            }
            let supernet = trainer.supernet;
            let choice = choice(&space, &mut rng);
            let subnet = space.subnet(&choice).unwrap();
            let judge = Judge { calibration: items.clone(), judged: items.clone() };
            let statistics = judge.statistics(&supernet, &subnet);
            let figures = Figures::Trained { statistics: &statistics, range: [-1.0, 3.0] };
            let trained = network(&supernet, &subnet, figures).unwrap();
            for kind in [Multiplier::Bits25x18, Multiplier::Bits18x18, Multiplier::Bits16x16] {
                for single_port in [false, true] {
                    let narrow = (m + usize::from(single_port)) % 3 != 0;
                    let multipliers = [8, 24, 49][m % 3];
                    let target =
                        Target { multipliers, kind, single_port, narrow, hertz: 1, device: None };
                    let Ok(cost) = target.cost(&supernet, &subnet) else {
                        unrun += 1;
                        continue;
                    };
                    let plan = Target::plan(&trained, &cost.core).unwrap_or_else(|error| {
                        panic!("{error}: {choice:?} of {name}, {target:?}")
                    });
                    assert_eq!(cost.cycles, plan.cycles(), "{choice:?} of {name}, {target:?}");
                    assert_eq!(cost.activation_bytes, u64::from(plan.bank_bytes));
                    compared += 1;
                }
            }
        }
    }
    println!(
        "exact_costs: {compared} costs equal those of trained networks; {unrun} without a core"
    );
    compared
}

#[test]
fn costs_are_those_of_trained_networks() {
    let presets = [("shapes", [28, 28, 1]), ("mobile", [16, 16, 3]), ("keywords", [25, 10, 1])];
    assert!(exact(&presets, 2) >= 18);
    // several graph convolutions, each with a table of its own
    assert!(exact(&[("cenet", [24, 24, 1])], 4) >= 12);
}

#[test]
#[ignore = "takes minutes: a bar"]
fn exact_costs() {
    let presets = [("images", [28, 28, 1]), ("mobile", [32, 32, 3]), ("cenet", [32, 32, 1])];
    assert!(exact(&presets, 34) >= 400);
}
