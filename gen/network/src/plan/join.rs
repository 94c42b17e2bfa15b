//! Concatenations: parts lie in the whole already, or are copied there.

use super::error::PlanError;
use super::lower::Lowering;
use super::pool::strips;
use crate::graph::Tensor;
use hwgen_designs::cnn::Image;
use hwgen_designs::cnn::lower::Place;

/// A part of a concatenation.
pub(super) struct Part<'n> {
    pub(super) tensor: &'n Tensor,
    pub(super) place: Place,
    /// It was made where it is to be.
    pub(super) lies_there: bool,
}

impl Lowering<'_> {
    /// Parts side by side, or one behind the other.
    pub(super) fn join(
        &self,
        image: &mut Image,
        to: Place,
        axis: usize,
        parts: &[Part<'_>],
    ) -> Result<u32, PlanError> {
        // of height, width and channels
        let axis = axis + 3 - self.output.shape.len();
        let (mut first, mut bits) = ([0; 3], 0);
        for (n, part) in parts.iter().enumerate() {
            let Place { height, width, channels, .. } = part.place;
            if !part.lies_there {
                let [y, x, c] = first;
                let last = n + 1 == parts.len();
                let room = if last || axis < 2 { self.room - c } else { channels };
                let copying = Lowering { x: part.tensor, room, ..*self };
                let whole = Place { base: to.base + c, channels, ..to };
                for strip in strips(&whole, [y, x], [height, width]) {
                    // what comes first in the part
                    let padding = [y, x].map(|side| side as i32);
                    let begins = strip.first.map(|side| side as i32);
                    let padding = [padding[0] - begins[0], padding[1] - begins[1]];
                    let places = (part.place, strip.place);
                    bits = bits.max(copying.moved(image, places, padding)?);
                }
            }
            first[axis] += [height, width, channels][axis];
        }
        Ok(bits)
    }
}
