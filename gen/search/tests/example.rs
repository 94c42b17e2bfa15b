//! The example of the README: a search that ends before one loses patience, and a core that is bit-exact.

use hwgen_search::search::Found;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

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
        verify(&out, n);
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

/// A point's core against its network's integer model, by the command.
fn verify(out: &Path, n: usize) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(root).args(["run", "--quiet", "-p", "hwgen"]);
    // as this test was built
    cargo.args((!cfg!(debug_assertions)).then_some("--release")).arg("--");
    cargo.args(["verify", "--design", "cnn", "--engines", "jit", "--network"]);
    cargo.arg(out.join(format!("point_{n}.network.json")));
    cargo.arg("--spec").arg(out.join(format!("point_{n}.core.json")));
    cargo.arg("--inputs").arg(out.join(format!("point_{n}.inputs.bin")));
    assert!(cargo.status().unwrap().success(), "point {n} on its core");
}
