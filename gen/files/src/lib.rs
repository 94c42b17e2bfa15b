//! Files of users: reads that end, writes that are whole or not there.
//!
//! [`read`] takes a path, or `-` for standard input, and a bound; a device, which never ends, is
//! refused. [`write`] and [`write_all`] put complete files in place of others, and touch no device
//! and no link. Errors name the file and say what to do.

mod error;
mod read;
mod write;

pub use error::FileError;
pub use read::{read, read_text};
pub use write::{write, write_all};
