//! `hwgen search` stands for a program of its own: found beside the command, then on the PATH.

mod command;

use command::{Run, run};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The command alone in a folder.
fn alone(folder: &Path) -> Command {
    let own = folder.join("hwgen");
    if !own.exists() {
        fs::copy(env!("CARGO_BIN_EXE_hwgen"), &own).unwrap();
    }
    let mut command = Command::new(own);
    command.arg("search").env("PATH", "/usr/bin:/bin").stdin(Stdio::null());
    command
}

/// A script in the place of the program.
fn program(folder: &Path, script: &str) {
    fs::create_dir_all(folder).unwrap();
    let path = folder.join("hwgen-search");
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn without_the_program_it_says_how_to_build_it() {
    let folder = tempfile::tempdir().unwrap();
    let Run { code, stdout, stderr } = run(alone(folder.path()).args(["--data", "shapes"]));
    assert_eq!((code, &*stdout), (1, ""), "{stderr}");
    assert_eq!(
        stderr,
        "error: hwgen-search is not here: build it, `cargo build --release -p hwgen-search`, and put it \
         beside hwgen or on the PATH\n"
    );
    let help = run(alone(folder.path()).arg("--help"));
    assert_eq!(help.code, 0, "{}", help.stderr);
    assert!(help.stdout.contains("cargo build --release -p hwgen-search"), "{}", help.stdout);
}

#[test]
fn arguments_exit_code_and_streams_are_passed_on() {
    let folder = tempfile::tempdir().unwrap();
    let (beside, on_path) = (folder.path().join("beside"), folder.path().join("path"));
    fs::create_dir_all(&beside).unwrap();
    program(&on_path, "for a; do echo \"<$a>\"; done; echo talk >&2; exit 7");
    let with_path = |command: &mut Command| {
        run(command.env("PATH", format!("{}:/usr/bin:/bin", on_path.display())))
    };
    let words = ["--help", "--data", "a b", "--", "-x", "--version", "*"];
    let Run { code, stdout, stderr } = with_path(alone(&beside).args(words));
    let told: String = words.iter().map(|word| format!("<{word}>\n")).collect();
    assert_eq!((code, stdout, &*stderr), (7, told, "talk\n"));
    program(&beside, "echo beside");
    let nearer = with_path(&mut alone(&beside));
    assert_eq!((nearer.code, &*nearer.stdout), (0, "beside\n"), "{}", nearer.stderr);
}

#[test]
fn a_search_ends_with_the_command() {
    let folder = tempfile::tempdir().unwrap();
    let alive = folder.path().join("alive");
    program(
        folder.path(),
        &format!("while :; do date +%N > {}; sleep 0.05; done", alive.display()),
    );
    let mut command = alone(folder.path()).spawn().unwrap();
    let begin = Instant::now();
    while !alive.exists() && begin.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(alive.exists(), "it did not begin");
    command.kill().unwrap();
    command.wait().unwrap();
    let beats = || fs::read(&alive).unwrap_or_default();
    let (mut last, begin) = (beats(), Instant::now());
    loop {
        std::thread::sleep(Duration::from_millis(500));
        let now = beats();
        if now == last {
            break;
        }
        assert!(begin.elapsed() < Duration::from_secs(20), "it goes on without the command");
        last = now;
    }
}
