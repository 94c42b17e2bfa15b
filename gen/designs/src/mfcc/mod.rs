//! Mel-frequency cepstral coefficients: the front end of keyword spotting.

mod spec;
mod tables;

pub use spec::MfccSpec;
