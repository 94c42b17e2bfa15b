//! Jobs on this machine: told once, run once, tried again, and gone when they should be.

mod common;

use common::{counts, ends, is_quiet, job, local, square, text};
use hwgen_farm::{Death, Executor, Job, Outcome};
use std::fs;
use std::ops::ControlFlow;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

#[test]
fn one_of_twenty_always_fails() {
    let folder = tempfile::tempdir().unwrap();
    let began = folder.path().join("began");
    let script = square(&began, "[ $n != 7 ] || { echo seven never works >&2; exit 3; }");
    let jobs: Vec<_> = (0..20).map(|n| job(&script, n)).collect();
    let mut farm = local(&folder.path().join("farm"), 4, 2);
    let ends = ends(&mut farm, &jobs);
    for (n, ended) in ends.iter().enumerate().filter(|(n, _)| *n != 7) {
        assert_eq!((text(ended), ended.deaths.len()), ((n * n).to_string(), 0));
    }
    let why = ends[7].answer().unwrap_err();
    assert!(
        why.ends_with("failed 3 times (exit code 3, exit code 3, exit code 3):\nseven never works")
    );
    let counts = counts(&began);
    assert!(counts.iter().all(|(n, times)| *times == if *n == 7 { 3 } else { 1 }), "{counts:?}");
    let deaths = fs::read_to_string(farm.folder(&ends[7].key).join("deaths.jsonl")).unwrap();
    assert_eq!(deaths.matches("exit code 3").count(), 3);
}

#[test]
fn every_death_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let limit = Duration::from_millis(300);
    let mut slow = job("echo begun >&2; sleep 1000 & wait", 5);
    slow.limit = Some(limit);
    let link = "it left ./result.json, which is neither a file nor a folder";
    let missing = Job { program: "/no/such/program".into(), ..job("", 6) };
    let jobs = [
        (job("echo 1 >result.json; exit 1", 0), Death::Exit(1), ""),
        (job("echo bye >&2; kill -9 $$", 1), Death::Signal(9), "bye"),
        (job("kill -SEGV $$", 2), Death::Signal(11), ""),
        // the script that started it dies, and it does not
        (job("kill -9 $PPID; sleep 1000", 3), Death::Signal(9), ""),
        (job("exit 0", 4), Death::NoResult, ""),
        (slow, Death::Time(Some(limit)), "begun"),
        (missing, Death::Exit(127), ""),
        (job("exit 75", 8), Death::Exit(75), ""),
        (job("ln -s /etc/passwd result.json", 9), Death::Error(link.into()), ""),
        (job("mkdir result.json", 10), Death::Error("it left a folder for result.json".into()), ""),
        (job("printf '\\033[2Jred\\n' >&2; exit 2", 11), Death::Exit(2), "\\u{1b}[2Jred"),
    ];
    let path = folder.path().join("farm");
    let mut farm = local(&path, 4, 1);
    let asked: Vec<_> = jobs.iter().map(|(job, ..)| job.clone()).collect();
    for (ended, (job, death, lines)) in ends(&mut farm, &asked).iter().zip(&jobs) {
        assert_eq!(ended.deaths, [death.clone(), death.clone()], "{:?}", job.arguments);
        let Outcome::Failed(told) = &ended.outcome else { panic!("{ended:?}") };
        match death {
            Death::Exit(127) => assert!(told.contains("not found"), "{told}"),
            // the shell may have told of the signal, too
            Death::Signal(_) => assert!(told.starts_with(lines), "{told}"),
            _ => assert_eq!(told, lines),
        }
        let left = fs::read_dir(farm.folder(&ended.key)).unwrap().flatten();
        let left: Vec<_> = left.map(|entry| entry.file_name()).collect();
        assert_eq!(left.len(), 4, "request, job, lock, deaths: {left:?}");
    }
    assert!(is_quiet(&path));
}

#[test]
fn what_fails_once_is_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let mark = folder.path().join("mark").display().to_string();
    let script =
        format!("[ -e '{mark}' ] || {{ touch '{mark}'; kill -9 $$; }}; echo 1 >result.json");
    let ends = ends(&mut local(folder.path(), 1, 2), &[job(&script, 0)]);
    assert_eq!((text(&ends[0]).as_str(), &ends[0].deaths[..]), ("1", &[Death::Signal(9)][..]));
}

#[test]
fn the_same_job_is_run_once() {
    let folder = tempfile::tempdir().unwrap();
    let (path, began) = (folder.path().join("farm"), folder.path().join("began"));
    let script = square(&began, "echo kept >weights");
    let jobs = [job(&script, 3), job(&script, 3), job(&script, 4)];
    let ended = ends(&mut local(&path, 2, 0), &jobs);
    let answer = ended[0].answer().unwrap();
    assert!(!answer.found);
    assert_eq!(fs::read_to_string(answer.folder.join("weights")).unwrap(), "kept\n");
    // by another executor, later
    let again = ends(&mut local(&path, 2, 0), &jobs);
    assert!(again.iter().all(|ended| ended.answer().unwrap().found));
    assert_eq!(again.iter().map(text).collect::<Vec<_>>(), ["9", "9", "16"]);
    assert_eq!(counts(&began), [(3, 1), (4, 1)].into());
    // another build does not take its results
    let newer = Job { version: "test 2".into(), ..jobs[0].clone() };
    assert!(!ends(&mut local(&path, 2, 0), &[newer])[0].answer().unwrap().found);
    assert_eq!(counts(&began), [(3, 2), (4, 1)].into());
}

#[test]
fn a_damaged_result_is_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let (path, began) = (folder.path().join("farm"), folder.path().join("began"));
    let job = job(&square(&began, "echo 1 >beside"), 12);
    let damages: [&dyn Fn(&Path); 8] = [
        &|result| fs::write(result.join("result.json"), "145\n").unwrap(),
        &|result| fs::write(result.join("result.json"), "").unwrap(),
        &|result| fs::remove_file(result.join("result.json")).unwrap(),
        &|result| fs::write(result.join("beside"), "2").unwrap(),
        &|result| fs::write(result.join(".hwgen.sha256"), [0xff; 999]).unwrap(),
        &|result| {
            let pipe = result.join("result.json");
            fs::remove_file(&pipe).unwrap();
            assert!(Command::new("mkfifo").arg(pipe).status().unwrap().success());
        },
        &|result| symlink("/dev/zero", result.join("link")).unwrap(),
        &|result| {
            fs::remove_dir_all(result).unwrap();
            fs::write(result, "no folder").unwrap();
        },
    ];
    for (number, damage) in damages.iter().enumerate() {
        let ended = ends(&mut local(&path, 1, 0), std::slice::from_ref(&job));
        damage(&ended[0].answer().unwrap().folder);
        let ended = ends(&mut local(&path, 1, 0), std::slice::from_ref(&job));
        assert_eq!((text(&ended[0]).as_str(), ended[0].answer().unwrap().found), ("144", false));
        assert_eq!(counts(&began)[&12], number + 2);
    }
}

#[test]
fn the_first_result_stays() {
    let folder = tempfile::tempdir().unwrap();
    // another process of the job, that lost its lock, is done a moment before
    let script = "mkdir ../other; echo first >../other/result.json; cd ../other
        sha256sum result.json >.hwgen.sha256; mv -T ../other ../result
        cd \"$1\"; echo second >result.json";
    let path = folder.path().join("farm");
    let ended = ends(&mut local(&path, 1, 0), &[job(script, 0)]);
    assert_eq!((text(&ended[0]).as_str(), ended[0].deaths.len()), ("first", 0));
    assert_eq!(text(&ends(&mut local(&path, 1, 0), &[job(script, 0)])[0]), "first");
    assert_eq!(fs::read_dir(path.join(ended[0].key.as_str())).unwrap().count(), 4);
}

#[test]
fn two_executors_share_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let (path, began) = (folder.path().join("farm"), folder.path().join("began"));
    let both = folder.path().join("alone").display().to_string();
    let alone = format!("mkdir '{both}-'$n || exit 9; sleep 0.05; rmdir '{both}-'$n");
    let script = square(&began, &alone);
    let work = |backwards: bool| {
        let mut numbers: Vec<usize> = (0..16).collect();
        if backwards {
            numbers.reverse();
        }
        let jobs: Vec<_> = numbers.iter().map(|n| job(&script, *n)).collect();
        let ended = ends(&mut local(&path, 3, 0), &jobs);
        let mut told: Vec<_> =
            ended.iter().zip(numbers).map(|(ended, n)| (n, text(ended))).collect();
        told.sort();
        (told, ended.iter().filter(|ended| ended.answer().unwrap().found).count())
    };
    let ((one, found_one), (two, found_two)) = std::thread::scope(|scope| {
        let other = scope.spawn(|| work(true));
        (work(false), other.join().unwrap())
    });
    assert_eq!(one, two);
    let counts = counts(&began);
    assert!(counts.len() == 16 && counts.values().all(|times| *times == 1), "{counts:?}");
    println!("two executors: 16 jobs begun once each; {found_one} and {found_two} found");
}

#[test]
fn cancelled_jobs_end() {
    let folder = tempfile::tempdir().unwrap();
    let mut farm = local(folder.path(), 2, 2);
    let jobs: Vec<_> = (0..4).map(|n| job("sleep 1000 & wait", n)).collect();
    let keys = farm.submit(&jobs).unwrap();
    assert_eq!((farm.poll().unwrap(), farm.pending()), (vec![], 4));
    farm.cancel(&keys[1..]).unwrap();
    let mut told = vec![];
    let quick = farm.submit(&[job("echo 1 >result.json", 9)]).unwrap();
    let stopped = farm.wait(&mut |ended| {
        let is_quick = ended.key == quick[0];
        told.push(ended.outcome);
        if is_quick { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert!(stopped.unwrap().is_break());
    assert_eq!(told.iter().filter(|outcome| **outcome == Outcome::Cancelled).count(), 3);
    assert_eq!(farm.pending(), 1);
    // the last one ends with the executor
    drop(farm);
    assert!(is_quiet(folder.path()));
}

#[test]
fn any_name_is_taken_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let words = ["", "-n", "'", "\"", "$(touch no)", "`id`", "a\nb", "\r", "; exit 9", "*", "é"];
    let mut hostile = job("for word do printf '%s|' \"$word\"; done >result.json", 0);
    hostile.arguments.extend(words.map(Into::into));
    (hostile.kind, hostile.version) = ("../..".into(), "\0'\n".into());
    let path = folder.path().join("-a 'farm'\n$(touch no) *");
    let ended = ends(&mut local(&path, 1, 0), &[hostile]);
    let said = text(&ended[0]);
    let said: Vec<_> = said.split('|').collect();
    assert_eq!(said[..words.len()], words);
    let job = fs::canonicalize(&path).unwrap().join(ended[0].key.as_str());
    assert!(said[words.len()].starts_with(job.to_str().unwrap()), "the folder comes last");
}

#[test]
fn many_small_jobs_cost_little() {
    let folder = tempfile::tempdir().unwrap();
    let jobs: Vec<_> = (0..100).map(|n| job("echo 1 >result.json", n)).collect();
    let began = Instant::now();
    ends(&mut local(folder.path(), 2, 0), &jobs);
    let each = began.elapsed().as_secs_f64() * 10.0;
    println!("a job that does nothing: {each:.1} ms, two at once");
    assert!(each < 500.0, "{each} ms");
}
