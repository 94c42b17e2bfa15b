//! What the listener makes of an endless row of samples: our definition (`docs/listen.md`).

use crate::speech::listen::ListenSpec;
use crate::speech::mfcc::golden::{Mfcc, level};

/// Each whole clip's frames of features.
pub fn clips(spec: &ListenSpec, samples: &[i16]) -> Vec<Vec<Vec<i8>>> {
    let model = Mfcc::new(&spec.mfcc());
    let clips = samples.windows(spec.clip as usize).step_by(spec.stride as usize);
    clips.map(|clip| model.features(clip, level(clip))).collect()
}
