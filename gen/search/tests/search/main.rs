//! The parts of a search, each against something that was written another way: naive loops, definitions, integers,
//! the planner, a second run. One binary, since each links a training library.

mod common;
mod costs;
mod gates;
mod gradients;
mod integers;
mod kernels;
mod kills;
mod quantizers;
mod spaces;
mod speed;
mod training;
