//! All checks, in the order in which they are quick; the last line is the tests' total.

use crate::run::{cargo, succeed, watch};

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
    let passed = watch(&mut cargo(&["test", "--workspace", "--no-fail-fast"]), |line| {
        total.add(line);
    })?;
    if !passed {
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
