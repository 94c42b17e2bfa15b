//! The parameters of the listener.

use super::circuit;
use crate::generate::Generate;
use crate::spec::{Parameters, Spec, SpecError};
use crate::speech::mfcc::MfccSpec;
use hwgen_hdl::Module;
use std::sync::Arc;

/// The listener, sized; its front end is the default one but for what is here.
#[derive(Debug, Clone, PartialEq, Eq, Parameters)]
pub struct ListenSpec {
    /// Samples of a clip.
    #[parameter(default = 16_000, range = 1..=1 << 17)]
    pub clip: u32,
    /// Samples between clips' beginnings, at most the clip's.
    #[parameter(default = 4000, range = 1..=1 << 17)]
    pub stride: u32,
    /// Samples that may come while a clip is read.
    ///
    /// With the default a ring of 2^14: as a memory of block RAMs wants to be.
    #[parameter(default = 384, range = 1..=1 << 16)]
    pub slack: u32,
    /// The front end.
    #[part(fixed = [
        sample_hz, low_hz, high_hz, lead, step65536, zero_point, fraction_bits, rotations, weight_bits,
        table_bits, multipliers
    ])]
    pub front: MfccSpec,
}

impl Spec for ListenSpec {
    fn check_relations(&self) -> Result<(), SpecError> {
        if self.stride > self.clip {
            let range = format!("at most {}, `clip`", self.clip);
            return Err(SpecError::out_of_range("stride", self.stride, range));
        }
        self.mfcc().validate()
    }
}

impl ListenSpec {
    /// The front end.
    pub fn mfcc(&self) -> MfccSpec {
        self.front.clone()
    }

    /// Samples that the ring holds.
    pub(super) fn ring(&self) -> u32 {
        self.clip + self.slack
    }
}

impl Generate for ListenSpec {
    const NAME: &'static str = "listen";
    const SUMMARY: &'static str = "features of the last second of speech, several times a second";
    const PAGE: &'static str = "docs/listen.md";

    const SIZES: &'static [&'static str] = &[
        "clip=64 stride=16 slack=8 window=24 hop=10 fft=32 mels=6 coefficients=4 frames=3",
        "clip=1 stride=1 slack=1 window=2 hop=1 fft=16 mels=1 coefficients=1 frames=1",
        "clip=100 stride=99 slack=29 window=16 hop=16 fft=16 mels=3 coefficients=3 frames=2",
    ];

    fn circuit(&self) -> Arc<Module> {
        circuit::module(Self::NAME, self)
    }

    fn latency(&self) -> String {
        let frames = u64::from(self.front.frames) * u64::from(self.mfcc().frame_cycles());
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
