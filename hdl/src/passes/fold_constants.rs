//! Computes what is known before the circuit runs, and removes operations that do nothing.

use super::{keep_called, map_kind, map_references};
use crate::check::combinational_order;
use crate::netlist::{BinaryOp, Kind, Module, NodeId, UnaryOp};
use crate::semantics;
use crate::ty::{Int, Type};
use num_traits::{ToPrimitive, Zero};

/// What a node turned out to be.
enum Folded {
    Constant(Int),
    Same(NodeId),
    Kind(Kind),
}

/// Replaces every node whose operands are constants by its value, and every node that equals one
/// of its operands by that operand. Types stay as they are; named nodes stay in place.
pub fn fold_constants(module: &Module) -> Module {
    let order = combinational_order(module).expect("a finished module has no loop");
    let mut folded = module.clone();
    let mut same: Vec<NodeId> = module.ids().map(|(id, _)| id).collect();
    for id in order {
        let node = &mut folded.nodes[id.index()];
        map_kind(&mut node.kind, |operand| same[operand.index()]);
        match fold(&folded, id) {
            Some(Folded::Constant(value)) => {
                folded.nodes[id.index()].kind = Kind::Constant(value);
            }
            // A named node is a net of its own: readers should find it used by its name.
            Some(Folded::Same(other)) if folded.node(id).name.is_none() => {
                same[id.index()] = other;
                keep_called(&mut folded, id, other);
            }
            Some(Folded::Kind(kind)) => folded.nodes[id.index()].kind = kind,
            Some(Folded::Same(_)) | None => {}
        }
    }
    map_references(&mut folded, |id| same[id.index()]);
    folded
}

fn fold(module: &Module, id: NodeId) -> Option<Folded> {
    let ty = module.ty(id);
    match &module.node(id).kind {
        Kind::Unary(op, a) => {
            let from = module.ty(*a);
            if let Some(value) = module.constant(*a) {
                return Some(Folded::Constant(semantics::unary(*op, value, from, ty)));
            }
            let reduces = matches!(op, UnaryOp::ReduceAnd | UnaryOp::ReduceOr | UnaryOp::ReduceXor);
            (reduces && from == ty).then_some(Folded::Same(*a))
        }
        Kind::Binary(op, a, b) => fold_binary(module, *op, *a, *b, ty),
        Kind::Mux { select, on_true, on_false } => match module.constant(*select) {
            Some(value) => Some(Folded::Same(if value.is_zero() { *on_false } else { *on_true })),
            None => (on_true == on_false).then_some(Folded::Same(*on_true)),
        },
        Kind::Concat(parts) => {
            let values = parts.iter().map(|part| Some((module.ty(*part), module.constant(*part)?)));
            let values = values.collect::<Option<Vec<_>>>()?;
            Some(Folded::Constant(semantics::concat(values.into_iter())))
        }
        Kind::Slice { of, low } => {
            let from = module.ty(*of);
            match &module.node(*of).kind {
                Kind::Constant(value) => {
                    Some(Folded::Constant(semantics::slice(value, from, *low, ty)))
                }
                Kind::Slice { of, low: inner } => {
                    Some(Folded::Kind(Kind::Slice { of: *of, low: low + inner }))
                }
                Kind::Concat(parts) => slice_of_concat(module, parts, *low, ty),
                Kind::Cast(inner) if low + ty.width <= module.ty(*inner).width => {
                    let from = module.ty(*inner);
                    if *low == 0 && from.width == ty.width {
                        let same = from == ty;
                        let cast = Folded::Kind(Kind::Cast(*inner));
                        return Some(if same { Folded::Same(*inner) } else { cast });
                    }
                    Some(Folded::Kind(Kind::Slice { of: *inner, low: *low }))
                }
                _ => None,
            }
        }
        Kind::Cast(a) => {
            if let Some(value) = module.constant(*a) {
                return Some(Folded::Constant(ty.wrap(value.clone())));
            }
            match &module.node(*a).kind {
                _ if module.ty(*a) == ty => Some(Folded::Same(*a)),
                Kind::Cast(inner) => cast_of_cast(module, *inner, module.ty(*a), ty),
                _ => None,
            }
        }
        Kind::Wire(Some(driver)) => match module.constant(*driver) {
            Some(value) => Some(Folded::Constant(value.clone())),
            None => Some(Folded::Same(*driver)),
        },
        Kind::MemoryRead { memory, port } => {
            // An address that is known to lie beyond the memory reads 0. A registered read shows
            // its power-up content first.
            let memory = &module.memories[memory.index()];
            let read = &memory.reads[*port];
            let beyond =
                read.sync.is_none() && *module.constant(read.address)? >= Int::from(memory.depth);
            beyond.then_some(Folded::Constant(Int::ZERO))
        }
        _ => None,
    }
}

/// A slice that lies within one part of a concatenation is a slice of that part.
fn slice_of_concat(module: &Module, parts: &[NodeId], low: u32, ty: Type) -> Option<Folded> {
    let mut start = 0;
    for part in parts.iter().rev() {
        let from = module.ty(*part);
        if low >= start && low + ty.width <= start + from.width {
            return Some(if from == ty {
                Folded::Same(*part)
            } else if from.width == ty.width {
                Folded::Kind(Kind::Cast(*part))
            } else {
                Folded::Kind(Kind::Slice { of: *part, low: low - start })
            });
        }
        start += from.width;
    }
    None
}

/// Two casts are one where the first does not change which way the second extends.
fn cast_of_cast(module: &Module, inner: NodeId, middle: Type, ty: Type) -> Option<Folded> {
    let from = module.ty(inner);
    if from == ty {
        return Some(Folded::Same(inner));
    }
    let same_extension = middle.signed == from.signed || middle.width == ty.width;
    let widened_with_zeros = !from.signed && middle.width > from.width;
    (same_extension || widened_with_zeros).then_some(Folded::Kind(Kind::Cast(inner)))
}

fn fold_binary(module: &Module, op: BinaryOp, a: NodeId, b: NodeId, ty: Type) -> Option<Folded> {
    let from = module.ty(a);
    let (left, right) = (module.constant(a), module.constant(b));
    if let (Some(left), Some(right)) = (left, right) {
        return Some(Folded::Constant(semantics::binary(op, left, right, from, ty)));
    }
    use BinaryOp::*;
    let zero = |value: Option<&Int>| value.is_some_and(Zero::is_zero);
    let ones = |value: Option<&Int>| value.is_some_and(|value| from.wrap(Int::from(-1)) == *value);
    match op {
        Add | Or | Xor if zero(left) => Some(Folded::Same(b)),
        Add | Sub | Or | Xor | Shl | Shr if zero(right) => Some(Folded::Same(a)),
        Mul if zero(left) || zero(right) => Some(Folded::Constant(Int::zero())),
        And if zero(left) || zero(right) => Some(Folded::Constant(Int::zero())),
        And if ones(left) => Some(Folded::Same(b)),
        And if ones(right) => Some(Folded::Same(a)),
        Or if ones(left) || ones(right) => Some(Folded::Constant(from.wrap(Int::from(-1)))),
        And | Or if a == b => Some(Folded::Same(a)),
        Sub | Xor if a == b => Some(Folded::Constant(Int::zero())),
        Eq | Le | Ge if a == b => Some(Folded::Constant(semantics::truth(true))),
        Ne | Lt | Gt if a == b => Some(Folded::Constant(semantics::truth(false))),
        Shl | Shr if zero(left) => Some(Folded::Same(a)),
        Shl | Shr => {
            // Shifting everything out of an unsigned value leaves nothing.
            let all = right.is_some_and(|n| n.to_u32().is_none_or(|n| n >= from.width));
            (all && (op == Shl || !from.signed)).then(|| Folded::Constant(Int::zero()))
        }
        _ if op.compares() => compare_with_bound(op, a, b, left, right, from),
        _ => None,
    }
}

/// A comparison with the type's least or largest value is decided by the type, or is an equality.
fn compare_with_bound(
    op: BinaryOp,
    a: NodeId,
    b: NodeId,
    left: Option<&Int>,
    right: Option<&Int>,
    ty: Type,
) -> Option<Folded> {
    use BinaryOp::*;
    let least = |value: Option<&Int>| value.is_some_and(|value| *value == ty.min());
    let largest = |value: Option<&Int>| value.is_some_and(|value| *value == ty.max());
    let decided = match op {
        Lt if least(right) || largest(left) => false,
        Ge if least(right) || largest(left) => true,
        Gt if largest(right) || least(left) => false,
        Le if largest(right) || least(left) => true,
        Lt | Gt if least(left) || largest(left) || least(right) || largest(right) => {
            return Some(Folded::Kind(Kind::Binary(Ne, a, b)));
        }
        Le | Ge if least(left) || largest(left) || least(right) || largest(right) => {
            return Some(Folded::Kind(Kind::Binary(Eq, a, b)));
        }
        _ => return None,
    };
    Some(Folded::Constant(semantics::truth(decided)))
}
