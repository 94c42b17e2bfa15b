//! Pictures of a study, as SVG.

use super::report::Sum;
use plotters::prelude::*;
use std::error::Error;

/// Colors of the parts, in the order of [`Split::parts`](super::Split::parts): told apart in print
/// and by color-blind readers.
const COLORS: [RGBColor; 5] = [
    RGBColor(213, 94, 0),
    RGBColor(0, 114, 178),
    RGBColor(0, 158, 115),
    RGBColor(230, 159, 0),
    RGBColor(150, 150, 150),
];

/// Stacked bars: energy of a query by part, a bar an accelerator, for the sums of one workload.
///
/// # Errors
/// What the drawing library refuses.
pub fn energy(title: &str, sums: &[Sum]) -> Result<String, Box<dyn Error>> {
    let most = sums.iter().map(Sum::total_per_query).fold(1.0, f64::max);
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (720, 420)).into_drawing_area();
        area.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&area)
            .caption(title, ("sans-serif", 18))
            .margin(12)
            .x_label_area_size(32)
            .y_label_area_size(64)
            .build_cartesian_2d((0..sums.len()).into_segmented(), 0.0..1.15 * most)?;
        let name = |place: &SegmentValue<usize>| match place {
            SegmentValue::CenterOf(bar) | SegmentValue::Exact(bar) => {
                sums.get(*bar).map_or(String::new(), |sum| sum.accelerator.clone())
            }
            SegmentValue::Last => String::new(),
        };
        chart
            .configure_mesh()
            .disable_x_mesh()
            .x_labels(sums.len())
            .x_label_formatter(&name)
            .y_desc("pJ a query")
            .draw()?;
        for (part, color) in COLORS.iter().enumerate() {
            let bars = sums.iter().enumerate().map(|(bar, sum)| {
                let parts = sum.energy_per_query();
                let below: f64 = parts[..part].iter().map(|(_, energy)| energy).sum();
                let top = below + parts[part].1;
                let corners =
                    [(SegmentValue::Exact(bar), below), (SegmentValue::Exact(bar + 1), top)];
                let mut bar = Rectangle::new(corners, color.filled());
                bar.set_margin(0, 0, 24, 24);
                bar
            });
            let name = sums.first().map_or("", |sum| sum.energy_per_query()[part].0);
            let key = move |(x, y)| Rectangle::new([(x, y - 5), (x + 12, y + 5)], color.filled());
            chart.draw_series(bars)?.label(name).legend(key);
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperRight)
            .background_style(WHITE.mix(0.8))
            .border_style(BLACK)
            .draw()?;
        area.present()?;
    }
    Ok(svg)
}
