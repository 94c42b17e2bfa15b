//! How a set is read, where there is a choice.

use hwgen_audio::Recipe;

/// How a set is read.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Rows and columns of images of a folder; else the size that most of them have.
    pub size: Option<(usize, usize)>,
    /// Channels of images of a folder; else gray if all are, red, green and blue otherwise.
    pub color: Option<Color>,
    /// How clips become features.
    pub recipe: Recipe,
    /// What clips are labeled with.
    pub words: Words,
    /// Training files of a folder that are decoded at most, of each class its share.
    pub most: Option<usize>,
    /// What is drawn, is drawn by this.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Options {
        let (recipe, words) = (Recipe::KEYWORDS, Words::Folders);
        Options { size: None, color: None, recipe, words, most: None, seed: 0 }
    }
}

/// Channels of images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Color {
    /// One.
    Gray,
    /// Red, green, blue.
    Rgb,
}

/// What clips are labeled with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Words {
    /// The names of their folders.
    Folders,
    /// Ten keywords, `_silence_`, and `_unknown_` for all other words, in MLPerf Tiny's order.
    Twelve,
}
