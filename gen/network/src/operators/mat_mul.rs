//! `mat_mul`: the product of two tensors.

use super::sums::{center, dot, place};
use super::{
    Checked, Compute, Kind, Lowered, Lowering, Memory, Program, Rescaled, Rescaling, Shape,
};
use crate::basics::check::fits;
use crate::basics::{Clamp, Multiplier, Rounding, Tensor, rescale};
use crate::lowering::{UNIT, offset, scale, unsupported};
use hwgen_designs::cnn::lower::{Layer, Numbers, Place, Stored};
use hwgen_designs::cnn::{Fill, Job, Nibbles, Plane};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;

/// `z = z0 + M(sum of (x - x0) * (y - y0))`: the product of two matrices of activations.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MatMul {
    /// The second is rows of the inner index, as the first is; else columns.
    pub transpose: bool,
    /// Rescaling of a sum.
    pub multiplier: Multiplier,
    /// How it is rounded.
    #[serde(default, skip_serializing_if = "Rounding::is_default")]
    pub rounding: Rounding,
    /// Bounds of the result.
    pub clamp: Clamp,
}

impl Kind for MatMul {
    fn arity(&self) -> RangeInclusive<usize> {
        2..=2
    }

    fn check(&self, place: &str, inputs: &[&Tensor], output: &Tensor) -> Checked {
        self.clamp.check(place, output)?;
        self.multiplier.check(place, "multiplier", false)?;
        let inner = inputs[0].shape.last().copied().unwrap_or(1) as i64;
        fits(place, inner * i64::from(inputs[0].reach()) * i64::from(inputs[1].reach()))
    }

    fn shape(&self, inputs: &[&Tensor], _: &Tensor) -> Shape {
        let (x, y, transpose) = (&inputs[0].shape[..], &inputs[1].shape[..], self.transpose);
        match (x, y, transpose) {
            (&[rows, inner], &[columns, other], true) if inner == other => Ok(vec![rows, columns]),
            (&[rows, inner], &[other, columns], false) if inner == other => Ok(vec![rows, columns]),
            _ => Err(format!(
                "matrices {x:?} and {y:?} cannot be multiplied (transpose: {transpose})"
            )),
        }
    }

    fn prepare(&self, inputs: &[&Tensor], output: &Tensor) -> Box<dyn Compute> {
        Box::new(Ready {
            mat_mul: self.clone(),
            inner: inputs[0].image()[2],
            columns: output.image()[2],
            zero_points: [inputs[0], inputs[1], output].map(|tensor| tensor.zero_point),
            x: Vec::new(),
            y: Vec::new(),
            turned: Vec::new(),
        })
    }

    fn rescale(&mut self, rescaling: &Rescaling<'_>) -> Rescaled {
        let factor = rescaling.ratio() * rescaling.inputs[1].ratio();
        self.multiplier = rescaling.multiplier(self.multiplier, factor)?;
        self.clamp = rescaling.output.clamp(self.clamp);
        Ok(())
    }

    fn memory(&self, _: &[&Tensor], _: &Tensor) -> Memory {
        Memory::Factors
    }

    /// The second tensor becomes the weights of a dense layer.
    fn lower(&self, lowering: &Lowering<'_>, program: &mut dyn Program) -> Lowered {
        let (spec, name) = (lowering.spec, lowering.name);
        if !spec.matrices {
            let instead = "set the core's `matrices`";
            return Err(unsupported(name, "the core multiplies no tensors", instead));
        }
        let zeros = [0, 1].map(|n| lowering.inputs[n].tensor).map(|x| x.zero_point - offset(x));
        if zeros != [0, 0] {
            let what = format!("its factors' zero points are {zeros:?}");
            return Err(unsupported(name, what, "quantize both factors around 0"));
        }
        let ((from, to), other) = (lowering.places(), lowering.inputs[1].place);
        let rows = from.height * from.width;
        let input = Place { height: 1, width: rows, ..from };
        let output = Place { height: 1, width: rows, ..to };
        let stored = Stored { bits: 8, shared: false, hold: false, dual: false };
        let layer = Layer { input, output, window: UNIT, depthwise: false, stored, largest: false };
        let scale = scale(name, self.multiplier, 0)?;
        let (rounding, clamp) = (self.rounding.into(), lowering.clamp(self.clamp));
        let numbers = Numbers { weights: &|_, _, _, _| (), scale: &|_| scale, rounding, clamp };
        // rows of weights begin with whole rows of planes
        let whole = program.planes().next_multiple_of(8);
        program.add(whole - program.planes(), 0, &|image| {
            image.planes.resize(whole, Plane::default());
        });
        let at = program.jobs().len();
        lowering.push_grouped(program, &layer, 0, &numbers)?;
        let (lane, step) = if self.transpose { (other.pitch, 1) } else { (1, other.pitch) };
        let fill = Fill {
            input: other.base,
            lane,
            step,
            block: lane * spec.lanes,
            steps: from.channels,
            blocks: to.channels.div_ceil(spec.lanes),
            weights: whole as u32,
            nibbles: Nibbles { input: other.nibbles, ..Nibbles::default() },
        };
        program.jobs().insert(at, Job::Fill(fill));
        let most = (u64::from(from.channels) * 128 * 128) << scale.left;
        Ok(64 - most.leading_zeros() + 1)
    }

    fn products(&self, inputs: &[&Tensor], _: &Tensor) -> usize {
        inputs[0].image()[2]
    }
}

/// Rows of the first against columns of the second, or against its rows.
struct Ready {
    mat_mul: MatMul,
    inner: usize,
    columns: usize,
    zero_points: [i32; 3],
    x: Vec<i16>,
    y: Vec<i16>,
    /// The second matrix by columns.
    turned: Vec<i16>,
}

impl Compute for Ready {
    fn run(&mut self, inputs: &[&[i16]], output: &mut [i16]) {
        let Ready { mat_mul, inner, columns, zero_points, x, y, turned } = self;
        center(inputs[0], zero_points[0], x);
        center(inputs[1], zero_points[1], y);
        if !mat_mul.transpose {
            turned.clear();
            turned.extend((0..y.len()).map(|n| y[n % *inner * *columns + n / *inner]));
            std::mem::swap(y, turned);
        }
        for (row, results) in x.chunks_exact(*inner).zip(output.chunks_exact_mut(*columns)) {
            for (result, column) in results.iter_mut().zip(y.chunks_exact(*inner)) {
                let scaled = rescale(dot(row, column), mat_mul.multiplier, mat_mul.rounding);
                *result = place(scaled, zero_points[2], mat_mul.clamp);
            }
        }
    }
}
