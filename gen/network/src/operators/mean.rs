//! `mean`: over some axes.

use super::sums::place;
use super::{
    Checked, Compute, Kind, Lowered, Lowering, Memory, Program, Rescaled, Rescaling, Shape,
};
use crate::basics::check::{MOST_ELEMENTS, fits};
use crate::basics::{Clamp, Multiplier, Pads, Rounding, Tensor, Window, rescale};
use crate::lowering::{Sum, scale, sum_bits, unsupported};
use hwgen_designs::cnn::lower;
use hwgen_designs::cnn::lower::Numbers;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `z = z0 + M(sum of (x - x0))` over some axes; the multiplier holds the division.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mean {
    /// The axes summed, of the input's shape, ascending.
    pub axes: Vec<usize>,
    /// Whether summed axes stay, with size 1.
    pub keep: bool,
    /// Rescaling of a sum.
    pub multiplier: Multiplier,
    /// How it is rounded.
    #[serde(default, skip_serializing_if = "Rounding::is_default")]
    pub rounding: Rounding,
    /// Bounds of the result.
    pub clamp: Clamp,
}

impl Mean {
    /// The image that is left of a tensor's when the axes are summed, each of them 1.
    pub(crate) fn kept(&self, x: &Tensor) -> [usize; 3] {
        let mut image = x.image();
        self.axes.iter().for_each(|axis| image[axis + 3 - x.shape.len()] = 1);
        image
    }
}

impl Kind for Mean {
    fn check(&self, place: &str, inputs: &[&Tensor], output: &Tensor) -> Checked {
        self.clamp.check(place, output)?;
        self.multiplier.check(place, "multiplier", false)?;
        // an axis named twice is found later
        let (x, sizes) = (inputs[0], &inputs[0].shape);
        let sizes = self.axes.iter().filter_map(|&axis| sizes.get(axis));
        let count = sizes.fold(1, |product: usize, &size| product.saturating_mul(size));
        fits(place, i64::from(x.reach()) * count.min(MOST_ELEMENTS) as i64)
    }

    fn shape(&self, inputs: &[&Tensor], _: &Tensor) -> Shape {
        let (axes, x) = (&self.axes, &inputs[0].shape);
        let sorted = axes.windows(2).all(|pair| pair[0] < pair[1]);
        if !sorted || axes.last().is_none_or(|&last| last >= x.len()) {
            return Err(format!("axes {axes:?} must ascend and be axes of {x:?}"));
        }
        let size = |(axis, &size): (usize, &usize)| match axes.contains(&axis) {
            true => self.keep.then_some(1),
            false => Some(size),
        };
        let shape: Vec<usize> = x.iter().enumerate().filter_map(size).collect();
        Ok(if shape.is_empty() { vec![1] } else { shape })
    }

    fn prepare(&self, inputs: &[&Tensor], output: &Tensor) -> Box<dyn Compute> {
        Box::new(Ready {
            mean: self.clone(),
            shape: inputs[0].shape.clone(),
            sums: vec![0; output.elements()],
            zero_points: [inputs[0].zero_point, output.zero_point],
        })
    }

    fn rescale(&mut self, rescaling: &Rescaling<'_>) -> Rescaled {
        self.multiplier = rescaling.multiplier(self.multiplier, rescaling.ratio())?;
        self.clamp = rescaling.output.clamp(self.clamp);
        Ok(())
    }

    fn memory(&self, inputs: &[&Tensor], output: &Tensor) -> Memory {
        match inputs[0].image()[2] == output.image()[2] {
            true => Memory::FasterByWords,
            false => Memory::Positions,
        }
    }

    fn lower(&self, lowering: &Lowering<'_>, program: &mut dyn Program) -> Lowered {
        let (from, to) = lowering.places();
        let (whole, kept) = (lowering.x.image(), self.kept(lowering.x));
        let sides = [0, 1, 2].map(|axis| whole[axis] / kept[axis]);
        let kernel = [sides[0], sides[1]];
        let window = Window { kernel, stride: [1; 2], dilation: [1; 2], pads: Pads::default() };
        let window = lowering.window(&window);
        let count: usize = sides.iter().product();
        let Some(bias) =
            i32::try_from(count).ok().and_then(|count| count.checked_mul(-lowering.zero()))
        else {
            let what = format!("it takes the mean of {count} elements");
            return Err(unsupported(lowering.name, what, "shrink the image before"));
        };
        let scale = scale(lowering.name, self.multiplier, bias)?;
        let [height, width, _] = kept.map(|side| side as u32);
        let places = (from, lower::Place { height, width, ..to });
        let (rounding, clamp) = (self.rounding.into(), lowering.clamp(self.clamp));
        if sides[2] == 1 {
            lowering.alone(program, places, window, (scale, rounding, clamp), Sum::All)?;
        } else {
            let numbers = Numbers {
                weights: &|_, _, _, row| row.fill(1),
                scale: &|_| scale,
                rounding,
                clamp,
            };
            lowering.dense_of(program, places, window, &numbers)?;
        }
        Ok(sum_bits(count as u32, &scale))
    }
}

struct Ready {
    mean: Mean,
    shape: Vec<usize>,
    sums: Vec<i32>,
    zero_points: [i32; 2],
}

impl Ready {
    /// The result that input element `n` goes into.
    fn target(&self, n: usize) -> usize {
        let (mut rest, mut stride, mut target) = (n, 1, 0);
        for (axis, &size) in self.shape.iter().enumerate().rev() {
            if !self.mean.axes.contains(&axis) {
                target += rest % size * stride;
                stride *= size;
            }
            rest /= size;
        }
        target
    }
}

impl Compute for Ready {
    fn run(&mut self, inputs: &[&[i16]], output: &mut [i16]) {
        let [before, after] = self.zero_points;
        self.sums.fill(0);
        for (n, &x) in inputs[0].iter().enumerate() {
            let target = self.target(n);
            self.sums[target] += i32::from(x) - before;
        }
        for (result, &sum) in output.iter_mut().zip(&self.sums) {
            let scaled = rescale(sum, self.mean.multiplier, self.mean.rounding);
            *result = place(scaled, after, self.mean.clamp);
        }
    }
}
