//! Which setting of an accelerator to compare.

use super::accelerator::{Accelerator, HeadRun, Model};
use hwgen_designs::attention::attend::AttendSpec;
use std::error::Error;

/// The mean cosine that counts as no loss.
pub const TARGET: f64 = 0.99;

/// How far above it a setting may lie and still be called of equal quality.
pub const WITHIN: f64 = 0.005;

/// A setting and what it does to a workload.
pub struct Point {
    /// The accelerator at that setting.
    pub accelerator: Box<dyn Accelerator>,
    /// Every head of the workload.
    pub heads: Vec<HeadRun>,
    /// Mean cosine over the heads.
    pub cosine: f64,
    /// The same without heads that mostly attend to key 0.
    pub cosine_without_sinks: f64,
}

impl Point {
    /// Measures a setting.
    ///
    /// # Errors
    /// What its golden models refuse.
    pub fn of(
        accelerator: Box<dyn Accelerator>,
        model: &Model,
        size: &AttendSpec,
    ) -> Result<Point, Box<dyn Error>> {
        let heads = accelerator.heads(model, size)?;
        let mean = |count: &dyn Fn(&HeadRun) -> bool| {
            let counted: Vec<_> = heads.iter().filter(|head| count(head)).collect();
            let sum: f64 = counted.iter().map(|head| head.output.cosine).sum();
            sum / counted.len().max(1) as f64
        };
        let (cosine, without) = (mean(&|_| true), mean(&|head| !head.output.sink));
        Ok(Point { accelerator, heads, cosine, cosine_without_sinks: without })
    }

    /// What it costs, all heads: see [`HeadRun::work`].
    pub fn work(&self) -> u64 {
        self.heads.iter().map(|head| head.work).sum()
    }

    /// Whether it is of the quality that all are compared at.
    pub fn is_equal(&self) -> bool {
        (TARGET..=TARGET + WITHIN).contains(&self.cosine)
    }
}

/// Settings of one accelerator from few keys to many: the output comes ever closer.
pub type Chain = Vec<Box<dyn Accelerator>>;

/// Of each chain the first setting that reaches [`TARGET`]; of those the one that does the least
/// work. None if none does.
///
/// # Errors
/// What a golden model refuses.
pub fn cheapest(
    chains: Vec<Chain>,
    model: &Model,
    size: &AttendSpec,
) -> Result<Option<Point>, Box<dyn Error>> {
    let mut best: Option<Point> = None;
    for chain in chains {
        let Some(point) = first_close(chain, model, size)? else {
            continue;
        };
        if best.as_ref().is_none_or(|best| point.work() < best.work()) {
            best = Some(point);
        }
    }
    Ok(best)
}

/// Halves the chain until the first setting that is close is found.
fn first_close(
    mut chain: Chain,
    model: &Model,
    size: &AttendSpec,
) -> Result<Option<Point>, Box<dyn Error>> {
    let mut found = None;
    while !chain.is_empty() {
        let mut upper = chain.split_off(chain.len() / 2);
        let point = Point::of(upper.remove(0), model, size)?;
        if point.cosine >= TARGET {
            found = Some(point);
        } else {
            chain = upper;
        }
    }
    Ok(found)
}
