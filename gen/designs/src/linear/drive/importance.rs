//! `importance`.

use super::last;
use crate::cost::Cost;
use crate::drive::{Driven, Feed, feeds};
use crate::linear::ImportanceSpec;
use crate::linear::golden::importance::Importance;
use hwgen_hdl::{Int, u};
use rand::Rng;

/// A job and its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Tokens.
    pub keys: usize,
    /// The tokens each row keeps, whole groups of them; a row may have more groups than the job,
    /// or fewer, at least one. Bits of tokens beyond the job are noise.
    pub rows: Vec<Vec<bool>>,
}

/// A group of results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Bit i: some row keeps token i of the group.
    pub needed: u64,
    /// Bit i: enough rows do.
    pub precise: u64,
    /// How many rows.
    pub counts: Vec<u64>,
    /// The job's last group.
    pub last: bool,
}

impl Job {
    /// A random job: few tokens or many, few rows up to `most_rows`, sparse or dense, some short, some
    /// too long.
    fn random(spec: &ImportanceSpec, rng: &mut impl Rng, most_rows: u32) -> Job {
        let most = spec.max_keys.min(6 * spec.rows) as usize;
        let keys = if rng.random_bool(0.3) { most } else { rng.random_range(1..=most) };
        let rows = rng.random_range(1..=spec.max_queries.min(most_rows));
        let (lanes, groups) = (spec.rows as usize, spec.groups(keys as u32) as usize);
        let (keep, causal) = ([0.0, 0.05, 0.5, 1.0][rng.random_range(0..4)], rng.random_bool(0.5));
        let mut row = |_| {
            let groups = match (causal, rng.random_bool(0.1)) {
                (_, true) => groups + rng.random_range(1..4),
                (true, _) => rng.random_range(1..=groups),
                (false, _) => groups,
            };
            (0..groups * lanes).map(|_| rng.random_bool(keep)).collect()
        };
        Job { keys, rows: (0..rows).map(&mut row).collect() }
    }
}

/// The groups in which a result comes out.
pub fn groups(spec: &ImportanceSpec, result: &Importance) -> Vec<Group> {
    let keys = result.counts.len();
    let groups = spec.groups(keys as u32);
    let lanes = spec.rows as usize;
    (0..groups as usize)
        .map(|group| {
            let tokens = group * lanes..keys.min((group + 1) * lanes);
            let bits = |holds: &dyn Fn(usize) -> bool| {
                tokens.clone().map(|j| u64::from(holds(j)) << (j % lanes)).sum()
            };
            let mut counts = result.counts[tokens.clone()].to_vec();
            counts.resize(lanes, 0);
            Group {
                needed: bits(&|j| result.needed(j)),
                precise: bits(&|j| result.precise(j)),
                counts,
                last: group + 1 == groups as usize,
            }
        })
        .collect()
}

impl Driven for ImportanceSpec {
    type Job = Job;
    type Out = Group;

    fn random(&self, rng: &mut impl Rng, most: usize) -> Job {
        Job::random(self, rng, most as u32)
    }

    fn feeds(&self, jobs: &[Job], rng: &mut impl Rng) -> Vec<Feed> {
        let (mut heads, mut survivors) = (vec![], vec![]);
        for job in jobs {
            heads.push(vec![job.keys.into(), job.rows.len().into()]);
            for row in &job.rows {
                let groups = row.chunks(self.rows as usize);
                let count = groups.len();
                for (group, tokens) in groups.enumerate() {
                    let first = group * self.rows as usize;
                    let live = tokens.iter().enumerate().map(|(i, live)| {
                        let live = if first + i < job.keys { *live } else { rng.random() };
                        u64::from(live) << i
                    });
                    survivors.push(vec![live.sum::<u64>().into(), last(group, count)]);
                }
            }
        }
        feeds([("jobs", heads), ("survivors", survivors)])
    }

    fn expected(&self, jobs: &[Job]) -> Result<Vec<Group>, String> {
        let expected =
            |job: &Job| groups(self, &Importance::of(&job.rows, job.keys, self.factor256));
        Ok(jobs.iter().flat_map(expected).collect())
    }

    fn read(&self, beat: &[Int]) -> Group {
        group_beat(self, beat)
    }

    fn out_cycles(&self, jobs: &[Job]) -> Vec<u64> {
        let groups = |row: &Vec<bool>| row.len() as u64 / u64::from(self.rows);
        let shape = |job: &Job| (job.keys as u32, job.rows.iter().map(groups).sum());
        self.result_cycles(&jobs.iter().map(shape).collect::<Vec<_>>())
    }

    fn values(&self) -> u32 {
        3 * self.rows + 1
    }

    fn few(&self, rng: &mut impl Rng) -> Vec<Job> {
        (0..3).map(|_| self.random(rng, 20)).collect()
    }
}

/// A group as it came out.
pub fn group_beat(spec: &ImportanceSpec, beat: &[Int]) -> Group {
    let number = |x: &Int| u64::try_from(x).unwrap_or_default();
    let bits = spec.count_bits();
    let count = |i| number(&u(bits).wrap(beat[2].clone() >> (i * bits)));
    Group {
        needed: number(&beat[0]),
        precise: number(&beat[1]),
        counts: (0..spec.rows).map(count).collect(),
        last: beat[3] == Int::from(1),
    }
}
