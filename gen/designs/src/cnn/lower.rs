//! From the shape of a layer to jobs, weights in planes and rows of scales.

use super::CnnSpec;
use super::dual::{Pairs, interleaved};
use super::image::{Image, Program, ROW_PLANES};
use super::job::{Clamp, Convolve, Job, Nibbles, Rounding, Scale};
use super::spec::ADDRESS_BITS;

/// Where a tensor lies: element (y, x, c) at `base + (y width + x) pitch + c`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Address of the first byte.
    pub base: u32,
    /// Rows.
    pub height: u32,
    /// Columns.
    pub width: u32,
    /// Channels.
    pub channels: u32,
    /// Bytes from a position to the next.
    pub pitch: u32,
    /// Two elements lie in a byte: base and pitch count elements.
    pub nibbles: bool,
}

impl Place {
    /// Elements from the first to the last, the pitch's rest included: bytes, but where two lie in one.
    pub fn bytes(&self) -> u32 {
        self.height * self.width * self.pitch
    }

    /// The address of its first byte.
    pub fn first_byte(&self) -> u32 {
        if self.nibbles { self.base / 2 } else { self.base }
    }

    /// The address behind its last byte.
    pub fn end(&self) -> u32 {
        let bytes = self.bytes();
        self.first_byte() + if self.nibbles { bytes.div_ceil(2) } else { bytes }
    }
}

/// A window that moves over the input; rows first, then columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Its elements.
    pub kernel: [u32; 2],
    /// Between windows.
    pub stride: [u32; 2],
    /// Between elements.
    pub dilation: [u32; 2],
    /// Rows above, columns to the left of the input; negative if the first window begins inside.
    pub padding: [i32; 2],
    /// What stands there, and below and to the right.
    pub padded: i8,
}

/// How weights are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// Bits of a weight, 2..=8.
    pub bits: u8,
    /// They are the top ones of 8, with half a step below.
    pub shared: bool,
    /// All of a window's elements have the same.
    pub hold: bool,
    /// Two stand in a lane: they have at most 4 bits, none is the least of its bits, and what they see is
    /// as narrow as the core needs it.
    pub dual: bool,
}

impl Stored {
    /// Whether half a step stands below each weight, so that none is 0.
    pub fn halves(&self) -> bool {
        self.shared && self.bits < 8
    }
}

/// Writes a row of weights: of an output, a row and a column of the window.
pub type Rows<'n> = dyn Fn(u32, u32, u32, &mut [i8]) + 'n;

/// Weights and scales of a layer.
pub struct Numbers<'n> {
    /// Writes the weights of an output channel for a window's row and column: one an input channel, a single one
    /// in a depthwise layer. They are 0 before.
    pub weights: &'n Rows<'n>,
    /// The scale of an output channel.
    pub scale: &'n dyn Fn(u32) -> Scale,
    /// How a scaled sum is rounded.
    pub rounding: Rounding,
    /// Behind it.
    pub clamp: Clamp,
}

/// Weights by output channel, row, column and input channel, which is 0 in a depthwise layer.
pub fn one_by_one(weight: impl Fn(u32, u32, u32, u32) -> i8) -> impl Fn(u32, u32, u32, &mut [i8]) {
    move |o, ky, kx, row| (0..).zip(row).for_each(|(c, to)| *to = weight(o, ky, kx, c))
}

/// What a layer does.
#[derive(Debug, Clone, Copy)]
pub struct Layer {
    /// Where it reads.
    pub input: Place,
    /// Where it writes.
    pub output: Place,
    /// What it sees.
    pub window: Window,
    /// Each output channel sees one input channel, its own.
    pub depthwise: bool,
    /// The largest product of a window instead of their sum; for a depthwise layer.
    pub largest: bool,
    /// How weights are stored.
    pub stored: Stored,
}

impl CnnSpec {
    /// The group for which a layer takes the fewest cycles, of those that its places allow; `room` are
    /// the bytes that may be written in each position of its output. A depthwise layer has but group 0.
    pub fn best_group(&self, layer: &Layer, room: u32) -> Option<u8> {
        let Layer { input, output, depthwise, stored, .. } = layer;
        let one = output.height * output.width == 1;
        // shared weights are never 0: no lane may see what is no channel
        let exact =
            |group: u8| *depthwise || !stored.halves() || input.channels.is_multiple_of(1 << group);
        let fits = |group: &u8| {
            let read = if *depthwise { self.lanes } else { 1 << group };
            let written = self.results >> group;
            let halves = output.nibbles && written < 2;
            !halves
                && exact(*group)
                && input.base.is_multiple_of(read)
                && input.pitch.is_multiple_of(read)
                && output.base.is_multiple_of(written)
                && (one || output.pitch.is_multiple_of(written))
                && output.channels.next_multiple_of(written) <= room
        };
        let most = if *depthwise { 0 } else { self.group_most() as u8 };
        (0..=most).filter(fits).min_by_key(|&group| self.layer_cycles(layer, group))
    }

    /// Cycles of a layer's steps and results.
    pub(super) fn layer_cycles(&self, layer: &Layer, group: u8) -> u64 {
        let of = |shape: &Shape| {
            let [rows, columns] = shape.kernel;
            let steps = rows * columns * shape.channel_steps;
            let groups = u64::from(shape.blocks) * u64::from(shape.positions.div_ceil(self.pixels));
            groups * u64::from(steps.max(self.pixels * shape.chunks))
        };
        self.shapes(layer, group).iter().map(of).sum()
    }

    /// Full blocks, and the rest; of each all rows of the output, or pairs of them and the last two.
    fn shapes(&self, layer: &Layer, group: u8) -> Vec<Shape> {
        let Layer { output, window, depthwise, stored, .. } = layer;
        let twice = if stored.dual { 2 } else { 1 };
        let pairs = if stored.dual && *depthwise { Pairs::of(layer) } else { None };
        let per_block = (self.lanes >> group) * if pairs.is_some() { 1 } else { twice };
        let per_chunk = self.results >> group;
        let channel_steps = if *depthwise { 1 } else { layer.input.channels.div_ceil(1 << group) };
        let whole = Shape {
            first: 0,
            blocks: output.channels / per_block,
            chunks: per_block / per_chunk,
            channel_steps,
            pairs,
            first_output: [0, 0],
            columns: output.width,
            positions: output.height * output.width,
            kernel: window.kernel,
            again: false,
        };
        let rest = output.channels % per_block;
        let first = output.channels - rest;
        let rest =
            Shape { first, blocks: u32::from(rest > 0), chunks: rest.div_ceil(per_chunk), ..whole };
        let blocks = [whole, rest].into_iter().filter(|shape| shape.blocks > 0);
        let Some(pairs) = pairs else {
            return blocks.collect();
        };
        let paired = |shape: Shape| {
            pairs.runs().map(move |(first, count)| {
                let mut size = [output.height, output.width];
                let mut first_output = [0, 0];
                (size[pairs.axis], first_output[pairs.axis]) = (count, first);
                let [rows, columns] = size;
                Shape {
                    chunks: 2 * shape.chunks,
                    kernel: pairs.kernel(window.kernel),
                    columns,
                    positions: rows * columns,
                    first_output,
                    again: first > 0,
                    ..shape
                }
            })
        };
        blocks.flat_map(paired).collect()
    }

    /// Planes that a layer's weights take.
    pub fn planes(&self, layer: &Layer, group: u8) -> u64 {
        self.shapes(layer, group).iter().map(|shape| self.planes_of(layer, shape)).sum()
    }

    fn planes_of(&self, layer: &Layer, shape: &Shape) -> u64 {
        if shape.again {
            return 0;
        }
        let [rows, columns] = shape.kernel.map(u64::from);
        let Stored { bits, shared, hold, dual } = layer.stored;
        let bits =
            if shared || !self.narrow_weights { 8 } else { u64::from(bits) << u32::from(dual) };
        let steps = rows * columns * u64::from(shape.channel_steps);
        let steps = if hold { 1 } else { steps };
        u64::from(shape.blocks) * steps * bits
    }

    /// Adds a layer to a program: at most two jobs, four if it makes pairs of rows.
    ///
    /// Its places must be as [`best_group`](Self::best_group) has them for the group.
    pub fn lower(
        &self,
        program: &mut dyn Program,
        layer: &Layer,
        group: u8,
        numbers: &Numbers<'_>,
    ) {
        let (mut weights, mut scales) = (program.planes(), program.scale_rows());
        for shape in self.shapes(layer, group) {
            // pairs that are made again have the numbers of the job before
            if !shape.again {
                (weights, scales) = (program.planes(), program.scale_rows());
                let (planes, rows) = (self.planes_of(layer, &shape), shape.blocks * shape.chunks);
                let channels = shape.first..layer.output.channels;
                channels.for_each(|o| program.scales_by((numbers.scale)(o).multiplier));
                program.add(planes as usize, rows as usize, &|image| {
                    self.push_numbers(image, layer, group, &shape, numbers);
                });
            }
            let numbers = (weights as u32, scales as u32, numbers);
            program.jobs().push(Job::Convolve(self.job(layer, group, &shape, numbers)));
        }
    }

    fn job(
        &self,
        layer: &Layer,
        group: u8,
        shape: &Shape,
        (weights, scales, numbers): (u32, u32, &Numbers<'_>),
    ) -> Convolve {
        let Layer { input, output, window, depthwise, stored, largest } = *layer;
        let per_chunk = self.results >> group;
        let twice = if stored.dual && !depthwise { 2 } else { 1 };
        let steps = shape.kernel[0] * shape.kernel[1] * shape.channel_steps;
        let ends = (shape.channel_steps - 1) << group;
        let mut stride = window.stride;
        let mut output_pitch = output.pitch;
        if let Some(pairs) = shape.pairs {
            stride[pairs.axis] *= 2;
            output_pitch *= 1 + pairs.axis as u32;
        }
        let ([sy, sx], [dy, dx]) = (stride.map(i64::from), window.dilation.map(i64::from));
        let (pitch, line) = (i64::from(input.pitch), i64::from(input.width * input.pitch));
        let before = |axis: usize| {
            shape.first_output[axis] as i32 * window.stride[axis] as i32 - window.padding[axis]
        };
        let [y, x] = [0, 1].map(before);
        let first = if depthwise { i64::from(shape.first) } else { 0 };
        let within = i64::from(shape.kernel[1] - 1) * dx * pitch;
        let [row, column] = shape.first_output;
        Convolve {
            depthwise,
            group,
            weight_bits: stored.bits,
            shared: stored.shared,
            hold: stored.hold,
            dual: stored.dual,
            rounding: numbers.rounding,
            largest,
            wraps: false,
            input: address(
                i64::from(input.base) + i64::from(y) * line + i64::from(x) * pitch + first,
            ),
            height: input.height,
            width: input.width,
            y,
            x,
            padding: window.padded,
            stride,
            dilation: window.dilation,
            kernel: shape.kernel,
            channel_steps: shape.channel_steps,
            to_next_column: address(dx * pitch - i64::from(ends)),
            to_next_row: address(dy * line - within - i64::from(ends)),
            to_next_window: address(sx * pitch),
            to_next_line: address(sy * line - i64::from(shape.columns - 1) * sx * pitch),
            columns: shape.columns,
            positions: shape.positions,
            blocks: shape.blocks,
            block_input: if depthwise { self.lanes } else { 0 },
            block_output: twice * (self.lanes >> group),
            output: output.base + (row * output.width + column) * output.pitch + shape.first,
            output_pitch,
            chunks: shape.chunks,
            second: match shape.pairs {
                Some(pairs) => pairs.second(&output),
                None => (twice - 1) * per_chunk,
            },
            idle: (self.pixels * shape.chunks).saturating_sub(steps),
            weights,
            scales,
            clamp: numbers.clamp,
            nibbles: Nibbles { input: input.nibbles, second: false, output: output.nibbles },
        }
    }

    /// The weights and scales of a layer's blocks.
    fn push_numbers(
        &self,
        image: &mut Image,
        layer: &Layer,
        group: u8,
        shape: &Shape,
        numbers: &Numbers<'_>,
    ) {
        let per_chunk = self.results >> group;
        for block in 0..shape.blocks {
            let results = Results::new(self, layer, group, shape, block);
            self.push_weights(image, layer, shape, &results, numbers);
            for chunk in 0..shape.chunks {
                let scale = |r: u32| {
                    let channel = results.of_chunk(chunk) + r;
                    let known = r < per_chunk && channel < layer.output.channels;
                    if known { (numbers.scale)(channel) } else { Scale::default() }
                };
                image.scales.push((0..self.results).map(scale).collect());
            }
        }
    }

    /// A block's weights, in the order of its steps.
    fn push_weights(
        &self,
        image: &mut Image,
        layer: &Layer,
        shape: &Shape,
        results: &Results,
        numbers: &Numbers<'_>,
    ) {
        let Layer { input, output, window, depthwise, stored, .. } = *layer;
        let [rows, columns] = if stored.hold { [1, 1] } else { shape.kernel };
        let steps = if stored.hold { 1 } else { shape.channel_steps as usize };
        let (lanes, shared_by) = (self.lanes as usize, 1 << results.group);
        let mut row = vec![0; if depthwise { 1 } else { input.channels as usize }];
        // of all steps that see an element of the window: lanes' first weights, and their second ones
        let mut both =
            [vec![0; steps * lanes], vec![0; if stored.dual { steps * lanes } else { 0 }]];
        let bits = if stored.shared { ROW_PLANES as u8 } else { stored.bits };
        for at in (0..rows).flat_map(|ky| (0..columns).map(move |kx| [ky, kx])) {
            for (which, weights) in (0..).zip(&mut both).filter(|(_, weights)| !weights.is_empty())
            {
                weights.fill(0);
                // the element of its own window that each of two rows sees
                let seen = match shape.pairs {
                    Some(pairs) => pairs.element(which, at, window.kernel),
                    None => Some(at),
                };
                let Some([ky, kx]) = seen else { continue };
                for lane in (0..self.lanes).step_by(shared_by) {
                    let channel = results.of_lane(lane, which);
                    if channel < output.channels {
                        row.fill(0);
                        (numbers.weights)(channel, ky, kx, &mut row);
                        place_by_turns(&row, &mut weights[lane as usize..], (shared_by, lanes));
                    }
                }
            }
            let [first, second] = &mut both;
            for (first, second) in first.iter_mut().zip(second) {
                *first = interleaved([*first, *second], stored.bits);
            }
            for weights in first.chunks(lanes) {
                image.push_step(weights, bits << u8::from(stored.dual));
            }
        }
    }
}

/// Gives lanes that share a result its weights by turns, a step after the other, as long as there are steps.
fn place_by_turns(row: &[i8], to: &mut [i8], (shared_by, lanes): (usize, usize)) {
    // copies of so many bytes are quick where their number is known
    match shared_by {
        1 => place::<1>(row, to, lanes),
        2 => place::<2>(row, to, lanes),
        4 => place::<4>(row, to, lanes),
        8 => place::<8>(row, to, lanes),
        _ => place::<16>(row, to, lanes),
    }
}

fn place<const SHARED_BY: usize>(row: &[i8], to: &mut [i8], lanes: usize) {
    let (whole, rest) = row.as_chunks::<SHARED_BY>();
    let mut steps = to.chunks_mut(lanes);
    // a step is taken only where there are weights for it
    for (weights, step) in whole.iter().zip(steps.by_ref()) {
        step[..SHARED_BY].copy_from_slice(weights);
    }
    if let Some(step) = steps.next() {
        step[..rest.len()].copy_from_slice(rest);
    }
}

/// What a job says of some of a layer's channels.
#[derive(Clone, Copy)]
struct Shape {
    first: u32,
    blocks: u32,
    chunks: u32,
    channel_steps: u32,
    /// Outputs are made in pairs.
    pairs: Option<Pairs>,
    /// Row and column of the first output.
    first_output: [u32; 2],
    columns: u32,
    positions: u32,
    kernel: [u32; 2],
    /// Some of what the job before made.
    again: bool,
}

/// Which result of a block is made where.
struct Results {
    /// The block's first channel.
    first: u32,
    group: u8,
    per_chunk: u32,
    /// Channels from those of first weights to those of second ones.
    twin: u32,
    dual: bool,
}

impl Results {
    fn new(spec: &CnnSpec, layer: &Layer, group: u8, shape: &Shape, block: u32) -> Results {
        let per_chunk = spec.results >> group;
        let dual = layer.stored.dual;
        let twin = if dual && shape.pairs.is_none() { per_chunk } else { 0 };
        let per_block = (spec.lanes >> group) << u32::from(twin > 0);
        Results { first: shape.first + block * per_block, group, per_chunk, twin, dual }
    }

    /// The channel that a lane's first or second weight is for.
    fn of_lane(&self, lane: u32, which: u32) -> u32 {
        let result = lane >> self.group;
        let (chunk, within) = (result / self.per_chunk, result % self.per_chunk);
        self.first + chunk * (self.per_chunk + self.twin) + which * self.twin + within
    }

    /// The first channel of a chunk; of two weights' results a chunk each.
    fn of_chunk(&self, chunk: u32) -> u32 {
        let (lanes, which) = if self.dual { (chunk / 2, chunk % 2) } else { (chunk, 0) };
        self.of_lane(lanes * (self.per_chunk << self.group), which)
    }
}

/// An address, or a difference of two.
fn address(value: i64) -> u32 {
    (value & ((1 << ADDRESS_BITS) - 1)) as u32
}
