//! A cell of the library as the simulation sees it: tables over the values of its pins.
//!
//! A cell's *pattern* holds the values of its inputs, clock left out, and above them, for a
//! flip-flop, its state. What follows from a pattern (outputs, what is taken over at the clock,
//! leakage) is a table; so is what a change from one pattern to another costs.

use super::error::{PowerError, netlist as refused};
use super::gating::ENABLE;
use super::liberty::{Cell, Function, InternalPower, Pin, Table};

/// Bits of a pattern, at most.
const BITS: usize = 8;

/// A cell of the library, its patterns in tables.
#[derive(Debug)]
pub(super) struct CellKind {
    pub(super) area: f64,
    /// Names of the pattern's inputs, the lowest bit first.
    pub(super) inputs: Vec<String>,
    /// Farads of each.
    pub(super) input_loads: Vec<f64>,
    pub(super) outputs: Vec<Output>,
    pub(super) flip_flop: Option<State>,
    /// Watts of each pattern; a single one if all are the same.
    pub(super) leakage: Vec<f64>,
    /// Energy of changes.
    arcs: Vec<Arc>,
    /// For a change from `old` to `new`, at `old << bits | new`, a range of `terms`.
    starts: Vec<u32>,
    /// Arcs and the share each has.
    pub(super) terms: Vec<(u16, f32)>,
    bits: u32,
}

/// An output.
#[derive(Debug)]
pub(super) struct Output {
    pub(super) name: String,
    pub(super) load: f64,
    /// Its value for each pattern.
    pub(super) value: Vec<bool>,
}

/// What is special to flip-flops.
#[derive(Debug)]
pub(super) struct State {
    pub(super) clock: String,
    pub(super) clock_load: f64,
    /// The state bit's position in the pattern.
    pub(super) bit: u32,
    /// What each pattern makes of the state at the clock edge.
    pub(super) next: Vec<bool>,
    /// What each pattern makes of it at once, if it does.
    pub(super) at_once: Vec<Option<bool>>,
    /// Inputs that can set the state at once.
    pub(super) asynchronous: u16,
    /// Joules that a clock period costs inside the cell, for each pattern; a single one if all
    /// are the same.
    pub(super) clock_energy: Vec<f64>,
    /// Behind a clock gate: the enable's position in the pattern, and the mean of
    /// `clock_energy` were it not.
    pub(super) gated: Option<(u32, f64)>,
}

/// A source of energy: a pin's table in one direction.
#[derive(Debug)]
struct Arc {
    table: Table,
    /// The output whose load the table looks at.
    output: Option<usize>,
}

/// The value of names for a pattern and a level of the clock.
struct Values<'c> {
    cell: &'c Cell,
    inputs: &'c [String],
    clock: Option<&'c str>,
}

impl Values<'_> {
    fn input(&self, name: &str, pattern: u32, level: bool) -> Option<bool> {
        if Some(name) == self.clock {
            return Some(level);
        }
        if let Some(flip_flop) = &self.cell.flip_flop {
            let state = pattern >> self.inputs.len() & 1 == 1;
            if name == flip_flop.state[0] {
                return Some(state);
            } else if name == flip_flop.state[1] {
                return Some(!state);
            }
        }
        let bit = self.inputs.iter().position(|input| input == name)?;
        Some(pattern >> bit & 1 == 1)
    }

    fn of(&self, function: &Function, pattern: u32, level: bool) -> Result<bool, PowerError> {
        let value = function.value(&|name| {
            self.input(name, pattern, level).or_else(|| {
                let pin = self.cell.pins.iter().find(|pin| pin.name == name)?;
                let inner = pin.function.as_ref()?;
                inner.value(&|name| self.input(name, pattern, level)).ok()
            })
        });
        let unknown = |name| format!("its function names `{name}`, which it has not");
        value.map_err(|name| refused(format!("cell `{}`", self.cell.name), unknown(name)))
    }

    /// Conditions name pins that are no signals at times; such a condition never holds.
    fn holds(&self, when: Option<&Function>, pattern: u32, level: bool) -> bool {
        when.is_none_or(|when| self.of(when, pattern, level).unwrap_or(false))
    }
}

impl CellKind {
    pub(super) fn new(cell: &Cell, slew: f64) -> Result<CellKind, PowerError> {
        let wrong = |what: String| refused(format!("cell `{}` of the library", cell.name), what);
        if let Some(state) = &cell.other_state {
            return Err(wrong(format!("it has a `{state}`, which is not simulated")));
        }
        let clock = match &cell.flip_flop {
            None => None,
            Some(flip_flop) => match &flip_flop.clock {
                Function::Name(name) => Some(name.as_str()),
                _ => return Err(wrong("its clock is no pin at its rising edge".into())),
            },
        };
        let inputs = cell.pins.iter().filter(|pin| !pin.output && Some(&*pin.name) != clock);
        let input_pins: Vec<&Pin> = inputs.collect();
        let inputs: Vec<String> = input_pins.iter().map(|pin| pin.name.clone()).collect();
        let bits = inputs.len() + usize::from(clock.is_some());
        if bits > BITS {
            return Err(wrong(format!("{bits} inputs; at most {BITS} are simulated")));
        }
        let values = Values { cell, inputs: &inputs, clock };
        let patterns = 0..1u32 << bits;
        let table = |function: &Function| -> Result<Vec<bool>, PowerError> {
            patterns.clone().map(|pattern| values.of(function, pattern, false)).collect()
        };
        let mut outputs = vec![];
        for pin in cell.pins.iter().filter(|pin| pin.output) {
            let Some(function) = &pin.function else {
                return Err(wrong(format!("its output `{}` has no function", pin.name)));
            };
            let value = table(function)?;
            outputs.push(Output { name: pin.name.clone(), load: pin.capacitance, value });
        }
        let leakage = patterns.clone().map(|pattern| {
            // the clock is high half the time
            let levels = if clock.is_some() { &[false, true][..] } else { &[false][..] };
            let watts = levels.iter().map(|&level| {
                let mut groups = cell.leakages.iter();
                let found = groups.find(|(when, _)| values.holds(Some(when), pattern, level));
                found.map_or(cell.leakage, |(_, watts)| *watts)
            });
            watts.sum::<f64>() / levels.len() as f64
        });
        let mut leakage: Vec<f64> = leakage.collect();
        shorten(&mut leakage);
        let flip_flop = match (&cell.flip_flop, clock) {
            (Some(flip_flop), Some(clock)) => {
                let set = |function: &Option<Function>| {
                    let table = function.as_ref().map(&table).transpose()?;
                    Ok::<_, PowerError>(table.unwrap_or_else(|| vec![false; 1 << bits]))
                };
                let (clear, preset) = (set(&flip_flop.clear)?, set(&flip_flop.preset)?);
                let at_once = clear.iter().zip(&preset).map(|pair| match pair {
                    (true, _) => Some(false),
                    (_, true) => Some(true),
                    _ => None,
                });
                let at_once: Vec<Option<bool>> = at_once.collect();
                let decides = |bit: &usize| {
                    patterns.clone().any(|p| at_once[p as usize] != at_once[p as usize ^ 1 << bit])
                };
                let asynchronous = (0..inputs.len()).filter(decides);
                let pin = cell.pins.iter().find(|pin| pin.name == clock);
                let pin = pin.ok_or_else(|| wrong(format!("its clock `{clock}` is no pin")))?;
                let mut clock_energy: Vec<f64> = patterns
                    .clone()
                    .map(|pattern| {
                        [true, false]
                            .map(|rise| own(&values, pin, pattern, rise, slew))
                            .iter()
                            .sum()
                    })
                    .collect();
                let enable = inputs.iter().position(|name| name == ENABLE);
                let gated = enable.map(|enable| {
                    let mean = clock_energy.iter().sum::<f64>() / clock_energy.len() as f64;
                    let off = |pattern: &usize| pattern >> enable & 1 == 0;
                    (0..clock_energy.len()).filter(off).for_each(|p| clock_energy[p] = 0.0);
                    (enable as u32, mean)
                });
                if gated.is_none() {
                    shorten(&mut clock_energy);
                }
                Some(State {
                    clock: clock.to_string(),
                    clock_load: pin.capacitance,
                    bit: inputs.len() as u32,
                    next: table(&flip_flop.next)?,
                    asynchronous: asynchronous.fold(0, |mask, bit| mask | 1 << bit),
                    at_once,
                    clock_energy,
                    gated,
                })
            }
            _ => None,
        };
        let mut kind = CellKind {
            area: cell.area,
            input_loads: input_pins.iter().map(|pin| pin.capacitance).collect(),
            outputs,
            flip_flop,
            leakage,
            arcs: vec![],
            starts: vec![0],
            terms: vec![],
            bits: bits as u32,
            inputs: vec![],
        };
        kind.tell_changes(&values, &input_pins);
        kind.inputs = inputs;
        Ok(kind)
    }

    /// Fills `arcs`, `starts` and `terms`.
    fn tell_changes(&mut self, values: &Values<'_>, inputs: &[&Pin]) {
        let outputs: Vec<&Pin> = values.cell.pins.iter().filter(|pin| pin.output).collect();
        let mut known: Vec<(*const Table, u16)> = vec![];
        for change in 0..1u32 << (2 * self.bits) {
            let (old, new) = (change >> self.bits, change & ((1 << self.bits) - 1));
            // data change after the rising edge: the clock is high
            let level = true;
            let mut add = |tables: Vec<&Table>, output: Option<usize>| {
                let share = 1.0 / tables.len() as f32;
                for table in tables {
                    let address: *const Table = table;
                    let arc = match known.iter().find(|(known, _)| *known == address) {
                        Some((_, arc)) => *arc,
                        None => {
                            known.push((address, self.arcs.len() as u16));
                            self.arcs.push(Arc { table: table.clone(), output });
                            self.arcs.len() as u16 - 1
                        }
                    };
                    self.terms.push((arc, share));
                }
            };
            for (bit, pin) in
                inputs.iter().enumerate().filter(|(bit, _)| (old ^ new) >> bit & 1 == 1)
            {
                add(own_tables(values, pin, new, level, new >> bit & 1 == 1), None);
            }
            for (n, pin) in outputs.iter().enumerate() {
                let value = &self.outputs[n].value;
                let (was, is) = (value[old as usize], value[new as usize]);
                if was != is {
                    add(caused_tables(values, pin, old, new, is), Some(n));
                }
            }
            self.starts.push(self.terms.len() as u32);
        }
    }

    /// The terms of a change.
    pub(super) fn change(&self, old: u16, new: u16) -> &[(u16, f32)] {
        let at = (usize::from(old) << self.bits) | usize::from(new);
        &self.terms[self.starts[at] as usize..self.starts[at + 1] as usize]
    }

    /// Joules of each arc at a slew, the outputs loaded as given.
    pub(super) fn arc_energies(&self, slew: f64, loads: &[f64]) -> impl Iterator<Item = f64> {
        self.arcs.iter().map(move |arc| arc.table.at(slew, arc.output.map_or(0.0, |n| loads[n])))
    }
}

/// One value instead of many that are the same.
fn shorten(values: &mut Vec<f64>) {
    if values.iter().all(|value| *value == values[0]) {
        values.truncate(1);
    }
}

fn direction(power: &InternalPower, rise: bool) -> Option<&Table> {
    if rise { power.rise.as_ref() } else { power.fall.as_ref() }
}

/// Tables of an input's own change. Of several whose conditions hold the average counts.
fn own_tables<'p>(
    values: &Values<'_>,
    pin: &'p Pin,
    pattern: u32,
    level: bool,
    rise: bool,
) -> Vec<&'p Table> {
    let own = pin.powers.iter().filter(|power| power.related.is_empty());
    let own: Vec<_> = own.filter(|p| values.holds(p.when.as_ref(), pattern, level)).collect();
    // what holds under a condition goes before what holds always
    let special = own.iter().any(|power| power.when.is_some());
    let chosen = own.into_iter().filter(|power| power.when.is_some() == special);
    chosen.filter_map(|power| direction(power, rise)).collect()
}

/// Joules of an input's own change.
fn own(values: &Values<'_>, pin: &Pin, pattern: u32, rise: bool, slew: f64) -> f64 {
    let tables = own_tables(values, pin, pattern, rise, rise);
    let sum: f64 = tables.iter().map(|table| table.at(slew, 0.0)).sum();
    sum / tables.len().max(1) as f64
}

/// Tables of an output's change: those whose related pin changed and whose condition holds after
/// the change; if none does, those whose related pin changed; else all.
fn caused_tables<'p>(
    values: &Values<'_>,
    pin: &'p Pin,
    old: u32,
    new: u32,
    rise: bool,
) -> Vec<&'p Table> {
    let bits = values.inputs.len();
    let changed = |name: &String| {
        let position = values.inputs.iter().position(|input| input == name);
        match position {
            Some(bit) => (old ^ new) >> bit & 1 == 1,
            None => Some(&**name) == values.clock && (old ^ new) >> bits & 1 == 1,
        }
    };
    let pick = |fits: &dyn Fn(&InternalPower) -> bool| -> Vec<&'p Table> {
        let powers = pin.powers.iter().filter(|power| fits(power));
        powers.filter_map(|power| direction(power, rise)).collect()
    };
    let related = |power: &InternalPower| power.related.iter().any(changed);
    let holds = |power: &InternalPower| values.holds(power.when.as_ref(), new, true);
    let mut tables = pick(&|power| related(power) && holds(power));
    if tables.is_empty() {
        tables = pick(&related);
    }
    if tables.is_empty() { pick(&|_| true) } else { tables }
}
