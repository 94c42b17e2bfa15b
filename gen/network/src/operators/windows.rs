//! Windows on images, as convolutions and pools see them.

use super::{Checked, Shape};
use crate::basics::check::{same_kind, within};
use crate::basics::{Clamp, Tensor, Window};

/// The values of a pool.
pub(super) fn check(
    place: &str,
    window: &Window,
    clamp: Clamp,
    x: &Tensor,
    output: &Tensor,
) -> Checked {
    clamp.check(place, output)?;
    window.check(place)?;
    for (side, &dilation) in ["dilation[0]", "dilation[1]"].iter().zip(&window.dilation) {
        within(place, side, dilation as i64, 1, 1)?;
    }
    // a window that lies in the rim alone has no elements
    let rims = [
        ("pads.top", window.pads.top, 0),
        ("pads.left", window.pads.left, 1),
        ("pads.bottom", window.pads.bottom, 0),
        ("pads.right", window.pads.right, 1),
    ];
    for (name, rim, side) in rims {
        within(place, name, rim as i64, 0, window.kernel[side] as i64 - 1)?;
    }
    same_kind(place, x, output)
}

/// The shape that a pool makes.
pub(super) fn pooled(window: &Window, x: &[usize]) -> Shape {
    shape(window, x, image(x)?[2])
}

/// The shape of so many channels at each place of a window.
pub(super) fn shape(window: &Window, x: &[usize], channels: usize) -> Shape {
    let [height, width, _] = image(x)?;
    let Some([rows, columns]) = window.output([height, width]) else {
        return Err(format!("the window is larger than the image {x:?} and its rim"));
    };
    Ok(vec![rows, columns, channels])
}

/// Height, width, channels.
pub(super) fn image(shape: &[usize]) -> Result<[usize; 3], String> {
    let problem = |_| format!("the input {shape:?} is no image: must be height, width, channels");
    shape.try_into().map_err(problem)
}

/// Where a window lies on the image.
pub(super) struct Place {
    window: Window,
    pub(super) x: [usize; 3],
    pub(super) z: [usize; 3],
}

impl Place {
    pub(super) fn new(window: Window, x: &Tensor, output: &Tensor) -> Place {
        Place { window, x: x.image(), z: output.image() }
    }

    /// Calls `visit` with the tap and the first element of its pixel for each tap of the window
    /// at output pixel `n` that lies on the image.
    pub(super) fn taps(&self, n: usize, mut visit: impl FnMut(usize, usize)) {
        let Window { kernel, stride, dilation, pads } = self.window;
        let (row, column) = (n / self.z[1], n % self.z[1]);
        for y in 0..kernel[0] {
            let Some(from_top) = (row * stride[0] + y * dilation[0]).checked_sub(pads.top) else {
                continue;
            };
            if from_top >= self.x[0] {
                break;
            }
            for x in 0..kernel[1] {
                let from_left = (column * stride[1] + x * dilation[1]).checked_sub(pads.left);
                if let Some(from_left) = from_left.filter(|&from_left| from_left < self.x[1]) {
                    visit(y * kernel[1] + x, (from_top * self.x[1] + from_left) * self.x[2]);
                }
            }
        }
    }
}

/// The windows of a pooling layer.
pub(super) struct Windows {
    place: Place,
    channels: usize,
}

impl Windows {
    pub(super) fn new(window: Window, x: &Tensor, output: &Tensor) -> Windows {
        Windows { place: Place::new(window, x, output), channels: x.image()[2] }
    }

    /// Hands every result the elements of its window that lie on the image.
    pub(super) fn reduce(
        &self,
        x: &[i16],
        output: &mut [i16],
        reduce: impl Fn(&mut dyn Iterator<Item = i32>) -> i32,
    ) {
        let mut pixels = Vec::new();
        for (n, results) in output.chunks_exact_mut(self.channels).enumerate() {
            pixels.clear();
            self.place.taps(n, |_, first| pixels.push(first));
            for (channel, result) in results.iter_mut().enumerate() {
                *result = reduce(&mut pixels.iter().map(|first| x[first + channel].into())) as i16;
            }
        }
    }
}
