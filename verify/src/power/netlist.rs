//! A synthesized design, flattened: cells of the library between nets of one bit, each cell with
//! the instance it stands in.

use super::error::{PowerError, netlist as refused};
use super::json::{self, Bit, Design};
use super::liberty::Library;
use super::memory::{self, MemoryCell};
use std::collections::HashMap;

/// Cells, memories and instances of a design, at most.
const CELLS: usize = 1 << 22;

/// Instances inside each other, at most.
const DEPTH: usize = 64;

/// A net of one bit. Nets 0 and 1 are the constants.
pub(super) type NetId = u32;

/// A flat netlist.
#[derive(Debug, Default)]
pub(super) struct Netlist {
    /// Number of nets.
    pub(super) nets: usize,
    pub(super) cells: Vec<GateCell>,
    pub(super) memories: Vec<MemoryCell>,
    /// The top is the first; parents come before their parts.
    pub(super) instances: Vec<Instance>,
    /// Bits of the top module's ports, the lowest first.
    pub(super) ports: HashMap<String, Vec<NetId>>,
    /// Names of nets that the author gave: `path.name`, and the bit.
    pub(super) names: Vec<(String, Vec<NetId>)>,
}

/// A module in its place.
#[derive(Debug)]
pub(super) struct Instance {
    /// Names from the top down, joined by `.`; empty for the top.
    pub(super) path: String,
    /// What it is an instance of.
    pub(super) module: String,
}

/// A cell of the library.
#[derive(Debug)]
pub(super) struct GateCell {
    /// Position in [`Netlist::instances`].
    pub(super) instance: u32,
    /// Its name in Yosys' netlist.
    pub(super) name: String,
    /// The library's cell.
    pub(super) kind: String,
    /// Pins and their nets.
    pub(super) pins: Vec<(String, NetId)>,
}

/// Flattens the design under `top`.
pub(super) fn flatten(
    design: &Design,
    top: &str,
    library: &Library,
) -> Result<Netlist, PowerError> {
    let mut flat = Flattener { design, library, netlist: Netlist::default(), same: vec![0, 1] };
    let module = design.modules.get(top);
    let module = module.ok_or_else(|| refused(top, "the netlist has no such module"))?;
    let mut nets = HashMap::new();
    let mut ports = HashMap::new();
    for (name, port) in &module.ports {
        let bits = port.bits.iter().map(|bit| flat.net(&mut nets, bit)).collect::<Vec<_>>();
        ports.insert(name.clone(), bits);
    }
    flat.module(module, top, String::new(), nets, 0)?;
    let Flattener { mut netlist, mut same, .. } = flat;
    netlist.ports = ports;
    // every net by its root; roots come before the others
    for net in 0..same.len() {
        same[net] = same[same[net] as usize];
    }
    netlist.nets = same.len();
    let root = |net: &mut NetId| *net = same[*net as usize];
    netlist.cells.iter_mut().flat_map(|cell| &mut cell.pins).for_each(|(_, net)| root(net));
    netlist.memories.iter_mut().flat_map(MemoryCell::nets_mut).for_each(root);
    netlist.ports.values_mut().flatten().for_each(root);
    netlist.names.iter_mut().flat_map(|(_, bits)| bits).for_each(root);
    Ok(netlist)
}

struct Flattener<'d> {
    design: &'d Design,
    library: &'d Library,
    netlist: Netlist,
    /// For each net one that is the same and not above it: a forest.
    same: Vec<NetId>,
}

impl Flattener<'_> {
    fn net(&mut self, nets: &mut HashMap<u32, NetId>, bit: &Bit) -> NetId {
        match bit {
            // what Yosys leaves open is 0
            Bit::Constant(value) => NetId::from(value == "1"),
            Bit::Net(number) => *nets.entry(*number).or_insert_with(|| {
                self.same.push(self.same.len() as NetId);
                self.same.len() as NetId - 1
            }),
        }
    }

    fn root(&self, mut net: NetId) -> NetId {
        while self.same[net as usize] != net {
            net = self.same[net as usize];
        }
        net
    }

    fn join(&mut self, a: NetId, b: NetId) {
        let (a, b) = (self.root(a), self.root(b));
        self.same[a.max(b) as usize] = a.min(b);
    }

    fn module(
        &mut self,
        module: &json::Module,
        name: &str,
        path: String,
        mut nets: HashMap<u32, NetId>,
        depth: usize,
    ) -> Result<(), PowerError> {
        let instance = self.netlist.instances.len() as u32;
        let made = self.netlist.cells.len() + self.netlist.instances.len();
        if depth > DEPTH || made > CELLS {
            let what = format!("more than {DEPTH} levels or {CELLS} cells of netlist");
            return Err(refused(path, what));
        }
        self.netlist.instances.push(Instance { path: path.clone(), module: name.into() });
        let below = |name: &str| {
            if path.is_empty() { name.to_string() } else { format!("{path}.{name}") }
        };
        for (name, cell) in &module.cells {
            let mut pins = Vec::with_capacity(cell.connections.len());
            for (pin, bits) in &cell.connections {
                let bits: Vec<_> = bits.iter().map(|bit| self.net(&mut nets, bit)).collect();
                pins.push((pin, bits));
            }
            let at = || below(name);
            let of_library = self.library.cells.contains_key(&cell.kind);
            let inner = self.design.modules.get(&cell.kind).filter(|_| !of_library);
            if let Some(inner) = inner {
                let mut inside = HashMap::new();
                for (pin, outside) in pins {
                    let port = inner.ports.get(pin);
                    let port = port.filter(|port| port.bits.len() == outside.len());
                    let port = port.ok_or_else(|| {
                        refused(at(), format!("port `{pin}` is not that of `{}`", cell.kind))
                    })?;
                    for (bit, outside) in port.bits.iter().zip(outside) {
                        let known = match bit {
                            Bit::Net(number) => *inside.entry(*number).or_insert(outside),
                            Bit::Constant(value) => NetId::from(value == "1"),
                        };
                        self.join(known, outside);
                    }
                }
                self.module(inner, &cell.kind, at(), inside, depth + 1)?;
            } else if cell.kind == "$mem_v2" {
                let memory = memory::read(cell, instance, name, &pins, at)?;
                self.netlist.memories.push(memory);
            } else if of_library {
                let one = |(pin, bits): (&String, Vec<NetId>)| match bits[..] {
                    [net] => Ok((pin.clone(), net)),
                    _ => Err(refused(at(), format!("pin `{pin}` is {} bits wide", bits.len()))),
                };
                let pins = pins.into_iter().map(one).collect::<Result<_, _>>()?;
                let (name, kind) = (name.clone(), cell.kind.clone());
                self.netlist.cells.push(GateCell { instance, name, kind, pins });
            } else {
                let why = match cell.kind.as_str() {
                    kind if kind.contains("LATCH") => "a latch has no place in a design of ours",
                    kind if kind.contains("DFF") => "the library has no flip-flop that does this",
                    _ => "the library has no such cell",
                };
                return Err(refused(at(), format!("cell type `{}`: {why}", cell.kind)));
            }
        }
        for (name, net) in module.netnames.iter().filter(|(_, net)| net.hide_name == 0) {
            let bits = net.bits.iter().map(|bit| self.net(&mut nets, bit)).collect();
            self.netlist.names.push((below(name), bits));
        }
        Ok(())
    }
}
