//! `gather`: elements of chosen indices.

use super::slice::without_ones;
use super::{
    Checked, Compute, Kind, Lowered, Lowering, Memory, Operator, Part, Program, Read, Rescaled,
    Rescaling, Shape,
};
use crate::basics::Tensor;
use crate::basics::check::{same_kind, within};
use crate::lowering::{Sum, UNIT, UNSCALED, strips, sum_bits, unsupported};
use hwgen_designs::cnn::Rounding;
use hwgen_designs::cnn::lower::{Numbers, Place, Window, one_by_one};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `z[i, j, ..] = x[rows[i], columns[j], ..]`: the indices of each axis that are taken, in their order
/// and as often as they are named. The output has their shape, or that without some of its sizes of 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Gather {
    /// A list an axis, of at most 4,096; an empty one takes the whole axis as it is.
    pub indices: Vec<Vec<u16>>,
}

impl Gather {
    /// Most indices of an axis.
    pub const MOST: usize = 4096;

    /// The shape that it takes.
    fn taken(&self, x: &[usize]) -> Vec<usize> {
        let size = |(taken, &all): (&Vec<u16>, &usize)| match taken.is_empty() {
            true => all,
            false => taken.len(),
        };
        self.indices.iter().zip(x).map(size).collect()
    }

    /// The axes that it does not take as they are.
    fn axes(&self) -> Vec<usize> {
        let axes = self.indices.iter().enumerate();
        axes.filter(|(_, taken)| !taken.is_empty()).map(|(axis, _)| axis).collect()
    }
}

impl Kind for Gather {
    fn check(&self, place: &str, inputs: &[&Tensor], output: &Tensor) -> Checked {
        for (axis, taken) in self.indices.iter().enumerate() {
            within(
                place,
                &format!("entries of indices[{axis}]"),
                taken.len() as i64,
                0,
                Gather::MOST as i64,
            )?;
        }
        same_kind(place, inputs[0], output)
    }

    fn shape(&self, inputs: &[&Tensor], output: &Tensor) -> Shape {
        let (indices, x) = (&self.indices, &inputs[0].shape);
        if indices.len() != x.len() {
            return Err(format!("indices of {} axes do not fit {x:?}", indices.len()));
        }
        for (axis, (taken, &all)) in indices.iter().zip(x).enumerate() {
            if let Some(beyond) = taken.iter().find(|&&index| usize::from(index) >= all) {
                return Err(format!("index {beyond} of axis {axis} is none of {x:?}"));
            }
        }
        Ok(without_ones(self.taken(x), output))
    }

    fn prepare(&self, inputs: &[&Tensor], _: &Tensor) -> Box<dyn Compute> {
        let (x, mut places) = (&inputs[0].shape, vec![0u32]);
        for (taken, &all) in self.indices.iter().zip(x) {
            let all = all as u32;
            let taken: Vec<u32> = match taken.is_empty() {
                true => (0..all).collect(),
                false => taken.iter().map(|&index| index.into()).collect(),
            };
            let of = |&place: &u32| taken.iter().map(move |index| place * all + index);
            places = places.iter().flat_map(of).collect();
        }
        Box::new(Ready(places))
    }

    fn keeps_scale(&self) -> bool {
        true
    }

    fn rescale(&mut self, _: &Rescaling<'_>) -> Rescaled {
        Ok(())
    }

    fn memory(&self, inputs: &[&Tensor], _: &Tensor) -> Memory {
        let channels = inputs[0].shape.len() - 1;
        match self.indices[channels].is_empty() {
            true => Memory::FasterByWords,
            false => Memory::Positions,
        }
    }

    /// One axis after the other.
    fn expand(&self, inputs: &[&Tensor], _: &Tensor) -> Vec<Part> {
        let axes = self.axes();
        if axes.len() < 2 {
            return vec![];
        }
        let mut shape = inputs[0].shape.clone();
        let part = |(n, &axis): (usize, &usize)| {
            let mut indices = vec![vec![]; shape.len()];
            indices[axis].clone_from(&self.indices[axis]);
            shape[axis] = indices[axis].len();
            let read = n.checked_sub(1).map_or(Read::Given(0), Read::Made);
            let operator = Operator::Gather(Gather { indices });
            Part { operator, inputs: vec![read], shape: shape.clone() }
        };
        axes.iter().enumerate().map(part).collect()
    }

    /// A job, or one a line, for all indices of equal distance; one for indices that are all taken so
    /// many times. Channels are chosen by weights.
    fn lower(&self, lowering: &Lowering<'_>, program: &mut dyn Program) -> Lowered {
        let ((from, to), rank) = (lowering.places(), lowering.x.shape.len());
        let taken = Tensor { shape: self.taken(&lowering.x.shape), ..lowering.x.clone() };
        let [height, width, channels] = taken.image().map(|side| side as u32);
        if channels != to.channels {
            let what = "its one channel becomes columns";
            return Err(unsupported(lowering.name, what, "keep the axis of channels"));
        }
        let to = Place { height, width, ..to };
        let bits = sum_bits(1, &UNSCALED);
        let (scale, rounding, clamp) = lowering.unscaled();
        let mut copy = |from: Place, to: Place, stride: [u32; 2]| {
            let window = Window { stride, ..UNIT };
            lowering.alone(program, (from, to), window, (scale, rounding, clamp), Sum::All)
        };
        let axis = self.axes().first().map(|axis| axis + 3 - rank);
        let indices = self.indices.iter().find(|taken| !taken.is_empty());
        let (Some(axis), Some(indices)) = (axis, indices) else {
            copy(from, to, [1, 1])?;
            return Ok(bits);
        };
        match (axis, repeats(indices, from.width)) {
            (2, _) => {
                let weight = |o: u32, _: u32, _: u32, c: u32| {
                    i8::from(indices.get(o as usize).is_some_and(|&index| u32::from(index) == c))
                };
                let scale = |_: u32| UNSCALED;
                let numbers = Numbers {
                    weights: &one_by_one(weight),
                    scale: &scale,
                    rounding: Rounding::Twice,
                    clamp,
                };
                lowering.dense_of(program, (from, to), UNIT, &numbers)?;
            }
            // every position is a line of as many
            (1, Some(times)) => {
                let positions = from.height * from.width;
                let column = Place { height: positions, width: 1, ..from };
                copy(column, Place { height: positions, width: times, ..to }, [1, 0])?;
            }
            _ => {
                for run in runs(indices) {
                    let [mut first, mut sides] = [[0, 0], [height, width]];
                    (first[axis], sides[axis]) = (run.at, run.count);
                    for strip in strips(&to, first, sides) {
                        // where the strip's first element lies in the input
                        let mut place = strip.first;
                        place[axis] = run.first + (place[axis] - run.at) * run.step;
                        let base = from.base + (place[0] * from.width + place[1]) * from.pitch;
                        let mut stride = [1, 1];
                        stride[axis] = run.step;
                        copy(Place { base, ..from }, strip.place, stride)?;
                    }
                }
            }
        }
        Ok(bits)
    }
}

/// Indices of equal distance.
#[derive(Debug, PartialEq, Eq)]
struct Run {
    /// Where they go.
    at: u32,
    count: u32,
    first: u32,
    step: u32,
}

/// Indices cut where their distance changes, or is negative.
fn runs(indices: &[u16]) -> Vec<Run> {
    let mut runs: Vec<Run> = vec![];
    for (at, &index) in indices.iter().enumerate() {
        let index = u32::from(index);
        if let Some(run) = runs.last_mut() {
            let step = index.checked_sub(run.first + (run.count - 1) * run.step);
            if let Some(step) = step.filter(|&step| run.count == 1 || step == run.step) {
                (run.step, run.count) = (step, run.count + 1);
                continue;
            }
        }
        runs.push(Run { at: at as u32, count: 1, first: index, step: 1 });
    }
    runs
}

/// How often each of `all` indices is taken, if all are, as often, and in order.
fn repeats(indices: &[u16], all: u32) -> Option<u32> {
    let (all, taken) = (all as usize, indices.len());
    let times = taken / all;
    let even = taken.is_multiple_of(all) && times > 1;
    let in_order =
        || indices.iter().enumerate().all(|(at, &index)| at / times == usize::from(index));
    (even && in_order()).then_some(times as u32)
}

/// Where each result lies in the input.
struct Ready(Vec<u32>);

impl Compute for Ready {
    fn run(&mut self, inputs: &[&[i16]], output: &mut [i16]) {
        for (result, &place) in output.iter_mut().zip(&self.0) {
            *result = inputs[0][place as usize];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indices_become_runs() {
        let run = |at, count, first, step| Run { at, count, first, step };
        assert_eq!(runs(&[1, 3, 5, 6]), [run(0, 3, 1, 2), run(3, 1, 6, 1)]);
        assert_eq!(runs(&[4, 4, 2, 3]), [run(0, 2, 4, 0), run(2, 2, 2, 1)]);
        assert_eq!(repeats(&[0, 0, 1, 1], 2), Some(2));
        assert_eq!(repeats(&[0, 0, 1, 1], 3), None);
        assert_eq!(repeats(&[0, 1], 2), None);
    }
}
