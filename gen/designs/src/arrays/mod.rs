//! Arrays of processing elements: [`mac_array`], the systolic one.

pub mod mac_array;
