//! One arm against another, seed by seed.

use super::{Arm, Key, Paired, Run, RunPoint, Runs, Set, paired};

/// A seed's comparison; of a set in folds, all folds together.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// The seed.
    pub seed: u64,
    /// Folds that both arms have.
    pub folds: usize,
    /// Cycles of the baseline's most accurate point: the geometric mean over folds.
    pub base_cycles: f64,
    /// Cycles of the baseline where it may lose as much as the other.
    pub even_cycles: f64,
    /// Cycles of the other.
    pub cycles: f64,
    /// The share of the test that the baseline gets right.
    pub base_test: f64,
    /// What the other gets right more than the most accurate point, on the same items.
    pub paired: Paired,
    /// What it gets right more than the baseline where that may lose as much.
    pub even: Paired,
    /// Bytes of weights, LUT, FF, DSP and BRAM of both, of the first fold.
    pub beside: [[u64; 5]; 2],
}

impl Comparison {
    /// How many times fewer cycles.
    pub fn ratio(&self) -> f64 {
        self.base_cycles / self.cycles
    }

    /// How many times fewer cycles where the baseline may lose as much: what smaller architectures bring is not in it.
    pub fn even_ratio(&self) -> f64 {
        self.even_cycles / self.cycles
    }
}

/// Points of a run that are compared.
struct Compared<'r> {
    run: &'r Run,
    best: &'r RunPoint,
    even: &'r RunPoint,
    other: &'r RunPoint,
}

/// The most accurate point of the baseline, its fastest that loses at most so much to it, and the other arm's: all by
/// the validation part. The test only says what became of it.
pub fn compare(runs: &Runs, set: Set, [base, other]: [Arm; 2], allowed: f64) -> Vec<Comparison> {
    let of_seed = |seed: u64| {
        let both = runs.of(set, base).filter(|run| run.key.seed == seed).filter_map(|run| {
            let found = like(runs, run, other)?;
            let best = best(run)?;
            let enough = best.validation - allowed;
            let (even, other) = (fastest(run, enough)?, fastest(found, enough)?);
            Some(Compared { run, best, even, other })
        });
        joined(seed, &both.collect::<Vec<_>>())
    };
    seeds(runs, set, base).into_iter().filter_map(of_seed).collect()
}

/// The other arm's run on the same items.
fn like<'r>(runs: &'r Runs, run: &Run, arm: Arm) -> Option<&'r Run> {
    runs.known.get(&Key { arm, ..run.key })
}

fn seeds(runs: &Runs, set: Set, arm: Arm) -> Vec<u64> {
    let mut seeds: Vec<u64> = runs.of(set, arm).map(|run| run.key.seed).collect();
    seeds.dedup();
    seeds
}

/// A point of a baseline's front, and what another arm has there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Meeting {
    /// The seed.
    pub seed: u64,
    /// The fold.
    pub fold: usize,
    /// The point's accuracy, on the validation part.
    pub accuracy: f64,
    /// Its cycles.
    pub cycles: u64,
    /// How many times fewer cycles the other arm's fastest takes that is as accurate, if one is.
    pub faster: Option<f64>,
    /// What the other arm's best gets right more that is as fast, if one is.
    pub better: Option<f64>,
}

/// Each point of a baseline that none of its own beats, and the other arm's front there.
pub fn meetings(runs: &Runs, set: Set, [base, other]: [Arm; 2]) -> Vec<Meeting> {
    let of_run = |run: &Run| {
        let found = like(runs, run, other)?;
        let beaten = |a: &RunPoint| {
            run.points.iter().any(|b| b.validation > a.validation && b.cycles <= a.cycles)
        };
        let meet = |point: &RunPoint| {
            let as_good = found.points.iter().filter(|p| p.validation >= point.validation);
            let as_fast = found.points.iter().filter(|p| p.cycles <= point.cycles);
            Meeting {
                seed: run.key.seed,
                fold: run.key.fold,
                accuracy: point.validation,
                cycles: point.cycles,
                faster: as_good.map(|p| p.cycles).min().map(|c| point.cycles as f64 / c as f64),
                better: as_fast.map(|p| p.validation - point.validation).max_by(f64::total_cmp),
            }
        };
        Some(run.points.iter().filter(|point| !beaten(point)).map(meet).collect::<Vec<_>>())
    };
    runs.of(set, base).filter_map(of_run).flatten().collect()
}

/// The most accurate point on the validation part, the faster of equals.
fn best(run: &Run) -> Option<&RunPoint> {
    run.points
        .iter()
        .max_by(|a, b| a.validation.total_cmp(&b.validation).then(b.cycles.cmp(&a.cycles)))
}

/// The fastest point that is good enough; the best if none is.
fn fastest(run: &Run, enough: f64) -> Option<&RunPoint> {
    let good = run.points.iter().filter(|point| point.validation >= enough);
    good.min_by_key(|point| point.cycles).or_else(|| best(run))
}

fn joined(seed: u64, folds: &[Compared<'_>]) -> Option<Comparison> {
    let first = folds.first()?;
    let right = |point: for<'r> fn(&Compared<'r>) -> &'r RunPoint| -> Vec<bool> {
        folds.iter().flat_map(|fold| point(fold).right(fold.run.items)).collect()
    };
    let mean = |point: for<'r> fn(&Compared<'r>) -> &'r RunPoint| {
        let logarithms = folds.iter().map(|fold| (point(fold).cycles as f64).ln());
        (logarithms.sum::<f64>() / folds.len() as f64).exp()
    };
    let [best, even, other] = [right(|c| c.best), right(|c| c.even), right(|c| c.other)];
    let beside = |point: &RunPoint| {
        let [lut, ff, dsp, bram] = point.area;
        [point.weight_bytes, lut, ff, dsp, bram]
    };
    Some(Comparison {
        seed,
        folds: folds.len(),
        base_cycles: mean(|c| c.best),
        even_cycles: mean(|c| c.even),
        cycles: mean(|c| c.other),
        base_test: best.iter().filter(|&&right| right).count() as f64 / best.len().max(1) as f64,
        paired: paired(&other, &best),
        even: paired(&other, &even),
        beside: [beside(first.best), beside(first.other)],
    })
}
