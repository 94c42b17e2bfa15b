//! `fully_connected`: rows against weights.

use super::sums::{Finish, center, dots};
use super::{
    Checked, Compute, Kind, Lowered, Lowering, Memory, Program, Rescaled, Rescaling, Shape,
};
use crate::basics::{Linear, NetworkError, Tensor};
use crate::lowering::{UNIT, unsupported};
use hwgen_designs::cnn::lower::{Layer, Numbers, Place, Window};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `z = z0 + M(bias + sum of w * (x - x0))` of each row of as many elements as a row of
/// weights has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FullyConnected {
    /// Weights: output, input.
    pub linear: Linear,
}

impl Kind for FullyConnected {
    fn check(&self, place: &str, inputs: &[&Tensor], output: &Tensor) -> Checked {
        let (x, rows) = (inputs[0], output.elements() / output.image()[2]);
        if !x.elements().is_multiple_of(rows) {
            let problem = format!("{rows} rows of results do not fit {:?}", x.shape);
            return Err(NetworkError::Shape { place: place.to_owned(), problem });
        }
        self.linear.check(place, self.taps(inputs, output), x, output)
    }

    /// The weights say how long a row of the input is; that is checked with them.
    fn shape(&self, _: &[&Tensor], output: &Tensor) -> Shape {
        Ok(output.shape.clone())
    }

    fn prepare(&self, inputs: &[&Tensor], output: &Tensor) -> Box<dyn Compute> {
        let linear = &self.linear;
        Box::new(Ready {
            weights: linear.weights.iter().map(|&w| linear.read(w).into()).collect(),
            sums: vec![0; output.image()[2]],
            finish: Finish::new(linear, output),
            zero_point: inputs[0].zero_point,
            centered: Vec::new(),
        })
    }

    fn rescale(&mut self, rescaling: &Rescaling<'_>) -> Rescaled {
        self.linear.rescale(rescaling)
    }

    fn memory(&self, _: &[&Tensor], _: &Tensor) -> Memory {
        Memory::Positions
    }

    /// Every row of the input is one position.
    fn lower(&self, lowering: &Lowering<'_>, program: &mut dyn Program) -> Lowered {
        let (linear, (from, to)) = (&self.linear, lowering.places());
        let inputs = self.taps(&[lowering.x], lowering.output) as u32;
        let stored = lowering.stored(linear);
        let (scales, bits) = lowering.scales(linear, &stored)?;
        // positions of a row; between their channels may be bytes that are none
        let (each, all) = (inputs / from.channels, from.height * from.width);
        if inputs != each * from.channels || !all.is_multiple_of(each.max(1)) {
            let what = format!("its rows of {inputs} are parts of positions");
            return Err(unsupported(lowering.name, what, "reshape before"));
        }
        let (channels, pitch) = (from.channels, from.pitch);
        let output = Place { height: 1, width: all / each, ..to };
        let (input, window) = match stored.halves() && pitch != channels {
            // what lies between channels is not read: a window of so many positions
            true => {
                let window = Window { kernel: [1, each], stride: [1, each], ..UNIT };
                (Place { height: 1, width: all, ..from }, window)
            }
            false => {
                let step = each * pitch;
                let (width, seen) = (all / each, step - pitch + channels);
                (Place { height: 1, width, channels: seen, pitch: step, ..from }, UNIT)
            }
        };
        let layer = Layer { input, output, window, depthwise: false, stored, largest: false };
        let [channels, pitch] = [channels, pitch].map(|bytes| bytes as usize);
        let weights = |o: u32, _: u32, x: u32, row: &mut [i8]| {
            let first = (o * inputs) as usize + x as usize * channels;
            let positions = linear.weights[first..].chunks(channels);
            for (to, weights) in row.chunks_mut(pitch).zip(positions) {
                to[..channels].copy_from_slice(weights);
            }
        };
        let scale = |o: u32| scales[o as usize];
        let (rounding, clamp) = (linear.rounding.into(), lowering.clamp(linear.clamp));
        let numbers = Numbers { weights: &weights, scale: &scale, rounding, clamp };
        let first = program.jobs().len();
        lowering.push(program, &layer, lowering.room, &numbers)?;
        lowering.by_bytes(program, first)?;
        Ok(bits)
    }

    fn makes_sums(&self) -> bool {
        true
    }

    fn taps(&self, inputs: &[&Tensor], output: &Tensor) -> usize {
        let rows = output.elements() / output.image()[2];
        inputs[0].elements() / rows
    }

    fn linear(&self) -> Option<&Linear> {
        Some(&self.linear)
    }

    fn linear_mut(&mut self) -> Option<&mut Linear> {
        Some(&mut self.linear)
    }
}

/// Each row of the input against each row of weights.
struct Ready {
    weights: Vec<i16>,
    sums: Vec<i32>,
    finish: Finish,
    zero_point: i32,
    centered: Vec<i16>,
}

impl Compute for Ready {
    fn run(&mut self, inputs: &[&[i16]], output: &mut [i16]) {
        center(inputs[0], self.zero_point, &mut self.centered);
        let length = self.weights.len() / self.sums.len();
        for (byte, row, results) in self.finish.results(output) {
            let x = &self.centered[row * length..][..length];
            dots(x, &self.weights, &mut self.sums);
            for (unit, (result, &sum)) in results.iter_mut().zip(&self.sums).enumerate() {
                *result = self.finish.apply(byte, unit, sum);
            }
        }
    }
}
