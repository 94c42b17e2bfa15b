//! The parameters of the MFCC front end, and the widths that follow from them.

use super::widths::Widths;
use super::{circuit, tables};
use crate::registry::Generate;
use crate::spec::{Parameter, Range, Spec, SpecError};
use hwgen_hdl::Module;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The MFCC front end, sized.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MfccSpec {
    /// Samples a second.
    pub sample_hz: u32,
    /// Samples in a frame.
    pub window: u32,
    /// Samples from a frame's first to the next one's.
    pub hop: u32,
    /// Points of the transform.
    pub fft: u32,
    /// Bands on the mel scale.
    pub mels: u32,
    /// Where the first band begins.
    pub low_hz: u32,
    /// Where the last band ends.
    pub high_hz: u32,
    /// Coefficients of a frame.
    pub coefficients: u32,
    /// Frames of a clip.
    pub frames: u32,
    /// Zeros before a clip's first sample.
    pub lead: u32,
    /// A step of a feature, in 1/65536.
    pub step65536: u32,
    /// The feature that stands for 0.
    pub zero_point: i32,
    /// Fraction bits of samples in the transform.
    pub fraction_bits: u32,
    /// Rotations that find a magnitude.
    pub rotations: u32,
    /// Fraction bits of a mel weight.
    pub weight_bits: u32,
    /// Address bits of the table of logarithms.
    pub table_bits: u32,
    /// Multipliers.
    pub multipliers: u32,
}

impl Default for MfccSpec {
    fn default() -> Self {
        MfccSpec {
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
            step65536: 38_319,
            zero_point: 83,
            fraction_bits: 4,
            rotations: 6,
            weight_bits: 10,
            table_bits: 8,
            multipliers: 1,
        }
    }
}

impl MfccSpec {
    /// The size that makes what CENet takes: 101 x 40 a second. The default makes the 49 x 10 of MLPerf
    /// Tiny's keyword spotting.
    pub fn cenet() -> MfccSpec {
        MfccSpec { hop: 160, coefficients: 40, frames: 101, lead: 240, ..MfccSpec::default() }
    }
}

const fn integer(name: &'static str, min: i64, max: i64, meaning: &'static str) -> Parameter {
    Parameter { name, range: Range::Integer(min, max), meaning }
}

const SAMPLE_HZ: Parameter = integer("sample_hz", 1000, 96_000, "samples a second");
pub(crate) const WINDOW: Parameter =
    integer("window", 2, 4096, "samples in a frame, at most the transform's points");
pub(crate) const HOP: Parameter =
    integer("hop", 1, 4096, "samples between frames' beginnings, at most the window");
pub(crate) const FFT: Parameter = Parameter {
    name: "fft",
    range: Range::PowerOfTwo(16, 4096),
    meaning: "points of the transform",
};
pub(crate) const MELS: Parameter = integer("mels", 1, 128, "bands on the mel scale");
const LOW_HZ: Parameter = integer("low_hz", 0, 47_999, "where the first band begins");
const HIGH_HZ: Parameter =
    integer("high_hz", 1, 48_000, "where the last band ends, at most half the sample rate");
pub(crate) const COEFFICIENTS: Parameter =
    integer("coefficients", 1, 128, "coefficients of a frame, at most the bands");
pub(crate) const FRAMES: Parameter = integer("frames", 1, 65_535, "frames of a clip");
const LEAD: Parameter = integer("lead", 0, 4096, "zeros before a clip's first sample");
const STEP65536: Parameter =
    integer("step65536", 1024, 1 << 20, "what a step of a feature is worth, in 1/65536");
const ZERO_POINT: Parameter = integer("zero_point", -128, 127, "the feature that stands for 0");
const FRACTION_BITS: Parameter =
    integer("fraction_bits", 0, 8, "fraction bits of samples in the transform");
const ROTATIONS: Parameter = integer("rotations", 2, 16, "rotations that find a magnitude");
const WEIGHT_BITS: Parameter = integer("weight_bits", 4, 14, "fraction bits of a mel weight");
const TABLE_BITS: Parameter =
    integer("table_bits", 2, 10, "address bits of the table of logarithms");
const MULTIPLIERS: Parameter =
    Parameter { name: "multipliers", range: Range::PowerOfTwo(1, 2), meaning: "multipliers" };

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
    const PARAMETERS: &'static [Parameter] = &[
        SAMPLE_HZ,
        WINDOW,
        HOP,
        FFT,
        MELS,
        LOW_HZ,
        HIGH_HZ,
        COEFFICIENTS,
        FRAMES,
        LEAD,
        STEP65536,
        ZERO_POINT,
        FRACTION_BITS,
        ROTATIONS,
        WEIGHT_BITS,
        TABLE_BITS,
        MULTIPLIERS,
    ];

    fn validate(&self) -> Result<(), SpecError> {
        SAMPLE_HZ.check(self.sample_hz)?;
        WINDOW.check(self.window)?;
        HOP.check(self.hop)?;
        FFT.check(self.fft)?;
        MELS.check(self.mels)?;
        LOW_HZ.check(self.low_hz)?;
        HIGH_HZ.check(self.high_hz)?;
        COEFFICIENTS.check(self.coefficients)?;
        FRAMES.check(self.frames)?;
        LEAD.check(self.lead)?;
        STEP65536.check(self.step65536)?;
        ZERO_POINT.check(self.zero_point)?;
        FRACTION_BITS.check(self.fraction_bits)?;
        ROTATIONS.check(self.rotations)?;
        WEIGHT_BITS.check(self.weight_bits)?;
        TABLE_BITS.check(self.table_bits)?;
        MULTIPLIERS.check(self.multipliers)?;
        at_most("window", self.window, self.fft, "`fft`")?;
        at_most("hop", self.hop, self.window, "`window`")?;
        at_most("coefficients", self.coefficients, self.mels, "`mels`")?;
        at_most("high_hz", self.high_hz, self.sample_hz / 2, "half of `sample_hz`")?;
        at_most("low_hz", self.low_hz, self.high_hz - 1, "less than `high_hz`")?;
        match tables::bins(self).is_empty() {
            true => Err(SpecError::OutOfRange {
                field: "high_hz".into(),
                value: self.high_hz.to_string(),
                range: "far enough from `low_hz` that a bin of the transform is between".into(),
            }),
            false => Ok(()),
        }
    }
}

fn at_most(field: &str, value: u32, most: u32, what: &str) -> Result<(), SpecError> {
    match value <= most {
        true => Ok(()),
        false => Err(SpecError::OutOfRange {
            field: field.into(),
            value: value.to_string(),
            range: format!("at most {most}, {what}"),
        }),
    }
}

impl Generate for MfccSpec {
    const NAME: &'static str = "mfcc";
    const SUMMARY: &'static str =
        "features of speech: mel-frequency cepstral coefficients, int8, of 16-bit samples";

    fn build(&self) -> Arc<Module> {
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
