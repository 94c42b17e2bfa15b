//! A Slurm cluster of our own, on this machine, whose jobs are killed.

mod cluster;
mod common;

use cluster::Cluster;
use common::{counts, job, square, text};
use hwgen_farm::{Executor, Farm, Settings};
use rand::{Rng, SeedableRng};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

const JOBS: usize = 50;
const KILLS: usize = 12;

fn farm(cluster: &Cluster, folder: &Path, retries: u32) -> Farm {
    let settings = Settings {
        retries,
        interval: Duration::from_millis(500),
        grace: Duration::from_secs(3),
        tools: vec![cluster.tools()],
        ..Settings::default()
    };
    Farm::open(folder, &"slurm:at_once=8".parse().unwrap(), settings).unwrap()
}

#[test]
#[ignore = "starts a Slurm cluster, as root: cargo xtask bars farm"]
fn fifty_jobs_of_which_some_are_killed() {
    let folder = tempfile::tempdir().unwrap();
    let (path, began) = (folder.path().join("a 'farm'"), folder.path().join("began"));
    let cluster = Cluster::start();
    let mut farm = farm(&cluster, &path, 6);
    let script = square(&began, "sleep 1");
    let jobs: Vec<_> = (0..JOBS).map(|n| job(&script, n)).collect();
    let start = Instant::now();
    let keys = farm.submit(&jobs).unwrap();
    let mut first = true;
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(1);
    let (mut told, mut killed, mut last) = (BTreeMap::new(), [0; 3], Instant::now());
    while farm.pending() > 0 {
        for ended in farm.poll().unwrap() {
            assert!(told.insert(ended.key.clone(), ended).is_none(), "told twice");
        }
        if first && told.len() > JOBS / 2 {
            // as if it were killed, with an array in the queue; the next one has to get along with that
            std::mem::forget(std::mem::replace(&mut farm, self::farm(&cluster, &path, 6)));
            farm.submit(&jobs).unwrap();
            told.clear();
            first = false;
        }
        let how = killed.iter().sum::<usize>() % 3;
        if killed.iter().sum::<usize>() < KILLS && last.elapsed() > Duration::from_millis(500) {
            let pick = random.random::<u32>() as usize;
            killed[how] += usize::from(match how {
                0 => cluster.cancel_one(pick),
                // the program, then the script around it
                1 => cluster.kill_one(pick, |line| line.contains("result.json\0job\0")),
                _ => cluster.kill_one(pick, |line| line.ends_with("slurm_script\0")),
            });
            last = Instant::now();
        }
        assert!(start.elapsed() < Duration::from_secs(300), "{} of {JOBS}", told.len());
        std::thread::sleep(Duration::from_millis(50));
    }
    let seconds = start.elapsed().as_secs_f64();
    let right = (0..JOBS).filter(|n| text(&told[&keys[*n]]) == (n * n).to_string()).count();
    // what the first executor has in the queue finds its results there
    cluster.until(|cluster| cluster.queue().is_empty());
    // as both executors wrote down
    let ledgers = keys.iter().map(|key| farm.folder(key).join("deaths.jsonl"));
    let deaths: usize =
        ledgers.map(|path| fs::read_to_string(path).unwrap_or_default().lines().count()).sum();
    let begun: usize = counts(&began).values().sum();
    assert_eq!((told.len(), killed.iter().sum::<usize>()), (JOBS, KILLS));
    assert!(deaths > 0, "{deaths} deaths");
    // nothing is run again but what was killed
    assert!((JOBS..=JOBS + KILLS).contains(&begun), "{begun} begun");

    // started again, it finds all, and asks Slurm for nothing
    let mut again = self::farm(&cluster, &path, 0);
    assert!(common::ends(&mut again, &jobs).iter().all(|ended| ended.answer().unwrap().found));
    assert_eq!(counts(&began).values().sum::<usize>(), begun);

    // what nobody waits for is cancelled
    again.submit(&[job("sleep 1000", 99)]).unwrap();
    again.poll().unwrap();
    assert_eq!(cluster.queue().len(), 1);
    drop(again);
    cluster.until(|cluster| cluster.queue().is_empty());
    let mark = cluster.mark();
    drop(cluster);
    assert_eq!(cluster::left(&mark), Vec::<String>::new());
    println!(
        "farm: {right} results, each once, of {JOBS} jobs in {seconds:.1} s; killed: {} by scancel, {} \
         programs and {} scripts by -9; {deaths} deaths told, {begun} begun",
        killed[0], killed[1], killed[2]
    );
    assert_eq!(right, JOBS);
}

#[test]
#[ignore = "starts a Slurm cluster, as root: cargo xtask bars farm"]
fn the_cluster_ends_with_a_test_that_panics() {
    let folder = tempfile::tempdir().unwrap();
    let mark = folder.path().join("mark");
    let panics = std::panic::catch_unwind(|| {
        let cluster = Cluster::start();
        fs::write(&mark, cluster.mark()).unwrap();
        let mut farm = farm(&cluster, &folder.path().join("farm"), 0);
        farm.submit(&[job("sleep 1000", 0)]).unwrap();
        farm.poll().unwrap();
        cluster.until(|cluster| cluster.queue().iter().any(|line| line.ends_with("RUNNING")));
        // no farmer's Drop, only the cluster's
        std::mem::forget(farm);
        panic!("on purpose");
    });
    let said = panics.unwrap_err();
    assert_eq!(said.downcast_ref::<&str>(), Some(&"on purpose"));
    let left = cluster::left(&fs::read_to_string(&mark).unwrap());
    assert_eq!(left, Vec::<String>::new());
}
