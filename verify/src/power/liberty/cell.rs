//! Cells and their pins.

use super::LibraryError;
use super::function::Function;
use super::table::{Table, Template, Units};
use super::text::{Attribute, Group};
use std::collections::HashMap;
use std::sync::Arc;

/// A cell.
#[derive(Clone, Debug)]
pub struct Cell {
    /// Its name.
    pub name: String,
    /// In the library's unit, by custom square micrometres.
    pub area: f64,
    /// Watts where no condition of `leakages` holds.
    pub leakage: f64,
    /// Watts while a function of its pins is 1.
    pub leakages: Vec<(Function, f64)>,
    /// Its signal pins.
    pub pins: Vec<Pin>,
    /// The state, if it is a flip-flop.
    pub flip_flop: Option<FlipFlop>,
    /// A kind of state that we do not simulate: `latch`, `statetable`.
    pub other_state: Option<String>,
    /// Whether it is an integrated clock gate.
    pub clock_gate: bool,
}

/// What a flip-flop does.
#[derive(Clone, Debug)]
pub struct FlipFlop {
    /// Names of its state and of its opposite, as outputs' functions use them.
    pub state: [String; 2],
    /// What it takes over.
    pub next: Function,
    /// When: as it becomes 1.
    pub clock: Function,
    /// Sets the state to 0 at once.
    pub clear: Option<Function>,
    /// Sets it to 1 at once.
    pub preset: Option<Function>,
}

/// A pin.
#[derive(Clone, Debug)]
pub struct Pin {
    /// Its name.
    pub name: String,
    /// Whether the cell drives it.
    pub output: bool,
    /// Farads.
    pub capacitance: f64,
    /// What an output shows; `None` for inputs. Pins of one group share it.
    pub function: Option<Arc<Function>>,
    /// Energy of its changes, the load's ½CV² not counted; shared likewise.
    pub powers: Arc<[InternalPower]>,
}

/// Energy of a pin's changes.
#[derive(Clone, Debug)]
pub struct InternalPower {
    /// Inputs whose change is its cause; none for the energy of an input itself.
    pub related: Vec<String>,
    /// When it applies; always if `None`.
    pub when: Option<Function>,
    /// To 1.
    pub rise: Option<Table>,
    /// To 0.
    pub fall: Option<Table>,
}

/// Values where a cell or a pin gives none.
#[derive(Clone, Copy)]
pub(super) struct Defaults {
    pub(super) input_capacitance: f64,
    pub(super) output_capacitance: f64,
    pub(super) leakage: f64,
}

pub(super) fn read(
    group: &Group<'_>,
    templates: &HashMap<&str, Template>,
    units: Units,
    defaults: Defaults,
) -> Result<Cell, LibraryError> {
    let mut leakages = vec![];
    let mut unconditional = None;
    for leakage in group.of_kind("leakage_power") {
        let watts = leakage.number("value")?.unwrap_or_default() * units.leakage;
        match leakage.attribute("when") {
            Some(when) => leakages.push((function(when)?, watts)),
            None => unconditional = Some(watts),
        }
    }
    let stated = group.number("cell_leakage_power")?.map(|value| value * units.leakage);
    let flip_flop = group.of_kind("ff").next().map(flip_flop).transpose()?;
    let other = ["latch", "statetable", "ff_bank", "latch_bank"];
    let other = group.groups.iter().find(|inner| other.contains(&inner.kind));
    let pins = group.of_kind("pin").map(|pin| self::pin(pin, templates, units, defaults));
    // banks of pins belong to cells that no netlist of gates uses
    let buses = group.groups.iter().find(|inner| ["bus", "bundle"].contains(&inner.kind));
    Ok(Cell {
        name: group.name().to_string(),
        area: group.number("area")?.unwrap_or_default(),
        leakage: stated.or(unconditional).unwrap_or(defaults.leakage * units.leakage),
        leakages,
        pins: pins.collect::<Result<Vec<_>, _>>()?.concat(),
        flip_flop,
        other_state: other.or(buses).map(|inner| inner.kind.to_string()),
        clock_gate: group.attribute("clock_gating_integrated_cell").is_some(),
    })
}

fn function(attribute: &Attribute<'_>) -> Result<Function, LibraryError> {
    Function::parse(attribute.values.first().copied().unwrap_or_default(), attribute.line)
}

fn flip_flop(group: &Group<'_>) -> Result<FlipFlop, LibraryError> {
    let part = |name: &str| group.attribute(name).map(function).transpose();
    let needed = |name: &str| {
        let lacks = || super::error(group.line, format!("a flip-flop without `{name}`"));
        part(name)?.ok_or_else(lacks)
    };
    let state = |n: usize| group.names.get(n).copied().unwrap_or_default().to_string();
    Ok(FlipFlop {
        state: [state(0), state(1)],
        next: needed("next_state")?,
        clock: needed("clocked_on")?,
        clear: part("clear")?,
        preset: part("preset")?,
    })
}

/// A group of pins: `pin (A, B) { .. }` describes both.
fn pin(
    group: &Group<'_>,
    templates: &HashMap<&str, Template>,
    units: Units,
    defaults: Defaults,
) -> Result<Vec<Pin>, LibraryError> {
    let output = group.text("direction") == Some("output");
    let default = if output { defaults.output_capacitance } else { defaults.input_capacitance };
    let capacitance = group.number("capacitance")?.unwrap_or(default) * units.capacitance;
    let function = match group.attribute("function") {
        Some(attribute) if output => Some(Arc::new(function(attribute)?)),
        _ => None,
    };
    let powers = group.of_kind("internal_power");
    let powers = powers.map(|power| internal_power(power, templates, units));
    let powers = powers.collect::<Result<Arc<[_]>, _>>()?;
    let named = |name: &&str| Pin {
        name: name.to_string(),
        output,
        capacitance,
        function: function.clone(),
        powers: powers.clone(),
    };
    Ok(group.names.iter().map(named).collect())
}

fn internal_power(
    group: &Group<'_>,
    templates: &HashMap<&str, Template>,
    units: Units,
) -> Result<InternalPower, LibraryError> {
    let table = |kind: &'static str| {
        let table = group.of_kind(kind).next();
        table.map(|table| Table::read(table, templates, units)).transpose()
    };
    let either = table("power")?;
    Ok(InternalPower {
        related: group
            .text("related_pin")
            .map_or_else(Vec::new, |pins| pins.split_whitespace().map(str::to_string).collect()),
        when: group.attribute("when").map(function).transpose()?,
        rise: table("rise_power")?.or_else(|| either.clone()),
        fall: table("fall_power")?.or(either),
    })
}
