//! What is searched: blocks, and for each what may be chosen.
//!
//! - `file`: `space.json`; `choice`: one of each option; `subnet`: the layers that a choice makes; `build`: how
//!   blocks become layers; `slots`: the numbers that all subnets share; `presets`: spaces by name.

mod build;
mod choice;
mod file;
mod presets;
mod slots;
mod subnet;

pub use choice::{Choice, Gene, Pick};
pub use file::{Block, Kind, Space, SpaceError};
pub use presets::{PRESETS, preset};
pub use slots::{Shape, Slot, Slots};
pub(crate) use subnet::graph_inner;
pub use subnet::{By, Layer, Node, Subnet, Width};
