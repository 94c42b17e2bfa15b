//! Layers that see each channel alone and have no weights: pools, means, changes of scale.

use super::error::{PlanError, unsupported};
use super::lower::Lowering;
use super::offset;
use super::scale::{division, scale};
use crate::graph::{self, Pads};
use hwgen_designs::cnn::lower::{Layer, Numbers, Place, Stored, Window};
use hwgen_designs::cnn::{Clamp, Image, Rounding, Scale};

/// A scale of 1: a multiplier of 2^30, shifted to the left once.
const ONE: Scale = Scale { bias: 0, multiplier: 1 << 30, left: 1, right: 0 };

impl Lowering<'_> {
    /// The mean of what lies inside the image: where windows begin and end outside, jobs of their
    /// own, as many elements are counted.
    pub(super) fn average(
        &self,
        image: &mut Image,
        (from, to): (Place, Place),
        window: graph::Window,
        rounding: Rounding,
        clamp: graph::Clamp,
    ) -> Result<u32, PlanError> {
        let whole = self.window(&window);
        // outside stands 0, so that sums are those of what is inside
        let whole = Window { padded: 0, ..whole };
        let x = self.x;
        // TFLite rounds the mean of the integers themselves, others that of what they stand for
        let zero_point = if rounding == Rounding::Twice { 0 } else { x.zero_point };
        let zero = zero_point - offset(x);
        let clamp = Clamp { zero: zero as i8, ..self.clamp(clamp) };
        let range = match rounding {
            Rounding::Twice if offset(x) == 0 => -128..=127,
            _ => x.lowest() - zero_point..=x.highest() - zero_point,
        };
        let sides = [(from.height, to.height), (from.width, to.width)];
        let [rows, columns] = [0, 1].map(|axis| parts(&whole, axis, sides[axis].0, sides[axis].1));
        let mut bits = 0;
        for row in &rows {
            for column in &columns {
                let count = row.inside * column.inside;
                let divided = division(self.name, count, range.clone(), rounding)?;
                let scale = Scale { bias: -zero * count as i32, ..divided };
                bits = bits.max(sum_bits(count, &scale));
                let first = [row.first, column.first];
                for part in strips(&to, first, [row.count, column.count]) {
                    let window = moved(&whole, part.first);
                    let numbers = (scale, rounding, clamp);
                    self.alone(image, (from, part.place), window, numbers, Sum::All)?;
                }
            }
        }
        Ok(bits)
    }

    /// The largest of what lies inside the image: outside stands what is never larger.
    pub(super) fn largest(
        &self,
        image: &mut Image,
        places: (Place, Place),
        window: graph::Window,
        clamp: graph::Clamp,
    ) -> Result<u32, PlanError> {
        if !self.spec.maxima {
            let instead = "set the core's `maxima`";
            return Err(unsupported(self.name, "the core knows no largest", instead));
        }
        let window = Window { padded: i8::MIN, ..self.window(&window) };
        let clamp = Clamp { zero: 0, ..self.clamp(clamp) };
        self.alone(image, places, window, (ONE, Rounding::Twice, clamp), Sum::Largest)?;
        Ok(sum_bits(1, &ONE))
    }

    /// The mean over rows and columns.
    pub(super) fn mean(
        &self,
        image: &mut Image,
        (from, to): (Place, Place),
        axes: &[usize],
        (multiplier, rounding): (graph::Multiplier, Rounding),
        clamp: graph::Clamp,
    ) -> Result<u32, PlanError> {
        let x = self.x;
        if x.shape.len() != 3 || axes[..] != [0, 1] {
            let what = format!("it takes the mean over axes {axes:?}");
            return Err(unsupported(self.name, what, "take it over rows and columns"));
        }
        let kernel = [x.shape[0], x.shape[1]];
        let window =
            graph::Window { kernel, stride: [1; 2], dilation: [1; 2], pads: Pads::default() };
        let count = (kernel[0] * kernel[1]) as u32;
        let zero = x.zero_point - offset(x);
        let scale = scale(self.name, multiplier, -zero * count as i32)?;
        let to = Place { height: 1, width: 1, channels: from.channels, ..to };
        let numbers = (scale, rounding, self.clamp(clamp));
        self.alone(image, (from, to), self.window(&window), numbers, Sum::All)?;
        Ok(sum_bits(count, &scale))
    }

    /// Another scale; a negative one is that of the negated input.
    pub(super) fn requantise(
        &self,
        image: &mut Image,
        (from, to): (Place, Place),
        (multiplier, rounding): (graph::Multiplier, Rounding),
        clamp: graph::Clamp,
    ) -> Result<u32, PlanError> {
        let zero = self.x.zero_point - offset(self.x);
        let (sum, bias, mantissa) = match multiplier.mantissa < 0 {
            true => (Sum::Negated, zero, multiplier.mantissa.saturating_neg()),
            false => (Sum::All, -zero, multiplier.mantissa),
        };
        let scale = scale(self.name, graph::Multiplier { mantissa, ..multiplier }, bias)?;
        let window =
            Window { kernel: [1; 2], stride: [1; 2], dilation: [1; 2], padding: [0; 2], padded: 0 };
        let numbers = (scale, rounding, self.clamp(clamp));
        self.alone(image, (from, to), window, numbers, sum)?;
        Ok(sum_bits(1, &scale))
    }

    /// A rim of some number: windows of one element, some of them outside.
    pub(super) fn pad(
        &self,
        image: &mut Image,
        places: (Place, Place),
        before: &[usize],
        after: &[usize],
        value: i32,
    ) -> Result<u32, PlanError> {
        let (&[top, left, 0], &[_, _, 0]) = (before, after) else {
            let what = format!("it pads by {before:?} before and {after:?} behind");
            return Err(unsupported(self.name, what, "pad rows and columns of images only"));
        };
        let window = Window {
            kernel: [1; 2],
            stride: [1; 2],
            dilation: [1; 2],
            padding: [top as i32, left as i32],
            padded: (value - offset(self.x)) as i8,
        };
        let clamp = Clamp { zero: 0, ..self.clamp(graph::Clamp::of(self.output)) };
        self.alone(image, places, window, (ONE, Rounding::Twice, clamp), Sum::All)?;
        Ok(sum_bits(1, &ONE))
    }

    /// A part of the rows, columns and channels.
    pub(super) fn part(
        &self,
        image: &mut Image,
        (from, to): (Place, Place),
        (begin, size): (&[usize], &[usize]),
    ) -> Result<u32, PlanError> {
        // of rows, columns, channels; an axis that the shape has not is one of 1
        let of = |list: &[usize], rest: u32| {
            let mut all = [rest; 3];
            let own = all[3 - list.len()..].iter_mut().zip(list);
            own.for_each(|(to, &size)| *to = size as u32);
            all
        };
        let ([y, x, channel], [height, width, channels]) = (of(begin, 0), of(size, 1));
        if channels != to.channels {
            let what = "its one channel becomes columns";
            return Err(unsupported(self.name, what, "keep the axis of channels"));
        }
        let base = from.base + (y * from.width + x) * from.pitch + channel;
        let input = Place { base, height, channels, ..from };
        let output = Place { height, width, ..to };
        let window =
            Window { kernel: [1; 2], stride: [1; 2], dilation: [1; 2], padding: [0; 2], padded: 0 };
        let clamp = Clamp { zero: 0, ..self.clamp(graph::Clamp::of(self.output)) };
        self.alone(image, (input, output), window, (ONE, Rounding::Twice, clamp), Sum::All)?;
        Ok(sum_bits(1, &ONE))
    }

    /// Every channel on its own, all elements of a window with one weight. Where channels do not
    /// lie as lanes read them, and no largest is wanted, a dense layer that sees but one of them.
    fn alone(
        &self,
        image: &mut Image,
        (input, output): (Place, Place),
        window: Window,
        (scale, rounding, clamp): (Scale, Rounding, Clamp),
        sum: Sum,
    ) -> Result<(), PlanError> {
        let lanes = self.spec.lanes;
        let aligned = input.base.is_multiple_of(lanes) && input.pitch.is_multiple_of(lanes);
        let largest = sum == Sum::Largest;
        let depthwise = aligned || largest;
        let stored = Stored { bits: 8, shared: false, hold: depthwise };
        let layer = Layer { input, output, window, depthwise, stored, largest };
        let one = if sum == Sum::Negated { -1 } else { 1 };
        let weight = |o: u32, _: u32, _: u32, c: u32| if depthwise || o == c { one } else { 0 };
        let numbers = Numbers { weight: &weight, scale: &|_| scale, rounding, clamp };
        let group = if depthwise { 0 } else { self.spec.best_group(&layer) };
        self.push(image, &layer, group, &numbers)
    }
}

/// What becomes of a window's elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sum {
    All,
    Negated,
    Largest,
}

/// Outputs along an axis whose windows have as many elements inside the image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Part {
    first: u32,
    count: u32,
    inside: u32,
}

/// The outputs along an axis, cut where the number of elements inside changes.
fn parts(window: &Window, axis: usize, input: u32, output: u32) -> Vec<Part> {
    let mut parts: Vec<Part> = vec![];
    for at in 0..output {
        let first = i64::from(at * window.stride[axis]) - i64::from(window.padding[axis]);
        let element = |k: u32| first + i64::from(k * window.dilation[axis]);
        let inside = (0..window.kernel[axis]).filter(|&k| (0..input.into()).contains(&element(k)));
        let inside = inside.count() as u32;
        match parts.last_mut() {
            Some(part) if part.inside == inside => part.count += 1,
            _ => parts.push(Part { first: at, count: 1, inside }),
        }
    }
    parts
}

/// Outputs that one job makes: whole lines, or a line, or a column.
struct Strip {
    first: [u32; 2],
    place: Place,
}

/// A rectangle of outputs as strips, each of positions that lie equally far apart.
fn strips(whole: &Place, [y, x]: [u32; 2], [rows, columns]: [u32; 2]) -> Vec<Strip> {
    let strip = |first: [u32; 2], height: u32, width: u32, pitch: u32| {
        let base = whole.base + (first[0] * whole.width + first[1]) * whole.pitch;
        Strip { first, place: Place { base, height, width, pitch, ..*whole } }
    };
    if columns == whole.width {
        return vec![strip([y, x], rows, columns, whole.pitch)];
    }
    match rows <= columns {
        true => (y..y + rows).map(|y| strip([y, x], 1, columns, whole.pitch)).collect(),
        false => {
            let line = whole.width * whole.pitch;
            (x..x + columns).map(|x| strip([y, x], rows, 1, line)).collect()
        }
    }
}

/// A window that begins at another output.
fn moved(window: &Window, first: [u32; 2]) -> Window {
    let padding =
        [0, 1].map(|axis| window.padding[axis] - (first[axis] * window.stride[axis]) as i32);
    Window { padding, ..*window }
}

/// Bits of a sum of so many bytes, shifted to the left as its scale has it.
fn sum_bits(count: u32, scale: &Scale) -> u32 {
    let most = (128 * u64::from(count) + u64::from(scale.bias.unsigned_abs())) << scale.left;
    64 - most.leading_zeros() + 1
}
