//! The linear layers' circuits against their golden models, beat by beat, and their cycles.

mod exact;
mod feed_forward;
mod importance;
mod log;
