//! Windows on images.

use super::check::{Result, within};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A kernel's height and width, or its steps.
pub type Kernel = [usize; 2];

/// Windows on an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// Height, width.
    pub kernel: Kernel,
    /// Rows, columns from window to window.
    pub stride: Kernel,
    /// Rows, columns from element to element of a window.
    #[serde(default = "ones")]
    pub dilation: Kernel,
    /// Room around the image.
    pub pads: Pads,
}

fn ones() -> Kernel {
    [1, 1]
}

/// Rows and columns around an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pads {
    /// Rows above.
    pub top: usize,
    /// Columns before.
    pub left: usize,
    /// Rows below.
    pub bottom: usize,
    /// Columns after.
    pub right: usize,
}

impl Window {
    /// Height and width of the result on an image of this height and width; `None` if the window
    /// is larger than the image and its rim, or a step is 0.
    pub fn output(&self, image: [usize; 2]) -> Option<[usize; 2]> {
        let pads = [self.pads.top + self.pads.bottom, self.pads.left + self.pads.right];
        let mut output = [0; 2];
        for side in 0..2 {
            let span = self.kernel[side].checked_sub(1)? * self.dilation[side] + 1;
            let room = (image[side] + pads[side]).checked_sub(span)?;
            output[side] = room.checked_div(self.stride[side])? + 1;
        }
        Some(output)
    }

    /// Every side is in range.
    pub(crate) fn check(&self, place: &str) -> Result<()> {
        let Window { kernel, stride, dilation, pads } = self;
        for (name, sizes) in [("kernel", kernel), ("stride", stride), ("dilation", dilation)] {
            for (n, &size) in sizes.iter().enumerate() {
                within(place, &format!("window.{name}[{n}]"), size as i64, 1, 4096)?;
            }
        }
        let pads = [
            ("top", pads.top),
            ("left", pads.left),
            ("bottom", pads.bottom),
            ("right", pads.right),
        ];
        for (name, size) in pads {
            within(place, &format!("window.pads.{name}"), size as i64, 0, 4096)?;
        }
        Ok(())
    }
}
