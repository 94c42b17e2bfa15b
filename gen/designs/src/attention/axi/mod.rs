//! Attention engines behind AXI: an [`AxiSpec`] is an engine with its top, [`LapaAxiSpec`] LAPA and a
//! sequencer of rows, [`LapaLayerAxiSpec`] attention from tokens on.

pub mod lapa;
pub mod lapa_check;
pub mod lapa_drive;
pub mod layer;
mod layer_check;
pub mod layer_drive;
pub mod spec;

pub use lapa::LapaAxiSpec;
pub use layer::LapaLayerAxiSpec;
pub use spec::{AxiSpec, Engine, build};
