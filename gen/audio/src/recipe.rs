//! How samples become features: the numbers.

use thiserror::Error;

/// A way from samples to mel-frequency cepstral coefficients.
///
/// Frames of `window` samples, `hop` apart, weighted by a periodic Hann window; magnitudes of a
/// discrete Fourier transform of `fft` points; `mels` triangles between `low_hz` and `high_hz` on
/// the mel scale 1127 ln(1 + f/700) (that of HTK), each 1 at its center, without the bin of 0 Hz;
/// ln(x + `floor`); the first `coefficients` of a DCT-II (2 sum x cos) over sqrt(2 mels).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Recipe {
    /// Samples a second.
    pub sample_hz: u32,
    /// Samples in a frame.
    pub window: usize,
    /// Samples from a frame's first to the next one's.
    pub hop: usize,
    /// Points of the transform, a power of two; samples beyond the window are 0.
    pub fft: usize,
    /// Bands on the mel scale.
    pub mels: usize,
    /// Where the first band begins.
    pub low_hz: u32,
    /// Where the last band ends.
    pub high_hz: u32,
    /// Coefficients kept of a frame.
    pub coefficients: usize,
    /// Frames of a clip.
    pub frames: usize,
    /// Zeros before the first sample; after the last there are as many as the frames need.
    pub lead: usize,
    /// Samples are divided by the clip's largest; else by 32,768.
    pub normalize: bool,
    /// Added to a band before its logarithm.
    pub floor: f64,
    /// What a step of the int8 form is worth.
    pub step: f64,
    /// The int8 form of 0.
    pub zero_point: i32,
}

impl Recipe {
    /// What the keyword spotting model of MLPerf Tiny takes: 49 x 10 a second.
    pub const KEYWORDS: Recipe = Recipe {
        sample_hz: 16_000,
        window: 480,
        hop: 320,
        fft: 512,
        mels: 40,
        low_hz: 20,
        high_hz: 4000,
        coefficients: 10,
        frames: 49,
        lead: 0,
        normalize: true,
        floor: 1e-6,
        step: 0.584_702_9,
        zero_point: 83,
    };

    /// What CENet takes (arXiv 1912.05124): windows of 30 ms, 10 ms apart, the clip's ends padded so
    /// that windows are centered, 40 coefficients: 101 x 40 a second. The paper names no transform
    /// size, scale or int8 form: these are those of [`Recipe::KEYWORDS`], but samples have no common
    /// factor taken out.
    pub const CENET: Recipe = Recipe {
        hop: 160,
        coefficients: 40,
        frames: 101,
        lead: 240,
        normalize: false,
        ..Recipe::KEYWORDS
    };

    /// Checks the numbers.
    ///
    /// # Errors
    /// The first that cannot be.
    pub fn validate(&self) -> Result<(), RecipeError> {
        let counts = [
            ("window", self.window, 1, 1 << 16),
            ("hop", self.hop, 1, 1 << 16),
            ("fft", self.fft, self.window.max(2), 1 << 16),
            ("mels", self.mels, 1, 1 << 10),
            ("coefficients", self.coefficients, 1, self.mels),
            ("frames", self.frames, 1, 1 << 16),
            ("lead", self.lead, 0, self.window),
            ("sample_hz", self.sample_hz as usize, 1, 1 << 20),
            (
                "high_hz",
                self.high_hz as usize,
                self.low_hz as usize + 1,
                self.sample_hz as usize / 2,
            ),
        ];
        for (name, value, least, most) in counts {
            if !(least..=most).contains(&value) {
                return Err(RecipeError::Count { name, value, least, most });
            }
        }
        if !self.fft.is_power_of_two() {
            return Err(RecipeError::NoPowerOfTwo { fft: self.fft });
        }
        for (name, value) in [("floor", self.floor), ("step", self.step)] {
            if !(value.is_finite() && value > 0.0) {
                return Err(RecipeError::NotPositive { name, value });
            }
        }
        Ok(())
    }

    /// A feature as int8: v / step + zero point, cut towards 0, in -128..=127.
    pub fn quantize(&self, feature: f64) -> i8 {
        // `as` saturates
        (feature / self.step + f64::from(self.zero_point)).trunc() as i8
    }

    /// What an int8 feature stands for.
    pub fn dequantize(&self, feature: i8) -> f64 {
        f64::from(i32::from(feature) - self.zero_point) * self.step
    }

    /// The number that samples are divided by: the largest, without its sign, if the recipe
    /// normalizes; never 0.
    pub fn level(&self, samples: &[i16]) -> u16 {
        match self.normalize {
            true => samples.iter().max().map_or(1, |x| x.unsigned_abs().max(1)),
            false => 1 << 15,
        }
    }
}

/// A recipe that cannot be.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum RecipeError {
    /// A whole number out of range.
    #[error("recipe: `{name}` = {value} is out of range: must be {least}..={most}")]
    Count {
        /// The number's name.
        name: &'static str,
        /// What it is.
        value: usize,
        /// The least it may be.
        least: usize,
        /// The most it may be.
        most: usize,
    },
    /// A transform of another length than a power of two.
    #[error("recipe: `fft` = {fft} is no power of two")]
    NoPowerOfTwo {
        /// Its points.
        fft: usize,
    },
    /// A number that must be positive.
    #[error("recipe: `{name}` = {value} must be positive and finite")]
    NotPositive {
        /// The number's name.
        name: &'static str,
        /// What it is.
        value: f64,
    },
}
