//! A search that is killed at any moment and started again finds what it would have found.

use crate::common::rng;
use crate::training::settings;
use hwgen_data::{Augment, ImageAugment, Options, Parts, Source, Wish};
use hwgen_files::Scratch;
use hwgen_search::search::{Progress, Search, Settings, Stage};
use rand::Rng;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Where a child of these tests searches.
const FOLDER: &str = "HWGEN_SEARCH_TEST_FOLDER";

/// Does nothing by itself: the other tests run it as a child.
#[test]
fn child() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let data = Source::open("shapes".as_ref()).unwrap().load(&Options::default()).unwrap();
    let parts = data.parts(&Wish { limit: Some(240), ..Wish::default() }).unwrap();
    // few items of a test are enough
    let parts = Parts { test: parts.test.limit(60, 1), ..parts };
    let augment = Augment::Image(ImageAugment { shift: 2, flip: true, cutout: 0 });
    let settings = settings();
    let folder = Path::new(&folder);
    let (before, workers) = (None, None);
    let search = Search { settings: &settings, parts: &parts, folder, augment, before, workers };
    search.run(&mut |_| {}).unwrap();
}

fn start(folder: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kills::child"])
        .env(FOLDER, folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// `search.json` without its seconds, and all other files but checkpoints.
fn found(folder: &Path) -> Vec<(String, String)> {
    let mut files = vec![];
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let text = std::fs::read(folder.join(&name)).unwrap();
        match &name[..] {
            "search.json" => {
                let mut found: serde_json::Value = serde_json::from_slice(&text).unwrap();
                let seconds = found.as_object_mut().unwrap().remove("seconds");
                assert!(seconds.is_some());
                files.push((name, found.to_string()));
            }
            name if name.ends_with(".json") || name.ends_with(".jsonl") => {
                files.push((name.to_owned(), String::from_utf8(text).unwrap()));
            }
            name => assert!(name.ends_with(".safetensors"), "`{name}` is left over"),
        }
    }
    files.sort();
    files
}

/// Kills so many searches, again and again as often as is said, and compares what they find.
fn kills(searches: u64, each: usize) {
    let scratch = Scratch::new().unwrap();
    let folder = |name: &str| {
        let folder = scratch.path().join(name);
        std::fs::create_dir(&folder).unwrap();
        folder
    };
    let whole = folder("whole");
    let begin = Instant::now();
    assert!(start(&whole).wait().unwrap().success());
    let took = begin.elapsed();
    let want = found(&whole);
    assert!(want.iter().any(|(name, _)| name == "search.json"));
    let mut killed = 0;
    for n in 0..searches {
        let folder = folder(&n.to_string());
        let mut rng = rng(n);
        for _ in 0..each {
            let mut child = start(&folder);
            std::thread::sleep(Duration::from_secs_f64(
                took.as_secs_f64() * rng.random_range(0.05..0.9),
            ));
            killed += usize::from(child.try_wait().unwrap().is_none());
            child.kill().unwrap();
            child.wait().unwrap();
        }
        assert!(start(&folder).wait().unwrap().success(), "search {n} does not go on");
        assert_eq!(found(&folder), want, "search {n}");
    }
    println!("search_kills: {killed} kills, each search found the same; alone it takes {took:.1?}");
    assert!(killed > 0);
}

/// Networks that were trained alone are in a file: with more of them a search trains those that are missing.
#[test]
fn networks_trained_alone_are_kept() {
    let data = Source::open("shapes".as_ref()).unwrap().load(&Options::default()).unwrap();
    let parts = data.parts(&Wish { limit: Some(160), ..Wish::default() }).unwrap();
    let parts = Parts { test: parts.test.limit(20, 1), ..parts };
    let scratch = Scratch::new().unwrap();
    let order = |alone: usize| {
        let settings = Settings { alone, points: 1, generations: 0, ..settings() };
        let (folder, augment, before, workers) = (scratch.path(), Augment::None, None, None);
        let search =
            Search { settings: &settings, parts: &parts, folder, augment, before, workers };
        let mut trained = BTreeSet::new();
        let found = search.run(&mut |progress| {
            if let Progress::Training { stage: Stage::Alone(n), .. } = progress {
                trained.insert(n);
            }
        });
        (found.unwrap().order, trained.into_iter().collect::<Vec<_>>())
    };
    assert_eq!(order(0), (None, vec![]));
    let (first, trained) = order(2);
    assert_eq!((first.unwrap().subnets, trained), (2, vec![0, 1]));
    let (more, trained) = order(3);
    let more = more.unwrap();
    assert_eq!((more.subnets, trained), (3, vec![2]));
    assert!((-1.0..=1.0).contains(&more.tau) && more.cpu > first.unwrap().cpu, "{more:?}");
    assert_eq!(order(3), (Some(more), vec![]));
}

#[test]
fn a_killed_search_finds_the_same() {
    kills(1, 3);
}

#[test]
#[ignore = "takes minutes: a bar"]
fn search_kills() {
    kills(12, 4);
}
