//! A picture of a layout: cells grey, each metal in a color of its own.

use super::{AsicError, Layout};
use plotters::prelude::*;
use std::path::Path;

/// Pixels of the longer side.
const PIXELS: f64 = 1600.0;

/// Width of a wire in micrometres.
const WIRE_UM: f64 = 0.3;

/// Colors of metal 1, 2, ...
const METALS: [RGBColor; 6] = [
    RGBColor(60, 110, 220),
    RGBColor(200, 50, 60),
    RGBColor(40, 160, 80),
    RGBColor(220, 170, 40),
    RGBColor(140, 70, 190),
    RGBColor(30, 170, 190),
];

/// Draws a layout into a PNG file.
pub(super) fn draw(layout: &Layout, path: &Path) -> Result<(), AsicError> {
    let [width, height] = layout.size();
    let scale = PIXELS / width.max(height);
    let size = ((width * scale).ceil() as u32, (height * scale).ceil() as u32);
    let at = |x: f64, y: f64| {
        let x = (x - layout.die[0][0]) * scale;
        let y = (layout.die[1][1] - y) * scale;
        (x.round() as i32, y.round() as i32)
    };
    let failed = |error: &dyn std::fmt::Display| AsicError::File {
        what: "draw",
        path: path.to_path_buf(),
        source: std::io::Error::other(error.to_string()),
    };
    let root = BitMapBackend::new(path, size).into_drawing_area();
    root.fill(&WHITE).map_err(|error| failed(&error))?;
    for (kind, corner, size) in &layout.cells {
        let shade = if kind == "FILL" { RGBColor(245, 245, 245) } else { RGBColor(215, 215, 215) };
        let corners = [at(corner[0], corner[1]), at(corner[0] + size[0], corner[1] + size[1])];
        root.draw(&Rectangle::new(corners, shade.filled())).map_err(|error| failed(&error))?;
        root.draw(&Rectangle::new(corners, RGBColor(185, 185, 185)))
            .map_err(|error| failed(&error))?;
    }
    let thick = (WIRE_UM * scale).ceil() as u32;
    for wire in &layout.wires {
        let color = METALS[usize::from(wire.metal).saturating_sub(1).min(METALS.len() - 1)];
        let ends = [at(wire.from[0], wire.from[1]), at(wire.to[0], wire.to[1])];
        let style = color.mix(0.7).stroke_width(thick.max(1));
        root.draw(&PathElement::new(ends, style)).map_err(|error| failed(&error))?;
    }
    root.present().map_err(|error| failed(&error))
}
