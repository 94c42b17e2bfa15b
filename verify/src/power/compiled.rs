//! A flat netlist made ready to run: who drives whom, in which order, and what it costs.

use super::error::{PowerError, netlist as refused};
use super::gating::Banks;
use super::kind::CellKind;
use super::liberty::Library;
use super::netlist::{NetId, Netlist};
use std::collections::HashMap;

/// In a sink, that the pin waits for the clock.
pub(super) const WAITS: u32 = 8;

/// No net.
pub(super) const NONE: NetId = NetId::MAX;

/// A netlist made ready to run: what does not change while it does.
#[derive(Debug)]
pub(super) struct Compiled {
    pub(super) netlist: Netlist,
    pub(super) kinds: Vec<CellKind>,
    /// Position in `kinds` of each cell.
    pub(super) kind_of: Vec<u16>,
    /// Output nets of each cell, in the kind's order; `None` where nobody is.
    pub(super) outputs: Vec<Vec<Option<NetId>>>,
    /// The output net of cells that have one output, else [`NONE`].
    pub(super) single: Vec<NetId>,
    /// For each kind, the values of its first output, a bit a pattern.
    pub(super) truth: Vec<[u64; 4]>,
    /// Farads of each net.
    pub(super) loads: Vec<f64>,
    /// For each net, a range of `sinks`.
    pub(super) fanout: Vec<u32>,
    /// Cell and pin bit, `cell << 4 | WAITS? | bit`; reads at once are counted on after the cells.
    pub(super) sinks: Vec<u32>,
    /// Level of each cell and each read at once.
    pub(super) level: Vec<u32>,
    pub(super) levels: usize,
    /// For each cell, where its arcs' energies begin.
    pub(super) energy_at: Vec<u32>,
    /// Joules.
    pub(super) energies: Vec<f64>,
    /// For each cell, where the times of its patterns begin.
    pub(super) time_at: Vec<u32>,
    pub(super) times: usize,
    /// Memory and port of each read at once.
    pub(super) reads_at_once: Vec<(u32, u32)>,
    clock: NetId,
    pub(super) banks: Banks,
}

/// What decides energy, besides the netlist.
#[derive(Clone, Copy, Debug)]
pub(super) struct Conditions {
    /// Seconds.
    pub(super) slew: f64,
    /// Farads of wire for each pin a net drives.
    pub(super) wire: f64,
}

impl Compiled {
    pub(super) fn new(
        netlist: Netlist,
        library: &Library,
        clock: &str,
        conditions: Conditions,
    ) -> Result<Compiled, PowerError> {
        let mut kinds: Vec<CellKind> = vec![];
        let mut positions: HashMap<&str, u16> = HashMap::new();
        let mut kind_of = vec![];
        for cell in &netlist.cells {
            let kind = match positions.get(cell.kind.as_str()) {
                Some(kind) => *kind,
                None => {
                    kinds.push(CellKind::new(&library.cells[&cell.kind], conditions.slew)?);
                    positions.insert(&cell.kind, kinds.len() as u16 - 1);
                    kinds.len() as u16 - 1
                }
            };
            kind_of.push(kind);
        }
        let clock = match netlist.ports.get(clock).map(Vec::as_slice) {
            Some([net]) => *net,
            _ => return Err(refused("the top module", format!("no clock port `{clock}`"))),
        };
        let mut compiled = Compiled {
            loads: vec![0.0; netlist.nets],
            fanout: vec![],
            sinks: vec![],
            outputs: vec![],
            single: vec![],
            truth: vec![],
            level: vec![],
            levels: 0,
            energy_at: vec![],
            energies: vec![],
            time_at: vec![],
            times: 0,
            reads_at_once: vec![],
            clock,
            banks: Banks::default(),
            netlist,
            kinds,
            kind_of,
        };
        let sinks = compiled.connect(conditions.wire)?;
        compiled.spread(&sinks);
        compiled.order()?;
        compiled.shorten();
        compiled.price(conditions.slew);
        Ok(compiled)
    }

    fn place(&self, cell: usize) -> String {
        let cell = &self.netlist.cells[cell];
        let path = &self.netlist.instances[cell.instance as usize].path;
        format!("{path}.{} ({})", cell.name, cell.kind)
    }

    /// Finds every pin's net: loads, outputs, and the list of nets with the pins they drive.
    fn connect(&mut self, wire: f64) -> Result<Vec<(NetId, u32)>, PowerError> {
        let mut sinks = vec![];
        let mut driven = vec![false; self.netlist.nets];
        for (n, cell) in self.netlist.cells.iter().enumerate() {
            let kind = &self.kinds[usize::from(self.kind_of[n])];
            let net =
                |pin: &str| cell.pins.iter().find(|(name, _)| name == pin).map(|(_, net)| *net);
            for (bit, (pin, load)) in kind.inputs.iter().zip(&kind.input_loads).enumerate() {
                // an input left open is 0
                let net = net(pin).unwrap_or(0);
                self.loads[net as usize] += load + wire;
                sinks.push((net, sink(n, bit, kind)));
            }
            if let Some(state) = &kind.flip_flop {
                if net(&state.clock) != Some(self.clock) {
                    let what = "its clock is not the design's own, ungated and rising";
                    return Err(refused(self.place(n), what));
                }
                self.loads[self.clock as usize] += state.clock_load + wire;
                if let Some((enable, _)) = state.gated {
                    let enable = net(&kind.inputs[enable as usize]).unwrap_or(0);
                    if self.banks.add(cell.instance, enable, n) {
                        // the gate has an input like that of a flip-flop
                        let data = kind.input_loads.iter().copied().fold(0.0, f64::max);
                        self.loads[enable as usize] += data;
                    }
                }
            }
            let mut outputs = vec![];
            for output in &kind.outputs {
                let net = net(&output.name);
                if let Some(net) = net {
                    self.loads[net as usize] += output.load;
                    if net < 2 || std::mem::replace(&mut driven[net as usize], true) {
                        return Err(refused(self.place(n), "its output has another driver"));
                    }
                }
                outputs.push(net);
            }
            self.outputs.push(outputs);
        }
        let cells = self.netlist.cells.len() as u32;
        for (m, memory) in self.netlist.memories.iter().enumerate() {
            let wrong = |what: &str| {
                let path = &self.netlist.instances[memory.instance as usize].path;
                Err(refused(format!("{path}.{}", memory.name), what))
            };
            let mut data = memory.reads.iter().flat_map(|read| &read.data);
            if data.any(|&net| net < 2 || std::mem::replace(&mut driven[net as usize], true)) {
                return wrong("a memory's output has another driver");
            }
            let reads = memory.reads.iter().filter_map(|read| read.sync.map(|(clock, _)| clock));
            let mut clocks = memory.writes.iter().map(|write| write.clock).chain(reads);
            if clocks.any(|clock| clock != self.clock) {
                return wrong("its clock is not the design's own");
            }
            for (p, read) in memory.reads.iter().enumerate().filter(|(_, r)| r.sync.is_none()) {
                let n = cells + self.reads_at_once.len() as u32;
                self.reads_at_once.push((m as u32, p as u32));
                sinks.extend(read.address.iter().map(|&net| (net, n << 4)));
            }
        }
        if (self.netlist.cells.len() + self.reads_at_once.len()) >> 28 > 0 {
            return Err(refused("the netlist", "it has 2^28 cells or more"));
        }
        Ok(sinks)
    }

    /// Sorts the sinks by net.
    fn spread(&mut self, sinks: &[(NetId, u32)]) {
        self.fanout = vec![0; self.netlist.nets + 1];
        sinks.iter().for_each(|(net, _)| self.fanout[*net as usize + 1] += 1);
        (1..self.fanout.len()).for_each(|n| self.fanout[n] += self.fanout[n - 1]);
        self.sinks = vec![0; sinks.len()];
        let mut at = self.fanout.clone();
        for (net, sink) in sinks {
            self.sinks[at[*net as usize] as usize] = *sink;
            at[*net as usize] += 1;
        }
    }

    /// The pins a net drives.
    pub(super) fn sinks_of(&self, net: NetId) -> &[u32] {
        let net = net as usize;
        &self.sinks[self.fanout[net] as usize..self.fanout[net + 1] as usize]
    }

    fn outputs_of(&self, n: usize) -> Vec<NetId> {
        match n.checked_sub(self.netlist.cells.len()) {
            None => self.outputs[n].iter().flatten().copied().collect(),
            Some(read) => {
                let (memory, port) = self.reads_at_once[read];
                self.netlist.memories[memory as usize].reads[port as usize].data.clone()
            }
        }
    }

    /// Levels: above all that is looked at.
    fn order(&mut self) -> Result<(), PowerError> {
        let count = self.netlist.cells.len() + self.reads_at_once.len();
        let mut waits = vec![0u32; count];
        // nets driven by something that acts at once
        let mut driven = vec![false; self.netlist.nets];
        let acts: Vec<bool> = (0..count)
            .map(|n| match self.kind_of.get(n) {
                None => true,
                Some(&kind) => {
                    let state = &self.kinds[usize::from(kind)].flip_flop;
                    state.as_ref().is_none_or(|state| state.asynchronous != 0)
                }
            })
            .collect();
        for n in (0..count).filter(|&n| acts[n]) {
            self.outputs_of(n).iter().for_each(|&net| driven[net as usize] = true);
        }
        for (net, _) in driven.iter().enumerate().filter(|(_, driven)| **driven) {
            for &sink in self.sinks_of(net as NetId) {
                if sink & WAITS == 0 {
                    waits[(sink >> 4) as usize] += 1;
                }
            }
        }
        self.level = vec![0; count];
        let mut ready: Vec<usize> = (0..count).filter(|&n| acts[n] && waits[n] == 0).collect();
        let mut done = 0;
        while let Some(n) = ready.pop() {
            done += 1;
            let above = self.level[n] + 1;
            self.levels = self.levels.max(above as usize);
            for net in self.outputs_of(n) {
                for at in self.fanout[net as usize]..self.fanout[net as usize + 1] {
                    let sink = self.sinks[at as usize];
                    if sink & WAITS == 0 {
                        let next = (sink >> 4) as usize;
                        self.level[next] = self.level[next].max(above);
                        waits[next] -= 1;
                        if waits[next] == 0 {
                            ready.push(next);
                        }
                    }
                }
            }
        }
        if done < acts.iter().filter(|&&acts| acts).count() {
            let stuck = (0..self.netlist.cells.len()).find(|&n| acts[n] && waits[n] > 0);
            let at = stuck.map_or_else(|| "a memory".into(), |n| self.place(n));
            return Err(refused(at, "a combinational loop goes through it"));
        }
        Ok(())
    }

    /// The fast way to cells of one output.
    fn shorten(&mut self) {
        let single = |outputs: &Vec<Option<NetId>>| match outputs[..] {
            [Some(net)] => net,
            _ => NONE,
        };
        self.single = self.outputs.iter().map(single).collect();
        let truth = |kind: &CellKind| {
            let mut truth = [0; 4];
            for (pattern, value) in kind.outputs.iter().flat_map(|o| o.value.iter().enumerate()) {
                truth[pattern / 64] |= u64::from(*value) << (pattern % 64);
            }
            truth
        };
        self.truth = self.kinds.iter().map(truth).collect();
    }

    /// Energies of every cell's arcs at its own loads; cells alike share theirs.
    fn price(&mut self, slew: f64) {
        let mut known: HashMap<(u16, Vec<u64>), u32> = HashMap::new();
        for n in 0..self.netlist.cells.len() {
            let kind = &self.kinds[usize::from(self.kind_of[n])];
            let load = |net: &Option<NetId>| net.map_or(0.0, |net| self.loads[net as usize]);
            let loads: Vec<f64> = self.outputs[n].iter().map(load).collect();
            let key = (self.kind_of[n], loads.iter().map(|load| load.to_bits()).collect());
            let energies = &mut self.energies;
            let at = *known.entry(key).or_insert_with(|| {
                let at = energies.len() as u32;
                energies.extend(kind.arc_energies(slew, &loads));
                at
            });
            self.energy_at.push(at);
            self.time_at.push(self.times as u32);
            let patterns = kind.leakage.len();
            let clock = kind.flip_flop.as_ref().map_or(1, |state| state.clock_energy.len());
            self.times += if patterns.max(clock) > 1 { patterns.max(clock) } else { 0 };
        }
    }

    /// Whether times of a cell's patterns are kept, and how many there are.
    pub(super) fn patterns(&self, cell: usize) -> usize {
        let end = self.time_at.get(cell + 1).map_or(self.times, |&end| end as usize);
        end - self.time_at[cell] as usize
    }
}

/// A pin as a net's sink.
fn sink(cell: usize, bit: usize, kind: &CellKind) -> u32 {
    let state = kind.flip_flop.as_ref();
    let waits = state.is_some_and(|state| state.asynchronous >> bit & 1 == 0);
    (cell as u32) << 4 | if waits { WAITS } else { 0 } | bit as u32
}
