//! What is compared, on what.

use crate::cost::Target;
use crate::search::Settings;
use crate::space::{Kind, Space, preset};
use crate::supernet::Sharing;
use hwgen_data::{Augment, Data, DataError, FeatureAugment, ImageAugment, Parts, Subset, Wish};
use hwgen_designs::cnn::Multiplier;
use serde::{Deserialize, Serialize};

/// A set of items.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Set {
    /// Fashion-MNIST: 15,000 of its training images, 5,000 others to choose by, all 10,000 of its test.
    Fashion,
    /// Clips of keywords, five folds over speakers.
    Keywords,
}

/// What is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arm {
    /// Architecture and widths.
    Joint,
    /// The architecture, all of eight bits.
    Eight,
    /// The architecture, weights of four bits and activations of seven.
    FourSeven,
    /// The architecture, weights of four bits and activations of eight.
    FourEight,
    /// Architecture and widths on a core whose lanes have one weight: nothing is to be won.
    JointWide,
    /// The architecture, all of eight bits, on that core.
    EightWide,
    /// Nothing: MLPerf Tiny's keyword network, all of eight bits.
    DsCnn,
}

/// A run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Key {
    /// On what.
    pub set: Set,
    /// What.
    pub arm: Arm,
    /// What is drawn from.
    pub seed: u64,
    /// Which part of the items is the test.
    pub fold: usize,
}

impl Arm {
    /// Those of a set.
    pub fn of(set: Set) -> Vec<Arm> {
        use Arm::{DsCnn, Eight, EightWide, FourEight, FourSeven, Joint, JointWide};
        let mut arms = vec![Joint, Eight, FourSeven, FourEight, JointWide, EightWide];
        if set == Set::Keywords {
            arms.insert(2, DsCnn);
        }
        arms
    }

    fn widths(self) -> Option<(u32, u32)> {
        match self {
            Arm::Joint | Arm::JointWide => None,
            Arm::Eight | Arm::EightWide | Arm::DsCnn => Some((8, 8)),
            Arm::FourSeven => Some((4, 7)),
            Arm::FourEight => Some((4, 8)),
        }
    }

    /// The arm whose supernet is the same: the core has no part in its training.
    pub(super) fn learned_as(self) -> Arm {
        match self {
            Arm::JointWide => Arm::Joint,
            Arm::EightWide => Arm::Eight,
            own => own,
        }
    }

    fn target(self) -> Target {
        let kind = Multiplier::Bits25x18;
        let narrow = !matches!(self, Arm::JointWide | Arm::EightWide);
        Target {
            multipliers: 49,
            kind,
            single_port: false,
            narrow,
            hertz: 100_000_000,
            device: None,
        }
    }
}

impl Set {
    /// Its parts for a run.
    ///
    /// # Errors
    /// Fewer items or speakers than parts.
    pub fn parts(self, data: &Data, key: Key) -> Result<Parts, DataError> {
        match self {
            Set::Fashion => {
                let (limit, validation) = (Some(20_000), 0.25);
                data.parts(&Wish { limit, validation, seed: key.seed, ..Wish::default() })
            }
            Set::Keywords => {
                let folds = data.train.folds(5, 0)?;
                let fold = &folds[key.fold % folds.len()];
                let (train, validation): (Subset, Subset) =
                    fold.train.split_groups(0.1, key.seed)?;
                Ok(Parts { train, validation, test: fold.test.clone() })
            }
        }
    }

    /// How its items are varied.
    pub fn augment(self) -> Augment {
        match self {
            Set::Fashion => Augment::Image(ImageAugment { shift: 0, flip: true, cutout: 0 }),
            Set::Keywords => Augment::Features(FeatureAugment {
                time_shift: 4,
                time_mask: 6,
                frequency_mask: 1,
                noise: 1.0,
            }),
        }
    }

    fn space(self, input: [usize; 3], classes: usize) -> Option<Space> {
        let name = match self {
            Set::Fashion => "images",
            Set::Keywords => "keywords",
        };
        preset(name, input, classes)
    }
}

/// A run's settings: the same for all arms but for widths and core.
pub fn settings(key: Key, input: [usize; 3], classes: usize) -> Option<Settings> {
    let mut space = key.set.space(input, classes)?;
    if let Some((weights, activations)) = key.arm.widths() {
        (space.weight_bits, space.activation_bits) = (vec![weights], vec![activations]);
    }
    if key.arm == Arm::DsCnn {
        only_ds_cnn(&mut space);
    }
    let (epochs, tuning, points) = match key.set {
        Set::Fashion => (8, 4, 6),
        Set::Keywords => (40, 10, 4),
    };
    Some(Settings {
        space,
        sharing: Sharing::Free,
        target: key.arm.target(),
        latency: None,
        seed: key.seed,
        epochs,
        tuning,
        rate: 0.1,
        gates: vec![],
        gating: 0,
        population: 32,
        generations: 10,
        judged: 1500,
        points,
        alone: 0,
        threads: 2,
        save_seconds: 60,
    })
}

/// A space with one network: a convolution of 10 x 4 and four separable blocks of 64 channels.
fn only_ds_cnn(space: &mut Space) {
    space.blocks.retain(|block| block.kind != Kind::Graph);
    for (n, block) in space.blocks.iter_mut().enumerate() {
        let kernel = if n == 0 { [10, 4] } else { [3, 3] };
        (block.kernels, block.optional) = (vec![kernel], false);
        if !block.channels.is_empty() {
            block.channels = vec![64];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keyword_network_is_that_of_mlperf() {
        let key = Key { set: Set::Keywords, arm: Arm::DsCnn, seed: 1, fold: 0 };
        let space = settings(key, [49, 10, 1], 12).unwrap().space;
        space.check().unwrap();
        assert!(space.genes().iter().all(|gene| gene.options == 1));
        let subnet = space.subnet(&space.largest()).unwrap();
        // weights of TFLite's file without biases: 40 * 64 + 4 * (9 * 64 + 64 * 64) + 64 * 12
        assert_eq!(subnet.weights(), 22_016);
        assert_eq!(subnet.multiplies(), 320_000 + 4 * (125 * 64 * 9 + 125 * 64 * 64) + 768);
    }
}
