//! `softmax`: shares of a row's weights.

use super::{
    Checked, Compute, Kind, Lowered, Lowering, Memory, Program, Rescaled, Rescaling, Shape,
};
use crate::basics::check::within;
use crate::basics::{Clamp, NetworkError, Numbers, Tensor};
use crate::lowering::unsupported;
use hwgen_designs::cnn::{Job, Nibbles, job};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `z = z0 + steps * e / sum of e` of each row (the last axis), rounded to nearest, halves up;
/// `e = table[largest x of the row - x]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Softmax {
    /// 2^bits entries of 0 to 2^23, not rising, the first above 0.
    pub table: Numbers<i32>,
    /// Steps of the output that make probability 1: 2 to 65536.
    pub steps: u32,
}

/// The heaviest weight.
const MOST_WEIGHT: i32 = 1 << 23;

/// Entries of a core's table: one a byte.
const ENTRIES: usize = 256;

/// A softmax's table for inputs of `bits` bits: entry `d` is `2^23 * exp(-slope * d)`, rounded.
///
/// `slope` is the input's scale times beta. The exponent is rounded to single precision first, as
/// TFLite's is.
pub fn softmax_table(bits: u32, slope: f32) -> Vec<i32> {
    let weight = |d: u32| {
        let exponent = -slope * d as f32;
        (f64::from(exponent).exp() * f64::from(MOST_WEIGHT)).round() as i32
    };
    (0..1 << bits).map(weight).collect()
}

impl Kind for Softmax {
    /// A sum of 2^24 entries of 2^23 fits 64 bits.
    fn check(&self, place: &str, inputs: &[&Tensor], _: &Tensor) -> Checked {
        within(place, "steps", self.steps.into(), 2, 1 << 16)?;
        let (table, bits) = (&self.table, inputs[0].bits);
        if table.len() != 1 << bits {
            let expected = format!("{}, one a difference of two inputs", 1 << bits);
            return Err(NetworkError::wrong_length(place, "table", table.len(), expected));
        }
        let mut highest = MOST_WEIGHT;
        for (n, &weight) in table.iter().enumerate() {
            let lowest = i64::from(n == 0);
            within(place, &format!("table[{n}]"), weight.into(), lowest, highest.into())?;
            highest = weight;
        }
        Ok(())
    }

    fn shape(&self, inputs: &[&Tensor], _: &Tensor) -> Shape {
        Ok(inputs[0].shape.clone())
    }

    fn prepare(&self, inputs: &[&Tensor], output: &Tensor) -> Box<dyn Compute> {
        Box::new(Ready {
            table: self.table.to_vec(),
            steps: self.steps,
            row: inputs[0].image()[2],
            zero_point: output.zero_point,
            clamp: Clamp::of(output),
        })
    }

    /// Between two entries the exponential.
    fn rescale(&mut self, rescaling: &Rescaling<'_>) -> Rescaled {
        if rescaling.output.before != rescaling.output.after {
            return Err("a softmax's probabilities keep their steps".into());
        }
        let x = rescaling.inputs[0];
        let entry = |d: u32| {
            let at = (f64::from(d) * x.ratio()).min((self.table.len() - 1) as f64);
            let entries = [at.floor(), at.ceil()].map(|at| f64::from(self.table[at as usize]));
            let part = at - at.floor();
            let between = entries[0].powf(1.0 - part) * entries[1].powf(part);
            between.round() as i32
        };
        let table = (0..1 << x.after.bits).map(entry);
        self.table = table.collect::<Vec<_>>().into();
        Ok(())
    }

    fn writes_pairs(&self) -> bool {
        false
    }

    fn memory(&self, _: &[&Tensor], _: &Tensor) -> Memory {
        Memory::Positions
    }

    fn lower(&self, lowering: &Lowering<'_>, program: &mut dyn Program) -> Lowered {
        let (from, to) = lowering.places();
        if from.channels > 1024 {
            let what = format!("its rows have {} elements", from.channels);
            return Err(unsupported(lowering.name, what, "1,024 is the most"));
        }
        let mut entries: Vec<u32> = self.table.iter().map(|&entry| entry.max(0) as u32).collect();
        entries.resize(ENTRIES, 0);
        let table = program.table(entries);
        let nibbles = Nibbles { input: from.nibbles, ..Nibbles::default() };
        program.jobs().push(Job::Softmax(job::Softmax {
            nibbles,
            input: from.base,
            input_pitch: from.pitch,
            output: to.base,
            output_pitch: to.pitch,
            length: from.channels,
            rows: from.height * from.width,
            steps: self.steps,
            table,
            clamp: lowering.clamp(Clamp::of(lowering.output)),
        }));
        Ok(0)
    }
}

struct Ready {
    table: Vec<i32>,
    steps: u32,
    row: usize,
    zero_point: i32,
    clamp: Clamp,
}

impl Compute for Ready {
    fn run(&mut self, inputs: &[&[i16]], output: &mut [i16]) {
        let rows = inputs[0].chunks_exact(self.row).zip(output.chunks_exact_mut(self.row));
        for (row, results) in rows {
            let largest = row.iter().max().copied().unwrap_or(0);
            let weight = |x: i16| i64::from(self.table[(largest - x) as usize]);
            let sum: i64 = row.iter().map(|&x| weight(x)).sum();
            for (result, &x) in results.iter_mut().zip(row) {
                // halves up: floor(steps * weight / sum + 1 / 2)
                let share = (2 * i64::from(self.steps) * weight(x) + sum) / (2 * sum);
                *result = self.clamp.apply(share as i32 + self.zero_point) as i16;
            }
        }
    }
}
