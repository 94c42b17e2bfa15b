//! In which order a program does its work, and in which functions.
//!
//! State is overwritten in place. Where possible a register is set after everything that reads its
//! old content (the far end of a pipeline first); where not, the old content is kept aside.

use super::layout::limbs;
use crate::netlist::{ClockId, Kind, Module, NodeId, ResetKind};
use crate::sim::flatten::source;
use std::collections::{HashMap, HashSet};

/// A step of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Item {
    /// Computes a node.
    Node(NodeId),
    /// Sets a register as its clock rises.
    Register(usize),
    /// Lets a register keep what its asynchronous reset made of it.
    Hold(usize),
    /// Sets what a registered read port (memory, port) shows.
    Read(usize, usize),
    /// Writes a memory through all its ports whose clocks rise.
    Write(usize),
    /// Looks at an assertion.
    Check(usize),
    /// Puts a node's value where it can be seen.
    View(NodeId),
    /// Lets a leaf see its settled inputs.
    LeafSettle(usize),
    /// Lets a leaf see a rising edge.
    LeafEdge(usize),
}

/// State that is overwritten in place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum State {
    Register(usize),
    Read(usize, usize),
}

/// What a program is for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Goal {
    /// Rising edges of these flat clocks; if `running`, with all synchronous resets that are
    /// inputs released.
    Tick { clocks: Vec<bool>, running: bool },
    /// Makes the outputs visible and lets asynchronous resets act; `running` as above.
    Settle { running: bool },
    /// Makes these nodes visible.
    Show(Vec<NodeId>),
}

/// A program's items, cut into functions.
pub(super) struct Schedule {
    pub(super) functions: Vec<Vec<Item>>,
    /// For each node needed beyond the function that computes it.
    pub(super) crossing: HashSet<NodeId>,
    /// For each state read after it is overwritten, the last function that does.
    pub(super) late_reads: HashMap<State, usize>,
}

/// Whether a node is a value in a slot or a constant, not an item.
pub(super) fn is_source(module: &Module, id: NodeId) -> bool {
    match &module.node(id).kind {
        Kind::Input | Kind::Constant(_) => true,
        Kind::Register(_) => async_reset(module, id).is_none(),
        Kind::MemoryRead { memory, port } => {
            module.memories[memory.index()].reads[*port].sync.is_some()
        }
        _ => false,
    }
}

/// The asynchronous reset of a register's node.
pub(super) fn async_reset(module: &Module, id: NodeId) -> Option<&crate::netlist::Reset> {
    let Kind::Register(register) = module.node(id).kind else {
        return None;
    };
    let register = &module.registers[register.index()];
    register.reset_value.as_ref()?;
    let reset = module.clocks[register.clock.index()].reset.as_ref()?;
    (reset.kind == ResetKind::Async).then_some(reset)
}

/// The state a node reads.
pub(super) fn state_of(module: &Module, id: NodeId) -> Option<State> {
    match module.node(id).kind {
        Kind::Register(register) => Some(State::Register(register.index())),
        Kind::MemoryRead { memory, port } => {
            let sync = module.memories[memory.index()].reads[port].sync.is_some();
            sync.then_some(State::Read(memory.index(), port))
        }
        _ => None,
    }
}

impl Item {
    /// The state an item overwrites.
    pub(super) fn overwrites(self) -> Option<State> {
        match self {
            Item::Register(register) | Item::Hold(register) => Some(State::Register(register)),
            Item::Read(memory, port) => Some(State::Read(memory, port)),
            _ => None,
        }
    }

    /// The nodes an item uses.
    pub(super) fn operands(self, module: &Module, ticks: &dyn Fn(ClockId) -> bool) -> Vec<NodeId> {
        match self {
            Item::Node(id) => {
                let mut nodes = module.dependencies(id);
                if let Kind::Register(_) = module.node(id).kind {
                    // An asynchronously reset register reads its own state.
                    nodes.push(id);
                }
                nodes
            }
            Item::Register(index) => {
                let register = &module.registers[index];
                let clock = &module.clocks[register.clock.index()];
                let reset = clock
                    .reset
                    .as_ref()
                    .filter(|_| register.reset_value.is_some());
                let held = register.enable.is_some().then_some(register.node);
                let nodes = [
                    Some(register.next),
                    register.clear,
                    register.enable,
                    held,
                    reset.map(|reset| reset.signal),
                ];
                nodes.into_iter().flatten().collect()
            }
            Item::Hold(index) => vec![module.registers[index].node],
            Item::Read(memory, port) => {
                let read = &module.memories[memory].reads[port];
                let enable = read.sync.map(|(_, enable)| enable);
                [Some(read.address), enable].into_iter().flatten().collect()
            }
            Item::Write(memory) => {
                let writes = module.memories[memory].writes.iter();
                let writes = writes.filter(|write| ticks(write.clock));
                writes
                    .flat_map(|write| {
                        [
                            Some(write.address),
                            Some(write.data),
                            Some(write.enable),
                            write.mask,
                        ]
                    })
                    .flatten()
                    .collect()
            }
            Item::Check(index) => vec![module.assertions[index].condition],
            Item::View(id) => vec![id],
            Item::LeafSettle(leaf) | Item::LeafEdge(leaf) => module.leaves[leaf].inputs.clone(),
        }
    }

    /// About how many instructions an item becomes.
    fn weight(self, module: &Module) -> usize {
        match self {
            Item::Node(id) => {
                let operands = module.node(id).kind.operands();
                let width = operands
                    .iter()
                    .map(|&a| limbs(module.ty(a)))
                    .max()
                    .unwrap_or(1);
                width.max(limbs(module.ty(id))).max(operands.len())
            }
            Item::Register(index) => limbs(module.ty(module.registers[index].node)),
            Item::Read(memory, _) => limbs(module.memories[memory].word),
            Item::Write(memory) => {
                let memory = &module.memories[memory];
                2 * limbs(memory.word) * memory.writes.len()
            }
            _ => 1,
        }
    }
}

/// Instructions in a function, about: compile time grows faster than linearly with it.
const FUNCTION_WEIGHT: usize = 1500;

/// Orders the work for a goal.
pub(super) fn schedule(module: &Module, goal: &Goal) -> Schedule {
    let ticks = |clock: ClockId| match goal {
        Goal::Tick { clocks, .. } => clocks[clock.index()],
        _ => false,
    };
    let goals = goals(module, goal, &ticks);
    let mut planner = Planner {
        module,
        ticks: &ticks,
        done: vec![false; module.nodes.len()],
        items: vec![],
    };
    for item in &order_goals(module, &goals, &ticks) {
        planner.plan(*item);
    }
    cut(module, planner.items, &ticks)
}

/// What a goal asks for; what touches memories or leaves last, when all that reads them is done.
fn goals(module: &Module, goal: &Goal, ticks: &dyn Fn(ClockId) -> bool) -> Vec<Item> {
    let mut items = vec![];
    let holds = |clock: ClockId, node: NodeId| !ticks(clock) && async_reset(module, node).is_some();
    match goal {
        Goal::Show(nodes) => items.extend(nodes.iter().map(|&node| Item::View(node))),
        Goal::Settle { .. } | Goal::Tick { .. } => {
            for (index, register) in module.registers.iter().enumerate() {
                if ticks(register.clock) {
                    items.push(Item::Register(index));
                } else if holds(register.clock, register.node) {
                    items.push(Item::Hold(index));
                }
            }
        }
    }
    match goal {
        Goal::Show(_) => {}
        Goal::Settle { .. } => {
            let outputs = module.outputs.iter().map(|port| source(module, port.node));
            items.extend(outputs.filter(|&id| !is_source(module, id)).map(Item::View));
            items.extend((0..module.leaves.len()).map(Item::LeafSettle));
        }
        Goal::Tick { .. } => {
            let checks = module.assertions.iter().enumerate();
            items.extend(
                checks
                    .filter(|(_, it)| ticks(it.clock))
                    .map(|(index, _)| Item::Check(index)),
            );
            for (index, memory) in module.memories.iter().enumerate() {
                for (port, read) in memory.reads.iter().enumerate() {
                    if read.sync.is_some_and(|(clock, _)| ticks(clock)) {
                        items.push(Item::Read(index, port));
                    }
                }
            }
            for (index, memory) in module.memories.iter().enumerate() {
                if memory.writes.iter().any(|write| ticks(write.clock)) {
                    items.push(Item::Write(index));
                }
            }
            items.extend((0..module.leaves.len()).map(Item::LeafEdge));
        }
    }
    items
}

/// How far we look for the registers that read a register.
const READER_SEARCH: usize = 64;

/// Puts every register's update behind the updates that read it, as far as that is easy.
fn order_goals(module: &Module, goals: &[Item], ticks: &dyn Fn(ClockId) -> bool) -> Vec<Item> {
    let mut users: HashMap<NodeId, Vec<NodeId>> = HashMap::new();
    for (id, _) in module.ids() {
        for operand in module.dependencies(id) {
            users.entry(operand).or_default().push(id);
        }
    }
    let mut updated_by: HashMap<NodeId, Vec<usize>> = HashMap::new();
    for (position, goal) in goals.iter().enumerate() {
        for operand in goal.operands(module, ticks) {
            updated_by.entry(operand).or_default().push(position);
        }
    }
    let readers = |goal: Item| -> Vec<usize> {
        let node = match goal.overwrites() {
            Some(State::Register(register)) => module.registers[register].node,
            Some(State::Read(memory, port)) => module.memories[memory].reads[port].node,
            None => return vec![],
        };
        let (mut seen, mut frontier) = (HashSet::from([node]), vec![node]);
        let mut readers = vec![];
        while let Some(node) = frontier.pop() {
            readers.extend(updated_by.get(&node).into_iter().flatten());
            for &user in users.get(&node).into_iter().flatten() {
                if seen.insert(user) {
                    frontier.push(user);
                }
            }
            if seen.len() > READER_SEARCH {
                return vec![];
            }
        }
        readers
    };
    // Writes and leaves stay at the end.
    let stays = |item: &Item| {
        matches!(
            item,
            Item::Write(_) | Item::LeafSettle(_) | Item::LeafEdge(_)
        )
    };
    let mut order = vec![];
    let mut visited = vec![false; goals.len()];
    for start in 0..goals.len() {
        if visited[start] || stays(&goals[start]) {
            continue;
        }
        visited[start] = true;
        let mut stack = vec![(start, readers(goals[start]))];
        while let Some((position, waits_for)) = stack.last_mut() {
            match waits_for.pop() {
                Some(reader) if visited[reader] || stays(&goals[reader]) => {}
                Some(reader) => {
                    visited[reader] = true;
                    stack.push((reader, readers(goals[reader])));
                }
                None => {
                    order.push(goals[*position]);
                    stack.pop();
                }
            }
        }
    }
    order.extend(goals.iter().copied().filter(stays));
    order
}

struct Planner<'a> {
    module: &'a Module,
    ticks: &'a dyn Fn(ClockId) -> bool,
    done: Vec<bool>,
    items: Vec<Item>,
}

impl Planner<'_> {
    /// Plans what an item needs, then the item.
    fn plan(&mut self, item: Item) {
        for operand in item.operands(self.module, self.ticks) {
            self.plan_node(operand);
        }
        self.items.push(item);
    }

    fn plan_node(&mut self, root: NodeId) {
        let mut stack = vec![(root, None)];
        while let Some((id, rest)) = stack.last_mut() {
            let id = *id;
            if rest.is_none() && (self.done[id.index()] || is_source(self.module, id)) {
                stack.pop();
                continue;
            }
            let rest: &mut Vec<NodeId> = rest.get_or_insert_with(|| self.module.dependencies(id));
            match rest.pop() {
                Some(operand) => stack.push((operand, None)),
                None => {
                    if !std::mem::replace(&mut self.done[id.index()], true) {
                        self.items.push(Item::Node(id));
                    }
                    stack.pop();
                }
            }
        }
    }
}

/// Writes need all their operands before the first of them happens.
fn writes_last(module: &Module, items: Vec<Item>) -> Vec<Item> {
    let reads_at_once = |memory: usize| {
        module.memories[memory]
            .reads
            .iter()
            .any(|read| read.sync.is_none())
    };
    let last = |item: &Item| match item {
        Item::Write(memory) => reads_at_once(*memory),
        Item::LeafSettle(_) | Item::LeafEdge(_) => true,
        _ => false,
    };
    let (late, mut early): (Vec<_>, Vec<_>) = items.into_iter().partition(last);
    early.extend(late);
    early
}

fn cut(module: &Module, items: Vec<Item>, ticks: &dyn Fn(ClockId) -> bool) -> Schedule {
    let mut functions: Vec<Vec<Item>> = vec![];
    let mut weight = FUNCTION_WEIGHT;
    for item in writes_last(module, items) {
        if weight >= FUNCTION_WEIGHT {
            functions.push(vec![]);
            weight = 0;
        }
        weight += item.weight(module);
        functions.last_mut().expect("one was just begun").push(item);
    }
    let mut computed_in: HashMap<NodeId, usize> = HashMap::new();
    let mut overwritten: HashSet<State> = HashSet::new();
    let (mut crossing, mut late_reads) = (HashSet::new(), HashMap::new());
    for (function, items) in functions.iter().enumerate() {
        for &item in items {
            for operand in item.operands(module, ticks) {
                if computed_in
                    .get(&operand)
                    .is_some_and(|&there| there != function)
                {
                    crossing.insert(operand);
                }
                let reads_state = is_source(module, operand) || item == Item::Node(operand);
                if let Some(state) = state_of(module, operand).filter(|_| reads_state)
                    && overwritten.contains(&state)
                {
                    late_reads.insert(state, function);
                }
            }
            if let Item::Node(id) = item {
                computed_in.insert(id, function);
            }
            overwritten.extend(item.overwrites());
        }
    }
    Schedule {
        functions,
        crossing,
        late_reads,
    }
}
