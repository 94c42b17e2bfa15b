//! Attention engines behind AXI: an [`AxiSpec`] is an engine with its top, [`LapaAttentionAxiSpec`] LAPA and a
//! sequencer of rows, [`LapaAxiSpec`] attention from tokens on.

pub mod lapa;
pub mod lapa_check;
pub mod lapa_drive;
pub mod layer;
mod layer_check;
pub mod layer_drive;
pub mod spec;

pub use lapa::LapaAttentionAxiSpec;
pub use layer::LapaAxiSpec;
pub use spec::{AxiSpec, Engine, build};
