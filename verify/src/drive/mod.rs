//! Feeds designs through their streams, on any engine, and says what must come out.

pub mod lapa;
pub mod mac_array;
