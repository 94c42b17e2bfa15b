//! Parts of a set: nothing on two sides, classes even, the same from the same seed.

use hwgen_data::{Data, Head, Items, Kind, Scale, Shape, Subset, Wish};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeSet;

/// Items with labels and groups drawn at random; item n holds the number n.
fn items(count: usize, classes: usize, groups: Option<usize>, seed: u64) -> Subset {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let head = Head {
        name: "made".into(),
        kind: Kind::Image,
        shape: Shape { height: 1, width: 2, channels: 1 },
        scale: Scale::PIXELS,
        classes: (0..classes).map(|class| format!("class {class}")).collect(),
    };
    // classes of unequal sizes
    let mut label = || rng.random_range(0..classes).min(rng.random_range(0..classes)) as u16;
    let labels: Vec<u16> = (0..count).map(|_| label()).collect();
    let values = (0..count).flat_map(|n| [n as i8, (n >> 8) as i8]).collect();
    let made = Items::new(head, values, labels).unwrap();
    let Some(groups) = groups else { return made.into() };
    let mut group = || rng.random_range(0..groups).min(rng.random_range(0..groups)) as u32;
    let of = (0..count).map(|n| (n % 17 != 0).then(&mut group)).collect();
    let names = (0..groups).map(|group| format!("speaker {group}")).collect();
    made.with_groups(of, names).unwrap().into()
}

fn set(subset: &Subset) -> BTreeSet<u32> {
    let set: BTreeSet<u32> = subset.indices().iter().copied().collect();
    assert_eq!(set.len(), subset.len(), "an item is twice in a part");
    set
}

/// Parts share nothing and are all there is.
fn whole(all: &Subset, parts: &[&Subset], by_group: bool) {
    let mut seen = BTreeSet::new();
    let mut groups = BTreeSet::new();
    for part in parts {
        assert!(set(part).is_disjoint(&seen));
        seen.extend(set(part));
        assert!(!by_group || part.groups().is_disjoint(&groups));
        groups.extend(part.groups());
    }
    assert_eq!(seen, set(all));
}

/// How far a part's classes are from their share of all, in items, at most.
fn uneven(part: &Subset, all: &Subset, share: f64) -> f64 {
    let pairs = part.histogram().into_iter().zip(all.histogram());
    pairs.map(|(part, all)| (part as f64 - share * all as f64).abs()).fold(0.0, f64::max)
}

#[test]
fn splits_are_whole_and_even() {
    for seed in 0..20 {
        let all = items(500 + 37 * seed as usize, 7, None, seed);
        let (some, rest) = all.split(0.3, seed).unwrap();
        whole(&all, &[&some, &rest], false);
        assert!(uneven(&some, &all, 0.3) < 1.5, "{:?} of {:?}", some.histogram(), all.histogram());
        assert_eq!(some.len(), (0.3 * all.len() as f64).round() as usize);
        let limited = all.limit(100, seed);
        assert_eq!(limited.len(), 100);
        assert!(uneven(&limited, &all, 100.0 / all.len() as f64) < 1.0);
        assert_eq!(all.limit(1 << 40, seed).indices(), all.indices());
        for share in [0.0, 1.0] {
            let (some, rest) = all.split_groups(share, seed).unwrap();
            assert_eq!((some.is_empty(), rest.is_empty()), (share == 0.0, share == 1.0));
        }
    }
}

#[test]
fn no_speaker_is_on_both_sides() {
    let mut worst: f64 = 0.0;
    for seed in 0..20 {
        let all = items(3000, 12, Some(60), seed);
        let (some, rest) = all.split_groups(0.2, seed).unwrap();
        whole(&all, &[&some, &rest], true);
        worst = worst.max(uneven(&some, &all, 0.2) / all.len() as f64);
        let share = some.len() as f64 / all.len() as f64;
        assert!((share - 0.2).abs() < 0.02, "{share}");
    }
    println!(
        "split of 0.2 by 60 speakers: a class is {:.2} % of all items off, at most",
        100.0 * worst
    );
    assert!(worst < 0.01);
}

#[test]
fn folds_test_each_item_once() {
    for (groups, seed) in (0..20).flat_map(|seed| [(None, seed), (Some(60), seed)]) {
        let all = items(2000, 10, groups, seed);
        let folds = all.folds(5, seed).unwrap();
        let tests: Vec<&Subset> = folds.iter().map(|fold| &fold.test).collect();
        whole(&all, &tests, true);
        for fold in &folds {
            whole(&all, &[&fold.train, &fold.test], true);
            let off = uneven(&fold.test, &all, 0.2);
            assert!(off < if groups.is_some() { 20.0 } else { 1.5 }, "{groups:?}: {off}");
        }
        let sizes: Vec<usize> = tests.iter().map(|test| test.len()).collect();
        let (least, most) = (sizes.iter().min().unwrap(), sizes.iter().max().unwrap());
        assert!(most - least <= if groups.is_some() { 40 } else { 10 }, "{sizes:?}");
        if seed == 0 {
            println!(
                "{groups:?} groups, sizes {sizes:?}, first classes {:?}",
                tests[0].histogram()
            );
        }
    }
}

#[test]
fn few_groups_fill_every_fold() {
    let all = items(16, 3, None, 1);
    let folds = all.folds(16, 0).unwrap();
    assert!(folds.iter().all(|fold| fold.test.len() == 1 && fold.train.len() == 15));
    let said = all.folds(17, 0).unwrap_err().to_string();
    assert_eq!(said, "made: 16 groups (or items without one) cannot make 17 parts, none empty");
    let said = all.folds(1, 0).unwrap_err().to_string();
    assert_eq!(said, "`folds` = 1 is out of range: must be 2..=65536");
    let (small, large) = items(2, 1, None, 0).split_groups(0.01, 0).unwrap();
    assert_eq!((small.len(), large.len()), (1, 1));
    let said = all.split(f64::NAN, 0).unwrap_err().to_string();
    assert_eq!(said, "`share` = NaN is out of range: must be 0..=1");
}

#[test]
fn a_search_never_sees_the_test() {
    let (train, test) = (items(600, 5, None, 1), items(100, 5, None, 2));
    let given = Data { train: train.clone(), validation: None, test: Some(test.clone()) };
    let wish = Wish { limit: Some(300), ..Wish::default() };
    let parts = given.parts(&wish).unwrap();
    assert_eq!((parts.train.len(), parts.validation.len(), parts.test.len()), (270, 30, 100));
    assert_eq!(parts.test.items(), test.items());
    let whole_wish = Wish::default();
    for all in [train, items(3000, 12, Some(60), 3)] {
        let by_group = !all.groups().is_empty();
        let parts = Data::from(all.clone()).parts(&whole_wish).unwrap();
        whole(&all, &[&parts.train, &parts.validation, &parts.test], by_group);
    }
}

#[test]
fn the_same_seed_gives_the_same_parts() {
    let all = items(400, 6, Some(40), 9);
    let parts = |seed| {
        let (known, new) = all.new_groups(8, seed).unwrap();
        let folds = all.folds(4, seed).unwrap().into_iter().map(|fold| fold.test);
        let split = [all.split(0.5, seed).unwrap().0, all.split_groups(0.5, seed).unwrap().0];
        let all = [all.limit(50, seed), all.shuffled(seed, 0), known, new];
        all.into_iter().chain(split).chain(folds).map(|s| s.indices().to_vec()).collect::<Vec<_>>()
    };
    assert_eq!(parts(1), parts(1));
    parts(1).into_iter().zip(parts(2)).for_each(|(one, two)| assert_ne!(one, two));
    assert_ne!(all.shuffled(1, 0).indices(), all.shuffled(1, 1).indices());
    assert_eq!(set(&all.shuffled(1, 1)), set(&all));
}

#[test]
fn new_speakers_come_later() {
    let all = items(3000, 12, Some(60), 4);
    let (known, new) = all.new_groups(6, 0).unwrap();
    whole(&all, &[&known, &new], true);
    assert_eq!(new.groups().len(), 6);
    assert!(new.iter().all(|item| item.group.is_some()));
    let said = all.new_groups(60, 0).unwrap_err().to_string();
    assert!(said.ends_with("cannot make 61 parts, none empty"), "{said}");
}

#[test]
fn items_that_do_not_fit() {
    let head = |classes: usize| Head {
        name: "made".into(),
        kind: Kind::Image,
        shape: Shape { height: 2, width: 2, channels: 1 },
        scale: Scale::PIXELS,
        classes: vec!["a".into(); classes],
    };
    let said = |items: Result<Items, hwgen_data::DataError>| items.unwrap_err().to_string();
    assert_eq!(said(Items::new(head(0), vec![], vec![])), "made: 0 classes: must be 1..=4096");
    let uneven = Items::new(head(1), vec![0; 9], vec![0; 2]);
    assert_eq!(said(uneven), "made: 9 integers are not 2 items of 4");
    let label = Items::new(head(2), vec![0; 8], vec![1, 2]);
    assert_eq!(said(label), "made: item 1 has label 2, but there are 2 classes");
    let two = Items::new(head(2), vec![0; 8], vec![1, 0]).unwrap();
    assert_eq!(said(two.clone().with_names(vec!["a".into()])), "made: 1 names for 2 items");
    let groups = two.with_groups(vec![Some(1), None], vec!["a".into()]);
    assert_eq!(said(groups), "made: groups of 2 items, among 1, do not fit 2 items");
    let endless = Shape { height: usize::MAX, width: 2, channels: 3 };
    let none = Items::new(Head { shape: endless, ..head(1) }, vec![], vec![]);
    assert!(said(none).ends_with("elements of an item: must be 1..=1073741824"));
}
