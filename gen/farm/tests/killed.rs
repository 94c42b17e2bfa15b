//! A search that is killed finds, when it is started again, what it had.

mod common;

use common::{counts, ends, is_quiet, job, local, square, text};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const FOLDER: &str = "HWGEN_FARM_VICTIM";
const JOBS: usize = 24;

fn jobs(folder: &Path) -> Vec<hwgen_farm::Job> {
    let script = square(&folder.join("began"), "sleep 0.1");
    (0..JOBS).map(|n| job(&script, n)).collect()
}

/// Works until it is killed.
#[test]
#[ignore = "another test starts it"]
fn victim() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let folder = Path::new(&folder);
    ends(&mut local(&folder.join("farm"), 3, 0), &jobs(folder));
    std::thread::sleep(Duration::from_secs(100));
}

/// Results that are there, by the job's folder.
fn results(farm: &Path) -> BTreeMap<String, Vec<u8>> {
    let jobs = fs::read_dir(farm).into_iter().flatten().flatten();
    let of = |job: fs::DirEntry| {
        let result = fs::read(job.path().join("result/result.json")).ok()?;
        Some((job.file_name().to_string_lossy().into_owned(), result))
    };
    jobs.filter_map(of).collect()
}

#[test]
fn a_killed_search_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let farm = folder.path().join("farm");
    let mut had = BTreeMap::new();
    for round in 1..=3 {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["victim", "--exact", "--ignored"]).env(FOLDER, folder.path());
        let mut victim = command.stdout(Stdio::null()).spawn().unwrap();
        let began = Instant::now();
        while results(&farm).len() < 5 * round {
            assert!(began.elapsed() < Duration::from_secs(60), "no results");
            std::thread::sleep(Duration::from_millis(3));
        }
        victim.kill().unwrap();
        victim.wait().unwrap();
        // nobody works on, and what was there is
        assert!(is_quiet(&farm));
        let now = results(&farm);
        assert!(had.iter().all(|(job, result)| now.get(job) == Some(result)));
        had = now;
    }
    let before = counts(&folder.path().join("began"));
    let ended = ends(&mut local(&farm, 3, 0), &jobs(folder.path()));
    let after = counts(&folder.path().join("began"));
    let mut found = 0;
    for (n, ended) in ended.iter().enumerate() {
        let answer = ended.answer().unwrap();
        assert_eq!(text(ended), (n * n).to_string());
        assert_eq!(answer.found, had.contains_key(ended.key.as_str()));
        if answer.found {
            assert_eq!(before[&n], after[&n], "job {n} was there and was run again");
            found += 1;
        }
    }
    // of those that were killed in mid-run, three at most each time
    let begun: usize = after.values().sum();
    assert!(begun <= JOBS + 9, "{begun}");
    println!("killed 3 times: {found} of {JOBS} results found, none run again, {begun} begun");
}
