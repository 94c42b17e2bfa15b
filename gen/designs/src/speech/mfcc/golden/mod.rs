//! Mel-frequency cepstral coefficients in integers, from the definition in `docs/mfcc.md`.
//!
//! [`spectrum`] holds the transform and the magnitudes, [`bands`] the mel bands, logarithms and
//! cosines.

pub mod bands;
pub mod spectrum;

use crate::speech::mfcc::MfccSpec;
use bands::Bands;
use spectrum::Spectrum;

/// The front end of one size.
#[derive(Debug, Clone)]
pub struct Mfcc {
    spec: MfccSpec,
    spectrum: Spectrum,
    bands: Bands,
}

/// `x / 2^shift`, halves up.
fn round_shift(x: i64, shift: u32) -> i64 {
    match shift {
        0 => x,
        _ => (x + (1 << (shift - 1))) >> shift,
    }
}

/// A real number in fixed point, to the nearest.
fn fixed(x: f64, fraction_bits: u32) -> i64 {
    (x * 2f64.powi(fraction_bits as i32)).round() as i64
}

impl Mfcc {
    /// The tables of that size; the specification must be a valid one.
    pub fn new(spec: &MfccSpec) -> Mfcc {
        Mfcc { spec: spec.clone(), spectrum: Spectrum::new(spec), bands: Bands::new(spec) }
    }

    /// The features of a clip: `frames` rows of `coefficients` int8.
    pub fn features(&self, samples: &[i16], level: u16) -> Vec<Vec<i8>> {
        let MfccSpec { window, hop, lead, frames, .. } = self.spec;
        let at = |n: u32| {
            let sample = n.checked_sub(lead).and_then(|n| samples.get(n as usize));
            sample.copied().unwrap_or_default()
        };
        let frame = |i: u32| (0..window).map(|n| at(i * hop + n)).collect::<Vec<_>>();
        (0..frames).map(|i| self.frame(&frame(i), level)).collect()
    }

    /// The features of one frame of `window` samples.
    pub fn frame(&self, samples: &[i16], level: u16) -> Vec<i8> {
        let magnitudes = self.spectrum.magnitudes(samples);
        self.bands.features(&magnitudes, level)
    }
}

/// The largest sample's size, as the recipe of MLPerf Tiny has it; at least 1.
pub fn level(samples: &[i16]) -> u16 {
    samples.iter().max().map_or(1, |x| x.unsigned_abs().max(1))
}

/// The features of a clip as the default circuit makes them, told the clip's [`level`]: 49 rows of
/// 10, what the keyword spotting model of MLPerf Tiny takes.
pub fn keyword_features(samples: &[i16]) -> Vec<Vec<i8>> {
    Mfcc::new(&MfccSpec::default()).features(samples, level(samples))
}
