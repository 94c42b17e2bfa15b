//! Parameters of designs, each stated once.
//!
//! A design's parameters are the fields of a struct that derives [`Parameters`]: the field says
//! default, range and help, and what checks values, words errors and feeds help, docs and headers
//! of emitted text follows. A composed design holds its parts' structs. [`load`] reads a
//! specification from JSON and `key=value` overrides, and tells for each bad value which line or
//! override it came from.
//!
//! ```
//! use hwgen_spec::{Parameters, Spec, load};
//!
//! /// A FIFO, sized.
//! #[derive(Debug, Clone, PartialEq, Eq, Parameters)]
//! struct Fifo {
//!     /// Words it holds.
//!     #[parameter(default = 16, range = 1..=1024, power_of_two)]
//!     depth: u32,
//!     /// Show the word that was read last.
//!     #[parameter(default = false)]
//!     show_ahead: bool,
//! }
//! impl Spec for Fifo {}
//!
//! let fifo: Fifo = load(None, &["depth=8".to_string()]).unwrap();
//! assert_eq!((fifo.depth, fifo.show_ahead), (8, false));
//! let error = load::<Fifo>(None, &["depth=9".to_string()]).unwrap_err().to_string();
//! assert_eq!(error, "--set depth=9: `depth` = 9 is out of range: must be a power of two in 1..=1024");
//! ```

mod error;
mod lines;
mod load;
mod parameter;
mod parameters;

pub use error::{LoadError, Origin, SpecError};
pub use hwgen_spec_derive::Parameters;
pub use load::load;
pub use parameter::{Parameter, Range};
pub use parameters::{Checked, Choice, Parameters, Read, Spec};
// what the derive names
#[doc(hidden)]
pub use parameters::{Members, add_part, deserialize, read_part, read_value, serialize};
#[doc(hidden)]
pub use serde;
