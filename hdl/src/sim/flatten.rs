//! A module and everything below it as one module without instances.
//!
//! Names become paths (`pe_0_0.sum`). Promises and stream contracts of every level become ordinary
//! nodes, registers and [`Assertion`]s, so that every engine treats them alike.

use super::contracts::{self, Contract};
use crate::netlist::*;
use crate::passes::{map_kind, map_references};
use std::sync::Arc;

/// A flattened module.
pub struct Flat {
    /// The module: no instances, every assertion also holds in reset.
    ///
    /// Its nodes begin with the original module's, under the same ids; so do its clocks. Further
    /// clocks are the same clocks with another reset, as seen by parts of the design that are
    /// reset on their own.
    pub module: Module,
    /// For each clock of `module`, the original module's clock that it is.
    pub roots: Vec<ClockId>,
    /// Registers from this position on watch contracts; they are 0 at power-up.
    pub watchers: usize,
}

/// Flattens a module; `check_contracts` says whether promises and stream contracts are kept.
pub fn flatten(module: &Module, check_contracts: bool) -> Flat {
    let mut flattener = Flattener {
        flat: Module {
            nodes: vec![],
            registers: vec![],
            memories: vec![],
            instances: vec![],
            leaves: vec![],
            assertions: vec![],
            ..module.clone()
        },
        roots: (0..module.clocks.len()).map(ClockId::new).collect(),
        contracts: vec![],
    };
    let clocks = flattener.roots.clone();
    flattener.add_all(module, &clocks);
    let Flattener { mut flat, roots, contracts } = flattener;
    let watchers = flat.registers.len();
    if check_contracts {
        contracts::expand(&mut flat, contracts);
    }
    Flat { module: flat, roots, watchers }
}

/// The node at the far end of a chain of wires.
pub(crate) fn source(module: &Module, mut id: NodeId) -> NodeId {
    while let Kind::Wire(Some(driver)) = module.node(id).kind {
        id = driver;
    }
    id
}

/// For every node, the one at the far end of a chain of wires.
pub(crate) fn sources(module: &Module) -> Vec<NodeId> {
    let mut known: Vec<Option<NodeId>> = vec![None; module.nodes.len()];
    for (start, _) in module.ids() {
        let mut chain = vec![];
        let mut id = start;
        while let (None, Kind::Wire(Some(driver))) = (known[id.index()], &module.node(id).kind) {
            chain.push(id);
            id = *driver;
        }
        let end = known[id.index()].unwrap_or(id);
        chain.into_iter().chain([id]).for_each(|id| known[id.index()] = Some(end));
    }
    known.into_iter().flatten().collect()
}

struct Flattener {
    flat: Module,
    roots: Vec<ClockId>,
    contracts: Vec<Contract>,
}

/// A module in its place, while what stands inside it is added.
struct Level<'a> {
    module: &'a Module,
    /// What it is an instance of in the level above; none for the top.
    instance: Option<&'a Instance>,
    /// Where it stands: empty, or ending in a dot.
    path: String,
    /// Where its nodes begin.
    base: usize,
    /// The flat clocks behind its own.
    clocks: Vec<ClockId>,
    /// Instances yet to be added.
    rest: std::slice::Iter<'a, Instance>,
}

impl Level<'_> {
    fn at(&self, id: NodeId) -> NodeId {
        NodeId::new(self.base + id.index())
    }
}

impl Flattener {
    /// Adds the top and all below it. The stack is our own: hierarchies may be deeper than the call
    /// stack.
    fn add_all(&mut self, top: &Module, clocks: &[ClockId]) {
        let mut stack = vec![self.add(top, None, String::new(), None, clocks)];
        while let Some(level) = stack.last_mut() {
            if let Some(instance) = level.rest.next() {
                let path = format!("{}{}.", level.path, instance.name);
                let drivers: Vec<_> =
                    instance.inputs.iter().map(|&input| level.at(input)).collect();
                let clocks: Vec<_> =
                    instance.clocks.iter().map(|id| level.clocks[id.index()]).collect();
                let module = &instance.module;
                stack.push(self.add(module, Some(instance), path, Some(&drivers), &clocks));
            } else if let Some(inner) = stack.pop()
                && let Some(outer) = stack.last()
            {
                self.connect_outputs(&inner, outer);
            }
        }
    }

    /// Adds a module alone. `drivers` are the flat nodes behind its inputs, `None` for the top.
    fn add<'a>(
        &mut self,
        module: &'a Module,
        instance: Option<&'a Instance>,
        path: String,
        drivers: Option<&[NodeId]>,
        clocks: &[ClockId],
    ) -> Level<'a> {
        let base = self.flat.nodes.len();
        let at = |id: NodeId| NodeId::new(base + id.index());
        // copies of what stands in the module itself; of instances' modules there are none
        let mut own = module.clone();
        map_references(&mut own, at);
        self.add_nodes(std::mem::take(&mut own.nodes), &path, at);
        if let Some(drivers) = drivers {
            for (port, &driver) in module.inputs.iter().zip(drivers) {
                self.flat.nodes[at(port.node).index()].kind = Kind::Wire(Some(driver));
            }
        }
        let clocks: Vec<ClockId> = (module.clocks.iter().zip(clocks))
            .map(|(clock, &outer)| self.clock(&path, clock, outer, at))
            .collect();
        self.add_state(own, &path, &clocks);
        self.contracts.extend(Contract::of(module, &path, &clocks, at));
        Level { module, instance, path, base, clocks, rest: module.instances.iter() }
    }

    fn add_nodes(&mut self, nodes: Vec<Node>, path: &str, at: impl Fn(NodeId) -> NodeId) {
        let registers = self.flat.registers.len();
        let memories = self.flat.memories.len();
        let leaves = self.flat.leaves.len();
        for mut node in nodes {
            map_kind(&mut node.kind, &at);
            match &mut node.kind {
                Kind::Register(id) => *id = RegisterId::new(registers + id.index()),
                Kind::MemoryRead { memory, .. } => {
                    *memory = MemoryId::new(memories + memory.index());
                }
                Kind::LeafOutput { leaf, .. } => *leaf = LeafId::new(leaves + leaf.index()),
                // Driven once the instance is in place.
                kind @ Kind::InstanceOutput { .. } => *kind = Kind::Wire(None),
                _ => {}
            }
            node.name = node.name.map(|name| join(path, &name));
            self.flat.nodes.push(node);
        }
    }

    /// Adds the state of a module whose nodes are the flat ones.
    fn add_state(&mut self, module: Module, path: &str, clocks: &[ClockId]) {
        let clock = |id: &mut ClockId| *id = clocks[id.index()];
        for mut register in module.registers {
            clock(&mut register.clock);
            self.flat.registers.push(register);
        }
        for mut memory in module.memories {
            memory.name = join(path, &memory.name);
            memory.writes.iter_mut().for_each(|write| clock(&mut write.clock));
            let registered = memory.reads.iter_mut().filter_map(|read| read.sync.as_mut());
            registered.for_each(|(id, _)| clock(id));
            self.flat.memories.push(memory);
        }
        for mut leaf in module.leaves {
            if !path.is_empty() {
                leaf.name = Arc::from(path.trim_end_matches('.'));
            }
            leaf.clocks.iter_mut().for_each(clock);
            self.flat.leaves.push(leaf);
        }
    }

    fn connect_outputs(&mut self, inner: &Level<'_>, outer: &Level<'_>) {
        let outputs = inner.instance.map_or(&[][..], |instance| &instance.outputs);
        for (port, output) in inner.module.outputs.iter().zip(outputs) {
            let driver = inner.at(port.node);
            if let Some(output) = output {
                self.flat.nodes[outer.at(*output).index()].kind = Kind::Wire(Some(driver));
            }
            // The port's name is a name for its value too.
            let name = join(&inner.path, &port.name);
            if self.flat.node(driver).name.as_ref() != Some(&name) {
                let (kind, name) = (Kind::Wire(Some(driver)), Some(name));
                self.flat.nodes.push(Node {
                    kind,
                    ty: port.ty,
                    name,
                    called: None,
                    place: port.place,
                });
            }
        }
    }

    /// The flat clock for a clock of the module at `path`, driven by the flat clock `outer`.
    fn clock(
        &mut self,
        path: &str,
        clock: &Clock,
        outer: ClockId,
        at: impl Fn(NodeId) -> NodeId,
    ) -> ClockId {
        let Some(reset) = &clock.reset else {
            return outer;
        };
        let reset = Reset { signal: at(reset.signal), ..reset.clone() };
        let key = |reset: &Reset| {
            let (mut signal, mut low) = (source(&self.flat, reset.signal), reset.active_low);
            while let Kind::Unary(UnaryOp::Not, a) = self.flat.node(signal).kind {
                (signal, low) = (source(&self.flat, a), !low);
            }
            (signal, low, reset.kind)
        };
        let wanted = key(&reset);
        let root = self.roots[outer.index()];
        let known = (self.flat.clocks.iter().zip(&self.roots)).position(|(clock, of)| {
            *of == root && clock.reset.as_ref().is_some_and(|reset| key(reset) == wanted)
        });
        if let Some(known) = known {
            return ClockId::new(known);
        }
        let name = join(path, &clock.name);
        self.flat.clocks.push(Clock { name, reset: Some(reset), place: clock.place });
        self.roots.push(root);
        ClockId::new(self.roots.len() - 1)
    }
}

fn join(path: &str, name: &str) -> Arc<str> {
    Arc::from(format!("{path}{name}"))
}
