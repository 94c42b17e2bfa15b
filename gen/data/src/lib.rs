//! Labeled data for training and search.
//!
//! - [`Source::open`]: what a path holds, said before it is read; [`Source::load`] gives [`Data`].
//! - [`Items`]: features as 8-bit integers with their [`Scale`], labels, groups (speakers), names.
//! - [`Subset`]: a part of the items, by index; shuffled, limited, split by class or by group, in folds.
//! - [`Parts`]: what is trained on, what a search may look at, and what it may not.
//! - [`Batches`]: real numbers in the order N, H, W, C, changed by an [`Augment`] on the way.
//! - [`Shapes`], [`Tones`]: sets that are generated, for whoever has no data.
//! - [`Drift`]: the same items as they may come later.
//!
//! The same seed gives the same result. `docs/data.md` has formats and definitions.
//!
//! ```
//! # use hwgen_data::{Augment, Batches, ImageAugment, Options, Source, Wish};
//! # fn main() -> Result<(), hwgen_data::DataError> {
//! let source = Source::open("shapes".as_ref())?; // or a path: says what is there, reads nothing of size
//! println!("{source}");
//! let data = source.load(&Options::default())?;
//! let parts = data.parts(&Wish { limit: Some(200), ..Wish::default() })?;
//! assert_eq!((parts.train.len(), parts.validation.len(), parts.test.len()), (180, 20, 1000));
//! let augment = Augment::Image(ImageAugment { shift: 2, ..ImageAugment::default() });
//! for batch in Batches::epoch(&parts.train, 32, &augment, 7, 0)? {
//!     assert_eq!(batch.inputs.len(), batch.labels.len() * 28 * 28);
//! }
//! # Ok(())
//! # }
//! ```

mod augment;
mod batch;
mod data;
mod drift;
mod error;
mod generate;
mod items;
mod load;
mod options;
mod random;
mod source;
mod split;
mod subset;

pub use augment::{Augment, FeatureAugment, ImageAugment};
pub use batch::{Batch, Batches};
pub use data::{Data, Parts, Wish};
pub use drift::Drift;
pub use error::DataError;
pub use generate::{Shapes, Tones};
pub use items::{Head, Item, Items, Kind, MAX_CLASSES, MAX_ITEMS, MAX_VALUES, Scale, Shape};
pub use load::{cifar10, features, idx};
pub use options::{Color, Options, Words};
pub use source::Source;
pub use split::Fold;
pub use subset::Subset;
