//! Which nodes become nets, and what the nets are called.

use crate::check::combinational_order;
use crate::names::Names;
use crate::netlist::{BinaryOp, Kind, Module, NodeId};
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
    /// The author: it is called after the one register, memory or instance that takes it.
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
        for (id, node) in module.ids() {
            let (Some(name), None) = (&node.name, &nets.names[id.index()]) else {
                continue;
            };
            if wanted[id.index()] {
                nets.names[id.index()] = Some(name.clone());
            }
        }
        let roles = roles(module, &uses);
        let mut stems = nets.names.clone();
        for &id in &nets.order {
            if wanted[id.index()] && nets.names[id.index()].is_none() {
                let of = match module.node(id).kind {
                    Kind::Slice { of, .. } | Kind::Cast(of) => Some(of.index()),
                    _ => None,
                };
                let named =
                    |of: usize| nets.names[of].is_some() && nets.origins[of] != Origin::Operator;
                let (origin, (stem, name)) = match &roles[id.index()] {
                    Some(role) if !of.is_some_and(named) => {
                        (Origin::Role, (role.as_str().into(), role.clone()))
                    }
                    _ => {
                        let origin =
                            if of.is_some_and(named) { Origin::Bits } else { Origin::Operator };
                        (origin, derived_name(module, id, &nets.names, &stems))
                    }
                };
                stems[id.index()] = Some(stem);
                nets.names[id.index()] = Some(taken.take(&name));
                nets.origins[id.index()] = origin;
            }
        }
        nets
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

/// What each node of one use is to the register, memory or instance that takes it: `count_next`,
/// `words_address`, `unit_data`. A value that is only re-signed or cut on its way has the same role.
fn roles(module: &Module, uses: &[u32]) -> Vec<Option<String>> {
    let mut roles = vec![None; module.nodes.len()];
    let mut give = |mut id: NodeId, role: String| loop {
        let node = module.node(id);
        if node.name.is_some() || uses[id.index()] > 1 {
            return;
        }
        roles[id.index()] = Some(role.clone());
        match node.kind {
            Kind::Cast(of) => id = of,
            Kind::Slice { of, low: 0 } => id = of,
            _ => return,
        }
    };
    for register in &module.registers {
        let name = module.node(register.node).name.as_ref();
        let Some(name) = name else { continue };
        give(register.next, format!("{name}_next"));
        register.enable.into_iter().for_each(|id| give(id, format!("{name}_enable")));
        register.clear.into_iter().for_each(|id| give(id, format!("{name}_clear")));
    }
    for memory in &module.memories {
        let name = &memory.name;
        for write in &memory.writes {
            give(write.address, format!("{name}_write_address"));
            give(write.data, format!("{name}_write_data"));
            give(write.enable, format!("{name}_writes"));
            write.mask.into_iter().for_each(|id| give(id, format!("{name}_write_mask")));
        }
        for read in &memory.reads {
            give(read.address, format!("{name}_address"));
            read.sync.into_iter().for_each(|(_, enable)| give(enable, format!("{name}_reads")));
        }
    }
    for instance in &module.instances {
        for (port, &driver) in instance.module.inputs.iter().zip(&instance.inputs) {
            give(driver, format!("{}_{}", instance.name, port.name));
        }
    }
    for output in &module.outputs {
        give(output.node, format!("{}_value", output.name));
    }
    roles
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
    let word = module.node(id).kind.word();
    let mut at = id;
    for _ in 0..4 {
        let mut operands = module.node(at).kind.operands();
        // A condition says less about a value than the value does.
        if let Kind::Mux { .. } = module.node(at).kind {
            operands.rotate_left(1);
        }
        let known = |operand: &NodeId| {
            let index = operand.index();
            names[index].as_ref().zip(stems[index].as_ref())
        };
        if let Some((name, stem)) = operands.iter().find_map(known) {
            let own = stem.strip_suffix(word).and_then(|own| own.strip_suffix('_'));
            let made = match module.node(id).kind {
                Kind::Slice { low, .. } if at == id => bits_name(name, low, module.ty(id).width),
                _ => format!("{}_{word}", own.unwrap_or(stem)),
            };
            return (stem.clone(), made);
        }
        match operands.first() {
            Some(first) => at = *first,
            None => break,
        }
    }
    let name = format!("{word}_value");
    (Arc::from(&*name), name)
}
