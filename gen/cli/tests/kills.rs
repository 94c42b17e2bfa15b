//! Killed at any moment, a command leaves nothing torn, nobody running and no link, and the next run
//! is right.

#[path = "../../network/tests/models/mod.rs"]
mod models;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Marks everything that a killed command started, in its environment.
const MARK: &str = "HWGEN_TEST_MARK";

/// What may be left of a killed command is gone by then.
const PATIENCE: Duration = Duration::from_secs(10);

/// A killed command has ended by then, by itself if the signal came too late.
const LONGEST: Duration = Duration::from_secs(120);

/// A command that is killed, in a folder of its own.
struct Victim {
    name: &'static str,
    arguments: Vec<String>,
    folder: tempfile::TempDir,
    /// What it writes when nobody disturbs it, apart from caches; nothing for one that never ends.
    whole: Option<Vec<(String, Vec<u8>)>>,
    /// How long it takes then, or may at most until it is killed.
    duration: Duration,
}

impl Victim {
    /// A command with `@` for its folder. It is run to its end first; or if it has none that we wait
    /// for, until a file of this name is there.
    fn new(name: &'static str, endless: Option<&str>, arguments: &str) -> Victim {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for inner in ["cache", "tmp"] {
            fs::create_dir(root.join(inner)).unwrap();
        }
        fs::write(root.join("small.tflite"), models::small(1)).unwrap();
        fs::write(root.join("board.bin"), [0xff, 0, 0, 0xff, 0x7e, 0xaa, 0x99, 0x7e]).unwrap();
        write_loader(&root.join("iceprog"), &root.join("loading"));
        let replaced = arguments.replace('@', root.to_str().unwrap());
        let arguments = replaced.split(' ').map(str::to_owned).collect();
        let mut victim = Victim { name, arguments, folder, whole: None, duration: Duration::ZERO };
        let began = Instant::now();
        match endless {
            None => {
                victim.finish();
                victim.duration = began.elapsed().min(Duration::from_secs(5));
                victim.whole = Some(victim.written());
            }
            Some(file) => {
                let mut child = victim.command().spawn().unwrap();
                while victim.folder.path().join(file).symlink_metadata().is_err() {
                    assert!(child.try_wait().unwrap().is_none(), "{name} ended");
                    std::thread::sleep(Duration::from_millis(5));
                }
                victim.duration = 2 * began.elapsed();
                child.kill().unwrap();
                child.wait().unwrap();
            }
        }
        victim.forget();
        victim
    }

    fn command(&self) -> Command {
        let root = self.folder.path();
        // a shell's background job ignores Ctrl-C, and what it starts does, too
        let mut command = Command::new("env");
        command
            .arg("--default-signal=INT,TERM")
            .arg(env!("CARGO_BIN_EXE_hwgen"))
            .args(&self.arguments);
        command.env(MARK, root).env("HWGEN_CACHE", root.join("cache"));
        command.env("TMPDIR", root.join("tmp")).env_remove("CARGO_MANIFEST_DIR");
        command.env_remove("HWGEN_DATA").current_dir(root);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    fn finish(&self) {
        let output = self.command().stderr(Stdio::piped()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {said}", self.name);
    }

    /// Runs it and kills it after a while; what is wrong then, if something is.
    fn kill(&self, signal: Signal, after: Duration) -> Option<String> {
        let mut child = self.command().spawn().unwrap();
        std::thread::sleep(after);
        // it may have ended already
        let _ = kill_process(Pid::from_child(&child), signal);
        let killed = Instant::now();
        while child.try_wait().unwrap().is_none() {
            if killed.elapsed() > LONGEST {
                child.kill().unwrap();
                child.wait().unwrap();
                return Some(format!("{}, {signal:?} after {after:?}: lives on", self.name));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        let died = Instant::now();
        loop {
            let left = self.left();
            if left.is_empty() {
                break;
            }
            if died.elapsed() > PATIENCE {
                return Some(format!("{}, {signal:?} after {after:?}: {left:?}", self.name));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let written = self.written();
        let whole = self.whole.as_ref().is_none_or(|whole| written == *whole || written.is_empty());
        (!whole).then(|| {
            let names: Vec<_> = written.iter().map(|(name, _)| name).collect();
            format!("{}, {signal:?} after {after:?}: torn: {names:?}", self.name)
        })
    }

    /// Processes, temporary files and links that should be gone.
    fn left(&self) -> Vec<String> {
        let root = self.folder.path();
        let mark = format!("{MARK}={}", root.display());
        let marked = |path: &PathBuf| {
            let environment = fs::read(path.join("environ")).unwrap_or_default();
            environment.split(|byte| *byte == 0).any(|entry| entry == mark.as_bytes())
        };
        let processes = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
        let mut left: Vec<_> = processes
            .filter(marked)
            .map(|path| {
                String::from_utf8_lossy(&fs::read(path.join("cmdline")).unwrap_or_default())
                    .into_owned()
            })
            .collect();
        for file in files(root) {
            let name = file.strip_prefix(root).unwrap().to_string_lossy().into_owned();
            let temporary = name.contains(".hwgen-") || name.contains(".partial-");
            if temporary || name.starts_with("tmp/") || file.is_symlink() {
                left.push(name);
            }
        }
        left
    }

    /// Files it wrote as its result, by name.
    fn written(&self) -> Vec<(String, Vec<u8>)> {
        let root = self.folder.path();
        let name = |file: &Path| file.strip_prefix(root).unwrap().to_string_lossy().into_owned();
        let all = files(root).into_iter().map(|file| (name(&file), file));
        let own = all.filter(|(name, _)| name.starts_with("out"));
        let mut own: Vec<_> = own.map(|(name, file)| (name, fs::read(file).unwrap())).collect();
        own.sort();
        own
    }

    /// Removes what it wrote, and what it would find done.
    fn forget(&self) {
        for name in ["out", "out.json", "out.bin", "cache"] {
            let path = self.folder.path().join(name);
            let _ = fs::remove_dir_all(&path).or_else(|_| fs::remove_file(&path));
        }
    }
}

/// A loader that tells when it has begun, and never ends.
fn write_loader(path: &Path, begun: &Path) {
    let text = format!("#!/bin/sh\n: >'{}'\nsleep 1000 & wait\n", begun.display());
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// All files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = vec![];
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => all.extend(files(&entry.path())),
            _ => all.push(entry.path()),
        }
    }
    all
}

const VERIFY: &str =
    "verify --design mac_array --set rows=1 --set columns=1 --engines verilator,icarus,yosys";

/// Without a compiler, which takes ten seconds.
const VERIFY_BRIEFLY: &str =
    "verify --design mac_array --set rows=1 --set columns=1 --engines icarus,yosys";

fn victims(long: bool) -> Vec<Victim> {
    let mut victims = vec![
        Victim::new("import", None, "import small.tflite -b -o @/out.json"),
        Victim::new("emit", None, "emit --design lapa -o @/out/"),
        Victim::new("build", None, "build --board hx8k --design echo --synth-only -o @/out"),
        Victim::new("verify", None, if long { VERIFY } else { VERIFY_BRIEFLY }),
        Victim::new("board sim", Some("link"), "board sim --design lapa_predictor --path @/link"),
        Victim::new(
            "program",
            Some("loading"),
            "program --board hx8k --iceprog --tools @ @/board.bin",
        ),
    ];
    if long {
        // its end is minutes away: what it leaves is a ledger, and gates under way
        let mut study =
            Victim::new("study", Some("study/ledger.jsonl"), "study lapa --out @/study");
        study.duration = Duration::from_secs(30);
        victims.push(study);
    }
    victims
}

/// Kills each victim in turn; what was wrong.
fn kill_all(victims: &[Victim], kills: usize, seed: u64) -> Vec<String> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut wrong = vec![];
    for kill in 0..kills {
        let victim = &victims[kill % victims.len()];
        let signal = [Signal::KILL, Signal::TERM, Signal::INT][rng.random_range(0..3)];
        wrong.extend(victim.kill(signal, victim.duration.mul_f64(rng.random::<f64>())));
        // now and then what is there already stays, and is replaced
        if rng.random_bool(0.5) {
            victim.forget();
        }
    }
    for victim in victims.iter().filter(|victim| victim.whole.is_some()) {
        victim.finish();
        if Some(victim.written()) != victim.whole {
            wrong.push(format!("{}: another result after kills", victim.name));
        }
    }
    wrong
}

#[test]
fn twenty_kills() {
    let wrong = kill_all(&victims(false), 20, 1);
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
#[ignore = "minutes: `cargo xtask bars kills`"]
fn two_hundred_kills() {
    let wrong = kill_all(&victims(true), 200, 2);
    wrong.iter().for_each(|wrong| println!("{wrong}"));
    println!("kills: {} of 200 left something torn or running", wrong.len());
    assert!(wrong.is_empty());
}
