//! Which values a node can have: where an operation cannot leave its type, no code wraps it.

use crate::netlist::{BinaryOp, Kind, Module, Node, NodeId, UnaryOp};
use crate::ty::Type;
use num_traits::ToPrimitive;

/// Least and largest value.
pub(super) type Range = (i128, i128);

/// A range for every node of at most 64 bits in `order`; the type's for the rest.
pub(super) fn ranges(module: &Module, order: impl Iterator<Item = NodeId>) -> Vec<Range> {
    let mut ranges: Vec<Range> = module.nodes.iter().map(|node| of_type(node.ty)).collect();
    for id in order {
        let node = module.node(id);
        if node.ty.width <= 64 && node.kind.operands().iter().all(|&a| module.ty(a).width <= 64) {
            let (low, high) = of_kind(node, &ranges);
            let bounds = of_type(node.ty);
            // What may leave the type is wrapped, and then it may be anything.
            if bounds.0 <= low && high <= bounds.1 {
                ranges[id.index()] = (low, high);
            }
        }
    }
    ranges
}

/// All values of a type; of 64 bits for wider ones, where nobody asks.
pub(super) fn of_type(ty: Type) -> Range {
    let width = ty.width.min(64);
    match ty.signed {
        true => (-(1 << (width - 1)), (1 << (width - 1)) - 1),
        false => (0, (1 << width) - 1),
    }
}

/// The values of a node before they are wrapped to its type.
pub(super) fn of_kind(node: &Node, ranges: &[Range]) -> Range {
    let range = |id: NodeId| ranges[id.index()];
    let anything = (i128::MIN, i128::MAX);
    match &node.kind {
        Kind::Constant(value) => value.to_i128().map_or(anything, |value| (value, value)),
        Kind::Unary(UnaryOp::Neg, a) => (-range(*a).1, -range(*a).0),
        Kind::Binary(op, a, b) => of_binary(*op, range(*a), range(*b)).unwrap_or(anything),
        Kind::Mux { on_true, on_false, .. } => hull([range(*on_true), range(*on_false)]),
        Kind::Cast(a) => range(*a),
        Kind::Slice { of, low } => {
            let (least, largest) = range(*of);
            match least >= 0 {
                true => (least >> low, largest >> low),
                false => anything,
            }
        }
        Kind::Wire(Some(driver)) => range(*driver),
        _ => anything,
    }
}

fn of_binary(op: BinaryOp, a: Range, b: Range) -> Option<Range> {
    use BinaryOp::*;
    match op {
        Add => Some((a.0 + b.0, a.1 + b.1)),
        Sub => Some((a.0 - b.1, a.1 - b.0)),
        Mul => {
            let corner = |x: i128, y: i128| x.checked_mul(y).map(|xy| (xy, xy));
            Some(hull([corner(a.0, b.0)?, corner(a.0, b.1)?, corner(a.1, b.0)?, corner(a.1, b.1)?]))
        }
        And if a.0 >= 0 && b.0 >= 0 => Some((0, a.1.min(b.1))),
        Shl if b.1 < 60 => {
            let corner = |x: i128, n: i128| (x << n, x << n);
            Some(hull([corner(a.0, b.0), corner(a.0, b.1), corner(a.1, b.0), corner(a.1, b.1)]))
        }
        Shr => {
            let corner = |x: i128, n: i128| (x >> n.min(64), x >> n.min(64));
            Some(hull([corner(a.0, b.0), corner(a.0, b.1), corner(a.1, b.0), corner(a.1, b.1)]))
        }
        _ => None,
    }
}

fn hull<const N: usize>(ranges: [Range; N]) -> Range {
    let low = ranges.iter().map(|range| range.0).min();
    let high = ranges.iter().map(|range| range.1).max();
    (low.unwrap_or(i128::MIN), high.unwrap_or(i128::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_operations() {
        assert_eq!(of_binary(BinaryOp::Add, (0, 3), (-1, 5)), Some((-1, 8)));
        assert_eq!(of_binary(BinaryOp::Sub, (0, 3), (-1, 5)), Some((-5, 4)));
        assert_eq!(of_binary(BinaryOp::Mul, (-8, 7), (-8, 7)), Some((-56, 64)));
        assert_eq!(of_binary(BinaryOp::Shl, (-8, 7), (0, 3)), Some((-64, 56)));
        assert_eq!(of_binary(BinaryOp::Shr, (-8, 7), (1, 1)), Some((-4, 3)));
        assert_eq!(of_binary(BinaryOp::And, (0, 12), (0, 7)), Some((0, 7)));
    }
}
