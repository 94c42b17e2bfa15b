//! `conv_2d`: convolutions of any groups.

use super::sums::{Finish, center, dots};
use super::windows::{Place, image, shape};
use super::{
    Checked, Compute, Kind, Lowered, Lowering, Memory, Program, Rescaled, Rescaling, Shape,
};
use crate::basics::check::within;
use crate::basics::{Linear, Tensor, Window};
use hwgen_designs::cnn::Scale;
use hwgen_designs::cnn::lower::{self, Layer, Numbers, Rows};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `z = z0 + M(bias + sum of w * (x - x0))` over a window; outside the image `x` is `x0`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Conv2d {
    /// Where the window goes.
    pub window: Window,
    /// Channels are cut into so many groups, of inputs and of outputs; as many as input
    /// channels is a depthwise convolution.
    pub groups: usize,
    /// Weights: output channel, row, column, input channel of the group.
    pub linear: Linear,
}

impl Conv2d {
    /// Whether each channel has a filter of its own, and one only.
    fn is_depthwise(&self, x: &Tensor, output: &Tensor) -> bool {
        x.image()[2] == self.groups && output.image()[2] == self.groups
    }
}

impl Kind for Conv2d {
    fn check(&self, place: &str, inputs: &[&Tensor], output: &Tensor) -> Checked {
        let (x, groups) = (inputs[0], self.groups);
        self.window.check(place)?;
        within(place, "groups", groups as i64, 1, x.image()[2] as i64)?;
        self.linear.check(place, self.taps(inputs, output), x, output)
    }

    fn shape(&self, inputs: &[&Tensor], output: &Tensor) -> Shape {
        let (groups, x, channels) = (self.groups, &inputs[0].shape, output.image()[2]);
        let given = image(x)?[2];
        if !given.is_multiple_of(groups) || !channels.is_multiple_of(groups) {
            return Err(format!(
                "{groups} groups do not divide {given} input and {channels} output channels"
            ));
        }
        shape(&self.window, x, channels)
    }

    fn prepare(&self, inputs: &[&Tensor], output: &Tensor) -> Box<dyn Compute> {
        match self.is_depthwise(inputs[0], output) {
            true => Box::new(Depthwise::new(self, inputs[0], output)),
            false => Box::new(Grouped::new(self, inputs[0], output)),
        }
    }

    fn rescale(&mut self, rescaling: &Rescaling<'_>) -> Rescaled {
        self.linear.rescale(rescaling)
    }

    fn memory(&self, inputs: &[&Tensor], output: &Tensor) -> Memory {
        match self.groups > 1 && self.is_depthwise(inputs[0], output) {
            true => Memory::Words,
            false => Memory::Positions,
        }
    }

    fn lower(&self, lowering: &Lowering<'_>, program: &mut dyn Program) -> Lowered {
        let depthwise = self.groups > 1 && self.is_depthwise(lowering.x, lowering.output);
        let layer = self.layer(lowering, depthwise);
        let (scales, bits) = lowering.scales(&self.linear, &layer.stored)?;
        let first = program.jobs().len();
        match depthwise {
            true => self.lower_depthwise(lowering, program, &layer, &scales)?,
            false => self.lower_grouped(lowering, program, &layer, &scales)?,
        }
        lowering.by_bytes(program, first)?;
        Ok(bits)
    }

    fn makes_sums(&self) -> bool {
        true
    }

    fn taps(&self, inputs: &[&Tensor], _: &Tensor) -> usize {
        self.window.kernel.iter().product::<usize>() * (inputs[0].image()[2] / self.groups)
    }

    fn linear(&self) -> Option<&Linear> {
        Some(&self.linear)
    }

    fn linear_mut(&mut self) -> Option<&mut Linear> {
        Some(&mut self.linear)
    }
}

type Pushed = Result<(), crate::lowering::PlanError>;

impl Conv2d {
    fn layer(&self, lowering: &Lowering<'_>, depthwise: bool) -> Layer {
        let (input, output) = lowering.places();
        let (window, stored) = (lowering.window(&self.window), lowering.stored(&self.linear));
        let mut layer = Layer { input, output, window, depthwise, stored, largest: false };
        if depthwise && !lowering.spec.pairs_rows(&layer) {
            layer.stored = lowering.stored_singly(&self.linear);
        }
        layer
    }

    fn lower_depthwise(
        &self,
        lowering: &Lowering<'_>,
        program: &mut dyn Program,
        layer: &Layer,
        scales: &[Scale],
    ) -> Pushed {
        let [rows, columns] = self.window.kernel.map(|side| side as u32);
        let weights = |o: u32, ky: u32, kx: u32, row: &mut [i8]| {
            row[0] = self.linear.weights[((o * rows + ky) * columns + kx) as usize];
        };
        self.push(lowering, program, (layer, 0), &weights, scales)
    }

    /// Groups one by one; all at once where they do not lie as lanes read them.
    fn lower_grouped(
        &self,
        lowering: &Lowering<'_>,
        program: &mut dyn Program,
        whole: &Layer,
        scales: &[Scale],
    ) -> Pushed {
        let (groups, spec) = (self.groups as u32, lowering.spec);
        let [rows, columns] = self.window.kernel.map(|side| side as u32);
        let [inside, outside] = [whole.input.channels, whole.output.channels].map(|c| c / groups);
        let weights = |o: u32, ky: u32, kx: u32| {
            let first = ((o * rows + ky) * columns + kx) * inside;
            &self.linear.weights[first as usize..][..inside as usize]
        };
        let part = |from: lower::Place, g: u32, channels: u32| lower::Place {
            base: from.base + g * channels,
            channels,
            ..from
        };
        let group = |g: u32| {
            let (input, output) = (part(whole.input, g, inside), part(whole.output, g, outside));
            Layer { input, output, ..*whole }
        };
        let room = |g: u32| lowering.room - g * outside;
        let apart = (0..groups).all(|g| spec.best_group(&group(g), room(g)).is_some());
        if !apart && !whole.stored.halves() {
            // with weights of 0 for the channels of other groups
            let weights = |o: u32, ky: u32, kx: u32, row: &mut [i8]| {
                let own = (o / outside * inside) as usize;
                row[own..][..inside as usize].copy_from_slice(weights(o, ky, kx));
            };
            return self.push(lowering, program, (whole, 0), &weights, scales);
        }
        (0..groups).try_for_each(|g| {
            let weights = |o: u32, ky: u32, kx: u32, row: &mut [i8]| {
                row.copy_from_slice(weights(g * outside + o, ky, kx));
            };
            self.push(lowering, program, (&group(g), g * outside), &weights, scales)
        })
    }

    /// Jobs of a layer from output channel `first` on. What it writes beyond its channels is what the
    /// next one writes then.
    fn push(
        &self,
        lowering: &Lowering<'_>,
        program: &mut dyn Program,
        (layer, first): (&Layer, u32),
        weights: &Rows<'_>,
        scales: &[Scale],
    ) -> Pushed {
        let scale = |o: u32| scales[(first + o) as usize];
        let rounding = self.linear.rounding.into();
        let clamp = lowering.clamp(self.linear.clamp);
        let numbers = Numbers { weights, scale: &scale, rounding, clamp };
        lowering.push(program, layer, lowering.room - first, &numbers)
    }
}

/// A convolution of any groups: the window's elements are gathered, then weighed.
struct Grouped {
    place: Place,
    groups: usize,
    weights: Vec<i16>,
    finish: Finish,
    zero_point: i32,
    centered: Vec<i16>,
    /// The window's elements: group, row, column, channel of the group.
    patch: Vec<i16>,
    sums: Vec<i32>,
}

impl Grouped {
    fn new(conv: &Conv2d, x: &Tensor, output: &Tensor) -> Grouped {
        let Conv2d { window, groups, linear } = conv;
        let taps = window.kernel[0] * window.kernel[1];
        Grouped {
            groups: *groups,
            weights: linear.weights.iter().map(|&w| linear.read(w).into()).collect(),
            finish: Finish::new(linear, output),
            zero_point: x.zero_point,
            centered: Vec::new(),
            patch: vec![0; taps * x.image()[2]],
            sums: vec![0; output.image()[2]],
            place: Place::new(*window, x, output),
        }
    }
}

impl Compute for Grouped {
    fn run(&mut self, inputs: &[&[i16]], output: &mut [i16]) {
        let Grouped { place, groups, weights, finish, zero_point, centered, patch, sums } = self;
        center(inputs[0], *zero_point, centered);
        let depth = place.x[2] / *groups;
        let taps = patch.len() / *groups;
        let outputs = place.z[2];
        for (byte, n, result) in finish.results(output) {
            // what lies outside the image is the zero point
            patch.fill(0);
            place.taps(n, |tap, first| {
                for group in 0..*groups {
                    let to = group * taps + tap * depth;
                    let from = first + group * depth;
                    patch[to..to + depth].copy_from_slice(&centered[from..from + depth]);
                }
            });
            let rows = weights.chunks_exact(outputs / *groups * taps);
            let of_groups = sums.chunks_exact_mut(outputs / *groups);
            for ((x, w), sums) in patch.chunks_exact(taps).zip(rows).zip(of_groups) {
                dots(x, w, sums);
            }
            for (channel, (result, &sum)) in result.iter_mut().zip(sums.iter()).enumerate() {
                *result = finish.apply(byte, channel, sum);
            }
        }
    }
}

/// A convolution of each channel on its own: all channels are weighed at once.
struct Depthwise {
    place: Place,
    /// Tap, channel.
    weights: Vec<i16>,
    finish: Finish,
    zero_point: i32,
    centered: Vec<i16>,
    sums: Vec<i32>,
}

impl Depthwise {
    fn new(conv: &Conv2d, x: &Tensor, output: &Tensor) -> Depthwise {
        let Conv2d { window, linear, .. } = conv;
        let (taps, channels) = (window.kernel[0] * window.kernel[1], x.image()[2]);
        let stored = |n: usize| linear.weights[n % channels * taps + n / channels];
        let weight = |n: usize| linear.read(stored(n)).into();
        Depthwise {
            place: Place::new(*window, x, output),
            weights: (0..taps * channels).map(weight).collect(),
            finish: Finish::new(linear, output),
            zero_point: x.zero_point,
            centered: Vec::new(),
            sums: vec![0; channels],
        }
    }
}

impl Compute for Depthwise {
    fn run(&mut self, inputs: &[&[i16]], output: &mut [i16]) {
        let Depthwise { place, weights, finish, zero_point, centered, sums } = self;
        center(inputs[0], *zero_point, centered);
        let channels = sums.len();
        for (byte, n, result) in finish.results(output) {
            sums.fill(0);
            place.taps(n, |tap, first| {
                let x = &centered[first..first + channels];
                let w = &weights[tap * channels..(tap + 1) * channels];
                for ((sum, &x), &w) in sums.iter_mut().zip(x).zip(w) {
                    *sum += i32::from(x) * i32::from(w);
                }
            });
            for (channel, (result, &sum)) in result.iter_mut().zip(sums.iter()).enumerate() {
                *result = finish.apply(byte, channel, sum);
            }
        }
    }
}
