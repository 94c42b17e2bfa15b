//! The jobs of a layer.

use super::draft::{Draft, Step};
use super::error::{PlanError, unsupported};
use super::join::Part;
use super::layout::{Layout, is_depthwise, is_part};
use super::offset;
use super::place::Places;
use super::scale::{rounding, scale};
use crate::graph::{self, Kernel, Linear, Operator, Tensor};
use hwgen_designs::cnn::lower::{Layer, Numbers, Place, Stored, Window};
use hwgen_designs::cnn::{Add, AddScale, Clamp, CnnSpec, Fill, Image, Job, Rounding, Scale};

/// Adds a layer's jobs to the image; returns the bits that its sums need.
pub(super) fn lower(
    draft: &Draft<'_>,
    spec: &CnnSpec,
    (layout, places): (&Layout, &Places),
    step: &Step<'_>,
    image: &mut Image,
) -> Result<u32, PlanError> {
    let inputs: Vec<_> = step.inputs.iter().map(|&id| &draft.tensors[id]).collect();
    let output = &draft.tensors[step.output];
    let (x, from, to) = (inputs[0], places.of(step.inputs[0]), places.of(step.output));
    let name = &step.name[..];
    let lowering = Lowering { spec, name, x, output, room: layout.room(step.output) };
    match &*step.operator {
        Operator::Conv2d { window, groups, linear } => {
            let depthwise = is_depthwise(draft, step);
            lowering.convolution(image, (from, to), window, *groups, depthwise, linear)
        }
        Operator::FullyConnected { linear } => lowering.dense(image, (from, to), linear),
        Operator::AveragePool2d { window, rounding: r, clamp } => {
            lowering.average(image, (from, to), *window, rounding(*r), *clamp)
        }
        Operator::MaxPool2d { window, clamp } => {
            lowering.largest(image, (from, to), *window, *clamp)
        }
        Operator::Mean { axes, multiplier, rounding: r, clamp, .. } => {
            lowering.mean(image, (from, to), axes, (*multiplier, rounding(*r)), *clamp)
        }
        Operator::Requantize { multiplier, rounding: r, clamp } => {
            lowering.requantize(image, (from, to), (*multiplier, rounding(*r)), *clamp)
        }
        Operator::Add { left_shift, inputs: scales, multiplier, rounding: r, clamp } => {
            let second = inputs[1];
            if *left_shift != 20 || second.shape != x.shape {
                let what = "it adds tensors of two shapes, or shifts by other than 20";
                return Err(unsupported(name, what, "bring both to one shape"));
            }
            if !spec.additions {
                let instead = "set the core's `additions`";
                return Err(unsupported(name, "the core adds no tensors", instead));
            }
            let of = |multiplier: graph::Multiplier| {
                let scale = scale(name, multiplier, 0)?;
                match scale.left {
                    0 => Ok(AddScale { multiplier: scale.multiplier, right: scale.right }),
                    _ => Err(unsupported(name, "a multiplier is 1 or more", "widen the output")),
                }
            };
            let other = places.of(step.inputs[1]);
            image.jobs.push(Job::Add(Add {
                inputs: [from.base, other.base],
                zeros: [x, second].map(|x| (x.zero_point - offset(x)) as i8),
                scales: [of(scales[0])?, of(scales[1])?, of(*multiplier)?],
                rounding: rounding(*r),
                output: to.base,
                chunks: to.bytes().div_ceil(spec.results),
                clamp: lowering.clamp(*clamp),
            }));
            Ok(0)
        }
        Operator::Pad { before, after, value } => {
            lowering.pad(image, (from, to), before, after, *value)
        }
        // the same bytes
        Operator::Reshape => Ok(0),
        Operator::Concat { axis } => {
            let parts = step.inputs.iter().enumerate().map(|(n, &id)| Part {
                tensor: inputs[n],
                place: places.of(id),
                lies_there: is_part(layout, step, n),
            });
            lowering.join(image, to, *axis, &parts.collect::<Vec<_>>())
        }
        Operator::Slice { begin, size } => lowering.part(image, (from, to), (begin, size)),
        Operator::Lookup { table } => lowering.lookup(image, (from, to), table),
        Operator::Softmax { table, steps } => lowering.softmax(image, (from, to), table, *steps),
        Operator::MatMul { transpose, multiplier, rounding: r, clamp } => {
            if !spec.matrices {
                let instead = "set the core's `matrices`";
                return Err(unsupported(name, "the core multiplies no tensors", instead));
            }
            let other = (inputs[1], places.of(step.inputs[1]));
            let rescaling = (*multiplier, rounding(*r));
            lowering.product(image, (from, to), other, *transpose, rescaling, *clamp)
        }
    }
}

/// Accumulators hold so many bits.
pub(super) fn check_bits(
    spec: &CnnSpec,
    layer: &str,
    needs: &str,
    bits: u32,
) -> Result<(), PlanError> {
    let most = spec.accumulator_bits;
    let instead = match most {
        32 => "no core has more than 32: use smaller weights, biases or windows",
        _ => "raise the core's `accumulator_bits`, at most 32",
    };
    match bits > most {
        true => Err(unsupported(layer, format!("{needs} {bits} bits"), instead)),
        false => Ok(()),
    }
}

/// What all of a layer's jobs need to know.
pub(super) struct Lowering<'n> {
    pub(super) spec: &'n CnnSpec,
    pub(super) name: &'n str,
    pub(super) x: &'n Tensor,
    pub(super) output: &'n Tensor,
    /// Bytes that may be written in each position of the output.
    pub(super) room: u32,
}

impl Lowering<'_> {
    pub(super) fn clamp(&self, clamp: graph::Clamp) -> Clamp {
        let offset = offset(self.output);
        let byte = |value: i32| (value - offset).clamp(-128, 127) as i8;
        let zero = byte(self.output.zero_point);
        Clamp { zero, least: byte(clamp.min), most: byte(clamp.max) }
    }

    pub(super) fn window(&self, window: &graph::Window) -> Window {
        let pair = |kernel: Kernel| kernel.map(|side| side as u32);
        Window {
            kernel: pair(window.kernel),
            stride: pair(window.stride),
            dilation: pair(window.dilation),
            padding: [window.pads.top as i32, window.pads.left as i32],
            padded: (self.x.zero_point - offset(self.x)) as i8,
        }
    }

    /// Adds a layer's jobs, if lanes can share results so that its places are as the core reads and
    /// writes them.
    pub(super) fn push(
        &self,
        image: &mut Image,
        layer: &Layer,
        room: u32,
        numbers: &Numbers<'_>,
    ) -> Result<(), PlanError> {
        let Some(group) = self.spec.best_group(layer, room) else {
            let what = "its tensors do not lie as the core reads and writes them";
            return Err(unsupported(self.name, what, "lower the core's `results`"));
        };
        self.push_grouped(image, layer, group, numbers)
    }

    /// Adds a layer's jobs, if there is room for its weights.
    fn push_grouped(
        &self,
        image: &mut Image,
        layer: &Layer,
        group: u8,
        numbers: &Numbers<'_>,
    ) -> Result<(), PlanError> {
        let planes = image.planes.len() as u64 + self.spec.planes(layer, group);
        let (needed, given) = (planes.div_ceil(8), u64::from(self.spec.weight_rows));
        if needed > given {
            let (what, parameter) = ("rows of weights", "weight_rows");
            return Err(PlanError::Room { what, needed, given, parameter });
        }
        self.spec.lower(image, layer, group, numbers);
        Ok(())
    }

    /// The scale of each output, whose bias takes the input's zero point; bits that sums need.
    fn scales(&self, linear: &Linear, outputs: usize) -> Result<(Vec<Scale>, u32), PlanError> {
        let each = linear.weights.len() / outputs;
        let zero = i64::from(self.x.zero_point - offset(self.x));
        let rows = linear.weights.chunks(each).enumerate();
        let mut bits = 0;
        let scales = rows.map(|(o, row)| {
            let sum: i64 = row.iter().map(|&weight| i64::from(linear.read(weight))).sum();
            let bias = linear.bias.get(o).copied().unwrap_or(0);
            let folded = i64::from(bias) - zero * sum;
            let Ok(bias) = i32::try_from(folded) else {
                let what = format!("output {o}'s bias becomes {folded}");
                return Err(unsupported(self.name, what, "lower it"));
            };
            bits = bits.max(self.check_sum(linear, o, row, bias)?);
            scale(self.name, linear.multipliers.of(o), bias)
        });
        let scales = scales.collect::<Result<_, _>>()?;
        Ok((scales, bits))
    }

    /// No sum is too wide for the core's accumulators.
    fn check_sum(
        &self,
        linear: &Linear,
        o: usize,
        row: &[i8],
        bias: i32,
    ) -> Result<u32, PlanError> {
        let weights: i64 = row.iter().map(|&weight| i64::from(linear.read(weight)).abs()).sum();
        let stands = if self.spec.narrow_weights { 8 - linear.bits } else { 0 };
        let raw = (weights << stands) * 128;
        let left = linear.multipliers.of(o).shift.max(0);
        let whole = (weights * 128 + i64::from(bias).abs()) << left;
        let bits = 64 - raw.max(whole).leading_zeros() + 1;
        check_bits(self.spec, self.name, &format!("output {o}'s sum needs"), bits)?;
        Ok(bits)
    }

    /// A core that stores no narrow weights has them in eight bits.
    fn stored(&self, linear: &Linear) -> Stored {
        let own = if self.spec.narrow_weights { linear.bits as u8 } else { 8 };
        let bits = linear.shared.map_or(own, |bits| bits as u8);
        Stored { bits, shared: linear.shared.is_some(), hold: false }
    }

    fn convolution(
        &self,
        image: &mut Image,
        (from, to): (Place, Place),
        window: &graph::Window,
        groups: usize,
        depthwise: bool,
        linear: &Linear,
    ) -> Result<u32, PlanError> {
        let outputs = to.channels as usize;
        let (scales, bits) = self.scales(linear, outputs)?;
        let (rounding, clamp) = (rounding(linear.rounding), self.clamp(linear.clamp));
        let stored = self.stored(linear);
        let window = self.window(window);
        let [rows, columns] = window.kernel;
        if depthwise {
            let layer =
                Layer { input: from, output: to, window, depthwise, stored, largest: false };
            let weight = |o: u32, ky: u32, kx: u32, _: u32| {
                linear.weights[((o * rows + ky) * columns + kx) as usize]
            };
            let scale = |o: u32| scales[o as usize];
            let numbers = Numbers { weight: &weight, scale: &scale, rounding, clamp };
            self.push(image, &layer, self.room, &numbers)?;
            return Ok(bits);
        }
        let (inside, outside) = (from.channels / groups as u32, to.channels / groups as u32);
        let weight = |g: u32, o: u32, ky: u32, kx: u32, c: u32| {
            let o = g * outside + o;
            linear.weights[(((o * rows + ky) * columns + kx) * inside + c) as usize]
        };
        let group = |g: u32| {
            let input = Place { base: from.base + g * inside, channels: inside, ..from };
            let output = Place { base: to.base + g * outside, channels: outside, ..to };
            Layer { input, output, window, depthwise: false, stored, largest: false }
        };
        // what a group writes beyond its channels is what the next one writes then
        let room = |g: u32| self.room - g * outside;
        let whole = Layer { input: from, output: to, ..group(0) };
        let apart = (0..groups as u32).all(|g| self.spec.best_group(&group(g), room(g)).is_some());
        if !apart && !stored.halves() {
            // all at once, with weights of 0 for the channels of other groups
            let weight = |o: u32, ky: u32, kx: u32, c: u32| match o / outside == c / inside {
                true => weight(o / outside, o % outside, ky, kx, c % inside),
                false => 0,
            };
            let scale = |o: u32| scales[o as usize];
            let numbers = Numbers { weight: &weight, scale: &scale, rounding, clamp };
            self.push(image, &whole, self.room, &numbers)?;
            return Ok(bits);
        }
        for g in 0..groups as u32 {
            let weight = |o: u32, ky: u32, kx: u32, c: u32| weight(g, o, ky, kx, c);
            let scale = |o: u32| scales[(g * outside + o) as usize];
            let numbers = Numbers { weight: &weight, scale: &scale, rounding, clamp };
            self.push(image, &group(g), room(g), &numbers)?;
        }
        Ok(bits)
    }

    /// A dense layer: every row of the input is one position.
    fn dense(
        &self,
        image: &mut Image,
        (from, to): (Place, Place),
        linear: &Linear,
    ) -> Result<u32, PlanError> {
        let outputs = to.channels as usize;
        let inputs = (linear.weights.len() / outputs) as u32;
        let (scales, bits) = self.scales(linear, outputs)?;
        // positions of a row; between their channels may be bytes that are none
        let (each, all) = (inputs / from.channels, from.height * from.width);
        if inputs != each * from.channels || !all.is_multiple_of(each.max(1)) {
            let what = format!("its rows of {inputs} are parts of positions");
            return Err(unsupported(self.name, what, "reshape before"));
        }
        let (channels, pitch) = (from.channels, from.pitch);
        let output = Place { height: 1, width: all / each, channels: outputs as u32, ..to };
        let stored = self.stored(linear);
        let window =
            Window { kernel: [1; 2], stride: [1; 2], dilation: [1; 2], padding: [0; 2], padded: 0 };
        let layer = match stored.halves() && pitch != channels {
            // what lies between channels is not read: a window of so many positions
            true => {
                let input = Place { height: 1, width: all, ..from };
                let window = Window { kernel: [1, each], stride: [1, each], ..window };
                Layer { input, output, window, depthwise: false, stored, largest: false }
            }
            false => {
                let step = each * pitch;
                let (width, seen) = (all / each, step - pitch + channels);
                let input = Place { height: 1, width, channels: seen, pitch: step, ..from };
                Layer { input, output, window, depthwise: false, stored, largest: false }
            }
        };
        let weight = |o: u32, _: u32, x: u32, c: u32| {
            let (position, channel) = (x + c / pitch, c % pitch);
            match channel < channels {
                true => linear.weights[(o * inputs + position * channels + channel) as usize],
                false => 0,
            }
        };
        let scale = |o: u32| scales[o as usize];
        let (rounding, clamp) = (rounding(linear.rounding), self.clamp(linear.clamp));
        let numbers = Numbers { weight: &weight, scale: &scale, rounding, clamp };
        self.push(image, &layer, self.room, &numbers)?;
        Ok(bits)
    }

    /// The product of two tensors: the second becomes weights of a dense layer.
    fn product(
        &self,
        image: &mut Image,
        (from, to): (Place, Place),
        (second, other): (&Tensor, Place),
        transpose: bool,
        (multiplier, rounding): (graph::Multiplier, Rounding),
        clamp: graph::Clamp,
    ) -> Result<u32, PlanError> {
        let zeros = [self.x, second].map(|x| x.zero_point - offset(x));
        if zeros != [0, 0] {
            let what = format!("its factors' zero points are {zeros:?}");
            return Err(unsupported(self.name, what, "quantize both factors around 0"));
        }
        let rows = from.height * from.width;
        let input = Place { height: 1, width: rows, ..from };
        let output = Place { height: 1, width: rows, ..to };
        let window =
            Window { kernel: [1; 2], stride: [1; 2], dilation: [1; 2], padding: [0; 2], padded: 0 };
        let stored = Stored { bits: 8, shared: false, hold: false };
        let layer = Layer { input, output, window, depthwise: false, stored, largest: false };
        let scale = scale(self.name, multiplier, 0)?;
        let clamp = self.clamp(clamp);
        let numbers = Numbers { weight: &|_, _, _, _| 0, scale: &|_| scale, rounding, clamp };
        // rows of weights begin with whole rows of planes
        let whole = image.planes.len().next_multiple_of(8);
        image.planes.resize(whole, vec![false; self.spec.lanes as usize]);
        let at = image.jobs.len();
        self.push_grouped(image, &layer, 0, &numbers)?;
        let (lane, step) = if transpose { (other.pitch, 1) } else { (1, other.pitch) };
        let fill = Fill {
            input: other.base,
            lane,
            step,
            block: lane * self.spec.lanes,
            steps: from.channels,
            blocks: to.channels.div_ceil(self.spec.lanes),
            weights: whole as u32,
        };
        image.jobs.insert(at, Job::Fill(fill));
        let most = (u64::from(from.channels) * 128 * 128) << scale.left;
        Ok(64 - most.leading_zeros() + 1)
    }
}
