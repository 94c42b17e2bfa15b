//! Jobs of shell scripts, and what they leave behind.

#![allow(dead_code)]

use hwgen_farm::{Ended, Executor, Farm, Job, Settings};
use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// A shell script, which finds its folder as `$1`, on a number.
pub(crate) fn job(script: &str, number: usize) -> Job {
    Job {
        program: "sh".into(),
        arguments: ["-c", script, "job"].map(Into::into).into(),
        version: "test 1".into(),
        kind: "test".into(),
        request: number.to_string().into(),
        limit: None,
    }
}

/// A script that tells in a file that it began, and answers with the square.
pub(crate) fn square(began: &Path, rest: &str) -> String {
    let began = began.display();
    format!("n=$(cat request.json); echo $n >>'{began}'\n{rest}\necho $((n * n)) >result.json")
}

pub(crate) fn local(folder: &Path, at_once: usize, retries: u32) -> Farm {
    let machines = format!("local:{at_once}").parse().unwrap();
    Farm::open(folder, &machines, Settings { retries, ..Settings::default() }).unwrap()
}

/// The ends of all jobs, which are told once each.
pub(crate) fn ends(farm: &mut Farm, jobs: &[Job]) -> Vec<Ended> {
    let keys = farm.submit(jobs).unwrap();
    let mut told = BTreeMap::new();
    let all = farm.wait(&mut |ended| {
        assert!(told.insert(ended.key.clone(), ended).is_none(), "told twice");
        ControlFlow::Continue(())
    });
    assert!(all.unwrap().is_continue() && farm.pending() == 0);
    let ends: Vec<_> = keys.iter().map(|key| told[key].clone()).collect();
    assert_eq!(told.len(), keys.iter().collect::<std::collections::BTreeSet<_>>().len());
    ends
}

pub(crate) fn text(ended: &Ended) -> String {
    let answer = ended.answer().unwrap_or_else(|why| panic!("{why}"));
    String::from_utf8(answer.result.clone()).unwrap().trim().to_owned()
}

/// How often each number is in a file, a line each.
pub(crate) fn counts(path: &Path) -> BTreeMap<usize, usize> {
    let mut counts = BTreeMap::new();
    for line in fs::read_to_string(path).unwrap_or_default().lines() {
        *counts.entry(line.parse().unwrap()).or_default() += 1;
    }
    counts
}

/// Whether, after a moment, no process of any job in the folder lives.
pub(crate) fn is_quiet(farm: &Path) -> bool {
    let began = Instant::now();
    let busy = |job: &fs::DirEntry| {
        let lock = job.path().join("lock");
        lock.exists()
            && !Command::new("flock").arg("-n").arg(lock).arg("true").status().unwrap().success()
    };
    while fs::read_dir(farm).unwrap().flatten().any(|job| busy(&job)) {
        if began.elapsed() > Duration::from_secs(5) {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    true
}
