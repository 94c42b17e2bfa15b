//! LAPA and those it is compared with, predictors alone and whole engines, against their golden models.

mod attention;
mod engine;
#[macro_use]
mod peer;
mod fact;
mod lapa;
mod predictor;
mod sanger;
