//! A search that is killed at any moment and started again finds what it would have found.

use crate::common::rng;
use crate::training::settings;
use hwgen_data::{Augment, ImageAugment, Options, Parts, Source, Wish};
use hwgen_files::Scratch;
use hwgen_search::search::Search;
use rand::Rng;
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

#[test]
fn a_killed_search_finds_the_same() {
    kills(1, 3);
}

#[test]
#[ignore = "takes minutes: a bar"]
fn search_kills() {
    kills(12, 4);
}
