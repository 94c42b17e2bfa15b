//! Batch systems, by a script that stands in for their commands. Slurm itself is held by the bar `farm`;
//! HyperQueue by nothing but this.

mod common;

use common::{counts, ends, is_quiet, job, square, text};
use hwgen_farm::{Death, Executor, Farm, FarmError, Job, Outcome, Settings};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const ENGINES: [&str; 2] = ["slurm:partition=all,at_once=9", "hq"];

/// A folder with the stand-in under all names.
fn commands(folder: &Path) -> PathBuf {
    let bin = folder.join("bin");
    fs::create_dir(&bin).unwrap();
    for name in ["sbatch", "squeue", "scancel", "hq"] {
        fs::write(bin.join(name), include_str!("queue/stand-in.sh")).unwrap();
        fs::set_permissions(bin.join(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
    bin
}

fn farm(engine: &str, folder: &Path, bin: &Path) -> Result<Farm, FarmError> {
    let settings = Settings {
        retries: 1,
        interval: Duration::from_millis(50),
        grace: Duration::from_millis(200),
        tools: vec![bin.to_path_buf()],
        ..Settings::default()
    };
    Farm::open(folder, &engine.parse()?, settings)
}

#[test]
fn arrays_come_to_their_ends() {
    for engine in ENGINES {
        let folder = tempfile::tempdir().unwrap();
        let (path, began) = (folder.path().join("it's a farm"), folder.path().join("began"));
        let bin = commands(folder.path());
        fs::write(bin.join("lost"), "3").unwrap();
        let mut jobs: Vec<_> = (0..8).map(|n| job(&square(&began, "sleep 0.1"), n)).collect();
        jobs.push(job("echo never >&2; exit 5", 8));
        let limit = Some(Duration::from_millis(700));
        jobs.push(Job { limit, ..job("sleep 1000 & echo slow >&2; wait", 9) });
        let ended = ends(&mut farm(engine, &path, &bin).unwrap(), &jobs);
        for (n, ended) in ended.iter().enumerate().take(8) {
            let deaths = if n == 3 { vec![Death::Vanished] } else { vec![] };
            assert_eq!((text(ended), &ended.deaths), ((n * n).to_string(), &deaths), "{engine}");
        }
        assert_eq!(counts(&began), (0..8).map(|n| (n, 1)).collect());
        assert_eq!(ended[8].deaths, [Death::Exit(5), Death::Exit(5)]);
        assert_eq!(ended[8].outcome, Outcome::Failed("never".into()));
        assert_eq!(ended[9].deaths, [Death::Time(limit), Death::Time(limit)]);
        assert!(is_quiet(&path));
    }
}

#[test]
fn arrays_of_a_search_that_died_are_not_run_again() {
    for engine in ENGINES {
        let folder = tempfile::tempdir().unwrap();
        let (path, began) = (folder.path().join("farm"), folder.path().join("began"));
        let bin = commands(folder.path());
        let jobs: Vec<_> = (0..4).map(|n| job(&square(&began, "sleep 1"), n)).collect();
        let mut first = farm(engine, &path, &bin).unwrap();
        first.submit(&jobs).unwrap();
        first.poll().unwrap();
        while counts(&began).len() < 4 {
            std::thread::sleep(Duration::from_millis(10));
        }
        // as if it were killed
        std::mem::forget(first);
        let ended = ends(&mut farm(engine, &path, &bin).unwrap(), &jobs);
        assert!(ended.iter().all(|ended| ended.answer().unwrap().found), "{engine}");
        assert_eq!(counts(&began), (0..4).map(|n| (n, 1)).collect());
    }
}

#[test]
fn jobs_of_slurm_have_our_folder_of_temporary_files() {
    let folder = tempfile::tempdir().unwrap();
    let bin = commands(folder.path());
    let mut farm = farm(ENGINES[0], &folder.path().join("farm"), &bin).unwrap();
    let ended = ends(&mut farm, &[job("echo ${TMPDIR-none} >result.json", 0)]);
    let ours = std::env::var("TMPDIR").unwrap_or("none".into());
    assert_eq!(text(&ended[0]), ours);
}

#[test]
fn arrays_are_cancelled() {
    for engine in ENGINES {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("farm");
        let bin = commands(folder.path());
        let mut farm = farm(engine, &path, &bin).unwrap();
        let jobs: Vec<_> = (0..3).map(|n| job("sleep 1000", n)).collect();
        let keys = farm.submit(&jobs).unwrap();
        assert_eq!(farm.poll().unwrap(), []);
        farm.cancel(&keys[..1]).unwrap();
        assert_eq!(farm.poll().unwrap()[0].outcome, Outcome::Cancelled);
        assert_eq!(farm.pending(), 2);
        // the rest with the executor
        drop(farm);
        assert!(is_quiet(&path), "{engine}");
    }
}

#[test]
fn silence_of_a_controller_is_borne() {
    for engine in ENGINES {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("farm");
        let bin = commands(folder.path());
        let silent = bin.join("silent");
        fs::write(&silent, "").unwrap();
        let mut farm = farm(engine, &path, &bin).unwrap();
        let keys = farm.submit(&[job("sleep 0.5; echo 1 >result.json", 0)]).unwrap();
        // what never answered may be the wrong one
        let error = farm.poll().unwrap_err().to_string();
        assert!(error.contains("submit") || error.contains("sbatch"), "{error}");
        assert!(error.ends_with("error: Unable to contact controller"), "{error}");
        fs::remove_file(&silent).unwrap();
        assert_eq!(farm.poll().unwrap(), []);
        fs::write(&silent, "").unwrap();
        farm.submit(&[job("echo 2 >result.json", 1)]).unwrap();
        let until = Instant::now() + Duration::from_secs(1);
        let mut told = vec![];
        while Instant::now() < until {
            told.extend(farm.poll().unwrap());
            std::thread::sleep(farm.pause());
        }
        // files tell it although the queue is silent
        assert_eq!((told.len(), &told[0].key), (1, &keys[0]), "{engine}");
        fs::remove_file(&silent).unwrap();
        assert_eq!(text(&farm.next().unwrap().unwrap()), "2");
        assert!(farm.next().unwrap().is_none());
    }
}

#[test]
fn odd_answers_are_told() {
    for (engine, told) in [
        (ENGINES[0], "`sbatch` answered `what\\u{1b}\\n`, not a job's number"),
        (ENGINES[1], "`hq submit` answered `what\\u{1b}\\n`, not an object with the job's `id`"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let bin = commands(folder.path());
        for name in ["sbatch", "hq"] {
            fs::write(bin.join(name), "#!/bin/sh\nprintf 'what\\033\\n'\n").unwrap();
        }
        let mut farm = farm(engine, &folder.path().join("farm"), &bin).unwrap();
        farm.submit(&[job("", 0)]).unwrap();
        assert_eq!(farm.poll().unwrap_err().to_string(), told);
        assert_eq!(farm.pending(), 1);
    }
}
