//! Fashion-MNIST whole: what a search finds of it, and how long that takes.

use hwgen_search::search::Found;
use std::process::Command;
use std::time::Instant;

/// What a network of at most so many weights gets right of the official test, and the longest that it may take.
const LEAST: f64 = 0.91;
const WEIGHTS: usize = 100_000;
const MINUTES: f64 = 60.0;

#[test]
#[ignore = "most of an hour: cargo xtask bars search_fashion"]
fn a_small_network_of_fashion_mnist_is_found_within_an_hour() {
    let folder = tempfile::tempdir().unwrap();
    let begin = Instant::now();
    let status = Command::new(env!("CARGO_BIN_EXE_hwgen-search"))
        .args(["--data", "/usr/share/datasets/fashion-mnist", "--shift", "1"])
        .args(["--epochs", "8", "--tuning", "12", "--out"])
        .arg(folder.path())
        .status()
        .unwrap();
    let minutes = begin.elapsed().as_secs_f64() / 60.0;
    assert!(status.success());
    let found = Found::read(&folder.path().join("search.json")).unwrap();
    for point in &found.points {
        let (share, cycles, weights) = (100.0 * point.test.integer, point.cycles, point.weights);
        println!("{share:.2} % of the test in {cycles} cycles with {weights} weights");
    }
    let small = found.points.iter().filter(|point| point.weights <= WEIGHTS);
    let best = small.map(|point| point.test.integer).fold(0.0, f64::max);
    println!(
        "search_fashion: {:.2} % of the test with at most {WEIGHTS} weights, in {minutes:.1} minutes",
        100.0 * best
    );
    assert!(best >= LEAST && minutes < MINUTES);
}
