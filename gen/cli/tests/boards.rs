//! `hwgen build` and `hwgen program`.

mod command;

use command::{hwgen, refused};
use std::fs;

#[test]
fn a_bitstream_and_what_it_was_made_of() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let (out, cache) = (at("out"), at("cache"));
    let build = ["build", "--board", "hx8k", "--design", "echo", "-o", &out, "--cache", &cache];
    let run = hwgen(&build);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stderr.contains("place and route, seed 1: "), "{}", run.stderr);
    assert!(run.stdout.contains("bitstream hx8k.bin, timing met"), "{}", run.stdout);
    let mut files: Vec<_> =
        fs::read_dir(&out).unwrap().map(|file| file.unwrap().file_name()).collect();
    files.sort();
    assert_eq!(
        files,
        [".hwgen.sha256", "board.v", "design.v", "hx8k.bin", "hx8k.pcf", "placed.asc"]
    );

    let again = hwgen(&[&build[..], &["--json"]].concat());
    assert!(again.stderr.contains("synthesis: done before"), "{}", again.stderr);
    let report = again.json();
    assert_eq!(report["verdict"], "met");
    assert_eq!(report["clock_mhz"], 12.0);
    assert!(report["timing"]["slack_ns"].as_f64().unwrap() > 0.0);

    let missed = hwgen(&[&build[..], &["--mhz", "270"]].concat());
    assert_eq!(missed.code, 1);
    assert!(missed.stdout.contains("timing MISSED"), "{}", missed.stdout);
    assert!(missed.stderr.contains("error: timing is missed by "), "{}", missed.stderr);

    let bitstream = format!("{out}/hx8k.bin");
    let program = ["program", "--board", "hx8k", "--iceprog", "--dry-run", &bitstream];
    let run = hwgen(&program);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(
        run.stderr.contains("iceprog -S ") && run.stderr.ends_with("hx8k.bin\n"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_script_for_vivado_says_that_it_is_untested() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_string_lossy();
    let run = hwgen(&["build", "--board", "arty_a7_35t", "--design", "echo", "-o", &out]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(
        run.stdout.contains("UNTESTED") && run.stdout.contains("no bitstream"),
        "{}",
        run.stdout
    );
    let script = fs::read_to_string(folder.path().join("build.tcl")).unwrap();
    assert!(script.contains("set part {xc7a35ticsg324-1L}\n"), "{script}");
}

#[test]
fn refusals() {
    let says =
        |arguments: &[&str]| refused(2, &[&["build", "--design", "echo"], arguments].concat());
    assert!(says(&["--board", "nexys"]).starts_with("error: no board `nexys`; there are "));
    let none = refused(1, &["build", "--design", "echo", "--board", "no.toml"]);
    assert!(none.contains("board file: cannot read no.toml: No such file"), "{none}");
    assert!(says(&["--board", "hx8k", "--mhz", "0"]).contains("--mhz 0: 1 to 400 are possible"));
    assert!(says(&["--board", "hx8k", "--mhz", "13"]).contains("the nearest is 12 MHz"));
    let rate = "--baud 4000000 cannot be made of 12 MHz to within 2 %";
    assert!(says(&["--board", "hx8k", "--baud", "4000000"]).contains(rate));
    assert!(says(&["--board", "hx8k", "--tools", "/no/such"]).contains("no folder /no/such"));
    let program = ["program", "--board", "ulx3s", "--iceprog", "Cargo.toml"];
    assert!(refused(1, &program).contains("iceprog does not load board `ulx3s`"));
    let none = refused(1, &["program", "--board", "hx8k", "no.bin"]);
    assert!(none.contains("cannot read the bitstream no.bin"), "{none}");
}
