//! A recipe at work, in floating point.

use crate::recipe::{Recipe, RecipeError};
use realfft::{RealFftPlanner, RealToComplex};
use std::{f64::consts::PI, sync::Arc};

/// A recipe with its tables.
pub struct Extractor {
    recipe: Recipe,
    window: Vec<f64>,
    transform: Arc<dyn RealToComplex<f64>>,
    /// For each band, its first bin and the weights from there on.
    bands: Vec<(usize, Vec<f64>)>,
    /// `coefficients` rows of `mels`.
    cosines: Vec<Vec<f64>>,
}

/// Hertz to mel.
fn mel(hz: f64) -> f64 {
    1127.0 * (hz / 700.0).ln_1p()
}

/// The triangles: for each band, its first bin and its weights.
fn bands(recipe: &Recipe) -> Vec<(usize, Vec<f64>)> {
    let (low, high) = (mel(recipe.low_hz.into()), mel(recipe.high_hz.into()));
    let spacing = (high - low) / (recipe.mels + 1) as f64;
    let bin_hz = f64::from(recipe.sample_hz) / recipe.fft as f64;
    let position = |bin: usize| (mel(bin as f64 * bin_hz) - low) / spacing;
    let band = |band: usize| {
        let weight = |bin| 1.0 - (position(bin) - (band + 1) as f64).abs();
        let inside: Vec<_> = (1..=recipe.fft / 2).filter(|&bin| weight(bin) > 0.0).collect();
        let first = inside.first().copied().unwrap_or_default();
        (first, inside.into_iter().map(weight).collect())
    };
    (0..recipe.mels).map(band).collect()
}

impl Extractor {
    /// Makes the recipe's tables.
    ///
    /// # Errors
    /// A recipe that cannot be.
    pub fn new(recipe: Recipe) -> Result<Extractor, RecipeError> {
        recipe.validate()?;
        let turn = |n: usize, of: usize| 2.0 * PI * n as f64 / of as f64;
        let hann = |n| 0.5 - 0.5 * turn(n, recipe.window).cos();
        let scale = 2.0 / (2.0 * recipe.mels as f64).sqrt();
        let row = |k: usize| {
            let cosine = |band: usize| scale * turn(k * (2 * band + 1), 4 * recipe.mels).cos();
            (0..recipe.mels).map(cosine).collect()
        };
        Ok(Extractor {
            window: (0..recipe.window).map(hann).collect(),
            transform: RealFftPlanner::new().plan_fft_forward(recipe.fft),
            bands: bands(&recipe),
            cosines: (0..recipe.coefficients).map(row).collect(),
            recipe,
        })
    }

    /// The recipe.
    pub fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// The features of a clip: `frames` rows of `coefficients`. What a short clip lacks is silence,
    /// what a long one has too much is left out.
    pub fn features(&self, samples: &[i16]) -> Vec<Vec<f64>> {
        let Recipe { hop, window, lead, frames, .. } = self.recipe;
        let level = f64::from(self.recipe.level(samples));
        let at = |n: usize| {
            let sample = n.checked_sub(lead).and_then(|n| samples.get(n));
            sample.map_or(0.0, |&x| f64::from(x) / level)
        };
        let frame = |i| (i * hop..i * hop + window).map(at).collect::<Vec<_>>();
        (0..frames).map(|i| self.cepstrum(&self.spectrum(&frame(i)))).collect()
    }

    /// The features as int8; see [`Recipe::quantize`].
    pub fn quantized(&self, samples: &[i16]) -> Vec<Vec<i8>> {
        let quantize = |row: Vec<f64>| row.into_iter().map(|v| self.recipe.quantize(v)).collect();
        self.features(samples).into_iter().map(quantize).collect()
    }

    /// Magnitudes of the bins of 0 Hz and up of a frame.
    fn spectrum(&self, frame: &[f64]) -> Vec<f64> {
        let mut input = self.transform.make_input_vec();
        for (slot, (x, w)) in input.iter_mut().zip(frame.iter().zip(&self.window)) {
            *slot = x * w;
        }
        let mut bins = self.transform.make_output_vec();
        // both are of the lengths that the transform made
        self.transform.process(&mut input, &mut bins).expect("lengths fit");
        bins.iter().map(|bin| bin.norm()).collect()
    }

    /// Coefficients of a spectrum.
    fn cepstrum(&self, bins: &[f64]) -> Vec<f64> {
        let log = |(first, weights): &(usize, Vec<f64>)| {
            let sum: f64 = bins[*first..].iter().zip(weights).map(|(bin, w)| bin * w).sum();
            (sum + self.recipe.floor).ln()
        };
        let logs: Vec<f64> = self.bands.iter().map(log).collect();
        let row = |row: &Vec<f64>| row.iter().zip(&logs).map(|(c, x)| c * x).sum();
        self.cosines.iter().map(row).collect()
    }
}
