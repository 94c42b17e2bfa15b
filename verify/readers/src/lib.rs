//! Every reader of files in one table, for whoever wants to try them with files that are wrong.
//!
//! - [`READERS`]: a function a reader, from a file's bytes to what is said of them.
//! - [`mutate`]: mutants of a file, of its structure and of its bytes.
//!
//! The test `mutants` runs mutants through all of them; `fuzz/` has a target for each; the program
//! `hwgen-readers NAME FILE` reads one file, to see what a mutant does.

mod mutate;
mod table;

pub use mutate::mutate;
pub use table::{READERS, Reader, Room, find, recorded};
