//! Accuracy against time: all that were judged, those that none beats, and what became of the points.

use crate::search::Found;
use maud::{Markup, PreEscaped, html};
use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use std::collections::BTreeSet;
use std::error::Error;

/// Stand for colors of the page's style, which knows light and dark.
const JUDGED: RGBColor = RGBColor(1, 1, 1);
const FRONT: RGBColor = RGBColor(2, 2, 2);
const POINT: RGBColor = RGBColor(3, 3, 3);
const LIMIT: RGBColor = RGBColor(4, 4, 4);
const STYLED: [(&str, &str); 5] = [
    ("#010101", "var(--judged)"),
    ("#020202", "var(--front)"),
    ("#030303", "var(--point)"),
    ("#040404", "var(--limit)"),
    ("#000000", "currentColor"),
];

const SIZE: (u32, u32) = (880, 440);

type Failed = Box<dyn Error>;
type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

/// The picture with its legend.
pub(super) fn picture(found: &Found) -> Result<Markup, Failed> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        draw(&area, &Places::of(found))?;
        area.present()?;
    }
    for (color, styled) in STYLED {
        svg = svg.replace(color, styled);
    }
    let limit = found.settings.latency;
    Ok(html! {
        figure {
            div role="img" aria-label="Accuracy against milliseconds of an inference" {
                (PreEscaped(svg))
            }
            figcaption {
                (key("judged", "judged within the supernet"))
                (key("front", "beaten by none"))
                (key("point", "trained on, as integers: the test; a line leads from its estimate"))
                @if let Some(limit) = limit { (key("limit", &format!("limit of {limit} ms"))) }
            }
        }
    })
}

fn key(class: &str, text: &str) -> Markup {
    html! {
        span class="key" {
            svg viewBox="0 0 10 10" aria-hidden="true" { circle class=(class) cx="5" cy="5" r="4" {} }
            (text)
        }
    }
}

/// What is drawn, in milliseconds and percent.
struct Places {
    judged: Vec<(f64, f64)>,
    front: Vec<(f64, f64)>,
    /// Milliseconds, the estimate, the test.
    points: Vec<(f64, f64, f64)>,
    limit: Option<f64>,
}

impl Places {
    fn of(found: &Found) -> Places {
        let target = &found.settings.target;
        let place = |cycles: u64, share: f64| (target.milliseconds(cycles), 100.0 * share);
        let points = found.points.iter().map(|point| {
            (point.milliseconds, 100.0 * point.supernet_accuracy, 100.0 * point.test.integer)
        });
        Places {
            judged: found.judged.iter().map(|&(cycles, share)| place(cycles, share)).collect(),
            front: found.front.iter().map(|(_, cycles, share)| place(*cycles, *share)).collect(),
            points: points.collect(),
            limit: found.settings.latency,
        }
    }

    fn all(&self) -> impl Iterator<Item = (f64, f64)> {
        let points = self.points.iter().flat_map(|&(x, from, to)| [(x, from), (x, to)]);
        self.judged.iter().chain(&self.front).copied().chain(points)
    }

    /// Milliseconds and percent that are shown.
    fn ranges(&self) -> [std::ops::Range<f64>; 2] {
        let most = |values: &mut dyn Iterator<Item = f64>| values.fold(0.0, f64::max);
        let right = most(&mut self.all().map(|(x, _)| x).chain(self.limit)).max(1e-6);
        let top = most(&mut self.all().map(|(_, y)| y)).max(1.0);
        let bottom = self.all().map(|(_, y)| y).fold(top, f64::min);
        let margin = ((top - bottom) * 0.06).max(0.5);
        [0.0..1.04 * right, (bottom - margin).max(0.0)..(top + margin).min(101.0)]
    }
}

fn draw(area: &Area<'_>, places: &Places) -> Result<(), Failed> {
    let [x, y] = places.ranges();
    let digits = if x.end < 1.0 { 3 } else { 1 };
    let mut chart = ChartBuilder::on(area)
        .margin(10)
        .x_label_area_size(42)
        .y_label_area_size(58)
        .build_cartesian_2d(x.clone(), y.clone())?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(BLACK.mix(0.12))
        .axis_style(BLACK.mix(0.6))
        .label_style(("sans-serif", 14))
        .axis_desc_style(("sans-serif", 15))
        .x_labels(8)
        .y_labels(6)
        .x_label_formatter(&|x| format!("{x:.digits$}"))
        .y_label_formatter(&|y| format!("{y:.0}"))
        .x_desc("milliseconds of an inference")
        .y_desc("percent right")
        .draw()?;
    draw_judged(&mut chart, &places.judged, [x.end, y.end - y.start])?;
    draw_front(&mut chart, &places.front)?;
    draw_points(&mut chart, &places.points)?;
    if let Some(limit) = places.limit {
        let line = PathElement::new([(limit, y.start), (limit, y.end)], LIMIT.stroke_width(2));
        chart.draw_series([line])?;
    }
    Ok(())
}

/// Dots, one where several would hide each other.
fn draw_judged(
    chart: &mut Chart<'_, '_>,
    judged: &[(f64, f64)],
    [wide, high]: [f64; 2],
) -> Result<(), Failed> {
    let mut taken = BTreeSet::new();
    let pixel = |x: f64, y: f64| ((x / wide * 800.0) as i64, (y / high * 360.0) as i64);
    let shown = judged.iter().filter(|&&(x, y)| taken.insert(pixel(x, y)));
    chart.draw_series(shown.map(|&at| Circle::new(at, 3, JUDGED.mix(0.45).filled())))?;
    Ok(())
}

/// Steps: what is reached within so much time.
fn draw_front(chart: &mut Chart<'_, '_>, front: &[(f64, f64)]) -> Result<(), Failed> {
    let mut steps: Vec<(f64, f64)> = vec![];
    for &(x, y) in front {
        steps.extend(steps.last().map(|&(_, before)| (x, before)));
        steps.push((x, y));
    }
    if !steps.is_empty() {
        chart.draw_series([PathElement::new(steps, FRONT.stroke_width(2))])?;
    }
    chart.draw_series(front.iter().map(|&at| Circle::new(at, 4, FRONT.filled())))?;
    Ok(())
}

/// A diamond each, with its number.
fn draw_points(chart: &mut Chart<'_, '_>, points: &[(f64, f64, f64)]) -> Result<(), Failed> {
    for (n, &(x, from, to)) in points.iter().enumerate() {
        let line = PathElement::new([(x, from), (x, to)], POINT.mix(0.7).stroke_width(2));
        chart.draw_series([line])?;
        let diamond = vec![(0, -7), (7, 0), (0, 7), (-7, 0)];
        let label =
            Text::new(n.to_string(), (-4, -24), ("sans-serif", 17).into_font().color(&POINT));
        let mark = EmptyElement::at((x, to)) + Polygon::new(diamond, POINT.filled()) + label;
        chart.draw_series([mark])?;
    }
    Ok(())
}
