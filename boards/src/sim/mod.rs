//! A board that is not there: the link's top in our compiled engine, serial line and all.
//!
//! - [`faults`]: damage to the bytes of a line.

pub mod faults;
