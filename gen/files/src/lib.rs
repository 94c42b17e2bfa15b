//! Files and children that are whole or not there.
//!
//! - [`read`], [`read_text`]: a path, or `-` for standard input, within a bound; a device, which never
//!   ends, is refused.
//! - [`has_plain_npy_header`]: what a reader of NumPy's arrays is asked before.
//! - [`write`], [`write_all`], [`Pending`], [`write_folder`]: complete files in place of others; no
//!   device, no link and nobody else's file is replaced.
//! - [`Cache`], [`SealedLines`]: what is kept for later, and believed only if it is as it was written.
//! - [`Group`], [`Scratch`], [`Ward`], [`tidy_on_signals`]: children, temporary files and links go
//!   when we do, whatever we die of.
//!
//! Errors name the file and say what to do.

mod cache;
mod child;
mod error;
mod folder;
mod manifest;
mod npy;
mod pending;
mod place;
mod private;
mod read;
mod scratch;
mod sealed;
mod tidy;
mod write;

pub use cache::{Cache, Making};
pub use child::Group;
pub use error::{FileError, causes, printable, reason};
pub use folder::{Written, changed_in, may_write, seal_folder, write_folder};
pub use manifest::digest;
pub use npy::has_plain_npy_header;
pub use pending::Pending;
pub use place::same;
pub use private::{cache_folder, private_folder};
pub use read::{read, read_text};
pub use scratch::Scratch;
pub use sealed::SealedLines;
pub use tidy::{Ward, tidy_on_signals};
pub use write::{write, write_all};
