//! A search that goes on when the world has changed, against one from scratch: minutes, by `cargo xtask bars search_drift`.

use hwgen_data::{Augment, Data, Drift, Options, Parts, Source, Subset, Wish};
use hwgen_designs::cnn::Multiplier;
use hwgen_search::cost::Target;
use hwgen_search::search::{Found, Search, Settings, cpu_seconds};
use hwgen_search::space::preset;
use hwgen_search::supernet::Sharing;
use std::path::Path;

/// Items that there are before, and of the changed world.
const BEFORE: usize = 4000;
const AFTER: usize = 1200;

/// What the search that goes on may take of the other's seconds of cores, and what it may lose to it.
const MOST_COST: f64 = 0.75;
const MOST_LOST: f64 = 0.01;

fn load(name: &str) -> Data {
    Source::open(name.as_ref()).unwrap().load(&Options::default()).unwrap()
}

/// Parts of the items, and of as many others that are changed.
fn changed(data: &Data, drift: Drift) -> [Parts; 2] {
    let wish = Wish { limit: Some(BEFORE + AFTER), ..Wish::default() };
    let all = data.parts(&wish).unwrap();
    let apart = |first: usize, count: usize| all.train.pick(first..first + count);
    let new = all.train.len() - AFTER;
    let turned = |subset: &Subset| drift.apply(subset, 7).unwrap();
    let test = all.test.limit(2000, 1);
    let after = Parts {
        train: turned(&apart(new, AFTER)),
        validation: turned(&all.validation),
        test: turned(&test),
    };
    [Parts { train: apart(0, new), validation: all.validation, test }, after]
}

/// Half of the speakers, then the others.
fn new_speakers(data: &Data) -> [Parts; 2] {
    let (old, new) = data.train.split_groups(0.5, 3).unwrap();
    let (heard, test) = new.split_groups(0.4, 4).unwrap();
    let parts = |subset: &Subset, test: Subset| {
        let (train, validation) = subset.split_groups(0.15, 5).unwrap();
        Parts { train, validation, test }
    };
    [parts(&old, data.test.clone().unwrap_or_else(|| test.clone())), parts(&heard, test)]
}

fn settings(space: &str, parts: &Parts, epochs: usize, tuning: usize) -> Settings {
    let items = parts.train.items();
    let shape = items.shape();
    let input = [shape.height, shape.width, shape.channels];
    Settings {
        space: preset(space, input, items.classes().len()).unwrap(),
        sharing: Sharing::Free,
        target: Target {
            multipliers: 24,
            kind: Multiplier::Bits25x18,
            single_port: false,
            narrow: true,
            hertz: 100_000_000,
            device: None,
        },
        latency: None,
        seed: 1,
        epochs,
        tuning,
        rate: 0.1,
        gates: vec![],
        gating: 0,
        population: 16,
        generations: 4,
        judged: 600,
        points: 1,
        alone: 0,
        threads: 2,
        save_seconds: 60,
    }
}

/// A search, and its seconds of cores.
fn search(
    settings: &Settings,
    parts: &Parts,
    folder: &Path,
    before: Option<&Path>,
) -> (Found, f64) {
    std::fs::create_dir_all(folder).unwrap();
    let (augment, workers) = (Augment::None, None);
    let search = Search { settings, parts, folder, augment, before, workers };
    let begin = cpu_seconds();
    let found = search.run(&mut |_| {}).unwrap();
    (found, cpu_seconds() - begin)
}

#[test]
#[ignore = "minutes: cargo xtask bars search_drift"]
fn going_on_is_cheaper_than_beginning_anew() {
    let (shapes, tones) = (load("shapes"), load("tones"));
    let cases = [
        (
            "images turned by 40 degrees",
            "shapes",
            changed(&shapes, Drift::Rotate { degrees: 40.0 }),
        ),
        ("images in noise", "shapes", changed(&shapes, Drift::Noise { deviation: 0.25 })),
        ("new speakers", "keywords", new_speakers(&tones)),
    ];
    let mut worst = 0.0f64;
    for (name, space, [before, after]) in cases {
        let scratch = tempfile::tempdir().unwrap();
        let folder = |name: &str| scratch.path().join(name);
        let (first, _) = search(&settings(space, &before, 14, 6), &before, &folder("first"), None);
        let anew = search(&settings(space, &after, 14, 6), &after, &folder("anew"), None);
        let stays = search(
            &settings(space, &after, 0, 1),
            &after,
            &folder("stays"),
            Some(&folder("first")),
        );
        let on =
            search(&settings(space, &after, 3, 4), &after, &folder("on"), Some(&folder("first")));
        let test = |found: &Found| found.points[0].test.integer;
        let (cost, lost) = (on.1 / anew.1, test(&anew.0) - test(&on.0));
        println!(
            "{name}: {:.1} % before; then {:.1} % in {} cycles and {:.0} s of cores anew, {:.1} % in {} and {:.0} s going \
             on ({cost:.2} of the cost), {:.1} % in {:.0} s without learning but for the point",
            100.0 * test(&first),
            100.0 * test(&anew.0),
            anew.0.points[0].cycles,
            anew.1,
            100.0 * test(&on.0),
            on.0.points[0].cycles,
            on.1,
            100.0 * test(&stays.0),
            stays.1,
        );
        assert!(lost <= MOST_LOST, "{name}: {:.1} points are lost", 100.0 * lost);
        worst = worst.max(cost);
    }
    println!("search_drift: {worst:.3} of the cost of a search from scratch, at most");
    assert!(worst <= MOST_COST);
}
