//! Integer models of the designs, one per design and of the same name.

pub mod attend;
pub mod lapa;
pub mod mac_array;
