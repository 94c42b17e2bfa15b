//! From the shape of a layer to jobs, weights in planes and rows of scales.

use super::CnnSpec;
use super::image::{Image, Program, ROW_PLANES};
use super::job::{Clamp, Convolve, Job, Rounding, Scale};
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
}

impl Place {
    /// Bytes from the first to the last, the pitch's rest included.
    pub fn bytes(&self) -> u32 {
        self.height * self.width * self.pitch
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
}

impl Stored {
    /// Whether half a step stands below each weight, so that none is 0.
    pub fn halves(&self) -> bool {
        self.shared && self.bits < 8
    }
}

/// Weights and scales of a layer.
pub struct Numbers<'n> {
    /// The weight of an output channel for a window's row, column and input channel; 0 in a
    /// depthwise layer.
    pub weight: &'n dyn Fn(u32, u32, u32, u32) -> i8,
    /// The scale of an output channel.
    pub scale: &'n dyn Fn(u32) -> Scale,
    /// How a scaled sum is rounded.
    pub rounding: Rounding,
    /// Behind it.
    pub clamp: Clamp,
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
            exact(*group)
                && input.base.is_multiple_of(read)
                && input.pitch.is_multiple_of(read)
                && output.base.is_multiple_of(written)
                && (one || output.pitch.is_multiple_of(written))
                && output.channels.next_multiple_of(written) <= room
        };
        let cycles = |group: &u8| {
            let jobs = self.shapes(layer, *group);
            let of = |shape: &Shape| {
                let steps = layer.window.kernel[0] * layer.window.kernel[1] * shape.channel_steps;
                u64::from(shape.blocks) * u64::from(steps.max(self.pixels * shape.chunks))
            };
            jobs.iter().map(of).sum::<u64>()
        };
        let most = if *depthwise { 0 } else { self.group_most() as u8 };
        (0..=most).filter(fits).min_by_key(cycles)
    }

    /// Full blocks, and the rest.
    fn shapes(&self, layer: &Layer, group: u8) -> Vec<Shape> {
        let per_block = self.lanes >> group;
        let per_chunk = self.results >> group;
        let channels = layer.output.channels;
        let channel_steps =
            if layer.depthwise { 1 } else { layer.input.channels.div_ceil(1 << group) };
        let shape = |first: u32, blocks: u32, results: u32| Shape {
            first,
            blocks,
            chunks: results.div_ceil(per_chunk),
            channel_steps,
        };
        let (full, rest) = (channels / per_block, channels % per_block);
        let mut shapes = vec![];
        if full > 0 {
            shapes.push(shape(0, full, per_block));
        }
        if rest > 0 {
            shapes.push(shape(full * per_block, 1, rest));
        }
        shapes
    }

    /// Planes that a layer's weights take.
    pub fn planes(&self, layer: &Layer, group: u8) -> u64 {
        self.shapes(layer, group).iter().map(|shape| self.planes_of(layer, shape)).sum()
    }

    fn planes_of(&self, layer: &Layer, shape: &Shape) -> u64 {
        let [rows, columns] = layer.window.kernel.map(u64::from);
        let bits = if layer.stored.shared || !self.narrow_weights { 8 } else { layer.stored.bits };
        let steps = rows * columns * u64::from(shape.channel_steps);
        let steps = if layer.stored.hold { 1 } else { steps };
        u64::from(shape.blocks) * steps * u64::from(bits)
    }

    /// Adds a layer to a program: at most two jobs.
    ///
    /// Its places must be as [`best_group`](Self::best_group) has them for the group.
    pub fn lower(
        &self,
        program: &mut dyn Program,
        layer: &Layer,
        group: u8,
        numbers: &Numbers<'_>,
    ) {
        let Layer { input, output, window, depthwise, stored, largest } = *layer;
        let per_block = self.lanes >> group;
        for shape in self.shapes(layer, group) {
            let steps = window.kernel[0] * window.kernel[1] * shape.channel_steps;
            let ends = (shape.channel_steps - 1) << group;
            let [sy, sx] = window.stride;
            let [dy, dx] = window.dilation;
            let (pitch, line) = (i64::from(input.pitch), i64::from(input.width * input.pitch));
            let [top, left] = window.padding.map(i64::from);
            let first = if depthwise { i64::from(shape.first) } else { 0 };
            let within = i64::from(window.kernel[1] - 1) * i64::from(dx) * pitch;
            let job = Convolve {
                depthwise,
                group,
                weight_bits: stored.bits,
                shared: stored.shared,
                hold: stored.hold,
                rounding: numbers.rounding,
                largest,
                input: address(i64::from(input.base) - top * line - left * pitch + first),
                height: input.height,
                width: input.width,
                y: -window.padding[0],
                x: -window.padding[1],
                padding: window.padded,
                stride: window.stride,
                dilation: window.dilation,
                kernel: window.kernel,
                channel_steps: shape.channel_steps,
                to_next_column: address(i64::from(dx) * pitch - i64::from(ends)),
                to_next_row: address(i64::from(dy) * line - within - i64::from(ends)),
                to_next_window: address(i64::from(sx) * pitch),
                to_next_line: address(
                    i64::from(sy) * line - i64::from(output.width - 1) * i64::from(sx) * pitch,
                ),
                columns: output.width,
                positions: output.height * output.width,
                blocks: shape.blocks,
                block_input: if depthwise { self.lanes } else { 0 },
                block_output: per_block,
                output: output.base + shape.first,
                output_pitch: output.pitch,
                chunks: shape.chunks,
                idle: (self.pixels * shape.chunks).saturating_sub(steps),
                weights: program.planes() as u32,
                scales: program.scale_rows() as u32,
                clamp: numbers.clamp,
                wraps: false,
            };
            let (planes, rows) = (self.planes_of(layer, &shape), shape.blocks * shape.chunks);
            program.add(planes as usize, rows as usize, &|image| {
                self.push_numbers(image, layer, group, &shape, numbers);
            });
            program.jobs().push(Job::Convolve(job));
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
        let (per_block, per_chunk) = (self.lanes >> group, self.results >> group);
        for block in 0..shape.blocks {
            let channel = shape.first + block * per_block;
            self.push_weights(image, layer, group, (channel, shape.channel_steps), numbers);
            for chunk in 0..shape.chunks {
                let scale = |r: u32| {
                    let channel = channel + chunk * per_chunk + r;
                    let known = r < per_chunk && channel < layer.output.channels;
                    if known { (numbers.scale)(channel) } else { Scale::default() }
                };
                image.scales.push((0..self.results).map(scale).collect());
            }
        }
    }

    /// A block's weights from output channel `first` on, in the order of its steps.
    fn push_weights(
        &self,
        image: &mut Image,
        layer: &Layer,
        group: u8,
        (first, channel_steps): (u32, u32),
        numbers: &Numbers<'_>,
    ) {
        let Layer { input, output, window, depthwise, stored, .. } = *layer;
        let bits = if stored.shared { ROW_PLANES as u8 } else { stored.bits };
        let [rows, columns] = if stored.hold { [1, 1] } else { window.kernel };
        let mut weights = vec![0; self.lanes as usize];
        for (ky, kx) in (0..rows).flat_map(|ky| (0..columns).map(move |kx| (ky, kx))) {
            for step in 0..if stored.hold { 1 } else { channel_steps } {
                for (lane, weight) in (0..self.lanes).zip(&mut weights) {
                    let channel = first + (lane >> group);
                    let seen = if depthwise { 0 } else { (step << group) + lane % (1 << group) };
                    let known = channel < output.channels && (depthwise || seen < input.channels);
                    *weight = if known { (numbers.weight)(channel, ky, kx, seen) } else { 0 };
                }
                image.push_step(&weights, bits);
            }
        }
    }
}

/// What a job says of some of a layer's channels.
struct Shape {
    first: u32,
    blocks: u32,
    chunks: u32,
    channel_steps: u32,
}

/// An address, or a difference of two.
fn address(value: i64) -> u32 {
    (value & ((1 << ADDRESS_BITS) - 1)) as u32
}
