//! Which items a search works with, told so that another machine finds the same.

use clap::ValueEnum;
use hwgen_audio::Recipe;
use hwgen_data::{Color, DataError, Options, Parts, Source, Wish, Words};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Items, how they are read, and how they are divided.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// What `hwgen_data::Source` opens.
    pub path: PathBuf,
    /// Training items at most.
    pub limit: Option<usize>,
    /// What is drawn from.
    pub seed: u64,
    /// Rows and columns of images of a folder; what most have without.
    pub size: Option<(usize, usize)>,
    /// Channels of images of a folder; gray without, if all are.
    pub color: Option<Channels>,
    /// How clips become features.
    pub recipe: Features,
    /// What clips are labeled with.
    pub words: Labels,
}

/// Channels of images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
pub enum Channels {
    /// One channel
    Gray,
    /// Three channels
    Rgb,
}

/// Features of clips.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
pub enum Features {
    /// 49 x 10: DS-CNN of MLPerf Tiny
    Keywords,
    /// 101 x 40: CENet
    Cenet,
}

/// Classes of clips.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
pub enum Labels {
    /// The name of its folder
    Folders,
    /// One of twelve: MLPerf Tiny
    Twelve,
}

impl Request {
    /// Reads and divides what was opened.
    ///
    /// # Errors
    /// What is wrong with the items.
    pub fn parts(&self, source: &Source) -> Result<Parts, DataError> {
        let data = source.load(&self.options())?;
        data.parts(&Wish { limit: self.limit, seed: self.seed, ..Wish::default() })
    }

    fn options(&self) -> Options {
        let color = self.color.map(|color| match color {
            Channels::Gray => Color::Gray,
            Channels::Rgb => Color::Rgb,
        });
        let recipe = match self.recipe {
            Features::Keywords => Recipe::KEYWORDS,
            Features::Cenet => Recipe::CENET,
        };
        let words = match self.words {
            Labels::Folders => Words::Folders,
            Labels::Twelve => Words::Twelve,
        };
        Options { size: self.size, color, recipe, words, seed: self.seed, ..Options::default() }
    }
}
