//! How good a subnet is.

use super::step::shared_out;
use crate::space::Subnet;
use crate::supernet::{Normal, Run, Statistics, Supernet};
use burn::tensor::{Device, Tensor, TensorData};
use hwgen_data::{Batches, Subset};

/// Items whose statistics an inference takes, as one batch.
const CALIBRATION: usize = 512;

/// Items of a batch that is judged.
pub(crate) const BATCH: usize = 128;

/// What subnets are judged by.
#[derive(Debug, Clone)]
pub struct Judge {
    /// Items that statistics are taken from: of training.
    pub calibration: Subset,
    /// Items that are judged.
    pub judged: Subset,
}

/// What a subnet said of each item.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdicts {
    /// Scores, item by item.
    pub scores: Vec<Vec<f32>>,
    /// Whether the highest was the label's.
    pub right: Vec<bool>,
}

impl Verdicts {
    /// The share that is right.
    pub fn accuracy(&self) -> f64 {
        self.right.iter().filter(|&&right| right).count() as f64 / self.right.len().max(1) as f64
    }
}

impl Judge {
    /// Means and variances of a subnet's layers.
    pub fn statistics(&self, supernet: &Supernet, subnet: &Subnet) -> Statistics {
        let leaves = plain(supernet);
        let run = Run { supernet, leaves: &leaves, subnet, gates: None };
        let mut statistics = Statistics::default();
        for (batch, _) in batches(supernet, &self.calibration, CALIBRATION).take(1) {
            run.scores(batch, Normal::Noted(&mut statistics));
        }
        statistics
    }

    /// What a subnet says of the items that are judged, with statistics that are known.
    pub fn verdicts(&self, supernet: &Supernet, subnet: &Subnet, known: &Statistics) -> Verdicts {
        let leaves = plain(supernet);
        let run = Run { supernet, leaves: &leaves, subnet, gates: None };
        let (mut scores, mut right) = (Vec::new(), Vec::new());
        for (batch, labels) in batches(supernet, &self.judged, BATCH) {
            let told = run.scores(batch, Normal::Known(known)).into_data();
            let told: Vec<f32> = told.try_to_vec().unwrap_or_default();
            for (row, label) in told.chunks_exact(supernet.space.classes).zip(labels) {
                right.push(highest(row) == label);
                scores.push(row.to_vec());
            }
        }
        Verdicts { scores, right }
    }

    /// The accuracies of subnets: each with its own statistics.
    pub fn accuracies(&self, supernet: &Supernet, subnets: &[Subnet], threads: usize) -> Vec<f64> {
        shared_out(subnets, threads, |subnet| {
            self.verdicts(supernet, subnet, &self.statistics(supernet, subnet)).accuracy()
        })
    }
}

/// Items as they are.
fn batches<'s>(
    supernet: &'s Supernet,
    items: &Subset,
    size: usize,
) -> impl Iterator<Item = (Tensor<4>, Vec<usize>)> + use<'s> {
    let [height, width, channels] = supernet.space.input;
    Batches::in_order(items, size).into_iter().flatten().map(move |batch| {
        let shape = [batch.labels.len(), height, width, channels];
        let data = TensorData::new(batch.inputs, shape);
        (Tensor::from_data(data, &Device::default()), batch.labels)
    })
}

/// The place of the highest score, the first of equals.
pub(crate) fn highest(scores: &[f32]) -> usize {
    let above = |best: usize, n: usize| if scores[n] > scores[best] { n } else { best };
    (0..scores.len()).fold(0, above)
}

fn plain(supernet: &Supernet) -> Vec<Tensor<4>> {
    supernet.numbers.parameters.iter().map(|parameter| parameter.value.clone()).collect()
}
