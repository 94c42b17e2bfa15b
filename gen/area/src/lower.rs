//! From a netlist to bits and blocks, as Yosys' passes do it before any mapping.

use super::Family;
use super::circuit::{Circuit, Origin, Product, Sum, Term};
use super::graph::{Bit, Graph};
use super::state::{Fate, Known, Place};
use super::{compare, memory, product, state};
use hwgen_hdl::check::combinational_order;
use hwgen_hdl::netlist::{BinaryOp, Kind, Module, NodeId, UnaryOp};
use hwgen_hdl::{Int, Type};
use std::collections::{HashMap, HashSet};

/// The bits of a flat module. `known` tells flip-flops of an earlier attempt that turned out to
/// be constant or equal to another.
pub(super) fn lower(module: &Module, family: Family, known: &Known) -> Circuit {
    let mut lowering = Lowering {
        module,
        family,
        circuit: Circuit {
            graph: Graph::new(),
            origins: HashMap::new(),
            sums: vec![],
            chains: vec![],
            products: vec![],
            memories: vec![],
            flip_flops: vec![],
            lines: HashSet::new(),
            shown: HashMap::new(),
            outputs: vec![],
        },
        bits: vec![vec![]; module.nodes.len()],
        stores: vec![],
        registered: HashMap::new(),
        output_registers: HashMap::new(),
        address_registers: HashMap::new(),
        held: HashMap::new(),
        known,
        made: HashMap::new(),
    };
    lowering.run();
    lowering.circuit
}

/// A lowering in progress.
pub(super) struct Lowering<'a> {
    pub(super) module: &'a Module,
    pub(super) family: Family,
    pub(super) circuit: Circuit,
    /// Each node's bits, the lowest first.
    pub(super) bits: Vec<Vec<Bit>>,
    /// What each memory of the module became.
    pub(super) stores: Vec<memory::Store>,
    /// Bits of registered reads, by memory and port.
    pub(super) registered: HashMap<(usize, usize), memory::Registered>,
    /// Registers that became a read port's.
    pub(super) output_registers: HashMap<(usize, usize), usize>,
    /// Clocks of the registers that hold addresses of reads at once, by memory and port.
    pub(super) address_registers: HashMap<(usize, usize), usize>,
    /// Writes that wait a cycle, by memory.
    pub(super) held: HashMap<usize, Vec<Bit>>,
    /// Flip-flops that are not needed.
    known: &'a Known,
    /// Bits of registers, and of the flip-flops around memories.
    made: HashMap<Place, Bit>,
}

impl Lowering<'_> {
    fn run(&mut self) {
        let module = self.module;
        state::make_registers(self);
        memory::make_memories(self);
        let order = combinational_order(module).expect("a finished module has no loop");
        for id in order {
            if self.bits[id.index()].is_empty() {
                self.bits[id.index()] = self.node(id);
            }
        }
        state::connect(self);
        memory::connect(self);
        for output in &module.outputs {
            let bits = self.bits[output.node.index()].clone();
            self.circuit.outputs.extend(bits);
        }
        for leaf in &module.leaves {
            for input in &leaf.inputs {
                let bits = self.bits[input.index()].clone();
                self.circuit.outputs.extend(bits);
            }
        }
    }

    /// Whether a register became a memory's.
    pub(super) fn merged_register(&self, number: usize) -> bool {
        self.output_registers.values().any(|&register| register == number)
    }

    /// The bit at a place: a new source, or what is known of it.
    pub(super) fn place(&mut self, place: Place) -> Bit {
        let bit = match self.known.get(&place) {
            Some(Fate::Constant(value)) => Bit::known(*value),
            Some(Fate::Same(first)) => self.made[first],
            None => self.graph().source(),
        };
        self.made.insert(place, bit);
        bit
    }

    /// The bit at a place, if it was asked for already.
    pub(super) fn made(&self, place: Place) -> Option<Bit> {
        self.made.get(&place).copied()
    }

    pub(super) fn graph(&mut self) -> &mut Graph {
        &mut self.circuit.graph
    }

    pub(super) fn of(&self, id: NodeId) -> Vec<Bit> {
        self.bits[id.index()].clone()
    }

    fn term(&self, id: NodeId, minus: bool) -> Term {
        Term::new(self.of(id), self.module.ty(id).signed, minus)
    }

    fn node(&mut self, id: NodeId) -> Vec<Bit> {
        let ty = self.module.ty(id);
        let width = ty.width as usize;
        match &self.module.node(id).kind {
            Kind::Input => self.graph().sources(width),
            Kind::Constant(value) => constant(value, ty),
            Kind::Unary(op, a) => self.unary(*op, *a),
            Kind::Binary(op, a, b) => self.binary(*op, *a, *b, width),
            Kind::Mux { select, on_true, on_false } => {
                let select = self.bits[select.index()][0];
                let (on_true, on_false) = (self.of(*on_true), self.of(*on_false));
                let legs = on_true.into_iter().zip(on_false);
                legs.map(|(t, f)| self.circuit.graph.mux(select, t, f)).collect()
            }
            Kind::Concat(parts) => {
                parts.iter().rev().flat_map(|part| self.bits[part.index()].clone()).collect()
            }
            Kind::Slice { of, low } => {
                let low = *low as usize;
                self.bits[of.index()][low..low + width].to_vec()
            }
            Kind::Cast(a) => {
                let (mut bits, signed) = (self.of(*a), self.module.ty(*a).signed);
                let fill = if signed { bits[bits.len() - 1] } else { Bit::ZERO };
                bits.resize(width, fill);
                bits
            }
            Kind::Wire(Some(driver)) => self.of(*driver),
            Kind::MemoryRead { memory, port } => memory::read_now(self, memory.index(), *port),
            // registers have their bits; a leaf is somebody else's
            Kind::Wire(None)
            | Kind::Register(_)
            | Kind::InstanceOutput { .. }
            | Kind::LeafOutput { .. } => self.graph().sources(width),
        }
    }

    fn unary(&mut self, op: UnaryOp, a: NodeId) -> Vec<Bit> {
        let bits = self.of(a);
        match op {
            UnaryOp::Not => bits.into_iter().map(|bit| !bit).collect(),
            UnaryOp::Neg => {
                let width = bits.len();
                self.sum(vec![self.term(a, true)], width)
            }
            UnaryOp::ReduceAnd => vec![self.graph().all(&bits)],
            UnaryOp::ReduceOr => vec![self.graph().any(&bits)],
            UnaryOp::ReduceXor => vec![self.graph().parity(&bits)],
        }
    }

    fn binary(&mut self, op: BinaryOp, a: NodeId, b: NodeId, width: usize) -> Vec<Bit> {
        let join =
            |graph: &mut Graph, join: fn(&mut Graph, Bit, Bit) -> Bit, x: &[Bit], y: &[Bit]| {
                x.iter().zip(y).map(|(&x, &y)| join(graph, x, y)).collect::<Vec<_>>()
            };
        let (x, y) = (self.of(a), self.of(b));
        match op {
            BinaryOp::And => join(self.graph(), Graph::and, &x, &y),
            BinaryOp::Or => join(self.graph(), Graph::or, &x, &y),
            BinaryOp::Xor => join(self.graph(), Graph::xor, &x, &y),
            BinaryOp::Add => self.sum(vec![self.term(a, false), self.term(b, false)], width),
            BinaryOp::Sub => self.sum(vec![self.term(a, false), self.term(b, true)], width),
            BinaryOp::Mul => {
                product::multiply(self, [self.term(a, false), self.term(b, false)], width)
            }
            BinaryOp::Eq | BinaryOp::Ne => {
                let differ = join(self.graph(), Graph::xor, &x, &y);
                let differ = self.graph().any(&differ);
                vec![if op == BinaryOp::Ne { differ } else { !differ }]
            }
            BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge => {
                let signed = self.module.ty(a).signed;
                vec![compare::compare(self, op, x, y, signed)]
            }
            BinaryOp::Shl => self.shift(x, y, true, Bit::ZERO),
            BinaryOp::Shr => {
                let fill = if self.module.ty(a).signed { x[x.len() - 1] } else { Bit::ZERO };
                self.shift(x, y, false, fill)
            }
        }
    }

    /// A multiplexer a bit of the amount; amounts beyond the width in one more.
    fn shift(&mut self, mut bits: Vec<Bit>, amount: Vec<Bit>, left: bool, fill: Bit) -> Vec<Bit> {
        let width = bits.len();
        let stages = (width.next_power_of_two().ilog2() as usize + 1).min(amount.len());
        let graph = self.graph();
        let beyond = graph.any(&amount[stages..]);
        bits = bits.into_iter().map(|bit| graph.mux(beyond, fill, bit)).collect();
        for (stage, &select) in amount[..stages].iter().enumerate() {
            let by = 1usize.checked_shl(stage as u32).unwrap_or(width).min(width);
            let moved = |at: usize| match left {
                true => at.checked_sub(by).map_or(Bit::ZERO, |at| bits[at]),
                false => bits.get(at + by).copied().unwrap_or(fill),
            };
            let moved: Vec<Bit> = (0..width).map(moved).collect();
            let legs = moved.into_iter().zip(bits);
            bits = legs.map(|(moved, bit)| graph.mux(select, moved, bit)).collect();
        }
        bits
    }

    /// A sum of terms as wide as its result.
    pub(super) fn sum(&mut self, terms: Vec<Term>, width: usize) -> Vec<Bit> {
        let positive = terms.iter().all(|term| !term.minus && !term.signed);
        let grows = terms.len().next_power_of_two().ilog2() as usize;
        let widest = |of: fn(&Term) -> usize| terms.iter().map(of).max().unwrap_or(1);
        let natural = match positive {
            true => widest(|term| term.bits.len()) + grows,
            false => widest(Term::signed_width) + grows.max(1),
        };
        self.sum_within(terms, width, natural)
    }

    /// A sum that no value of its terms takes beyond `natural` bits, as wide as its result; bits
    /// that need no adding are told at once.
    pub(super) fn sum_within(
        &mut self,
        terms: Vec<Term>,
        width: usize,
        natural: usize,
    ) -> Vec<Bit> {
        let terms: Vec<Term> = terms.into_iter().filter(|term| !term.is_zero()).collect();
        if let [Term { minus: false, .. }] = terms.as_slice() {
            return (0..width).map(|at| terms[0].bit(at)).collect();
        }
        // below the second term's lowest bit the first passes through, if it is not negated
        let low = |term: &Term| term.bits.iter().position(|&bit| bit != Bit::ZERO).unwrap_or(0);
        let mut lows: Vec<(usize, usize)> = terms.iter().map(low).zip(0..).collect();
        lows.sort_unstable();
        let through = match lows.as_slice() {
            [(_, first), (second, _), ..] if !terms[*first].minus => (*second).min(width),
            _ => 0,
        };
        let positive = terms.iter().all(|term| !term.minus && !term.signed);
        let computed = natural.min(width);
        let sum = self.circuit.sums.len();
        let mut out: Vec<Bit> = vec![];
        for at in 0..computed {
            let bit = match at < through {
                true => terms[lows[0].1].bit(at),
                false => {
                    let bit = self.circuit.graph.source();
                    self.circuit.origins.insert(bit.gate(), Origin::Sum(sum, at));
                    bit
                }
            };
            out.push(bit);
        }
        let fill = if positive { Bit::ZERO } else { out[computed - 1] };
        out.resize(width, fill);
        let known = Sum { terms, out: out.clone(), width: computed, natural, merged: false };
        self.circuit.sums.push(known);
        out
    }

    /// A block of the circuit's that multiplies.
    pub(super) fn block(&mut self, operands: [Term; 2], width: usize) -> Vec<Bit> {
        let product = self.circuit.products.len();
        let out = self.circuit.graph.sources(width);
        for (at, bit) in out.iter().enumerate() {
            self.circuit.origins.insert(bit.gate(), Origin::Product(product, at));
        }
        self.circuit.products.push(Product {
            operands,
            addend: vec![],
            controls: vec![],
            out: out.clone(),
        });
        out
    }
}

/// The bits of a number.
pub(super) fn constant(value: &Int, ty: Type) -> Vec<Bit> {
    let bits = ty.to_bits(value);
    (0..u64::from(ty.width)).map(|at| Bit::known(bits.bit(at))).collect()
}
