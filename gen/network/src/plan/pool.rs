//! Layers that see each channel alone and have no weights: pools, means, changes of scale.

use super::draft::kept;
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
                let (divided, by) = division(self.name, count, range.clone(), rounding)?;
                let scale = Scale { bias: divided.bias - zero * count as i32, ..divided };
                bits = bits.max(sum_bits(count, &scale));
                let first = [row.first, column.first];
                for part in strips(&to, first, [row.count, column.count]) {
                    let window = moved(&whole, part.first);
                    let numbers = (scale, by, clamp);
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

    /// The mean over any axes.
    pub(super) fn mean(
        &self,
        image: &mut Image,
        (from, to): (Place, Place),
        axes: &[usize],
        (multiplier, rounding): (graph::Multiplier, Rounding),
        clamp: graph::Clamp,
    ) -> Result<u32, PlanError> {
        let (whole, kept) = (self.x.image(), kept(self.x, axes));
        let sides = [0, 1, 2].map(|axis| (whole[axis] / kept[axis]) as u32);
        let kernel = [sides[0] as usize, sides[1] as usize];
        let window =
            graph::Window { kernel, stride: [1; 2], dilation: [1; 2], pads: Pads::default() };
        let count: u32 = sides.iter().product();
        let zero = self.x.zero_point - offset(self.x);
        let Some(bias) = i32::try_from(count).ok().and_then(|count| count.checked_mul(-zero))
        else {
            let what = format!("it takes the mean of {count} elements");
            return Err(unsupported(self.name, what, "shrink the image before"));
        };
        let scale = scale(self.name, multiplier, bias)?;
        let [height, width, _] = kept.map(|side| side as u32);
        let to = Place { height, width, ..to };
        let (window, clamp) = (self.window(&window), self.clamp(clamp));
        if sides[2] == 1 {
            self.alone(image, (from, to), window, (scale, rounding, clamp), Sum::All)?;
        } else {
            let numbers = Numbers { weight: &|_, _, _, _| 1, scale: &|_| scale, rounding, clamp };
            self.dense_of(image, (from, to), window, &numbers)?;
        }
        Ok(sum_bits(count, &scale))
    }

    /// Another scale; a negative one is that of the negated input.
    pub(super) fn requantize(
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
        // of an image's height, width and channels; a tensor of fewer axes has the last ones
        let mut rim = [0; 3];
        rim[3 - before.len()..].copy_from_slice(before);
        let [top, left, first] = rim.map(|rim| rim as i32);
        let byte = value - offset(self.x);
        let window = Window {
            kernel: [1; 2],
            stride: [1; 2],
            dilation: [1; 2],
            padding: [top, left],
            padded: byte as i8,
        };
        let clamp = Clamp { zero: 0, ..self.clamp(graph::Clamp::of(self.output)) };
        if first == 0 && after.last() == Some(&0) {
            self.alone(image, places, window, (ONE, Rounding::Twice, clamp), Sum::All)?;
        } else {
            // each output channel sees one of the input's, or is but a bias
            let own = |o: u32| {
                let c = o.checked_sub(first as u32);
                c.filter(|c| *c < places.0.channels)
            };
            let weight = |o: u32, _: u32, _: u32, c: u32| i8::from(own(o) == Some(c));
            let scale = |o: u32| match own(o) {
                Some(_) => ONE,
                None => Scale { bias: byte, ..ONE },
            };
            let numbers =
                Numbers { weight: &weight, scale: &scale, rounding: Rounding::Twice, clamp };
            self.dense_of(image, places, window, &numbers)?;
        }
        Ok(sum_bits(1, &Scale { bias: byte, ..ONE }))
    }

    /// The same elements in another place.
    pub(super) fn moved(
        &self,
        image: &mut Image,
        places: (Place, Place),
        padding: [i32; 2],
    ) -> Result<u32, PlanError> {
        let window =
            Window { kernel: [1; 2], stride: [1; 2], dilation: [1; 2], padding, padded: 0 };
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
        let one = if sum == Sum::Negated { -1 } else { 1 };
        let stored = Stored { bits: 8, shared: false, hold: true };
        let largest = sum == Sum::Largest;
        let layer = Layer { input, output, window, depthwise: true, stored, largest };
        if largest || self.spec.best_group(&layer, self.room).is_some() {
            let weight = |_: u32, _: u32, _: u32, _: u32| one;
            let numbers = Numbers { weight: &weight, scale: &|_| scale, rounding, clamp };
            return self.push(image, &layer, self.room, &numbers);
        }
        let weight = |o: u32, _: u32, _: u32, c: u32| if o == c { one } else { 0 };
        let numbers = Numbers { weight: &weight, scale: &|_| scale, rounding, clamp };
        self.dense_of(image, (input, output), window, &numbers)
    }

    /// Every output channel a sum of all input channels.
    fn dense_of(
        &self,
        image: &mut Image,
        (input, output): (Place, Place),
        window: Window,
        numbers: &Numbers<'_>,
    ) -> Result<(), PlanError> {
        let stored = Stored { bits: 8, shared: false, hold: false };
        let layer = Layer { input, output, window, depthwise: false, stored, largest: false };
        self.push(image, &layer, self.room, numbers)
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
pub(super) struct Strip {
    pub(super) first: [u32; 2],
    pub(super) place: Place,
}

/// A rectangle of outputs as strips, each of positions that lie equally far apart.
pub(super) fn strips(whole: &Place, [y, x]: [u32; 2], [rows, columns]: [u32; 2]) -> Vec<Strip> {
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
