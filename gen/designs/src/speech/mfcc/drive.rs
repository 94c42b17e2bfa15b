//! Clips into the MFCC front end, features out.

use crate::drive::{Feed, Run, Values};
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

    /// What the golden model says.
    pub fn expected(&self, model: &Mfcc) -> Vec<Feature> {
        let frames = model.features(&self.samples, self.level);
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
}

/// What every clip's features are, one after the other.
pub fn expected(spec: &MfccSpec, clips: &[Clip]) -> Vec<Feature> {
    let model = Mfcc::new(spec);
    clips.iter().flat_map(|clip| clip.expected(&model)).collect()
}

/// What clips are to the streams `levels` and `samples`, with stalls of those probabilities.
pub fn feeds(clips: &[Clip], [of_levels, of_samples]: [f64; 2]) -> Vec<Feed> {
    let levels = clips.iter().map(|clip| vec![clip.level.into()]).collect();
    let beats = |clip: &Clip| {
        let last = clip.samples.len() - 1;
        let beat = |(i, &x): (usize, &i16)| vec![x.into(), u8::from(i == last).into()];
        clip.samples.iter().enumerate().map(beat).collect::<Vec<Vec<Int>>>()
    };
    let samples = clips.iter().flat_map(beats).collect();
    vec![
        Feed { stream: "levels", beats: levels, stall: of_levels },
        Feed { stream: "samples", beats: samples, stall: of_samples },
    ]
}

/// The features in a run.
pub fn features(run: &Run) -> Vec<Feature> {
    let feature = |beat: &Vec<Int>| {
        let value = i32::try_from(&beat[0]).unwrap_or_default();
        (value, beat[1] == Int::from(1), beat[2] == Int::from(1))
    };
    run.beats.iter().map(feature).collect()
}
