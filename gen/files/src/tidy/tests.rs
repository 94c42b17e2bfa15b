//! A victim, which is this test again in a process of its own, dies; nothing is left of it.

use super::{Ward, result_id, tidy_on_signals, whole};
use crate::pending::Pending;
use crate::{Cache, Group, Scratch};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Where the victim works.
const FOLDER: &str = "HWGEN_VICTIM_FOLDER";

/// Has all that may be left behind, tells the ids of its children, and waits for its death.
#[test]
#[ignore = "another test starts it"]
fn victim() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else {
        return;
    };
    tidy_on_signals().unwrap();
    let script = "sleep 1000 & echo child $$; echo child $!; wait";
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    let mut group = Group::start(&command, true, Stdio::piped(), Stdio::null()).unwrap();
    let output = BufReader::new(group.take_output().unwrap());
    let children: Vec<_> = output.lines().take(2).map(Result::unwrap).collect();

    let cache = Cache::open(&folder.join("cache")).unwrap();
    let making = cache.make().unwrap();
    fs::write(making.path().join("part"), "of a result").unwrap();
    let scratch = Scratch::new().unwrap();
    fs::write(scratch.path().join("part"), "of a proof").unwrap();
    let link = folder.join("link");
    symlink("/dev/pts/999", &link).unwrap();
    let _link = Ward::link(&link, Path::new("/dev/pts/999"));

    let torn = Pending::create(&folder.join("torn")).unwrap();
    torn.fill(b"half").unwrap();
    let id = result_id();
    let parts = ["one", "two"].map(|name| Pending::part(&folder.join(name), id).unwrap());
    parts.iter().for_each(|part| part.fill(b"new").unwrap());
    whole(id);
    let [one, _two] = parts;
    one.put().unwrap();

    children.iter().for_each(|line| println!("{line}"));
    println!("ready");
    std::thread::sleep(Duration::from_secs(100));
}

/// Starts a victim; it and its children.
fn start(folder: &Path) -> (Child, Vec<Pid>) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["tidy::tests::victim", "--exact", "--ignored", "--nocapture"]);
    command.env(FOLDER, folder).env("TMPDIR", folder).stdout(Stdio::piped());
    let mut victim = command.spawn().unwrap();
    let lines = BufReader::new(victim.stdout.take().unwrap()).lines().map(Result::unwrap);
    let lines: Vec<_> = lines.take_while(|line| line != "ready").collect();
    let ids = lines.iter().filter_map(|line| line.strip_prefix("child "));
    let children: Vec<_> = ids.filter_map(|id| Pid::from_raw(id.parse().unwrap())).collect();
    assert_eq!(children.len(), 2, "{lines:?}");
    (victim, children)
}

fn is_tidy(folder: &Path, children: &[Pid]) -> bool {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    names == ["cache", "one", "two"]
        && fs::read_dir(folder.join("cache")).unwrap().count() == 0
        && fs::read(folder.join("two")).unwrap() == b"new"
        && children.iter().all(|child| is_gone(*child))
}

/// Gone, or dead and waiting for whoever reaps here.
fn is_gone(child: Pid) -> bool {
    let state = fs::read_to_string(format!("/proc/{}/stat", child.as_raw_nonzero()));
    let is_zombie = state.is_ok_and(|state| state.contains(") Z "));
    is_zombie || test_kill_process(child).is_err()
}

#[test]
fn nothing_outlives_the_program() {
    for signal in [Signal::INT, Signal::TERM, Signal::KILL] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("two"), "old").unwrap();
        let (mut victim, children) = start(folder.path());
        assert!(!is_tidy(folder.path(), &children));
        kill_process(Pid::from_child(&victim), signal).unwrap();
        victim.wait().unwrap();
        // the guardian needs a moment after `kill -9`, killed children always
        let patience = Duration::from_secs(if signal == Signal::KILL { 5 } else { 1 });
        let died = Instant::now();
        while !is_tidy(folder.path(), &children) {
            let left: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
            assert!(died.elapsed() < patience, "{signal:?}: {left:?} {children:?}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}
