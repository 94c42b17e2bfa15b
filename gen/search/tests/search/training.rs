//! Training is the same whoever runs it, however often it is broken off.

use crate::common::{items, list, rng, supernet, trainer};
use hwgen_data::{Augment, ImageAugment, Subset};
use hwgen_files::Scratch;
use hwgen_search::cost::Target;
use hwgen_search::search::{Judged, Ledger, SearchError, Settings};
use hwgen_search::space::{Choice, preset};
use hwgen_search::supernet::Sharing;
use hwgen_search::train::{Gated, Judge, Schedule, Trainer, Training};
use rand::Rng;

fn target() -> Target {
    Target {
        multipliers: 24,
        kind: hwgen_designs::cnn::Multiplier::Bits25x18,
        single_port: false,
        narrow: true,
        hertz: 100_000_000,
        device: None,
    }
}

fn data() -> Subset {
    items([12, 11, 2], 3, 96, 7)
}

fn schedule(gated: bool) -> Schedule {
    let gated = gated.then(|| Gated { weight: 0.5, target: target() });
    Schedule { batch: 16, gated, ..Schedule::new(11, 2) }
}

fn begin(gated: bool) -> Trainer {
    let items = data();
    let space = preset("shapes", [12, 11, 2], 3).unwrap();
    let supernet = supernet(space, Sharing::Free, &items, 3);
    let augment = Augment::Image(ImageAugment { shift: 1, ..ImageAugment::default() });
    Trainer::new(supernet, schedule(gated), Training { items, augment })
}

/// All numbers, bit by bit.
fn bits(trainer: &Trainer) -> Vec<u32> {
    let parameters = trainer.supernet.numbers.parameters.iter();
    parameters.flat_map(|p| list(p.value.clone())).map(f32::to_bits).collect()
}

fn run(trainer: &mut Trainer, steps: usize) -> Vec<u32> {
    (0..steps).map(|_| trainer.advance().unwrap().to_bits()).collect()
}

#[test]
fn threads_change_no_bit() {
    for gated in [false, true] {
        let with = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let mut trainer = begin(gated);
                (run(&mut trainer, 8), bits(&trainer))
            })
        };
        let [one, two, again] = [1, 2, 2].map(with);
        assert!(one == two && two == again, "gated {gated}");
    }
}

#[test]
fn judges_agree_whatever_their_threads() {
    let mut trainer = begin(false);
    run(&mut trainer, 6);
    let space = &trainer.supernet.space;
    let mut rng = rng(5);
    let choices = (0..5).map(|_| crate::common::choice(space, &mut rng));
    let subnets: Vec<_> = choices.map(|choice| space.subnet(&choice).unwrap()).collect();
    let judge = Judge { calibration: data(), judged: items([12, 11, 2], 3, 60, 8) };
    let told = [1, 2, 5].map(|threads| judge.accuracies(&trainer.supernet, &subnets, threads));
    assert!(told[0] == told[1] && told[1] == told[2], "{told:?}");
}

#[test]
fn a_checkpoint_goes_on_to_the_same_bits() {
    let scratch = Scratch::new().unwrap();
    let path = scratch.path().join("training.safetensors");
    for gated in [false, true] {
        let mut whole = begin(gated);
        let losses = run(&mut whole, 12);
        assert!(whole.is_done());
        for broken in [0, 1, 5, 11, 12] {
            let mut first = begin(gated);
            run(&mut first, broken);
            first.save(&path).unwrap();
            let mut second = begin(gated);
            second.load(&path).unwrap();
            assert_eq!(second.step, broken);
            assert_eq!(run(&mut second, 12 - broken), losses[broken..], "after {broken} steps");
            assert_eq!(bits(&second), bits(&whole), "after {broken} steps");
        }
    }
}

#[test]
fn a_damaged_checkpoint_is_refused_by_name() {
    let scratch = Scratch::new().unwrap();
    let path = scratch.path().join("training.safetensors");
    let mut trainer = begin(false);
    run(&mut trainer, 3);
    trainer.save(&path).unwrap();
    let whole = std::fs::read(&path).unwrap();
    let mut rng = rng(6);
    let mut fresh = begin(false);
    for n in 0..150 {
        let mut bytes = whole.clone();
        match n % 3 {
            // of numbers as well as of what tells about them
            0 => bytes[rng.random_range(0..whole.len())] ^= 1 << rng.random_range(0..8),
            1 => bytes[rng.random_range(0..whole.len().min(4096))] = rng.random(),
            _ => bytes.truncate(rng.random_range(0..whole.len())),
        }
        if bytes == whole {
            continue;
        }
        std::fs::write(&path, &bytes).unwrap();
        match fresh.load(&path) {
            Err(error) => assert!(error.to_string().contains("training.safetensors"), "{error}"),
            // the file may tell the same in another way: a space, say
            Ok(()) => assert_eq!((fresh.step, bits(&fresh)), (3, bits(&trainer)), "damage {n}"),
        }
    }
    std::fs::remove_file(&path).unwrap();
    assert!(fresh.load(&path).unwrap_err().to_string().contains("training.safetensors"));
}

#[test]
fn a_checkpoint_of_another_training_is_refused() {
    let scratch = Scratch::new().unwrap();
    let path = scratch.path().join("training.safetensors");
    let mut trainer = begin(false);
    run(&mut trainer, 2);
    trainer.save(&path).unwrap();
    let items = data();
    let space = || preset("shapes", [12, 11, 2], 3).unwrap();
    let augment = Augment::Image(ImageAugment { shift: 1, ..ImageAugment::default() });
    let with =
        |seed: u64, sharing: Sharing, schedule: Schedule, items: &Subset, augment: &Augment| {
            let supernet = supernet(space(), sharing, items, seed);
            Trainer::new(
                supernet,
                schedule,
                Training { items: items.clone(), augment: augment.clone() },
            )
        };
    let plain = schedule(false);
    let other = crate::common::items([12, 11, 2], 3, 96, 8);
    let only = Some(space().smallest());
    let others = [
        ("numbers", with(4, Sharing::Free, plain.clone(), &items, &augment)),
        ("sharing", with(3, Sharing::Residual, plain.clone(), &items, &augment)),
        ("seed", with(3, Sharing::Free, Schedule { seed: 1, ..plain.clone() }, &items, &augment)),
        ("subnet", with(3, Sharing::Free, Schedule { only, ..plain.clone() }, &items, &augment)),
        ("items", with(3, Sharing::Free, plain.clone(), &other, &augment)),
        ("changes", with(3, Sharing::Free, plain.clone(), &items, &Augment::None)),
        ("gates", begin(true)),
    ];
    for (what, mut other) in others {
        let error = other.load(&path).map_err(|error| error.to_string());
        let says = "training.safetensors: the checkpoint of another training";
        assert!(error.as_ref().is_err_and(|error| error.contains(says)), "{what}: {error:?}");
    }
    with(3, Sharing::Free, plain, &items, &augment).load(&path).unwrap();
}

#[test]
fn too_few_items_are_told() {
    let items = data().pick([0]);
    let space = preset("shapes", [12, 11, 2], 3).unwrap();
    let mut trainer = trainer(supernet(space, Sharing::Free, &items, 3), &items, schedule(false));
    let error = trainer.advance().unwrap_err().to_string();
    assert!(error.contains("1 items to train on, for a batch in 2 shards"), "{error}");
}

#[test]
fn a_rate_too_high_is_told() {
    let schedule = Schedule { rate: 1e30, ..schedule(false) };
    let items = data();
    let space = preset("shapes", [12, 11, 2], 3).unwrap();
    let mut trainer = trainer(supernet(space, Sharing::Free, &items, 3), &items, schedule);
    let failed = (0..12).find_map(|_| trainer.advance().err());
    let error = failed.expect("numbers beyond all measure").to_string();
    assert!(error.contains("the loss is no number; a lower rate than"), "{error}");
}

pub(crate) fn settings() -> Settings {
    Settings {
        space: preset("shapes", [28, 28, 1], 8).unwrap(),
        sharing: Sharing::Free,
        target: target(),
        latency: None,
        gates: vec![],
        gating: 1,
        seed: 5,
        epochs: 2,
        tuning: 1,
        rate: 0.1,
        population: 6,
        generations: 2,
        judged: 60,
        points: 2,
        alone: 0,
        threads: 2,
        save_seconds: 0,
    }
}

#[test]
fn a_ledger_of_another_search_is_refused() {
    let scratch = Scratch::new().unwrap();
    let path = scratch.path().join("judged.jsonl");
    let judged = Judged { choice: Choice(vec![1, 2]), cycles: 7, accuracy: 551.0 / 600.0 };
    Ledger::open(&path, &settings(), "data").unwrap().add(judged.clone()).unwrap();
    let again = Ledger::open(&path, &settings(), "data").unwrap();
    assert_eq!(again.get(&judged.choice), Some((7, judged.accuracy)), "to the last bit");
    let others = [
        (Settings { seed: 6, ..settings() }, "data"),
        (Settings { sharing: Sharing::TopBits, ..settings() }, "data"),
        (settings(), "other data"),
    ];
    for (settings, of) in others {
        let error = Ledger::open(&path, &settings, of).unwrap_err();
        assert!(matches!(error, SearchError::Other(_)));
        assert!(error.to_string().contains("judged.jsonl: of another search"), "{error}");
    }
}

#[test]
fn figures_of_a_ledger_come_back_to_the_last_bit() {
    let scratch = Scratch::new().unwrap();
    let path = scratch.path().join("judged.jsonl");
    let all: Vec<Judged> = (0..=255u8)
        .map(|n| Judged {
            choice: Choice(vec![n]),
            cycles: u64::MAX - u64::from(n),
            accuracy: f64::from(n) / 257.0,
        })
        .collect();
    let mut ledger = Ledger::open(&path, &settings(), "data").unwrap();
    all.iter().for_each(|judged| ledger.add(judged.clone()).unwrap());
    let ledger = Ledger::open(&path, &settings(), "data").unwrap();
    for judged in all {
        assert_eq!(ledger.get(&judged.choice), Some((judged.cycles, judged.accuracy)));
    }
}
