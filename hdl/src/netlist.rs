//! The netlist: what a finished module is made of.
//!
//! A [`Module`] is a list of typed [`Node`]s that refer to each other by [`NodeId`], plus the
//! state they read (registers, memories), the modules they stand in (instances) and the ports.
//! Every node's value is an integer of its [`Type`]; [`crate::semantics`] says which.

use crate::place::Place;
use crate::ty::{Int, Type};
use std::sync::{Arc, LazyLock};

macro_rules! index_types {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub(crate) u32);

        impl $name {
            /// Position in the module's list.
            pub const fn index(self) -> usize {
                self.0 as usize
            }

            pub(crate) fn new(index: usize) -> $name {
                $name(u32::try_from(index).expect("a module has fewer than 2^32 parts"))
            }
        }
    )*};
}

index_types! {
    /// A node in [`Module::nodes`].
    NodeId;
    /// A clock domain in [`Module::clocks`].
    ClockId;
    /// A register in [`Module::registers`].
    RegisterId;
    /// A memory in [`Module::memories`].
    MemoryId;
    /// An instance in [`Module::instances`].
    InstanceId;
    /// A use of a leaf in [`Module::leaves`].
    LeafId;
}

/// One signal: what it computes, its type, its name if the author gave one, and his line.
#[derive(Clone, Debug)]
pub struct Node {
    /// What it computes.
    pub kind: Kind,
    /// Its type.
    pub ty: Type,
    /// The author's name; makes it a net.
    pub name: Option<Arc<str>>,
    /// What the text calls it if it needs a net for it.
    pub called: Option<Called>,
    /// The author's line.
    pub place: Place,
}

impl Node {
    /// Its name, or what it is called by itself.
    pub fn name(&self) -> Option<&Arc<str>> {
        match (&self.name, &self.called) {
            (Some(name), _) | (None, Some(Called::Name(name))) => Some(name),
            _ => None,
        }
    }
}

/// What a signal carries, in the author's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Called {
    /// By itself.
    Name(Arc<str>),
    /// As a part of whatever it goes into: `of_4_to_7`.
    Part(Arc<str>),
}

/// The dozen kinds of node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// An input port (resets are inputs too; clocks are not nodes).
    Input,
    /// A constant of the node's type.
    Constant(Int),
    /// One operand.
    Unary(UnaryOp, NodeId),
    /// Two operands; of one type, except for [`BinaryOp::Mul`] and the shifts.
    Binary(BinaryOp, NodeId, NodeId),
    /// `if select { on_true } else { on_false }`; `select` is `u1`.
    Mux {
        /// The condition.
        select: NodeId,
        /// The value if it is 1.
        on_true: NodeId,
        /// The value if it is 0.
        on_false: NodeId,
    },
    /// Bit patterns side by side, most significant first. Unsigned.
    Concat(Vec<NodeId>),
    /// Bits `low..low + width` of a pattern. Unsigned.
    Slice {
        /// The pattern.
        of: NodeId,
        /// The lowest bit taken.
        low: u32,
    },
    /// The operand extended by its own sign to the node's width, then read with the node's sign.
    Cast(NodeId),
    /// A net whose driver is named after its users; always driven in a finished module.
    Wire(Option<NodeId>),
    /// The content of a register.
    Register(RegisterId),
    /// The output of a memory's read port.
    MemoryRead {
        /// The memory.
        memory: MemoryId,
        /// Position in [`Memory::reads`].
        port: usize,
    },
    /// An output of an instance.
    InstanceOutput {
        /// The instance.
        instance: InstanceId,
        /// Position in the instantiated module's outputs.
        port: usize,
    },
    /// An output of a leaf (a block with its own text and behavior).
    LeafOutput {
        /// The leaf.
        leaf: LeafId,
        /// Position in [`LeafUse::outputs`].
        port: usize,
    },
}

/// Operators with one operand. Reductions give `u1`; the others keep the type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum UnaryOp {
    Not,
    Neg,
    ReduceAnd,
    ReduceOr,
    ReduceXor,
}

/// Operators with two operands.
///
/// `Add`, `Sub` wrap in the operands' type. `Mul` is exact: its width is the sum of the operands'.
/// Comparisons give `u1`. A shift keeps the type of its left operand: bits shifted out are lost,
/// `Shr` of a signed value copies the sign, amounts at or beyond the width leave zeros (or signs).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum BinaryOp {
    Add,
    Sub,
    Mul,
    And,
    Or,
    Xor,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    Shl,
    Shr,
}

impl BinaryOp {
    /// The name used in messages and generated names.
    pub const fn name(self) -> &'static str {
        match self {
            BinaryOp::Add => "add",
            BinaryOp::Sub => "sub",
            BinaryOp::Mul => "mul",
            BinaryOp::And => "and",
            BinaryOp::Or => "or",
            BinaryOp::Xor => "xor",
            BinaryOp::Eq => "eq",
            BinaryOp::Ne => "ne",
            BinaryOp::Lt => "lt",
            BinaryOp::Le => "le",
            BinaryOp::Gt => "gt",
            BinaryOp::Ge => "ge",
            BinaryOp::Shl => "shl",
            BinaryOp::Shr => "shr",
        }
    }

    /// Whether the result is a truth value.
    pub const fn compares(self) -> bool {
        use BinaryOp::*;
        matches!(self, Eq | Ne | Lt | Le | Gt | Ge)
    }
}

/// When a reset takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ResetKind {
    /// At the clock edge.
    Sync,
    /// At once; released at once too, so synchronise the release outside.
    Async,
}

/// The reset of a clock domain.
#[derive(Clone, Debug)]
pub struct Reset {
    /// The input that carries it, `u1`.
    pub signal: NodeId,
    /// When it takes effect.
    pub kind: ResetKind,
    /// Whether 0 means reset.
    pub active_low: bool,
}

/// A clock (rising edge) and its reset.
#[derive(Clone, Debug)]
pub struct Clock {
    /// The port's name.
    pub name: Arc<str>,
    /// The reset, if anything in the module uses one.
    pub reset: Option<Reset>,
    /// The author's line.
    pub place: Place,
}

/// A register. At a rising edge: reset wins over `clear`, `clear` over `enable`.
#[derive(Clone, Debug)]
pub struct Register {
    /// The node that carries its content.
    pub node: NodeId,
    /// Its clock.
    pub clock: ClockId,
    /// What it takes over when enabled.
    pub next: NodeId,
    /// Its value after reset; `None`: the reset leaves it alone.
    pub reset_value: Option<Int>,
    /// Sets it to `clear_value`.
    pub clear: Option<NodeId>,
    /// The value `clear` sets: the reset value, or 0 without one.
    pub clear_value: Int,
    /// Lets it take over `next`; always if `None`.
    pub enable: Option<NodeId>,
}

/// A memory of `depth` words. Reads return the word from before the edge (read first); reads
/// beyond the depth give 0, writes beyond it are lost.
#[derive(Clone, Debug)]
pub struct Memory {
    /// The author's name.
    pub name: Arc<str>,
    /// Number of words.
    pub depth: usize,
    /// Type of a word.
    pub word: Type,
    /// The first words' values at power-up; words beyond, or all, are 0 in our engines and
    /// unknown in hardware.
    pub init: Vec<Int>,
    /// Write ports, all of one clock. Of two writes to one word at one edge the later port wins.
    pub writes: Vec<WritePort>,
    /// Read ports.
    pub reads: Vec<ReadPort>,
    /// The author's line.
    pub place: Place,
}

/// A write port of a memory.
#[derive(Clone, Debug)]
pub struct WritePort {
    /// Its clock.
    pub clock: ClockId,
    /// `index_bits(depth)` bits.
    pub address: NodeId,
    /// A word.
    pub data: NodeId,
    /// `u1`.
    pub enable: NodeId,
    /// A bit for each lane of `width / mask width` bits, lane 0 the lowest; all if `None`.
    pub mask: Option<NodeId>,
    /// The author's line.
    pub place: Place,
}

/// A read port of a memory.
#[derive(Clone, Debug)]
pub struct ReadPort {
    /// The node that carries the word.
    pub node: NodeId,
    /// `index_bits(depth)` bits.
    pub address: NodeId,
    /// Clock and enable of a registered read; `None` reads at once.
    pub sync: Option<(ClockId, NodeId)>,
}

/// A module inside another.
#[derive(Clone, Debug)]
pub struct Instance {
    /// The author's name.
    pub name: Arc<str>,
    /// What is instantiated.
    pub module: Arc<Module>,
    /// Drivers of the module's inputs, in their order.
    pub inputs: Vec<NodeId>,
    /// Nodes that carry the module's outputs; `None` where nobody reads them.
    pub outputs: Vec<Option<NodeId>>,
    /// The clocks of the module's clocks, in their order.
    pub clocks: Vec<ClockId>,
    /// The author's line.
    pub place: Place,
}

/// Takes hierarchies apart level by level: they may be deeper than the call stack.
impl Drop for Instance {
    fn drop(&mut self) {
        static NOTHING: LazyLock<Arc<Module>> =
            LazyLock::new(|| Arc::new(Module::empty("nothing".into(), Place::here())));
        let mut inside = vec![std::mem::replace(&mut self.module, NOTHING.clone())];
        while let Some(module) = inside.pop() {
            let instances = Arc::into_inner(module).map_or(vec![], |module| module.instances);
            inside.extend(
                instances
                    .into_iter()
                    .map(|mut instance| std::mem::replace(&mut instance.module, NOTHING.clone())),
            );
        }
    }
}

/// An input or output port.
#[derive(Clone, Debug)]
pub struct Port {
    /// Its name.
    pub name: Arc<str>,
    /// What it carries, in the author's words; may be empty.
    pub doc: Arc<str>,
    /// The node that it brings in or takes out.
    pub node: NodeId,
    /// Its type.
    pub ty: Type,
    /// The author's line.
    pub place: Place,
}

/// Which end of a stream a module holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// The module receives.
    In,
    /// The module sends.
    Out,
}

/// A valid/ready stream among a module's ports, kept for contract checks, docs and drivers.
#[derive(Clone, Debug)]
pub struct StreamPort {
    /// The stream's name.
    pub name: Arc<str>,
    /// What its ports' names begin with, `{name}_` unless the author said otherwise: they are
    /// `{prefix}valid`, `{prefix}ready` and `{prefix}{field}`.
    pub prefix: Arc<str>,
    /// Who sends.
    pub direction: Direction,
    /// The clock it is sampled by.
    pub clock: ClockId,
    /// `u1`, from the sender.
    pub valid: NodeId,
    /// `u1`, from the receiver.
    pub ready: NodeId,
    /// Field names and values.
    pub payload: Vec<(Arc<str>, NodeId)>,
    /// The author's line.
    pub place: Place,
}

impl StreamPort {
    /// The name of its port for `valid`, `ready` or a field.
    pub fn port(&self, field: &str) -> String {
        format!("{}{field}", self.prefix)
    }
}

/// Something that must hold at every rising edge outside reset.
#[derive(Clone, Debug)]
pub struct Assertion {
    /// What is promised.
    pub message: Arc<str>,
    /// When it is looked at.
    pub clock: ClockId,
    /// `u1`; 0 is a violation.
    pub condition: NodeId,
    /// The author's line.
    pub place: Place,
}

/// The behavior of a leaf in simulation.
pub trait LeafModel: Send {
    /// Settles with the given values and writes the outputs.
    ///
    /// `clocks` are levels in the order of [`LeafUse::clocks`]; a change from 0 to 1 between two
    /// calls is a rising edge. Outputs that are not combinational in an input must not change
    /// when only that input does.
    fn update(&mut self, clocks: &[bool], inputs: &[Int], outputs: &mut [Int]);
}

/// A block whose text is given and whose behavior is a Rust model: a foreign cell.
pub struct Leaf {
    /// Complete Verilog of the block, its module named as [`Module::name`].
    pub verilog: String,
    /// For each output, the inputs (by position) it depends on combinationally.
    pub combinational: Vec<Vec<usize>>,
    /// Makes a fresh model, as after power-up.
    pub model: Box<dyn Fn() -> Box<dyn LeafModel> + Send + Sync>,
}

impl std::fmt::Debug for Leaf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Leaf").field("combinational", &self.combinational).finish_non_exhaustive()
    }
}

/// A leaf in its place.
#[derive(Clone, Debug)]
pub struct LeafUse {
    /// The author's name for it: the leaf module's own, or the instance's once flattened.
    pub name: Arc<str>,
    /// The block.
    pub leaf: Arc<Leaf>,
    /// Drivers of its inputs.
    pub inputs: Vec<NodeId>,
    /// Types of its outputs.
    pub outputs: Vec<Type>,
    /// Its clocks.
    pub clocks: Vec<ClockId>,
}

/// A finished, checked module.
#[derive(Clone, Debug)]
pub struct Module {
    /// Its name in Verilog.
    pub name: Arc<str>,
    /// What it is, for its readers.
    pub doc: String,
    /// The parameters it was built from, printed in its header.
    pub parameters: Vec<(String, String)>,
    /// All signals.
    pub nodes: Vec<Node>,
    /// Clock domains.
    pub clocks: Vec<Clock>,
    /// Input ports in the author's order.
    pub inputs: Vec<Port>,
    /// Output ports in the author's order.
    pub outputs: Vec<Port>,
    /// Streams among the ports.
    pub streams: Vec<StreamPort>,
    /// Registers.
    pub registers: Vec<Register>,
    /// Memories.
    pub memories: Vec<Memory>,
    /// Instances.
    pub instances: Vec<Instance>,
    /// Leaves: one in a leaf module, any number once flattened.
    pub leaves: Vec<LeafUse>,
    /// Promises.
    pub assertions: Vec<Assertion>,
    /// For each output, the inputs (by position) it depends on combinationally.
    pub combinational: Vec<Vec<usize>>,
    /// The author's line.
    pub place: Place,
}

impl Module {
    /// A module with nothing in it.
    pub(crate) fn empty(name: Arc<str>, place: Place) -> Module {
        Module {
            name,
            doc: String::new(),
            parameters: vec![],
            nodes: vec![],
            clocks: vec![],
            inputs: vec![],
            outputs: vec![],
            streams: vec![],
            registers: vec![],
            memories: vec![],
            instances: vec![],
            leaves: vec![],
            assertions: vec![],
            combinational: vec![],
            place,
        }
    }

    /// The node behind an id.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.index()]
    }

    /// All clocks.
    pub fn clock_ids(&self) -> impl Iterator<Item = ClockId> + use<> {
        (0..self.clocks.len()).map(ClockId::new)
    }

    /// The type of a node.
    pub fn ty(&self, id: NodeId) -> Type {
        self.node(id).ty
    }

    /// All nodes with their ids.
    pub fn ids(&self) -> impl Iterator<Item = (NodeId, &Node)> {
        self.nodes.iter().enumerate().map(|(index, node)| (NodeId::new(index), node))
    }

    /// The constant a node is, if it is one.
    pub fn constant(&self, id: NodeId) -> Option<&Int> {
        match &self.node(id).kind {
            Kind::Constant(value) => Some(value),
            _ => None,
        }
    }

    /// How a node is called in a message: `sum: s32`, or `add: s8` if it has no name.
    pub fn describe(&self, id: NodeId) -> String {
        describe(self.node(id))
    }

    /// Nodes that a node's value depends on within one instant.
    ///
    /// State is cut: a register depends on nothing but an asynchronous reset, a registered read
    /// on nothing.
    pub fn dependencies(&self, id: NodeId) -> Vec<NodeId> {
        match &self.node(id).kind {
            Kind::Register(register) => {
                let register = &self.registers[register.index()];
                match &self.clocks[register.clock.index()].reset {
                    Some(reset)
                        if reset.kind == ResetKind::Async && register.reset_value.is_some() =>
                    {
                        vec![reset.signal]
                    }
                    _ => vec![],
                }
            }
            Kind::MemoryRead { memory, port } => {
                let read = &self.memories[memory.index()].reads[*port];
                if read.sync.is_some() { vec![] } else { vec![read.address] }
            }
            Kind::InstanceOutput { instance, port } => {
                let instance = &self.instances[instance.index()];
                instance.module.combinational[*port].iter().map(|&i| instance.inputs[i]).collect()
            }
            Kind::LeafOutput { leaf, port } => {
                let used = &self.leaves[leaf.index()];
                used.leaf.combinational[*port].iter().map(|&i| used.inputs[i]).collect()
            }
            kind => kind.operands(),
        }
    }
}

impl Kind {
    /// The nodes named inside the kind itself (state, instances and leaves name theirs elsewhere).
    pub fn operands(&self) -> Vec<NodeId> {
        match self {
            Kind::Unary(_, a) | Kind::Slice { of: a, .. } | Kind::Cast(a) => vec![*a],
            Kind::Wire(driver) => driver.iter().copied().collect(),
            Kind::Binary(_, a, b) => vec![*a, *b],
            Kind::Mux { select, on_true, on_false } => vec![*select, *on_true, *on_false],
            Kind::Concat(parts) => parts.clone(),
            _ => vec![],
        }
    }

    /// The word used for a node of this kind where the author gave no name.
    pub fn word(&self) -> &'static str {
        match self {
            Kind::Input => "input",
            Kind::Constant(_) => "constant",
            Kind::Unary(UnaryOp::Not, _) => "not",
            Kind::Unary(UnaryOp::Neg, _) => "neg",
            Kind::Unary(UnaryOp::ReduceAnd, _) => "all",
            Kind::Unary(UnaryOp::ReduceOr, _) => "any",
            Kind::Unary(UnaryOp::ReduceXor, _) => "parity",
            Kind::Binary(op, ..) => op.name(),
            Kind::Mux { .. } => "mux",
            Kind::Concat(_) => "cat",
            Kind::Slice { .. } => "bits",
            Kind::Cast(_) => "ext",
            Kind::Wire(_) => "wire",
            Kind::Register(_) => "reg",
            Kind::MemoryRead { .. } => "word",
            Kind::InstanceOutput { .. } | Kind::LeafOutput { .. } => "out",
        }
    }
}

pub(crate) fn describe(node: &Node) -> String {
    match (&node.name, &node.kind) {
        (Some(name), _) => format!("{name}: {}", node.ty),
        (None, Kind::Constant(value)) => format!("{value}: {}", node.ty),
        (None, kind) => format!("{}: {}", kind.word(), node.ty),
    }
}
