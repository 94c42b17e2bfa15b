//! Which nodes become nets, and what the nets are called.

use crate::check::combinational_order;
use crate::names::Names;
use crate::netlist::{BinaryOp, Called, Kind, Module, NodeId};
use std::sync::Arc;

/// Expressions of more operators than this are cut into nets.
const MAX_OPERATORS: usize = 6;

/// Who named a net.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The author.
    Author,
    /// The author: it is bits of a net that has a name, or that net in another type.
    Bits,
    /// The author: it is called after the one register, memory or instance that takes it, or the
    /// one named thing that it is part of.
    Role,
    /// Nobody: it is called after an operator.
    Operator,
}

/// A module's nets.
pub(super) struct Nets {
    /// The name of each node that is a net; `None` for what is written in place.
    pub(super) names: Vec<Option<Arc<str>>>,
    /// Who named it.
    pub(super) origins: Vec<Origin>,
    /// Whether the net is one of the module's output ports.
    pub(super) is_port: Vec<bool>,
    /// All nodes, each after what it depends on.
    pub(super) order: Vec<NodeId>,
}

impl Nets {
    /// The nets of a module in which these names are taken.
    pub(super) fn of(module: &Module, taken: &mut Names) -> Nets {
        let order = combinational_order(module).expect("a finished module has no loop");
        let count = module.nodes.len();
        let (names, origins) = (vec![None; count], vec![Origin::Author; count]);
        let mut nets = Nets { names, origins, is_port: vec![false; count], order };
        nets.take_port_names(module);
        let (wanted, uses) = wanted_nets(module, &nets.order);
        nets.take_given_names(module, &wanted, taken);
        let takers = takers(module);
        let (roles, wholes) = (roles(module, &uses, &takers), nets.wholes(module, &takers));
        let mut stems = nets.names.clone();
        for id in nets.order.clone() {
            let at = id.index();
            if !wanted[at] || nets.names[at].is_some() {
                continue;
            }
            let of_named = nets.is_of_named(module, id);
            let part = || Some(format!("{}_{}", wholes[at].as_ref()?, part_name(module, id)));
            let role = roles[at].clone().or_else(part).filter(|_| !of_named);
            let (origin, (stem, name)) = match (role, of_named) {
                (Some(role), _) => (Origin::Role, (role.as_str().into(), role)),
                (None, true) => (Origin::Bits, derived_name(module, id, &nets.names, &stems)),
                (None, false) => (Origin::Operator, derived_name(module, id, &nets.names, &stems)),
            };
            stems[at] = Some(stem);
            nets.names[at] = Some(taken.take(&name));
            nets.origins[at] = origin;
        }
        nets
    }

    /// What the author named keeps its name; what he said the name of gets that or the like.
    fn take_given_names(&mut self, module: &Module, wanted: &[bool], taken: &mut Names) {
        for (id, node) in module.ids().filter(|(id, _)| wanted[id.index()]) {
            let name = &mut self.names[id.index()];
            *name = name.take().or_else(|| node.name.clone());
        }
        for &id in self.order.iter().filter(|id| wanted[id.index()]) {
            let name = &mut self.names[id.index()];
            let called = || Some(taken.take(module.node(id).name()?));
            *name = name.take().or_else(called);
        }
    }

    /// Whether a node is bits of a net that somebody named, or that net in another type.
    fn is_of_named(&self, module: &Module, id: NodeId) -> bool {
        let of = match (bits_of(module, &self.names, id), &module.node(id).kind) {
            (Some((of, ..)), _) => of,
            (None, Kind::Cast(of)) => *of,
            _ => return false,
        };
        self.names[of.index()].is_some() && self.origins[of.index()] != Origin::Operator
    }

    /// The one named thing that each node is part of: what all its users are, or are part of.
    fn wholes(&self, module: &Module, takers: &[(NodeId, String)]) -> Vec<Option<Arc<str>>> {
        let mut wholes = vec![Whole::Unused; module.nodes.len()];
        for (id, role) in takers {
            wholes[id.index()].join(Whole::One(role[..].into()), false);
        }
        for &id in self.order.iter().rev() {
            let name = self.names[id.index()].as_ref().or(module.node(id).name());
            let own = name.map_or(wholes[id.index()].clone(), |name| Whole::One(name.clone()));
            for part in module.node(id).kind.operands() {
                let has_role = matches!(module.node(part).called, Some(Called::Part(_)));
                wholes[part.index()].join(own.clone(), has_role);
            }
        }
        wholes.into_iter().map(Whole::name).collect()
    }

    /// Ports keep their names. A net with an output's name, or an unnamed one it shows, is the
    /// port itself.
    fn take_port_names(&mut self, module: &Module) {
        for port in &module.inputs {
            self.names[port.node.index()] = Some(port.name.clone());
        }
        for port in &module.outputs {
            let (node, index) = (module.node(port.node), port.node.index());
            let shown = match (&node.name, &node.kind) {
                (_, Kind::Constant(_)) => false,
                (Some(name), _) => *name == port.name,
                (None, _) => true,
            };
            if shown && self.names[index].is_none() {
                self.names[index] = Some(port.name.clone());
                self.is_port[index] = true;
            }
        }
    }
}

/// What a node goes into, as far as its users are known.
#[derive(Clone)]
enum Whole {
    Unused,
    One(Arc<str>),
    Several,
}

impl Whole {
    /// With one more user. A node with a role in each of several goes with the first in the text.
    fn join(&mut self, user: Whole, has_role: bool) {
        *self = match (&*self, user) {
            (Whole::Unused, user) => user,
            (Whole::One(known), Whole::One(user)) if has_role || *known == user => Whole::One(user),
            (Whole::Several, Whole::One(user)) if has_role => Whole::One(user),
            _ => Whole::Several,
        }
    }

    fn name(self) -> Option<Arc<str>> {
        match self {
            Whole::One(name) => Some(name),
            Whole::Unused | Whole::Several => None,
        }
    }
}

/// Nodes that need a net, by the rules, because they are used twice, or to keep lines short; and how
/// often each is used.
fn wanted_nets(module: &Module, order: &[NodeId]) -> (Vec<bool>, Vec<u32>) {
    let mut wanted = vec![false; module.nodes.len()];
    let mut uses = vec![0u32; module.nodes.len()];
    let mut want = |id: NodeId| wanted[id.index()] = true;
    for (id, node) in module.ids() {
        for operand in node.kind.operands() {
            uses[operand.index()] += 1;
        }
        match &node.kind {
            Kind::Input
            | Kind::Wire(_)
            | Kind::Register(_)
            | Kind::MemoryRead { .. }
            | Kind::InstanceOutput { .. }
            | Kind::LeafOutput { .. } => want(id),
            Kind::Binary(BinaryOp::Mul, a, b) => {
                // In the product's wider context an operand in place would be computed wider too.
                want(id);
                want(*a);
                want(*b);
            }
            Kind::Slice { of, .. } => want(*of),
            // Some bits of a net can be re-signed or extended by zeros in place.
            Kind::Cast(of) if matches!(module.node(*of).kind, Kind::Slice { .. }) => {}
            Kind::Cast(of) => want(*of),
            _ => {}
        }
        if node.name.is_some() {
            want(id);
        }
    }
    for register in &module.registers {
        for id in [Some(register.next), register.clear, register.enable].into_iter().flatten() {
            uses[id.index()] += 1;
        }
    }
    for memory in &module.memories {
        for write in &memory.writes {
            // Indexed and sliced in the text, so they are nets.
            [Some(write.address), Some(write.data), write.mask].into_iter().flatten().for_each(
                |id| {
                    want(id);
                    uses[id.index()] += 1;
                },
            );
            uses[write.enable.index()] += 1;
        }
        for read in &memory.reads {
            want(read.address);
            uses[read.address.index()] += 1;
            read.sync.iter().for_each(|(_, enable)| uses[enable.index()] += 1);
        }
    }
    for instance in &module.instances {
        instance.inputs.iter().for_each(|id| uses[id.index()] += 1);
    }
    for output in &module.outputs {
        uses[output.node.index()] += 1;
    }
    let mut operators = vec![0usize; module.nodes.len()];
    for &id in order {
        let kind = &module.node(id).kind;
        if matches!(kind, Kind::Constant(_)) {
            wanted[id.index()] = false;
            continue;
        }
        wanted[id.index()] |= uses[id.index()] > 1;
        // What is used twice is a net already, so that no operand counts twice.
        let mut operands = kind.operands();
        operands.sort_by_key(|operand| operators[operand.index()]);
        let mut inside = operands.iter().map(|operand| operators[operand.index()]).sum::<usize>();
        while inside >= MAX_OPERATORS
            && let Some(largest) = operands.pop()
            && operators[largest.index()] > 0
        {
            wanted[largest.index()] = true;
            inside -= std::mem::take(&mut operators[largest.index()]);
        }
        operators[id.index()] = if wanted[id.index()] { 0 } else { inside + 1 };
    }
    (wanted, uses)
}

/// What a node is called in the thing that it is part of.
fn part_name(module: &Module, id: NodeId) -> &str {
    match &module.node(id).called {
        Some(Called::Part(part)) => part,
        _ => "part",
    }
}

/// What takes a node, and what the node is to it: `count_next`, `words_address`, `unit_data`.
fn takers(module: &Module) -> Vec<(NodeId, String)> {
    let mut takers = vec![];
    let mut take = |id: NodeId, role: String| takers.push((id, role));
    for register in &module.registers {
        let name = module.node(register.node).name.as_ref();
        let Some(name) = name else { continue };
        take(register.next, format!("{name}_next"));
        register.enable.into_iter().for_each(|id| take(id, format!("{name}_enable")));
        register.clear.into_iter().for_each(|id| take(id, format!("{name}_clear")));
    }
    for memory in &module.memories {
        let name = &memory.name;
        for write in &memory.writes {
            take(write.address, format!("{name}_write_address"));
            take(write.data, format!("{name}_write_data"));
            take(write.enable, format!("{name}_writes"));
            write.mask.into_iter().for_each(|id| take(id, format!("{name}_write_mask")));
        }
        for read in &memory.reads {
            take(read.address, format!("{name}_address"));
            read.sync.into_iter().for_each(|(_, enable)| take(enable, format!("{name}_reads")));
        }
    }
    for instance in &module.instances {
        for (port, &driver) in instance.module.inputs.iter().zip(&instance.inputs) {
            take(driver, format!("{}_{}", instance.name, port.name));
        }
    }
    for output in &module.outputs {
        take(output.node, format!("{}_value", output.name));
    }
    takers
}

/// The role of each node of one use for what takes it. A value that is only re-signed or cut on its
/// way has the same role.
fn roles(module: &Module, uses: &[u32], takers: &[(NodeId, String)]) -> Vec<Option<String>> {
    let mut roles = vec![None; module.nodes.len()];
    for (id, role) in takers {
        let mut id = *id;
        while module.node(id).name.is_none() && uses[id.index()] <= 1 {
            roles[id.index()] = Some(role.clone());
            match module.node(id).kind {
                Kind::Cast(of) => id = of,
                Kind::Slice { of, low: 0 } => id = of,
                _ => break,
            }
        }
    }
    roles
}

/// The net that a node is bits of, by itself or in another type; the lowest of them, and how many.
fn bits_of(module: &Module, names: &[Option<Arc<str>>], id: NodeId) -> Option<(NodeId, u32, u32)> {
    let node = module.node(id);
    match node.kind {
        Kind::Slice { of, low } => Some((of, low, node.ty.width)),
        Kind::Cast(of) if names[of.index()].is_none() => match module.node(of).kind {
            Kind::Slice { of: net, low } => Some((net, low, module.ty(of).width)),
            _ => None,
        },
        _ => None,
    }
}

/// `codes_7_4` for bits 7 to 4 of `codes`.
fn bits_name(of: &str, low: u32, width: u32) -> String {
    if width == 1 { format!("{of}_{low}") } else { format!("{of}_{}_{low}", low + width - 1) }
}

/// `prod_ext`, `sum_add`: the first named thing an expression is made of (its stem), and what is
/// done to it last; bits are called by their numbers. A name is never made of made names, or a
/// chain of nets would have ever longer ones.
fn derived_name(
    module: &Module,
    id: NodeId,
    names: &[Option<Arc<str>>],
    stems: &[Option<Arc<str>>],
) -> (Arc<str>, String) {
    if let Some((of, low, width)) = bits_of(module, names, id)
        && let (Some(name), Some(stem)) = (&names[of.index()], &stems[of.index()])
    {
        return (stem.clone(), bits_name(name, low, width));
    }
    let word = module.node(id).kind.word();
    let mut at = id;
    for _ in 0..4 {
        let mut operands = module.node(at).kind.operands();
        // A condition says less about a value than the value does.
        if let Kind::Mux { .. } = module.node(at).kind {
            operands.rotate_left(1);
        }
        let known = |operand: &NodeId| stems[operand.index()].as_ref();
        if let Some(stem) = operands.iter().find_map(known) {
            let own = stem.strip_suffix(word).and_then(|own| own.strip_suffix('_'));
            return (stem.clone(), format!("{}_{word}", own.unwrap_or(stem)));
        }
        match operands.first() {
            Some(first) => at = *first,
            None => break,
        }
    }
    let name = format!("{word}_value");
    (Arc::from(&*name), name)
}
