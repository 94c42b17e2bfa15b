//! `cnn`: a core that runs quantized networks from a program, bit-exact; definition in
//! `docs/cnn.md`.
//!
//! - [`spec`]: the parameters; [`job`]: what a program is made of, `fields`: how it lies in memory; [`image`]: what is loaded;
//! - `walk`: addresses of a convolution, step by step; `memory`: activations and weights;
//! - `lane`: one weight, all positions, `twin`: two weights, [`dual`]: what for; `drain`, `requantize`: from sums to bytes;
//! - `softmax`: rows of probabilities, and functions from tables; `fill`: activations as weights;
//! - `registers`: what a host reads;
//! - `load`: how memories are filled, `rom`: what they hold from the start; [`lower`]: from a layer to jobs; `core`: the sequencer, and all of it;
//! - [`cost`]: cycles, exactly.

mod check;
mod core;
pub mod cost;
mod drain;
pub mod drive;
pub mod dual;
mod fields;
mod fill;
pub mod golden;
pub mod image;
pub mod job;
mod lane;
mod load;
pub mod lower;
mod memory;
mod registers;
mod requantize;
mod rom;
mod softmax;
pub mod spec;
mod twin;
mod walk;

pub use image::{Image, Outline, Plane, Program};
pub use job::{
    Add, AddScale, Clamp, Convolve, Fill, Job, Lookup, Nibbles, Rounding, Scale, Softmax, Transfer,
};
pub use spec::{CnnSpec, Multiplier};

use crate::generate::Generate;
use hwgen_hdl::Module;
use std::sync::Arc;

impl CnnSpec {
    /// The core with a program, weights and scales in its memories from the start.
    pub fn build_with(&self, image: &Image) -> Arc<Module> {
        core::module(Self::NAME, self, Some(image))
    }
}

impl Generate for CnnSpec {
    const NAME: &'static str = "cnn";
    const SUMMARY: &'static str =
        "quantized networks from a program: convolutions, dense layers, pools, sums";
    const PAGE: &'static str = "docs/cnn.md";

    const SIZES: &'static [&'static str] = &[
        "lanes=2 results=1 activation_words=4 weight_rows=2 scale_rows=2 jobs=2 \
         narrow_weights=false accumulator_bits=20 additions=false softmax_tables=0 \
         matrices=false",
        "lanes=4 results=4 pixels=1 packed=false sums=true activation_words=7 weight_rows=5 \
         scale_rows=3 jobs=2 softmax_tables=3",
        "lanes=4 results=2 activation_words=8 weight_rows=8 scale_rows=4 jobs=2",
        "lanes=4 results=2 activation_words=8 weight_rows=8 scale_rows=4 jobs=2 dual=true",
        "lanes=4 results=1 activation_words=8 weight_rows=8 scale_rows=4 jobs=2 dual=true packed=false",
        "lanes=2 results=1 pixels=1 packed=false dual=true narrow_weights=false single_port=true \
         activation_words=8 weight_rows=8 scale_rows=4 jobs=2",
    ];

    fn circuit(&self) -> Arc<Module> {
        core::module(Self::NAME, self, None)
    }

    fn latency(&self) -> String {
        format!(
            "{} products a cycle from {} multipliers, {} results a cycle from {}; a job begins {} cycles \
             after the one before",
            self.products(),
            self.multipliers(),
            self.results,
            self.results,
            cost::FETCH_CYCLES,
        )
    }

    fn diagram(&self) -> String {
        let CnnSpec { lanes, pixels, results, activation_words, weight_rows, .. } = self;
        format!(
            "\
load --> program of {} jobs --> walk --> addresses
     --> weights: {weight_rows} rows of {lanes} ------------------+
     --> scales: {} rows of {results} ----------------+            |
in ----> activations: {pixels} x {activation_words} words of {lanes} --|--> {lanes} lanes x {pixels} positions
out <---       ^                              v            |
               +--- {results} bytes <-- {results} requantizers <-- shadow <+
",
            self.jobs, self.scale_rows,
        )
    }
}
