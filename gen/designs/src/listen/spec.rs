//! The parameters of the listener.

use super::circuit;
use crate::mfcc::MfccSpec;
use crate::mfcc::spec::{COEFFICIENTS, FFT, FRAMES, HOP, MELS, WINDOW};
use crate::registry::Generate;
use crate::spec::{Parameter, Range, Spec, SpecError};
use hwgen_hdl::Module;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The listener, sized; its front end is the default one but for what is here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ListenSpec {
    /// Samples of a clip.
    pub clip: u32,
    /// Samples from a clip's first to the next one's.
    pub stride: u32,
    /// Samples that may come while a clip is read.
    pub slack: u32,
    /// Samples in a frame.
    pub window: u32,
    /// Samples from a frame's first to the next one's.
    pub hop: u32,
    /// Points of the transform.
    pub fft: u32,
    /// Bands on the mel scale.
    pub mels: u32,
    /// Coefficients of a frame.
    pub coefficients: u32,
    /// Frames of a clip.
    pub frames: u32,
}

impl Default for ListenSpec {
    fn default() -> Self {
        let MfccSpec { window, hop, fft, mels, coefficients, frames, .. } = MfccSpec::default();
        // a ring of 2^14: as a memory of block RAMs wants to be
        let (clip, stride, slack) = (16_000, 4000, 384);
        ListenSpec { clip, stride, slack, window, hop, fft, mels, coefficients, frames }
    }
}

const fn integer(name: &'static str, min: i64, max: i64, meaning: &'static str) -> Parameter {
    Parameter { name, range: Range::Integer(min, max), meaning }
}

const CLIP: Parameter = integer("clip", 1, 1 << 17, "samples of a clip");
const STRIDE: Parameter =
    integer("stride", 1, 1 << 17, "samples between clips' beginnings, at most the clip's");
const SLACK: Parameter = integer("slack", 1, 1 << 16, "samples that may come while a clip is read");

impl Spec for ListenSpec {
    const PARAMETERS: &'static [Parameter] =
        &[CLIP, STRIDE, SLACK, WINDOW, HOP, FFT, MELS, COEFFICIENTS, FRAMES];

    fn validate(&self) -> Result<(), SpecError> {
        CLIP.check(self.clip)?;
        STRIDE.check(self.stride)?;
        SLACK.check(self.slack)?;
        if self.stride > self.clip {
            return Err(SpecError::OutOfRange {
                field: STRIDE.name.into(),
                value: self.stride.to_string(),
                range: format!("at most {}, `clip`", self.clip),
            });
        }
        self.mfcc().validate()
    }
}

impl ListenSpec {
    /// The front end.
    pub fn mfcc(&self) -> MfccSpec {
        let ListenSpec { window, hop, fft, mels, coefficients, frames, .. } = *self;
        MfccSpec { window, hop, fft, mels, coefficients, frames, ..MfccSpec::default() }
    }

    /// Samples that the ring holds.
    pub(super) fn ring(&self) -> u32 {
        self.clip + self.slack
    }
}

impl Generate for ListenSpec {
    const NAME: &'static str = "listen";
    const SUMMARY: &'static str = "features of the last second of speech, several times a second";

    fn build(&self) -> Arc<Module> {
        circuit::module(Self::NAME, self)
    }

    fn latency(&self) -> String {
        let frames = u64::from(self.frames) * u64::from(self.mfcc().frame_cycles());
        format!(
            "a clip takes {} cycles to its largest sample, then about {frames} to its last feature",
            self.clip + 2
        )
    }

    fn diagram(&self) -> String {
        let (ring, clip) = (self.ring(), self.clip);
        format!(
            "\
samples -> ring of {ring}
             |
             +-> the oldest {clip}, read for their largest -> levels --+
             |                                                      v
             +-> read again ----------------------> samples --> mfcc --> out
"
        )
    }
}
