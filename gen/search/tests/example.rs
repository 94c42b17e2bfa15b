//! The example of the README: a search that ends before one loses patience, and a core that is bit-exact.

mod verify;

use hwgen_search::search::Found;
use std::process::Command;
use std::time::Instant;
use verify::verified;

/// The longest that the search may take.
const SECONDS: f64 = 120.0;

#[test]
#[ignore = "minutes: cargo xtask bars search_example"]
fn the_readme_s_search_ends_in_time_and_is_bit_exact() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("found");
    let begin = Instant::now();
    let status = Command::new(env!("CARGO_BIN_EXE_hwgen-search"))
        .args(["--data", "shapes", "--space", "shapes", "--multipliers", "12", "--out"])
        .arg(&out)
        .status()
        .unwrap();
    let seconds = begin.elapsed().as_secs_f64();
    assert!(status.success());
    let text = std::fs::read_to_string(out.join("search.json")).unwrap();
    let found: Found = serde_json::from_str(&text).unwrap();
    let page = std::fs::read_to_string(out.join("search.html")).unwrap();
    assert_eq!(page, hwgen_search::report::page(&found).unwrap());
    for n in 0..found.points.len() {
        verified(&out, n, &out.join(format!("point_{n}.inputs.bin")), "jit");
    }
    let best = &found.points[0];
    println!(
        "search_example: {seconds:.1} s for a search whose first point has {:.1} % of the test in {} cycles, \
         bit-exact like {} others",
        100.0 * best.test.integer,
        best.cycles,
        found.points.len() - 1,
    );
    assert!(best.test.integer > 0.6, "{:.3} of the test", best.test.integer);
    assert!(seconds < SECONDS, "{seconds:.1} s: at most {SECONDS} are allowed");
}
