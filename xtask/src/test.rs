//! All checks, in the order in which they are quick; the last line is the tests' total.

use crate::run::{cargo, lines, succeed, watch};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread::{available_parallelism, scope};

/// Take longest, one test after the other, so they begin first.
const SLOW: &[&str] =
    &["lint", "cosim", "axi_rtl", "checks", "cnn_rtl", "semantics", "peers_rtl", "kills"];

/// Checks format and lints, runs every test.
pub(crate) fn run() -> Result<(), String> {
    let mut failed = vec![];
    for (what, check) in [
        ("format", &["fmt", "--all", "--check"][..]),
        ("clippy", &["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"]),
    ] {
        // a toolchain without the component says so itself
        if let Err(why) = succeed(&mut cargo(check)) {
            eprintln!("{why}");
            failed.push(what);
        }
    }
    let mut total = Total::default();
    let passed = run_binaries(binaries()?, &mut total);
    let documented =
        watch(&mut cargo(&["test", "--workspace", "--doc", "--no-fail-fast"]), |line| {
            total.add(line);
        })?;
    if !(passed && documented) {
        failed.push("tests");
    }
    let verdict = match failed.as_slice() {
        [] => Ok(()),
        failed => Err(format!("failed: {}", failed.join(", "))),
    };
    let Total { passed, failed, ignored } = total;
    println!("{passed} passed, {failed} failed, {ignored} skipped");
    verdict
}

/// A program of tests, and its package's folder, in which cargo would run it.
#[derive(Debug, PartialEq)]
struct Binary {
    program: PathBuf,
    folder: PathBuf,
}

impl Binary {
    /// Out of a line of cargo's messages.
    fn read(line: &str) -> Option<Binary> {
        let field = |name: &str| {
            let (_, rest) = line.split_once(&format!("\"{name}\":\""))?;
            Some(Path::new(rest.split_once('"')?.0))
        };
        let (_, profile) = line.split_once("\"profile\":{")?;
        let is_test = profile.split('}').next()?.contains("\"test\":true");
        let program = field("executable").filter(|_| is_test)?.to_owned();
        Some(Binary { program, folder: field("manifest_path")?.parent()?.to_owned() })
    }

    fn is_slow(&self) -> bool {
        let name = self.program.file_name().unwrap_or_default().to_string_lossy();
        SLOW.iter().any(|slow| name.strip_prefix(slow).is_some_and(|rest| rest.starts_with('-')))
    }

    /// What it says, and whether its tests pass.
    fn run(&self) -> (String, bool) {
        let mut tests = Command::new(&self.program);
        tests.arg("--test-threads=1").current_dir(&self.folder);
        tests.env("CARGO_MANIFEST_DIR", &self.folder).stderr(Stdio::inherit());
        match tests.output() {
            Ok(output) => {
                (String::from_utf8_lossy(&output.stdout).into_owned(), output.status.success())
            }
            Err(error) => (format!("{}: {error}\n", self.program.display()), false),
        }
    }
}

/// Builds the tests.
fn binaries() -> Result<Vec<Binary>, String> {
    let build = ["test", "--workspace", "--no-run", "--message-format=json-render-diagnostics"];
    let mut found: Vec<_> =
        lines(&mut cargo(&build))?.iter().filter_map(|line| Binary::read(line)).collect();
    found.sort_by_key(|binary| !binary.is_slow());
    Ok(found)
}

/// Runs tests, as many programs at once as there are cores, each with one thread: cargo would wait
/// for the slowest test of a program before it begins the next.
fn run_binaries(binaries: Vec<Binary>, total: &mut Total) -> bool {
    let cores = available_parallelism().map_or(1, |cores| cores.get());
    let (waiting, told) = (Mutex::new(binaries.into_iter()), Mutex::new((total, true)));
    let work = || {
        loop {
            let next = waiting.lock().unwrap_or_else(|held| held.into_inner()).next();
            let Some(binary) = next else { return };
            let (said, passed) = binary.run();
            let mut told = told.lock().unwrap_or_else(|held| held.into_inner());
            println!("     Running {}\n{said}", binary.program.display());
            said.lines().for_each(|line| told.0.add(line));
            told.1 &= passed;
        }
    };
    scope(|scope| {
        for _ in 0..cores {
            scope.spawn(work);
        }
    });
    told.into_inner().unwrap_or_else(|held| held.into_inner()).1
}

/// Sums over the test binaries.
#[derive(Debug, Default, PartialEq)]
struct Total {
    passed: u64,
    failed: u64,
    ignored: u64,
}

impl Total {
    /// Takes up a line such as `test result: ok. 6 passed; 0 failed; 1 ignored; ...`.
    fn add(&mut self, line: &str) {
        let Some(result) = line.strip_prefix("test result: ") else {
            return;
        };
        let words: Vec<_> = result.split([' ', ';']).filter(|word| !word.is_empty()).collect();
        for pair in words.windows(2) {
            let Ok(count) = pair[0].parse::<u64>() else {
                continue;
            };
            match pair[1] {
                "passed" => self.passed += count,
                "failed" => self.failed += count,
                "ignored" => self.ignored += count,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_of_tests_are_found() {
        let line = |test: bool| {
            let (id, kind) = (r#""package_id":"path+file:///w/hdl#0.1.0""#, r#""kind":["lib"]"#);
            let profile = format!(r#""profile":{{"opt_level":"1","test":{test}}}"#);
            format!(
                r#"{{"reason":"compiler-artifact",{id},"manifest_path":"/w/hdl/Cargo.toml","target":{{{kind},"test":true}},{profile},"executable":"/w/target/lint-1f"}}"#
            )
        };
        let found = Binary::read(&line(true)).unwrap();
        assert_eq!(found, Binary { program: "/w/target/lint-1f".into(), folder: "/w/hdl".into() });
        assert!(found.is_slow());
        assert_eq!(Binary::read(&line(false)), None);
        assert_eq!(Binary::read(r#"{"reason":"build-finished","success":true}"#), None);
    }

    #[test]
    fn results_are_summed() {
        let mut total = Total::default();
        for line in [
            "running 7 tests",
            "test result: ok. 6 passed; 0 failed; 1 ignored; 0 measured; 42 filtered out; finished in 0.04s",
            "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1s",
        ] {
            total.add(line);
        }
        assert_eq!(total, Total { passed: 9, failed: 2, ignored: 1 });
    }
}
