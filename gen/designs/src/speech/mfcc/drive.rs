//! Clips into the MFCC front end, features out.

use crate::cost::Cost;
use crate::drive::{Driven, Feed, Values, feeds};
use crate::speech::mfcc::MfccSpec;
use crate::speech::mfcc::golden::Mfcc;
use hwgen_hdl::Int;
use rand::Rng;

/// A clip and its level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clip {
    /// What stands for its largest sample.
    pub level: u16,
    /// At least one sample.
    pub samples: Vec<i16>,
}

/// A feature: its value, whether it is its frame's last, whether its clip's.
pub type Feature = (i32, bool, bool);

impl Clip {
    /// A clip of `samples` numbers.
    pub fn random(rng: &mut impl Rng, samples: usize, values: Values) -> Clip {
        let level = match rng.random_range(0..8) {
            0 => [0, 1, u16::MAX][rng.random_range(0..3)],
            _ => rng.random_range(1..40_000),
        };
        let samples = (0..samples).map(|_| values.draw(rng, 16) as i16).collect();
        Clip { level, samples }
    }
}

/// A clip's frames feature by feature.
pub(crate) fn flagged(frames: &[Vec<i8>]) -> Vec<Feature> {
    let count = frames.len();
    let mut features = vec![];
    for (i, frame) in frames.iter().enumerate() {
        for (k, &value) in frame.iter().enumerate() {
            let frame_last = k + 1 == frame.len();
            features.push((value.into(), frame_last, frame_last && i + 1 == count));
        }
    }
    features
}

impl Driven for MfccSpec {
    type Job = Clip;
    type Out = Feature;

    /// Too short, just right or too long for so many frames.
    fn random(&self, rng: &mut impl Rng, most: usize) -> Clip {
        let frames = self.frames.min(most as u32);
        let values = Values::any(rng);
        let samples = rng.random_range(1..=2 * (self.window + self.hop * frames) as usize);
        Clip::random(rng, samples, values)
    }

    fn feeds(&self, clips: &[Clip], _: &mut impl Rng) -> Vec<Feed> {
        let levels = clips.iter().map(|clip| vec![clip.level.into()]).collect();
        let beats = |clip: &Clip| {
            let last = clip.samples.len() - 1;
            let beat = |(i, &x): (usize, &i16)| vec![x.into(), u8::from(i == last).into()];
            clip.samples.iter().enumerate().map(beat).collect::<Vec<Vec<Int>>>()
        };
        feeds([("levels", levels), ("samples", clips.iter().flat_map(beats).collect())])
    }

    fn expected(&self, clips: &[Clip]) -> Result<Vec<Feature>, String> {
        let model = Mfcc::new(self);
        let features = |clip: &Clip| flagged(&model.features(&clip.samples, clip.level));
        Ok(clips.iter().flat_map(features).collect())
    }

    fn read(&self, beat: &[Int]) -> Feature {
        feature(beat)
    }

    fn out_cycles(&self, clips: &[Clip]) -> Vec<u64> {
        let samples: Vec<_> = clips.iter().map(|clip| clip.samples.len() as u64).collect();
        self.result_cycles(&samples)
    }

    fn values(&self) -> u32 {
        3
    }

    /// Of a long clip the first frames only.
    fn beats(&self) -> usize {
        if self.frames > 4 { 4 * self.coefficients as usize } else { usize::MAX }
    }
}

/// A feature as it came out.
pub(crate) fn feature(beat: &[Int]) -> Feature {
    let value = i32::try_from(&beat[0]).unwrap_or_default();
    (value, beat[1] == Int::from(1), beat[2] == Int::from(1))
}
