//! The parameters of the MFCC front end, and the widths that follow from them.

use super::widths::Widths;
use super::{circuit, tables};
use crate::generate::Generate;
use crate::spec::{Parameters, Spec, SpecError};
use hwgen_hdl::Module;
use std::sync::Arc;

/// The MFCC front end, sized.
#[derive(Debug, Clone, PartialEq, Eq, Parameters)]
pub struct MfccSpec {
    /// Samples a second.
    #[parameter(default = 16_000, range = 1000..=96_000)]
    pub sample_hz: u32,
    /// Samples in a frame, at most the transform's points.
    #[parameter(default = 480, range = 2..=4096)]
    pub window: u32,
    /// Samples between frames' beginnings, at most the window.
    #[parameter(default = 320, range = 1..=4096)]
    pub hop: u32,
    /// Points of the transform: N.
    #[parameter(default = 512, range = 16..=4096, power_of_two)]
    pub fft: u32,
    /// Bands on the mel scale: B.
    #[parameter(default = 40, range = 1..=128)]
    pub mels: u32,
    /// Where the first band begins.
    #[parameter(default = 20, range = 0..=47_999)]
    pub low_hz: u32,
    /// Where the last band ends, at most half the sample rate.
    #[parameter(default = 4000, range = 1..=48_000)]
    pub high_hz: u32,
    /// Coefficients of a frame, at most the bands.
    #[parameter(default = 10, range = 1..=128)]
    pub coefficients: u32,
    /// Frames of a clip.
    #[parameter(default = 49, range = 1..=65_535)]
    pub frames: u32,
    /// Zeros before a clip's first sample.
    #[parameter(default = 0, range = 0..=4096)]
    pub lead: u32,
    /// What a step of a feature is worth, in 1/65536.
    #[parameter(default = 38_319, range = 1024..=1 << 20)]
    pub step65536: u32,
    /// The feature that stands for 0.
    #[parameter(default = 83, range = -128..=127)]
    pub zero_point: i32,
    /// Fraction bits of samples in the transform: F.
    #[parameter(default = 4, range = 0..=8)]
    pub fraction_bits: u32,
    /// Rotations that find a magnitude: R.
    #[parameter(default = 6, range = 2..=16)]
    pub rotations: u32,
    /// Fraction bits of a mel weight: W.
    #[parameter(default = 10, range = 4..=14)]
    pub weight_bits: u32,
    /// Address bits of the table of logarithms: T.
    #[parameter(default = 8, range = 2..=10)]
    pub table_bits: u32,
    /// Multipliers.
    #[parameter(default = 1, range = 1..=2, power_of_two)]
    pub multipliers: u32,
}

impl MfccSpec {
    /// The size that makes what CENet takes: 101 x 40 a second. The default makes the 49 x 10 of MLPerf
    /// Tiny's keyword spotting.
    pub fn cenet() -> MfccSpec {
        MfccSpec { hop: 160, coefficients: 40, frames: 101, lead: 240, ..MfccSpec::default() }
    }
}

/// Bits of a sample.
pub(super) const SAMPLE_BITS: u32 = 16;
/// Bits of a clip's level.
pub(super) const LEVEL_BITS: u32 = 16;
/// Fraction bits of the window and of the transform's factors.
pub(super) const TURN_BITS: u32 = 15;
/// Fraction bits of a logarithm to base 2.
pub(super) const LOG_BITS: u32 = 12;
/// Fraction bits of a cosine of the last transform.
pub(super) const COSINE_BITS: u32 = 16;

impl Spec for MfccSpec {
    fn check_relations(&self) -> Result<(), SpecError> {
        at_most("window", self.window, self.fft, "`fft`")?;
        at_most("hop", self.hop, self.window, "`window`")?;
        at_most("coefficients", self.coefficients, self.mels, "`mels`")?;
        at_most("high_hz", self.high_hz, self.sample_hz / 2, "half of `sample_hz`")?;
        at_most("low_hz", self.low_hz, self.high_hz - 1, "less than `high_hz`")?;
        match tables::bins(self).is_empty() {
            true => {
                let range = "far enough from `low_hz` that a bin of the transform is between";
                Err(SpecError::out_of_range("high_hz", self.high_hz, range))
            }
            false => Ok(()),
        }
    }
}

fn at_most(field: &str, value: u32, most: u32, what: &str) -> Result<(), SpecError> {
    match value <= most {
        true => Ok(()),
        false => Err(SpecError::out_of_range(field, value, format!("at most {most}, {what}"))),
    }
}

impl Generate for MfccSpec {
    const NAME: &'static str = "mfcc";
    const SUMMARY: &'static str =
        "features of speech: mel-frequency cepstral coefficients, int8, of 16-bit samples";
    const PAGE: &'static str = "docs/mfcc.md";

    const SIZES: &'static [&'static str] = &[
        "window=12 hop=5 fft=16 mels=3 coefficients=2 frames=2 high_hz=8000 fraction_bits=1",
        "window=16 hop=16 fft=16 mels=4 coefficients=4 frames=3 lead=7 multipliers=2 \
         high_hz=8000 fraction_bits=0 table_bits=3 weight_bits=4",
        "window=2 hop=1 fft=16 mels=1 coefficients=1 frames=1 high_hz=8000 fraction_bits=0 \
         rotations=2 table_bits=2 weight_bits=4",
    ];

    fn circuit(&self) -> Arc<Module> {
        circuit::module(Self::NAME, self)
    }

    fn latency(&self) -> String {
        let frame = self.frame_cycles();
        let clock_hz = (u64::from(frame) * u64::from(self.sample_hz)).div_ceil(self.hop.into());
        format!(
            "{frame} cycles a frame of {} samples, while the next one's come in: a clock of {clock_hz} Hz \
             keeps up with the samples",
            self.window,
        )
    }

    fn diagram(&self) -> String {
        let MfccSpec { window, mels, coefficients, rotations, multipliers, .. } = self;
        let (points, widths) = (self.points(), Widths::of(self));
        format!(
            "\
samples -> ring of {window} -> window -> {points} points of 2 x s{} <=> turns on {multipliers} multiplier(s)
                                        |
             bins: {rotations} rotations -> magnitude s{} -> bands u{}
                                        |
levels ---------------> logarithms of {mels} bands -> {coefficients} sums of cosines -> out: int8
",
            widths.point, widths.magnitude, widths.sum,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::load;

    fn problem(set: &[&str]) -> String {
        let set: Vec<_> = set.iter().map(|set| set.to_string()).collect();
        load::<MfccSpec>(None, &set).unwrap_err().to_string()
    }

    #[test]
    fn sizes_that_cannot_be_are_told() {
        let texts = [
            (
                &["window=600"][..],
                "--set window=600: `window` = 600 is out of range: must be at most 512, `fft`",
            ),
            (
                &["hop=481"],
                "--set hop=481: `hop` = 481 is out of range: must be at most 480, `window`",
            ),
            (
                &["coefficients=41"],
                "--set coefficients=41: `coefficients` = 41 is out of range: must be at most 40, `mels`",
            ),
            (
                &["high_hz=8001"],
                "--set high_hz=8001: `high_hz` = 8001 is out of range: must be at most 8000, half of `sample_hz`",
            ),
            (
                &["low_hz=4000"],
                "--set low_hz=4000: `low_hz` = 4000 is out of range: must be at most 3999, less than `high_hz`",
            ),
            (
                &["low_hz=1001", "high_hz=1010"],
                "--set high_hz=1010: `high_hz` = 1010 is out of range: must be far enough from `low_hz` that a bin of \
                 the transform is between",
            ),
            (
                &["multipliers=3"],
                "--set multipliers=3: `multipliers` = 3 is out of range: must be a power of two in 1..=2",
            ),
        ];
        for (set, text) in texts {
            assert_eq!(problem(set), text);
        }
    }
}
