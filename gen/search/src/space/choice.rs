//! One option of each gene.

use super::build::build;
use super::{Space, SpaceError, Subnet};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A question that a space asks, and its options.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gene {
    /// Where: a block or a layer.
    pub place: String,
    /// What.
    pub pick: Pick,
    /// How many options there are; the last is the largest.
    pub options: usize,
}

/// What a gene decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pick {
    /// The block is there.
    Present,
    /// Its kernel.
    Kernel,
    /// Channels that come out of it.
    Channels,
    /// Channels inside it.
    Expansion,
    /// Bits of a layer's weights.
    WeightBits,
    /// Bits of what a layer puts out.
    ActivationBits,
}

/// A subnet of a space: an option of each of its genes.
#[derive(
    Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct Choice(pub Vec<u8>);

impl Space {
    /// All genes, in the order in which a choice tells them.
    pub fn genes(&self) -> Vec<Gene> {
        let mut genes = Vec::new();
        build(self, &mut |place, pick, options| {
            genes.push(Gene { place: place.to_owned(), pick, options });
            options - 1
        });
        genes
    }

    /// The largest option of each gene.
    pub fn largest(&self) -> Choice {
        Choice(self.genes().iter().map(|gene| (gene.options - 1) as u8).collect())
    }

    /// The smallest option of each gene.
    pub fn smallest(&self) -> Choice {
        Choice(vec![0; self.genes().len()])
    }

    /// The layers that a choice makes.
    ///
    /// # Errors
    /// A choice of another space.
    pub fn subnet(&self, choice: &Choice) -> Result<Subnet, SpaceError> {
        let genes = self.genes();
        if choice.0.len() != genes.len() {
            let (space, expected, got) = (self.name.clone(), genes.len(), choice.0.len());
            return Err(SpaceError::Genes { space, expected, got });
        }
        for (gene, &option) in genes.iter().zip(&choice.0) {
            if usize::from(option) >= gene.options {
                return Err(SpaceError::Range {
                    place: gene.place.clone(),
                    what: "option",
                    got: option.to_string(),
                    range: format!("0 to {}", gene.options - 1),
                });
            }
        }
        let mut options = choice.0.iter();
        Ok(build(self, &mut |_, _, _| options.next().map_or(0, |&option| option.into())))
    }

    /// How many networks the space holds.
    pub fn size(&self) -> f64 {
        self.genes().iter().map(|gene| gene.options as f64).product()
    }
}
