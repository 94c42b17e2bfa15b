//! Simulation of a flat netlist, event by event, with zero delay, that counts what costs energy.
//!
//! Cells are evaluated in the order of their depth, so each at most once between two edges of the
//! inputs, and only those with an input that changed: most of a netlist is idle in most cycles.
//! What counts is the change from one rising edge to the next, settled values only.

use super::compiled::{Compiled, NONE, WAITS};
use super::netlist::NetId;
use super::ram::Ram;
use std::sync::Arc;

/// A cell while it runs.
#[derive(Clone, Copy, Debug, Default)]
struct Running {
    pattern: u16,
    /// The pattern at the last rising edge.
    at_edge: u16,
    kind: u16,
    /// Whether it is in `queue`, in `pending`, in `changed` of the machine.
    queued: bool,
    pending: bool,
    changed: bool,
    level: u32,
    /// See [`Compiled::single`].
    single: NetId,
    /// The edge since which the pattern is `at_edge`.
    since: u64,
}

/// What has been counted.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts {
    /// Rising edges.
    pub(super) cycles: u64,
    /// Changes of each net.
    pub(super) toggles: Vec<u64>,
    /// Internal joules of each cell, those of clock pins left out.
    pub(super) joules: Vec<f64>,
    /// Cycles each pattern was there, for cells where it matters.
    pub(super) times: Vec<u64>,
}

/// A netlist that runs.
#[derive(Debug)]
pub(super) struct Machine {
    pub(super) compiled: Arc<Compiled>,
    value: Vec<bool>,
    cells: Vec<Running>,
    /// Cells to evaluate, by level.
    queue: Vec<Vec<u32>>,
    /// Flip-flops whose next state may differ from their state.
    pending: Vec<u32>,
    /// Cells that changed since the last edge.
    changed: Vec<u32>,
    /// Nets of no cell (inputs, words of memories) that changed; whether a net is among them, and
    /// its value at the edge.
    loose: Vec<NetId>,
    is_loose: Vec<bool>,
    at_edge: Vec<bool>,
    driven_by_cell: Vec<bool>,
    pub(super) rams: Vec<Ram>,
    pub(super) counts: Counts,
    settled: bool,
}

impl Machine {
    pub(super) fn new(compiled: Arc<Compiled>) -> Machine {
        let cells = compiled.netlist.cells.len();
        let mut driven_by_cell = vec![false; compiled.netlist.nets];
        for net in compiled.outputs.iter().flatten().flatten() {
            driven_by_cell[*net as usize] = true;
        }
        let running = (0..cells + compiled.reads_at_once.len()).map(|n| Running {
            kind: compiled.kind_of.get(n).copied().unwrap_or_default(),
            level: compiled.level[n],
            single: compiled.single.get(n).copied().unwrap_or(NONE),
            ..Running::default()
        });
        let mut machine = Machine {
            value: vec![false; compiled.netlist.nets],
            cells: running.collect(),
            queue: vec![vec![]; compiled.levels.max(1)],
            pending: vec![],
            changed: vec![],
            loose: vec![],
            is_loose: vec![false; compiled.netlist.nets],
            at_edge: vec![false; compiled.netlist.nets],
            driven_by_cell,
            rams: compiled.netlist.memories.iter().map(Ram::new).collect(),
            counts: Counts::default(),
            settled: false,
            compiled: compiled.clone(),
        };
        for n in 0..machine.cells.len() {
            // clocked cells too: their outputs follow a state of 0
            machine.wake(n);
        }
        machine.set(1, true);
        machine.settle();
        machine.start();
        machine
    }

    /// Counts from here on, from zero.
    pub(super) fn start(&mut self) {
        self.settle();
        for cell in &mut self.cells {
            (cell.at_edge, cell.since, cell.changed) = (cell.pattern, 0, false);
        }
        self.changed.clear();
        for net in self.loose.drain(..) {
            self.is_loose[net as usize] = false;
        }
        let compiled = &self.compiled;
        self.counts = Counts {
            cycles: 0,
            toggles: vec![0; compiled.netlist.nets],
            joules: vec![0.0; compiled.netlist.cells.len()],
            times: vec![0; compiled.times],
        };
        self.rams.iter_mut().for_each(Ram::start);
    }

    pub(super) fn value(&self, net: NetId) -> bool {
        self.value[net as usize]
    }

    /// Has a cell evaluated in the next settling.
    fn wake(&mut self, n: usize) {
        let cell = &mut self.cells[n];
        if !cell.queued {
            cell.queued = true;
            self.queue[cell.level as usize].push(n as u32);
            self.settled = false;
        }
    }

    /// Has a flip-flop looked at at the next edge.
    fn wait(&mut self, n: usize) {
        let cell = &mut self.cells[n];
        if !cell.pending {
            cell.pending = true;
            self.pending.push(n as u32);
        }
    }

    /// Gives a net a value.
    pub(super) fn set(&mut self, net: NetId, value: bool) {
        if self.value[net as usize] == value {
            return;
        }
        self.value[net as usize] = value;
        if !self.driven_by_cell[net as usize] && !self.is_loose[net as usize] {
            self.is_loose[net as usize] = true;
            self.at_edge[net as usize] = !value;
            self.loose.push(net);
        }
        let compiled = self.compiled.clone();
        self.spread(&compiled, net);
    }

    fn spread(&mut self, compiled: &Compiled, net: NetId) {
        for &sink in compiled.sinks_of(net) {
            let n = (sink >> 4) as usize;
            let cell = &mut self.cells[n];
            cell.pattern ^= 1 << (sink & 7);
            if !cell.changed {
                cell.changed = true;
                self.changed.push(n as u32);
            }
            if sink & WAITS == 0 { self.wake(n) } else { self.wait(n) }
        }
    }

    /// Lets all cells follow their inputs.
    pub(super) fn settle(&mut self) {
        if self.settled {
            return;
        }
        let compiled = self.compiled.clone();
        let cells = compiled.netlist.cells.len();
        for level in 0..self.queue.len() {
            while let Some(n) = self.queue[level].pop() {
                let n = n as usize;
                self.cells[n].queued = false;
                if n >= cells {
                    self.read_at_once(&compiled, n - cells);
                    continue;
                }
                let kind = &compiled.kinds[usize::from(self.cells[n].kind)];
                if let Some(state) = &kind.flip_flop {
                    let pattern = self.cells[n].pattern;
                    let now = pattern >> state.bit & 1 == 1;
                    match state.at_once[usize::from(pattern)] {
                        Some(value) if value != now => self.flip(&compiled, n, state.bit),
                        _ => self.drive(&compiled, n),
                    }
                    self.wait(n);
                } else {
                    self.drive(&compiled, n);
                }
            }
        }
        self.settled = true;
    }

    /// Brings a cell's outputs to what its pattern says.
    fn drive(&mut self, compiled: &Compiled, n: usize) {
        let cell = self.cells[n];
        if cell.single != NONE {
            let value = truth(compiled, cell.kind, cell.pattern);
            if self.value[cell.single as usize] != value {
                self.value[cell.single as usize] = value;
                self.spread(compiled, cell.single);
            }
            return;
        }
        let kind = &compiled.kinds[usize::from(cell.kind)];
        for (output, net) in kind.outputs.iter().zip(&compiled.outputs[n]) {
            let value = output.value[usize::from(cell.pattern)];
            if let Some(net) = net
                && self.value[*net as usize] != value
            {
                self.value[*net as usize] = value;
                self.spread(compiled, *net);
            }
        }
    }

    /// Changes a flip-flop's state.
    fn flip(&mut self, compiled: &Compiled, n: usize, bit: u32) {
        let cell = &mut self.cells[n];
        cell.pattern ^= 1 << bit;
        if !cell.changed {
            cell.changed = true;
            self.changed.push(n as u32);
        }
        self.drive(compiled, n);
    }

    fn read_at_once(&mut self, compiled: &Compiled, read: usize) {
        let (memory, port) = compiled.reads_at_once[read];
        let port = &compiled.netlist.memories[memory as usize].reads[port as usize];
        let address = self.number(&port.address);
        for (bit, &net) in port.data.iter().enumerate() {
            let value = self.rams[memory as usize].bit(address, bit);
            self.set(net, value);
        }
    }

    fn number(&self, nets: &[NetId]) -> usize {
        let bits = nets.iter().enumerate();
        bits.fold(0, |number, (bit, &net)| number | usize::from(self.value(net)) << bit)
    }

    /// A rising edge.
    pub(super) fn tick(&mut self) {
        self.settle();
        self.account();
        let compiled = self.compiled.clone();
        let pending = std::mem::take(&mut self.pending);
        let mut flips = vec![];
        for &n in &pending {
            let cell = &mut self.cells[n as usize];
            cell.pending = false;
            let kind = &compiled.kinds[usize::from(cell.kind)];
            let Some(state) = &kind.flip_flop else { continue };
            let pattern = usize::from(cell.pattern);
            let next = state.at_once[pattern].unwrap_or(state.next[pattern]);
            if next != (pattern >> state.bit & 1 == 1) {
                flips.push((n as usize, state.bit));
            }
        }
        let words = self.access_memories(&compiled);
        for (n, bit) in flips {
            self.flip(&compiled, n, bit);
            // its next state may depend on it
            self.wait(n);
        }
        for (net, value) in words {
            self.set(net, value);
        }
    }

    /// Reads, then writes; returns what the registered reads show.
    fn access_memories(&mut self, compiled: &Compiled) -> Vec<(NetId, bool)> {
        let mut words = vec![];
        for (m, memory) in compiled.netlist.memories.iter().enumerate() {
            for (p, read) in memory.reads.iter().enumerate() {
                match read.sync {
                    Some((_, enable)) if self.value(enable) => {
                        let address = self.number(&read.address);
                        self.rams[m].counts.reads += 1;
                        let through = read.transparent.iter().map(|&w| &memory.writes[w]);
                        let through: Vec<_> =
                            through.filter(|w| self.number(&w.address) == address).collect();
                        for (bit, &net) in read.data.iter().enumerate() {
                            let mut value = self.rams[m].bit(address, bit);
                            for write in through.iter().filter(|w| self.value(w.enable[bit])) {
                                value = self.value(write.data[bit]);
                            }
                            if self.value(net) != value {
                                words.push((net, value));
                            }
                        }
                    }
                    Some(_) => {}
                    None => {
                        let address = self.number(&read.address);
                        self.rams[m].note_address(p, address);
                    }
                }
            }
            let mut wrote = false;
            for write in &memory.writes {
                if !write.enable.iter().any(|&net| self.value(net)) {
                    continue;
                }
                wrote = true;
                let address = self.number(&write.address);
                self.rams[m].counts.writes += 1;
                for (bit, (&enable, &data)) in write.enable.iter().zip(&write.data).enumerate() {
                    if self.value[enable as usize] {
                        self.rams[m].counts.written_bits += 1;
                        self.rams[m].write(address, bit, self.value[data as usize]);
                    }
                }
            }
            if wrote {
                let cells = compiled.netlist.cells.len();
                for (read, (memory, _)) in compiled.reads_at_once.iter().enumerate() {
                    if *memory as usize == m {
                        self.wake(cells + read);
                    }
                }
            }
        }
        words
    }

    /// Counts what changed since the last edge.
    fn account(&mut self) {
        let compiled = &self.compiled;
        let cells = compiled.netlist.cells.len();
        let counts = &mut self.counts;
        let now = counts.cycles;
        for n in self.changed.drain(..) {
            let n = n as usize;
            let cell = &mut self.cells[n];
            cell.changed = false;
            let (old, new) = (cell.at_edge, cell.pattern);
            if old == new || n >= cells {
                continue;
            }
            let kind = &compiled.kinds[usize::from(cell.kind)];
            let energies = &compiled.energies[compiled.energy_at[n] as usize..];
            let mut joules = 0.0;
            for &(arc, share) in kind.change(old, new) {
                joules += f64::from(share) * energies[usize::from(arc)];
            }
            counts.joules[n] += joules;
            if cell.single != NONE {
                let [was, is] = [old, new].map(|pattern| truth(compiled, cell.kind, pattern));
                counts.toggles[cell.single as usize] += u64::from(was != is);
            } else {
                count_outputs(compiled, counts, n, old, new);
            }
            if compiled.patterns(n) > 0 {
                counts.times[compiled.time_at[n] as usize + usize::from(old)] += now - cell.since;
                cell.since = now;
            }
            cell.at_edge = new;
        }
        for net in self.loose.drain(..) {
            let net = net as usize;
            self.is_loose[net] = false;
            counts.toggles[net] += u64::from(self.at_edge[net] != self.value[net]);
        }
        counts.cycles += 1;
    }

    /// The times of a cell's patterns up to now.
    pub(super) fn times(&self, cell: usize) -> Vec<u64> {
        let at = self.compiled.time_at[cell] as usize;
        let mut times = self.counts.times[at..at + self.compiled.patterns(cell)].to_vec();
        let running = &self.cells[cell];
        if let Some(time) = times.get_mut(usize::from(running.at_edge)) {
            *time += self.counts.cycles - running.since;
        }
        times
    }
}

/// What a cell of one output shows for a pattern.
fn truth(compiled: &Compiled, kind: u16, pattern: u16) -> bool {
    compiled.truth[usize::from(kind)][usize::from(pattern >> 6)] >> (pattern & 63) & 1 == 1
}

/// Counts the changes of a cell's outputs, however many it has.
fn count_outputs(compiled: &Compiled, counts: &mut Counts, n: usize, old: u16, new: u16) {
    let kind = &compiled.kinds[usize::from(compiled.kind_of[n])];
    for (output, net) in kind.outputs.iter().zip(&compiled.outputs[n]) {
        if let Some(net) = net {
            let changed = output.value[usize::from(old)] != output.value[usize::from(new)];
            counts.toggles[*net as usize] += u64::from(changed);
        }
    }
}
