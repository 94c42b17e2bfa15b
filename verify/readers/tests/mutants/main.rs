//! Mutants of files through every reader: an answer or a line why not, in little memory and time.

mod seeds;

use hwgen_readers::{READERS, Reader, Room, mutate};
use peak_alloc::PeakAlloc;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const MOST_MEMORY: usize = 512 << 20;
const MOST_SECONDS: f64 = 5.0;

fn room() -> Room {
    let mut waves = Command::new(env!("CARGO_BIN_EXE_hwgen-readers"));
    waves.arg("waves");
    Room::new(waves).unwrap()
}

/// The processor's time that this process and its children took; where the system does not tell, the
/// clock's.
fn seconds() -> f64 {
    static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // behind the name: user's and system's time are the 12th and 13th, the children's follow
    let ticks = stat.rsplit(')').next().map(|rest| rest.split_whitespace().skip(11).take(4));
    let ticks: Vec<f64> = ticks.into_iter().flatten().flat_map(str::parse).collect();
    match ticks.len() {
        4 => ticks.iter().sum::<f64>() / 100.0,
        _ => BEGAN.elapsed().as_secs_f64(),
    }
}

/// What was wrong with reading a mutant; the error is what the reader says of it.
fn faults(reader: &Reader, mutant: &[u8], room: &Room) -> Result<Vec<String>, String> {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let began = seconds();
    let read = std::panic::catch_unwind(AssertUnwindSafe(|| reader.read(mutant, room)));
    let (time, memory) = (seconds() - began, MEMORY.peak_usage().saturating_sub(before));
    let mut faults = vec![];
    if memory > MOST_MEMORY {
        faults.push(format!("{} MiB", memory >> 20));
    }
    if time > MOST_SECONDS {
        faults.push(format!("{time:.1} s"));
    }
    match read {
        Err(_) => faults.push("a panic".into()),
        Ok(Err(said)) if faults.is_empty() => return Err(said),
        Ok(_) => {}
    }
    Ok(faults)
}

/// Where a mutant is kept that a reader does not outlive.
fn kept(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("mutant.{name}"))
}

/// Kills all if a mutant takes a minute: it would never end.
fn watch(done: &'static AtomicUsize) {
    std::thread::spawn(move || {
        let mut last = usize::MAX;
        loop {
            std::thread::sleep(Duration::from_secs(60));
            let now = done.load(Ordering::Relaxed);
            if now == last {
                eprintln!("mutant {now} does not end: it is the newest mutant.* in target/tmp");
                std::process::abort();
            }
            last = now;
        }
    });
}

/// Runs so many mutants of every reader's seeds; returns how many were run.
fn run(each: usize, seed: u64) -> usize {
    static DONE: AtomicUsize = AtomicUsize::new(0);
    watch(&DONE);
    std::panic::set_hook(Box::new(|_| {}));
    let (room, mut failures) = (room(), vec![]);
    for reader in READERS {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let seeds = seeds::of(reader.name);
        let (mut taken, mut refused) = (0, 0);
        for n in 0..each {
            let mutant = mutate(&seeds[n % seeds.len()], &mut rng);
            // an abort leaves it there
            std::fs::write(kept(reader.name), &mutant).unwrap();
            match faults(reader, &mutant, &room) {
                Err(_) => refused += 1,
                Ok(faults) if faults.is_empty() => taken += 1,
                Ok(faults) => {
                    let path = kept(&format!("{}.{n}", reader.name));
                    std::fs::write(&path, &mutant).unwrap();
                    let fault = format!("{}: {}", path.display(), faults.join(", "));
                    println!("{fault}");
                    failures.push(fault);
                }
            }
            DONE.fetch_add(1, Ordering::Relaxed);
        }
        println!("{}: {taken} taken, {refused} refused", reader.name);
    }
    let _ = std::panic::take_hook();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    each * READERS.len()
}

#[test]
fn seeds_are_taken() {
    let room = room();
    for reader in READERS {
        for seed in seeds::of(reader.name) {
            assert_eq!(reader.read(&seed, &room), Ok(()), "{}", reader.name);
        }
    }
}

#[test]
fn a_thousand_mutants() {
    run(1000_usize.div_ceil(READERS.len()), 1);
}

/// `cargo xtask bars readers`
#[test]
#[ignore = "minutes"]
fn ten_thousand_mutants() {
    println!("readers: {} mutants", run(10_000_usize.div_ceil(READERS.len()), 2));
}

/// Writes the seeds as what fuzzing begins with; run when a format changes.
#[test]
#[ignore = "writes fuzz/corpus"]
fn corpus() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    for reader in READERS {
        let folder = corpus.join(reader.name);
        std::fs::create_dir_all(&folder).unwrap();
        for (n, seed) in seeds::of(reader.name).iter().enumerate() {
            std::fs::write(folder.join(format!("seed{n}")), seed).unwrap();
        }
    }
}

/// `cargo xtask bars fuzz_readers`
#[test]
#[ignore = "needs cargo-fuzz, and minutes"]
fn fuzzer() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/fuzz-readers");
    assert!(Command::new(script).arg("10").status().unwrap().success());
}
