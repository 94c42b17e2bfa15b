//! Sets that need no files.

mod shapes;
mod tones;
mod voice;

pub use shapes::Shapes;
pub use tones::Tones;

use crate::{DataError, MAX_ITEMS};

/// Whether so many items can be generated.
fn check(train: usize, test: usize) -> Result<(), DataError> {
    let most = MAX_ITEMS >> 3;
    match train <= most && test <= most {
        true => Ok(()),
        false => {
            Err(DataError::number("items", format!("{train} + {test}"), "at most 524288 each"))
        }
    }
}
