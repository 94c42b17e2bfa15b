//! Layers that see each channel alone and have no weights, and how they are cut into jobs.

use super::{Lowering, PlanError};
use hwgen_designs::cnn::lower::{Layer, Numbers, Place, Stored, Window, one_by_one};
use hwgen_designs::cnn::{Clamp, Program, Rounding, Scale};

/// A scale of 1: a multiplier of 2^30, shifted to the left once.
pub(crate) const UNSCALED: Scale = Scale { bias: 0, multiplier: 1 << 30, left: 1, right: 0 };

/// A window of one element.
pub(crate) const UNIT: Window =
    Window { kernel: [1; 2], stride: [1; 2], dilation: [1; 2], padding: [0; 2], padded: 0 };

impl Lowering<'_> {
    /// Every channel on its own, all elements of a window with one weight. Where channels do not
    /// lie as lanes read them, and no largest is wanted, a dense layer that sees but one of them.
    pub(crate) fn alone(
        &self,
        program: &mut dyn Program,
        (input, output): (Place, Place),
        window: Window,
        (scale, rounding, clamp): (Scale, Rounding, Clamp),
        sum: Sum,
    ) -> Result<(), PlanError> {
        let one = if sum == Sum::Negated { -1 } else { 1 };
        let stored = Stored { bits: 8, shared: false, hold: true, dual: false };
        let largest = sum == Sum::Largest;
        let layer = Layer { input, output, window, depthwise: true, stored, largest };
        if largest || self.spec.best_group(&layer, self.room).is_some() {
            let weight = |_: u32, _: u32, _: u32, _: u32| one;
            let numbers =
                Numbers { weights: &one_by_one(weight), scale: &|_| scale, rounding, clamp };
            return self.push(program, &layer, self.room, &numbers);
        }
        let weight = |o: u32, _: u32, _: u32, c: u32| if o == c { one } else { 0 };
        let numbers = Numbers { weights: &one_by_one(weight), scale: &|_| scale, rounding, clamp };
        self.dense_of(program, (input, output), window, &numbers)
    }

    /// Every output channel a sum of all input channels.
    pub(crate) fn dense_of(
        &self,
        program: &mut dyn Program,
        (input, output): (Place, Place),
        window: Window,
        numbers: &Numbers<'_>,
    ) -> Result<(), PlanError> {
        let stored = Stored { bits: 8, shared: false, hold: false, dual: false };
        let layer = Layer { input, output, window, depthwise: false, stored, largest: false };
        self.push(program, &layer, self.room, numbers)
    }
}

/// What becomes of a window's elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sum {
    All,
    Negated,
    Largest,
}

/// Outputs along an axis whose windows have as many elements inside the image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) first: u32,
    pub(crate) count: u32,
    pub(crate) inside: u32,
}

/// The outputs along an axis, cut where the number of elements inside changes.
pub(crate) fn parts(window: &Window, axis: usize, input: u32, output: u32) -> Vec<Part> {
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
pub(crate) struct Strip {
    pub(crate) first: [u32; 2],
    pub(crate) place: Place,
}

/// A rectangle of outputs as strips, each of positions that lie equally far apart.
pub(crate) fn strips(whole: &Place, [y, x]: [u32; 2], [rows, columns]: [u32; 2]) -> Vec<Strip> {
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
pub(crate) fn moved(window: &Window, first: [u32; 2]) -> Window {
    let padding =
        [0, 1].map(|axis| window.padding[axis] - (first[axis] * window.stride[axis]) as i32);
    Window { padding, ..*window }
}

/// Bits of a sum of so many bytes, shifted to the left as its scale has it.
pub(crate) fn sum_bits(count: u32, scale: &Scale) -> u32 {
    let most = (128 * u64::from(count) + u64::from(scale.bias.unsigned_abs())) << scale.left;
    64 - most.leading_zeros() + 1
}
