//! Linear layers around attention: they let the final mask save work before and behind it.
//!
//! - [`LogLinearSpec`]: predicted keys from tokens, by shifts.
//! - [`ImportanceSpec`]: how many rows keep each token.
//! - [`LinearSpec`]: exact layers, at four bits for tokens that matter little.
//! - [`FeedForwardSpec`]: two of them, one behind the other.
//!
//! Source: FACT and SOFA for the ideas; formats, roundings, streams and cycles are our definition,
//! written out in `docs/linear.md`.
//!
//! A layer holds a token and `walk`s over its outputs, `lanes` inputs a cycle; the sums go down a
//! pipeline to the result, where `collect` puts each into its place.

mod batch;
mod collect;
pub mod cost;
mod counters;
pub mod drive;
pub mod exact;
mod exact_circuit;
pub mod feed_forward;
pub mod golden;
pub mod importance;
mod layer;
mod load;
mod log;
mod log_circuit;
mod walk;

pub use exact::LinearSpec;
pub use feed_forward::FeedForwardSpec;
pub use importance::ImportanceSpec;
pub use layer::Layer;
pub use log::LogLinearSpec;
