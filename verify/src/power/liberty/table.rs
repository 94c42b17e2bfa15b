//! Energy tables over input slew and output load.

use super::LibraryError;
use super::text::{Attribute, Group, error, short};
use std::borrow::Cow;
use std::collections::HashMap;

/// Entries of a table, at most.
const ENTRIES: usize = 1 << 16;

/// Energy in joules over up to two axes.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// Input transition times in seconds; empty if the energy does not depend on it.
    slews: Vec<f64>,
    /// Output loads in farads; empty likewise.
    loads: Vec<f64>,
    /// Joules: for each slew, for each load.
    values: Vec<f64>,
}

/// The axes of a table template: what they are, and their points.
#[derive(Clone, Debug, Default)]
pub(super) struct Template {
    axes: [Option<(Axis, Vec<f64>)>; 2],
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Axis {
    Slew,
    Load,
}

/// Seconds, farads and joules that the numbers of a file mean.
#[derive(Clone, Copy, Debug)]
pub(super) struct Units {
    pub(super) time: f64,
    pub(super) capacitance: f64,
    pub(super) energy: f64,
    pub(super) leakage: f64,
}

pub(super) fn template(group: &Group<'_>) -> Result<Template, LibraryError> {
    let axis = |variable: &str, index: &str| {
        let Some(name) = group.text(variable) else { return Ok(None) };
        let axis = match name {
            "input_transition_time" | "input_net_transition" => Axis::Slew,
            "total_output_net_capacitance" => Axis::Load,
            // such as `equal_or_opposite_output_net_capacitance`: no table of ours has one
            _ => return Ok(None),
        };
        let points = group.attribute(index).map(|index| index.numbers()).transpose()?;
        Ok(Some((axis, points.unwrap_or_default())))
    };
    Ok(Template { axes: [axis("variable_1", "index_1")?, axis("variable_2", "index_2")?] })
}

impl Table {
    /// One value for all slews and loads.
    pub(super) fn constant(joules: f64) -> Table {
        Table { slews: vec![], loads: vec![], values: vec![joules] }
    }

    pub(super) fn read(
        group: &Group<'_>,
        templates: &HashMap<&str, Template>,
        units: Units,
    ) -> Result<Table, LibraryError> {
        let values = group.attribute("values");
        let values = values.map(|values| values.numbers()).transpose()?.unwrap_or_default();
        let wrong = |what: String| Err(error(group.line, what));
        if values.is_empty() || values.len() > ENTRIES {
            return wrong(format!("a table of {} values; 1 to {ENTRIES} can be", values.len()));
        }
        let values: Vec<f64> = values.into_iter().map(|value| value * units.energy).collect();
        if group.name() == "scalar" || values.len() == 1 {
            return Ok(Table::constant(values[0]));
        }
        let Some(template) = templates.get(group.name()) else {
            return wrong(format!("no table template `{}`", short(group.name())));
        };
        let axis = |n: usize, index: &str| {
            let Some((axis, points)) = &template.axes[n] else { return Ok(None) };
            let own = group.attribute(index).map(Attribute::numbers).transpose()?;
            Ok(Some((*axis, own.map_or(Cow::Borrowed(&points[..]), Cow::Owned))))
        };
        let (Some(first), second) = (axis(0, "index_1")?, axis(1, "index_2")?) else {
            return wrong(format!("template `{}` has axes we do not know", short(group.name())));
        };
        let points = first.1.len() * second.as_ref().map_or(1, |second| second.1.len());
        if points != values.len() {
            return wrong(format!("{} values for {points} points", values.len()));
        }
        // not before they are known to be as many as the table has values
        let owned = |(axis, points): (Axis, Cow<[f64]>)| (axis, points.into_owned());
        let (first, second) = (owned(first), second.map(owned));
        let rising = |points: &[f64]| points.windows(2).all(|pair| pair[0] < pair[1]);
        if !rising(&first.1) || !second.as_ref().is_none_or(|second| rising(&second.1)) {
            return wrong("the points of an axis do not rise".into());
        }
        Table::from_axes(first, second, values, units)
            .map_or_else(|| wrong("both axes of a table are the same".into()), Ok)
    }

    fn from_axes(
        first: (Axis, Vec<f64>),
        second: Option<(Axis, Vec<f64>)>,
        values: Vec<f64>,
        units: Units,
    ) -> Option<Table> {
        let scale = |points: Vec<f64>, unit: f64| points.into_iter().map(|x| x * unit).collect();
        let slews = |points| scale(points, units.time);
        let loads = |points| scale(points, units.capacitance);
        Some(match (first, second) {
            ((Axis::Slew, x), None) => Table { slews: slews(x), loads: vec![], values },
            ((Axis::Load, x), None) => Table { slews: vec![], loads: loads(x), values },
            ((Axis::Slew, x), Some((Axis::Load, y))) => {
                Table { slews: slews(x), loads: loads(y), values }
            }
            ((Axis::Load, x), Some((Axis::Slew, y))) => {
                let (rows, columns) = (x.len(), y.len());
                let turned = (0..columns).flat_map(|column| {
                    let values = &values;
                    (0..rows).map(move |row| values[row * columns + column])
                });
                let values = turned.collect();
                Table { slews: slews(y), loads: loads(x), values }
            }
            _ => return None,
        })
    }

    /// Joules at a slew in seconds and a load in farads: linear between the points, and beyond
    /// the first and the last as between the two nearest (as OpenSTA does it).
    pub fn at(&self, slew: f64, load: f64) -> f64 {
        let columns = self.loads.len().max(1);
        let row = |row: usize| {
            let values = &self.values[row * columns..][..columns];
            along(&self.loads, load, |column| values[column])
        };
        along(&self.slews, slew, row)
    }
}

fn along(points: &[f64], x: f64, value: impl Fn(usize) -> f64) -> f64 {
    if points.len() < 2 {
        return value(0);
    }
    let above = points.partition_point(|&point| point <= x).clamp(1, points.len() - 1);
    let (x0, x1) = (points[above - 1], points[above]);
    let (y0, y1) = (value(above - 1), value(above));
    y0 + (y1 - y0) * (x - x0) / (x1 - x0)
}
