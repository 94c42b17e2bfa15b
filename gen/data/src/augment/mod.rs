//! Changes of training items. They give integers again: what a network meets in hardware.

mod features;
mod images;

pub use features::FeatureAugment;
pub(crate) use features::{add_noise, check_noise};
pub use images::ImageAugment;

use crate::{DataError, Items, Kind};
use rand_chacha::ChaCha8Rng;
use std::borrow::Cow;

/// How training items are changed.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Augment {
    /// Not at all.
    #[default]
    None,
    /// Images.
    Image(ImageAugment),
    /// Features of audio.
    Features(FeatureAugment),
}

impl Augment {
    /// Whether these items can be changed so.
    ///
    /// # Errors
    /// Features' changes of images and the other way round; numbers out of range.
    pub fn check(&self, items: &Items) -> Result<(), DataError> {
        let set = || items.head().name.clone();
        match (self, items.head().kind) {
            (Augment::Image(_), Kind::Audio) => Err(DataError::Kind {
                set: set(),
                change: "shift, flip and cutout",
                kind: "images",
            }),
            (Augment::Features(_), Kind::Image) => {
                let change = "masks of time and frequency";
                Err(DataError::Kind { set: set(), change, kind: "features of audio" })
            }
            (Augment::Features(features), Kind::Audio) => features.check(),
            _ => Ok(()),
        }
    }

    /// An item's integers, changed by the numbers that `rng` begins with.
    pub(crate) fn apply<'a>(
        &self,
        items: &Items,
        values: &'a [i8],
        rng: &mut impl FnMut() -> ChaCha8Rng,
    ) -> Cow<'a, [i8]> {
        match self {
            Augment::None => values.into(),
            Augment::Image(image) => {
                image.apply(items.shape(), items.scale(), values, rng()).into()
            }
            Augment::Features(features) => {
                features.apply(items.shape(), items.scale(), values, rng()).into()
            }
        }
    }
}
