//! Expressions.

use super::literal::{literal, pattern};
use super::nets::Nets;
use crate::netlist::{BinaryOp, Kind, Module, NodeId, UnaryOp};
use bitvec::vec::BitVec;

/// Writes expressions, and remembers which bits of which nets were read.
pub(super) struct Writer<'a> {
    pub(super) module: &'a Module,
    pub(super) nets: &'a Nets,
    used: Vec<BitVec>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(module: &'a Module, nets: &'a Nets) -> Writer<'a> {
        let bits = |id: usize| BitVec::repeat(false, module.nodes[id].ty.width as usize);
        Writer { module, nets, used: (0..module.nodes.len()).map(bits).collect() }
    }

    /// The name of a net, all of whose bits are read.
    pub(super) fn net(&mut self, id: NodeId) -> String {
        self.used[id.index()].fill(true);
        self.net_name(id)
    }

    /// The name of a net, for writing to it.
    pub(super) fn net_name(&self, id: NodeId) -> String {
        match &self.nets.names[id.index()] {
            Some(name) => name.to_string(),
            None => unreachable!("node {} is written in place", self.module.describe(id)),
        }
    }

    /// Bits of a net or constant.
    pub(super) fn bits(&mut self, id: NodeId, low: u32, width: u32) -> String {
        let ty = self.module.ty(id);
        if let Some(value) = self.module.constant(id) {
            let to = crate::ty::u(width);
            return literal(to, &crate::semantics::slice(value, ty, low, to));
        }
        self.used[id.index()][low as usize..(low + width) as usize].fill(true);
        let name = self.net_name(id);
        if ty.width == 1 { name } else { format!("{name}{}", range(low, width)) }
    }

    /// Bits of the net that nothing has read, as text; empty if all were.
    pub(super) fn unread(&self, id: NodeId) -> Vec<String> {
        let (used, ty) = (&self.used[id.index()], self.module.ty(id));
        let name = self.net_name(id);
        if used.not_any() {
            return vec![name];
        }
        let mut parts = vec![];
        let mut low = 0;
        while let Some(start) = used[low..].first_zero().map(|at| at + low) {
            let end = used[start..].first_one().map_or(used.len(), |at| at + start);
            debug_assert!(ty.width > 1);
            parts.push(format!("{name}{}", range(start as u32, (end - start) as u32)));
            low = end;
        }
        parts
    }

    /// A node where it is used: its net, its literal, or its expression in parentheses.
    pub(super) fn operand(&mut self, id: NodeId) -> String {
        if let Some(value) = self.module.constant(id) {
            let text = literal(self.module.ty(id), value);
            return if text.starts_with('-') { format!("({text})") } else { text };
        }
        if self.nets.names[id.index()].is_some() {
            return self.net(id);
        }
        let text = self.expression(id);
        // Braces and calls need no parentheses.
        let closed = matches!(
            self.module.node(id).kind,
            Kind::Concat(_) | Kind::Slice { .. } | Kind::Cast(_)
        );
        if closed { text } else { format!("({text})") }
    }

    /// A node as the whole of a right-hand side or a condition: no outer parentheses.
    pub(super) fn whole(&mut self, id: NodeId) -> String {
        match &self.module.node(id).kind {
            Kind::Constant(value) => literal(self.module.ty(id), value),
            _ if self.nets.names[id.index()].is_some() => self.net(id),
            _ => self.expression(id),
        }
    }

    /// A node at an instance's port, which gives the pattern its sign: Yosys 0.23 refuses a net
    /// behind `$signed` there.
    pub(super) fn pin(&mut self, id: NodeId) -> String {
        match self.module.node(id).kind {
            Kind::Cast(a)
                if self.nets.names[id.index()].is_none()
                    && self.module.ty(a).width == self.module.ty(id).width =>
            {
                self.whole(a)
            }
            _ => self.whole(id),
        }
    }

    /// What a node computes, from its operands.
    pub(super) fn expression(&mut self, id: NodeId) -> String {
        let ty = self.module.ty(id);
        match &self.module.node(id).kind {
            Kind::Constant(value) => literal(ty, value),
            Kind::Unary(op, a) => {
                let a = self.operand(*a);
                format!("{}{a}", unary_text(*op))
            }
            Kind::Binary(BinaryOp::Mul, a, b) => {
                format!("{} * {}", self.factor(*a), self.factor(*b))
            }
            Kind::Binary(op, a, b) => {
                let from = self.module.ty(*a);
                let right = match op {
                    BinaryOp::Shl | BinaryOp::Shr => self.amount(*b, from.width),
                    _ => self.operand(*b),
                };
                format!("{} {} {right}", self.operand(*a), binary_text(*op, from.signed))
            }
            Kind::Mux { select, on_true, on_false } => {
                let (select, on_true) = (self.operand(*select), self.operand(*on_true));
                format!("{select} ? {on_true} : {}", self.operand(*on_false))
            }
            Kind::Concat(parts) => self.concat(parts),
            Kind::Slice { of, low } => self.bits(*of, *low, ty.width),
            Kind::Cast(a) => self.cast(*a, ty),
            Kind::Wire(Some(driver)) => self.whole(*driver),
            kind => unreachable!("{} is a net without an expression", kind.word()),
        }
    }

    /// How far to shift a value of `width` bits: all its signs are left when all but one are gone.
    fn amount(&mut self, id: NodeId, width: u32) -> String {
        match self.module.constant(id) {
            Some(value) if *value >= width.into() => {
                literal(self.module.ty(id), &(width - 1).into())
            }
            _ => self.operand(id),
        }
    }

    /// A product's operand: a net, or a literal that is a plain pattern, since `-8'sd1` would be
    /// an operator.
    fn factor(&mut self, id: NodeId) -> String {
        match self.module.constant(id) {
            Some(value) if self.module.ty(id).signed => pattern(self.module.ty(id), value),
            _ => self.operand(id),
        }
    }

    /// Runs of one part are written as a replication.
    fn concat(&mut self, parts: &[NodeId]) -> String {
        let runs = parts.chunk_by(|a, b| a == b).map(|run| {
            let part = self.operand(run[0]);
            if run.len() == 1 { part } else { format!("{{{}{{{part}}}}}", run.len()) }
        });
        format!("{{{}}}", runs.collect::<Vec<_>>().join(", "))
    }

    fn cast(&mut self, a: NodeId, ty: crate::ty::Type) -> String {
        let from = self.module.ty(a);
        let more = ty.width - from.width;
        let name = self.operand(a);
        let pattern = match (more, from.signed, from.width) {
            (0, ..) if ty.signed => return format!("$signed({name})"),
            (0, ..) => return format!("$unsigned({name})"),
            (_, true, 1) => format!("{{{}{{{name}}}}}", ty.width),
            (1, true, width) => format!("{{{name}[{}], {name}}}", width - 1),
            (_, true, _) => format!("{{{{{more}{{{name}[{}]}}}}, {name}}}", from.width - 1),
            (_, false, _) => format!("{{{more}'d0, {name}}}"),
        };
        if ty.signed { format!("$signed({pattern})") } else { pattern }
    }
}

fn range(low: u32, width: u32) -> String {
    if width == 1 { format!("[{low}]") } else { format!("[{}:{low}]", low + width - 1) }
}

fn unary_text(op: UnaryOp) -> &'static str {
    match op {
        UnaryOp::Not => "~",
        UnaryOp::Neg => "-",
        UnaryOp::ReduceAnd => "&",
        UnaryOp::ReduceOr => "|",
        UnaryOp::ReduceXor => "^",
    }
}

fn binary_text(op: BinaryOp, signed: bool) -> &'static str {
    match op {
        BinaryOp::Add => "+",
        BinaryOp::Sub => "-",
        BinaryOp::Mul => "*",
        BinaryOp::And => "&",
        BinaryOp::Or => "|",
        BinaryOp::Xor => "^",
        BinaryOp::Eq => "==",
        BinaryOp::Ne => "!=",
        BinaryOp::Lt => "<",
        BinaryOp::Le => "<=",
        BinaryOp::Gt => ">",
        BinaryOp::Ge => ">=",
        BinaryOp::Shl => "<<",
        BinaryOp::Shr if signed => ">>>",
        BinaryOp::Shr => ">>",
    }
}
