//! What narrow numbers take and bring below cycles: lanes on families of parts and in cells, and energy an
//! inference on gates.

mod arrangements;
mod block;
mod energy;
mod lanes;
mod synthesis;
