//! One arm against another, seed by seed.

use super::{Arm, Paired, Run, RunPoint, Runs, Set, paired};

/// A seed's comparison; of a set in folds, all folds together.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// The seed.
    pub seed: u64,
    /// Folds that both arms have.
    pub folds: usize,
    /// Cycles of the baseline: the geometric mean over folds.
    pub base_cycles: f64,
    /// Cycles of the other.
    pub cycles: f64,
    /// The share of the test that the baseline gets right.
    pub base_test: f64,
    /// What the other gets right more, on the same items.
    pub paired: Paired,
    /// Bytes of weights, LUT, FF, DSP and BRAM of both, of the first fold.
    pub beside: [[u64; 5]; 2],
}

impl Comparison {
    /// How many times fewer cycles.
    pub fn ratio(&self) -> f64 {
        self.base_cycles / self.cycles
    }
}

/// The most accurate point of the baseline, and the other arm's fastest that loses at most so much to it: both by the
/// validation part. The test only says what became of it.
pub fn compare(runs: &Runs, set: Set, [base, other]: [Arm; 2], allowed: f64) -> Vec<Comparison> {
    let mut seeds: Vec<u64> = runs.of(set, base).map(|run| run.key.seed).collect();
    seeds.dedup();
    let of_seed = |seed: u64| {
        let both = runs.of(set, base).filter(|run| run.key.seed == seed).filter_map(|run| {
            let like = |found: &&Run| (found.key.seed, found.key.fold) == (seed, run.key.fold);
            let found = runs.of(set, other).find(like)?;
            let best = best(run)?;
            Some((run, best, fastest(found, best.validation - allowed)?))
        });
        joined(seed, &both.collect::<Vec<_>>())
    };
    seeds.into_iter().filter_map(of_seed).collect()
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

fn joined(seed: u64, folds: &[(&Run, &RunPoint, &RunPoint)]) -> Option<Comparison> {
    let (_, first, second) = folds.first()?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for (run, base, other) in folds {
        theirs.extend(base.right(run.items));
        ours.extend(other.right(run.items));
    }
    let mean = |cycles: &dyn Fn(&(&Run, &RunPoint, &RunPoint)) -> u64| {
        let logarithms = folds.iter().map(|fold| (cycles(fold) as f64).ln());
        (logarithms.sum::<f64>() / folds.len() as f64).exp()
    };
    let beside = |point: &RunPoint| {
        let [lut, ff, dsp, bram] = point.area;
        [point.weight_bytes, lut, ff, dsp, bram]
    };
    Some(Comparison {
        seed,
        folds: folds.len(),
        base_cycles: mean(&|fold| fold.1.cycles),
        cycles: mean(&|fold| fold.2.cycles),
        base_test: theirs.iter().filter(|&&right| right).count() as f64
            / theirs.len().max(1) as f64,
        paired: paired(&ours, &theirs),
        beside: [beside(first), beside(second)],
    })
}
