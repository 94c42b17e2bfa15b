//! LAPA and those it is compared with, predictors alone and whole engines, against their golden models.

mod attention;
mod engine;
mod fact;
mod lapa;
mod predictor;
mod sanger;
