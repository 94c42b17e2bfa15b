//! Integer models: of the designs, under the same names, and of the predictors they are compared
//! with.

pub mod attend;
pub mod axi;
pub mod cnn;
pub mod fact;
pub mod lapa;
pub mod layer;
pub mod linear;
pub mod listen;
pub mod mac_array;
pub mod mfcc;
pub mod network;
pub mod sanger;
pub mod spatten;
