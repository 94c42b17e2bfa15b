//! What is wrong with a parameter is said, with exit code 2, before anything is done; and nothing that is
//! said tells of the machine that built the command.

mod command;

use command::{command, hwgen, refused, run};
use std::fs;
use std::process::Stdio;

/// Commands with one wrong parameter each.
const WRONG: &[&str] = &[
    "describe lappa",
    "emit --design echo",
    "emit --design lapa --registers",
    "emit --design lapa --baked",
    "emit --design lapa --load load.hex",
    "emit --design cnn --network n.json --multipliers 0",
    "emit --design lapa --network n.json",
    "sim --design lapa --cycles 0",
    "sim --design lapa --vcd a --fst b",
    "sim --design lapa --fst -",
    "sim --design lapa --engine quartz",
    "verify --design lapa --cycles 0",
    "verify --design lapa --engines jit,modelsim",
    "verify --design lapa --limit 0",
    "study lapa --model zzz",
    "study fact",
    "power --design lapa --lib l --clock-mhz 0",
    "power --design lapa --lib l --clock-mhz nan",
    "power --design lapa --lib l --slew-ns -1",
    "power --design lapa --lib l --wire-ff inf",
    "power --design lapa --lib l --node-nm 0",
    "power --design lapa --lib l --cycles 0",
    "import",
    "import m.tflite -o m.tflite",
    "import m.tflite -b -o m.bin",
    "import m.tflite -b -o -",
    "board sim --divisor 0 --design lapa_predictor",
    "board sim --clock 0",
    "board sim --corrupt 1.5",
    "board sim --corrupt nan",
    "build --design echo",
    "build --board icebraker --design echo",
    "build --board hx8k --design ecko",
    "build --board hx8k --design echo --mhz 0",
    "build --board hx8k --design echo --mhz nan",
    "build --board hx8k --design echo --mhz 13",
    "build --board hx8k --design echo --baud 0",
    "build --board hx8k --design echo --baud 4000000",
    "build --board hx8k --design echo --seeds 0",
    "build --board hx8k --design echo --link spi",
    "build --asic osu018 --design echo",
    "program --board icebraker f.bin",
    "run --port spi:icebraker --baud 0",
    "run --port /dev/null",
];

#[test]
fn every_wrong_parameter_is_exit_code_2() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["n.json", "l", "m.tflite"] {
        fs::write(folder.path().join(name), "{}").unwrap();
    }
    for line in WRONG {
        let arguments: Vec<&str> = line.split(' ').collect();
        let mut command = command(&arguments);
        // no recordings: a synthetic model
        command.current_dir(folder.path()).env("HWGEN_DATA", folder.path());
        let run = run(&mut command);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{line}: {}", run.stderr);
        assert!(run.stderr.contains("error: "), "{line}: {}", run.stderr);
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3, "nothing was done");
    let said = refused(2, &["build", "--board", "icebraker", "--design", "echo"]);
    assert!(said.contains("did you mean `icebreaker`?"), "{said}");
}

#[test]
fn messages_are_plain() {
    for arguments in [
        &["emit", "--design", "lapa", "--spec", "no\x1b[2Jfile"][..],
        &["emit", "--design", "lapa", "-o", "no\x1b[2Jfolder/lapa.v"],
        &["import", "no\x1b[2Jfile"],
        &["sim", "--design", "mac_array", "--vcd", "no\x1b[2Jfolder/a.vcd"],
        &["build", "--board", "no\x1b[2J.toml", "--design", "echo"],
        &["power", "--design", "lapa", "--lib", "no\x1b[2Jlib"],
    ] {
        let said = hwgen(arguments).stderr;
        assert_eq!(said.matches("No such file or directory").count(), 1, "{said}");
        let control = |c: char| c.is_control() && c != '\n';
        assert!(!said.contains("os error") && !said.contains(control), "{said:?}");
    }
}

#[test]
fn a_stderr_that_takes_nothing_is_no_panic() {
    let full = || fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("lapa.v");
    let emit = ["emit", "--design", "lapa", "-o", out.to_str().unwrap()];
    assert_eq!(command(&emit).stderr(full()).status().unwrap().code(), Some(0));
    assert!(out.exists());
    let wrong = ["build", "--board", "icebraker", "--design", "echo"];
    assert_eq!(command(&wrong).stderr(full()).status().unwrap().code(), Some(2));
    let verify = ["verify", "--design", "mac_array", "--engines", "jit", "--set", "rows=1"];
    let status = command(&verify).stdout(Stdio::null()).stderr(full()).status().unwrap();
    assert_eq!(status.code(), Some(0));
}

#[test]
fn waves_go_through_pipes_and_replace_no_device() {
    use std::os::unix::fs::{FileTypeExt, symlink};
    let folder = tempfile::tempdir().unwrap();
    let null = folder.path().join("null");
    symlink("/dev/null", &null).unwrap();
    let sim = ["sim", "--design", "mac_array", "--cycles", "20", "--vcd"];
    let told = run(&mut command(&[&sim[..], &[null.to_str().unwrap()]].concat()));
    assert_eq!(told.code, 0, "{}", told.stderr);
    assert!(fs::metadata(&null).unwrap().file_type().is_char_device());
    assert!(fs::symlink_metadata(&null).unwrap().is_symlink());
    let piped = run(&mut command(&[&sim[..], &["-"]].concat()));
    assert!(piped.stdout.contains("$enddefinitions"), "{}", piped.stderr);
    assert!(piped.stderr.contains("violations"), "{}", piped.stderr);
    let fst = refused(1, &["sim", "--design", "mac_array", "--fst", "/dev/null"]);
    assert!(fst.contains("a file is needed"), "{fst}");
}

#[test]
fn no_source_of_the_project_is_named_in_the_command() {
    let bytes = fs::read(env!("CARGO_BIN_EXE_hwgen")).unwrap();
    let project = env!("CARGO_MANIFEST_DIR").strip_suffix("/gen/cli").unwrap();
    // what libraries generate lies in the target folder, which only `cargo xtask release` maps
    for room in ["boards", "gen", "hdl", "verify"].map(|room| format!("{project}/{room}")) {
        assert!(!bytes.windows(room.len()).any(|window| window == room.as_bytes()), "{room}");
    }
}
