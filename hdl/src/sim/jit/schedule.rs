//! In which order a program does its work, and in which functions.
//!
//! State is overwritten in place. Where possible a register is set after everything that reads its
//! old content (the far end of a pipeline first); where not, the old content is kept aside.

use super::gate::gate;
use super::item::{Goal, Item, State, async_reset, is_source, state_of};
use crate::netlist::{ClockId, Module, NodeId};
use std::collections::{HashMap, HashSet};

/// A program's items, cut into functions.
pub(super) struct Schedule {
    pub(super) functions: Vec<Vec<Item>>,
    /// For each node needed beyond the function that computes it.
    pub(super) crossing: HashSet<NodeId>,
    /// For each state read after it is overwritten, the last function that does.
    pub(super) late_reads: HashMap<State, usize>,
}

/// Where a program is cut and branches, and what it keeps at hand.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    /// Instructions in a function, about: the larger, the fewer values cross from one to the next;
    /// but compile time grows faster than linearly with it.
    pub(super) function: usize,
    /// Instructions that a branch must save, about: one taken by surprise costs as much.
    pub(super) branch: usize,
    /// So many items later a value is loaded anew.
    pub(super) recent: usize,
}

impl Limits {
    /// What ran fastest.
    pub(super) const NORMAL: Limits = Limits { function: 16_000, branch: 48, recent: 200 };
}

/// Orders the work for a goal.
pub(super) fn schedule(module: &Module, goal: &Goal, limits: Limits) -> Schedule {
    let ticks = |clock: ClockId| match goal {
        Goal::Tick { clocks, .. } => clocks[clock.index()],
        _ => false,
    };
    let goals = goals(module, goal, &ticks);
    let mut planner =
        Planner { module, ticks: &ticks, done: vec![false; module.nodes.len()], items: vec![] };
    for item in &order_goals(module, &goals, &ticks) {
        planner.plan(*item);
    }
    cut(module, gate(module, planner.items, limits.branch), limits.function, &ticks)
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
        Goal::Settle { outputs, .. } => {
            items.extend(outputs.iter().map(|&node| Item::View(node)));
            items.extend((0..module.leaves.len()).map(Item::LeafSettle));
        }
        Goal::Tick { counted, .. } => {
            items.extend(counted.iter().map(|&node| Item::Count(node)));
            let checks = module.assertions.iter().enumerate();
            items.extend(
                checks.filter(|(_, it)| ticks(it.clock)).map(|(index, _)| Item::Check(index)),
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
                if seen.len() > READER_SEARCH {
                    return vec![];
                }
            }
        }
        readers
    };
    // Writes and leaves stay at the end.
    let stays =
        |item: &Item| matches!(item, Item::Write(_) | Item::LeafSettle(_) | Item::LeafEdge(_));
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
    let reads_at_once =
        |memory: usize| module.memories[memory].reads.iter().any(|read| read.sync.is_none());
    let last = |item: &Item| match item {
        Item::Write(memory) => reads_at_once(*memory),
        Item::LeafSettle(_) | Item::LeafEdge(_) => true,
        _ => false,
    };
    let (late, mut early): (Vec<_>, Vec<_>) = items.into_iter().partition(last);
    early.extend(late);
    early
}

fn cut(
    module: &Module,
    items: Vec<Item>,
    limit: usize,
    ticks: &dyn Fn(ClockId) -> bool,
) -> Schedule {
    let mut functions: Vec<Vec<Item>> = vec![];
    let (mut function, mut weight, mut gate) = (vec![], 0, None);
    for item in writes_last(module, items) {
        if weight >= limit {
            // a branch ends with its function and begins again in the next
            function.extend(gate.map(|_| Item::Close));
            functions.push(std::mem::take(&mut function));
            function.extend(gate);
            weight = 0;
        }
        match item {
            Item::Open(_) => gate = Some(item),
            Item::Close => gate = None,
            _ => weight += item.weight(module),
        }
        function.push(item);
    }
    functions.push(function);
    let mut computed_in: HashMap<NodeId, usize> = HashMap::new();
    let mut overwritten: HashSet<State> = HashSet::new();
    let (mut crossing, mut late_reads) = (HashSet::new(), HashMap::new());
    for (function, items) in functions.iter().enumerate() {
        for &item in items {
            for operand in item.operands(module, ticks) {
                if computed_in.get(&operand).is_some_and(|&there| there != function) {
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
    Schedule { functions, crossing, late_reads }
}
