//! Where the energy went.

use super::engine::Machine;
use super::sram::SramTechnology;
use serde::Serialize;
use std::collections::BTreeMap;

/// Joules by what they were spent for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Energy {
    /// In gates, and in the nets they drive.
    pub combinational_joules: f64,
    /// In flip-flops as their data and states change, and in the nets they drive.
    pub register_joules: f64,
    /// In the clock pins of flip-flops.
    pub clock_joules: f64,
    /// In reads of memories, and in the nets that carry the words.
    pub memory_read_joules: f64,
    /// In writes of memories.
    pub memory_write_joules: f64,
    /// Lost by all the time.
    pub leakage_joules: f64,
}

impl Energy {
    /// The sum.
    pub fn total_joules(&self) -> f64 {
        self.combinational_joules
            + self.register_joules
            + self.clock_joules
            + self.memory_read_joules
            + self.memory_write_joules
            + self.leakage_joules
    }
}

impl std::ops::AddAssign for Energy {
    fn add_assign(&mut self, other: Energy) {
        self.combinational_joules += other.combinational_joules;
        self.register_joules += other.register_joules;
        self.clock_joules += other.clock_joules;
        self.memory_read_joules += other.memory_read_joules;
        self.memory_write_joules += other.memory_write_joules;
        self.leakage_joules += other.leakage_joules;
    }
}

/// What stands in an instance itself; its parts have entries of their own.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Part {
    /// Names from the top down, joined by `.`; empty for the top.
    pub path: String,
    /// The module it is an instance of.
    pub module: String,
    /// Cells of the library.
    pub cells: u64,
    /// Flip-flops among them.
    pub flip_flops: u64,
    /// Clock gates among them.
    pub clock_gates: u64,
    /// Bits of kept memories.
    pub memory_bits: u64,
    /// Area of the cells, in square micrometres if the library's unit is.
    pub cell_area_um2: f64,
    /// Area of the memories.
    pub memory_area_um2: f64,
    /// Cycles in which ports of its memories read, and write.
    pub memory_reads: u64,
    /// See `memory_reads`.
    pub memory_writes: u64,
    /// Joules.
    pub energy: Energy,
}

impl Part {
    /// Whether it is the instance at this path or below it.
    fn is_under(&self, path: &str) -> bool {
        let rest = self.path.strip_prefix(path);
        path.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }

    fn add(&mut self, other: &Part) {
        self.cells += other.cells;
        self.flip_flops += other.flip_flops;
        self.clock_gates += other.clock_gates;
        self.memory_bits += other.memory_bits;
        self.cell_area_um2 += other.cell_area_um2;
        self.memory_area_um2 += other.memory_area_um2;
        self.memory_reads += other.memory_reads;
        self.memory_writes += other.memory_writes;
        self.energy += other.energy;
    }
}

/// Energy of a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The module's name.
    pub module: String,
    /// The library's name.
    pub library: String,
    /// The supply.
    pub volts: f64,
    /// The clock.
    pub clock_hertz: f64,
    /// Rising edges counted.
    pub cycles: u64,
    /// Every instance by itself; the top first, parents before their parts.
    pub parts: Vec<Part>,
}

impl Report {
    /// Seconds of the run.
    pub fn seconds(&self) -> f64 {
        self.cycles as f64 / self.clock_hertz
    }

    /// All of it.
    pub fn total(&self) -> Part {
        self.under(&[""])
    }

    /// All instances at or below any of these paths; `""` is the top and all below it.
    pub fn under(&self, prefixes: &[&str]) -> Part {
        let mut sum = Part { path: prefixes.join(", "), ..Part::default() };
        for part in self.parts.iter().filter(|part| prefixes.iter().any(|p| part.is_under(p))) {
            sum.add(part);
        }
        sum
    }

    /// Named groups of instances, each given by paths; what no group names is `other`. An
    /// instance belongs to the group with the longest path at or above it.
    pub fn group(&self, groups: &[(&str, &[&str])]) -> BTreeMap<String, Part> {
        let mut sums: BTreeMap<String, Part> = BTreeMap::new();
        for part in &self.parts {
            let all =
                groups.iter().flat_map(|(name, paths)| paths.iter().map(move |p| (*name, *p)));
            let above = all.filter(|(_, prefix)| part.is_under(prefix));
            let name =
                above.max_by_key(|(_, prefix)| prefix.len()).map_or("other", |(name, _)| name);
            sums.entry(name.to_string()).or_default().add(part);
        }
        sums
    }
}

/// What is known besides the machine.
#[derive(Clone, Debug)]
pub(super) struct Setting {
    pub(super) module: String,
    pub(super) library: String,
    pub(super) volts: f64,
    pub(super) clock_hertz: f64,
    pub(super) wire: f64,
    pub(super) sram: SramTechnology,
}

/// Adds up what a machine has counted.
pub(super) fn report(machine: &Machine, setting: &Setting) -> Report {
    let compiled = &machine.compiled;
    let instances = compiled.netlist.instances.iter();
    let mut parts: Vec<Part> = instances
        .map(|instance| Part {
            path: instance.path.clone(),
            module: instance.module.clone(),
            ..Part::default()
        })
        .collect();
    let counts = &machine.counts;
    let seconds = counts.cycles as f64 / setting.clock_hertz;
    let half_square = setting.volts * setting.volts / 2.0;
    let switching =
        |net: u32| counts.toggles[net as usize] as f64 * compiled.loads[net as usize] * half_square;
    for (n, cell) in compiled.netlist.cells.iter().enumerate() {
        let kind = &compiled.kinds[usize::from(compiled.kind_of[n])];
        let part = &mut parts[cell.instance as usize];
        part.cells += 1;
        part.cell_area_um2 += kind.area;
        let nets: f64 = compiled.outputs[n].iter().flatten().map(|&net| switching(net)).sum();
        let dynamic = counts.joules[n] + nets;
        let times = machine.times(n);
        // the average over the run of something that depends on the pattern
        let mean = |of: &[f64]| match of {
            [always] => *always,
            _ => {
                let weighted = times.iter().zip(of).map(|(&time, value)| time as f64 * value);
                weighted.sum::<f64>() / counts.cycles.max(1) as f64
            }
        };
        part.energy.leakage_joules += mean(&kind.leakage) * seconds;
        match &kind.flip_flop {
            None => part.energy.combinational_joules += dynamic,
            Some(state) => {
                part.flip_flops += 1;
                part.energy.register_joules += dynamic;
                // two changes of the clock pin a cycle
                let pin = 2.0 * (state.clock_load + setting.wire) * half_square;
                let moves = state.gated.map_or(1.0, |(enable, _)| {
                    let on = (0..times.len()).filter(|pattern| pattern >> enable & 1 == 1);
                    on.map(|p| times[p]).sum::<u64>() as f64 / counts.cycles.max(1) as f64
                });
                let cycle = mean(&state.clock_energy) + pin * moves;
                part.energy.clock_joules += cycle * counts.cycles as f64;
            }
        }
    }
    // a clock gate costs what a flip-flop does whose data stay
    for &n in &compiled.banks.firsts {
        let kind = &compiled.kinds[usize::from(compiled.kind_of[n])];
        if let Some(state) = &kind.flip_flop
            && let Some((_, mean)) = state.gated
        {
            let part = &mut parts[compiled.netlist.cells[n].instance as usize];
            let pin = 2.0 * (state.clock_load + setting.wire) * half_square;
            let leakage = kind.leakage.iter().sum::<f64>() / kind.leakage.len() as f64;
            part.cells += 1;
            part.clock_gates += 1;
            part.cell_area_um2 += kind.area;
            part.energy.clock_joules += (mean + pin) * counts.cycles as f64;
            part.energy.leakage_joules += leakage * seconds;
        }
    }
    for (memory, ram) in compiled.netlist.memories.iter().zip(&machine.rams) {
        let part = &mut parts[memory.instance as usize];
        let bits = (memory.words * memory.bits) as u64;
        part.memory_bits += bits;
        part.memory_reads += ram.counts.reads;
        part.memory_writes += ram.counts.writes;
        let sram = setting.sram.memory(memory.words, memory.bits);
        let words: f64 = memory.reads.iter().flat_map(|r| &r.data).map(|&n| switching(n)).sum();
        part.memory_area_um2 += sram.area_um2;
        part.energy.memory_read_joules += ram.counts.reads as f64 * sram.read_joules + words;
        part.energy.memory_write_joules += ram.counts.writes as f64 * sram.write_joules
            + ram.counts.written_bits as f64 * sram.written_bit_joules;
        part.energy.leakage_joules += sram.leakage_watts * seconds;
    }
    Report {
        module: setting.module.clone(),
        library: setting.library.clone(),
        volts: setting.volts,
        clock_hertz: setting.clock_hertz,
        cycles: counts.cycles,
        parts,
    }
}
