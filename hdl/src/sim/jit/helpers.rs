//! What compiled code calls for: wide products and shifts, and the models of leaves.
#![allow(unsafe_code)] // compiled code passes plain pointers

use super::layout::{load, store};
use crate::netlist::{LeafModel, Module};
use crate::ty::{Int, Type};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The low `length` words of the product of two values of `a_length` and `b_length` words.
///
/// # Safety
/// The pointers must be to that many words each, `to` apart from the others.
pub(super) unsafe extern "C" fn multiply(
    to: *mut u64,
    length: u64,
    a: *const u64,
    a_length: u64,
    b: *const u64,
    b_length: u64,
    signed: u64,
) {
    // SAFETY: the caller's promise.
    let (to, a, b) = unsafe {
        (
            std::slice::from_raw_parts_mut(to, length as usize),
            std::slice::from_raw_parts(a, a_length as usize),
            std::slice::from_raw_parts(b, b_length as usize),
        )
    };
    to.fill(0);
    for (i, &x) in a.iter().enumerate() {
        let mut carry = 0u128;
        for (word, j) in to.iter_mut().skip(i).zip(0..) {
            let y = b.get(j).copied().unwrap_or(0);
            let sum = u128::from(x) * u128::from(y) + u128::from(*word) + carry;
            *word = sum as u64;
            carry = sum >> 64;
        }
    }
    if signed == 0 {
        return;
    }
    // A negative operand stands for its pattern less 2^(64 * length).
    for (negative, other, shift) in [(a, b, a.len()), (b, a, b.len())] {
        if negative.last().is_some_and(|&top| top >> 63 == 1) {
            let mut borrow = false;
            for (word, j) in to.iter_mut().skip(shift).zip(0..) {
                let y = other.get(j).copied().unwrap_or(0);
                let (less, first) = word.overflowing_sub(y);
                let (less, second) = less.overflowing_sub(u64::from(borrow));
                (*word, borrow) = (less, first | second);
            }
        }
    }
}

/// A value of `length` words shifted left; bits above the words are lost.
///
/// # Safety
/// The pointers must be to `length` words each, apart from each other.
pub(super) unsafe extern "C" fn shift_left(
    to: *mut u64,
    from: *const u64,
    length: u64,
    amount: u64,
) {
    // SAFETY: the caller's promise.
    let (to, from) = unsafe { words(to, from, length) };
    let (skip, bits) = ((amount / 64) as usize, amount % 64);
    let word = |i: usize| from.get(i).copied().unwrap_or(0);
    for (i, to) in to.iter_mut().enumerate() {
        *to = match i.checked_sub(skip) {
            None => 0,
            Some(at) if bits == 0 => word(at),
            Some(0) => word(0) << bits,
            Some(at) => (word(at) << bits) | (word(at - 1) >> (64 - bits)),
        };
    }
}

/// A value of `length` words shifted right; its sign comes in if `signed`, else zeros.
///
/// # Safety
/// The pointers must be to `length` words each, apart from each other.
pub(super) unsafe extern "C" fn shift_right(
    to: *mut u64,
    from: *const u64,
    length: u64,
    amount: u64,
    signed: u64,
) {
    // SAFETY: the caller's promise.
    let (to, from) = unsafe { words(to, from, length) };
    let (skip, bits) = ((amount / 64) as usize, amount % 64);
    let negative = signed == 1 && from.last().is_some_and(|&top| top >> 63 == 1);
    let fill = if negative { u64::MAX } else { 0 };
    let word = |i: usize| from.get(i).copied().unwrap_or(fill);
    for (i, to) in to.iter_mut().enumerate() {
        let at = i.saturating_add(skip);
        *to = match bits {
            0 => word(at),
            _ => (word(at) >> bits) | (word(at.saturating_add(1)) << (64 - bits)),
        };
    }
}

/// # Safety
/// The pointers must be to `length` words each, apart from each other.
unsafe fn words<'a>(to: *mut u64, from: *const u64, length: u64) -> (&'a mut [u64], &'a [u64]) {
    let length = length as usize;
    // SAFETY: the caller's promise.
    unsafe {
        (std::slice::from_raw_parts_mut(to, length), std::slice::from_raw_parts(from, length))
    }
}

/// The models of a module's leaves, at an address that compiled code knows.
pub(super) struct Leaves {
    uses: Vec<Leaf>,
    /// For each flat clock, whether it rises at the tick under way.
    pub(super) ticking: Vec<bool>,
    /// What a model panicked with: no panic may pass through compiled code.
    pub(super) panic: Option<Box<dyn Any + Send>>,
}

struct Leaf {
    model: Box<dyn LeafModel>,
    clocks: Vec<usize>,
    inputs: Vec<(usize, Type)>,
    outputs: Vec<(usize, Type)>,
}

impl Leaves {
    pub(super) fn new(module: &Module, layout: &super::layout::Layout) -> Box<Leaves> {
        let uses = module.leaves.iter().enumerate().map(|(index, used)| Leaf {
            model: (used.leaf.model)(),
            clocks: used.clocks.iter().map(|clock| clock.index()).collect(),
            inputs: (layout.leaf_inputs[index].iter().copied())
                .zip(used.inputs.iter().map(|&id| module.ty(id)))
                .collect(),
            outputs: (layout.leaf_outputs[index].iter().copied())
                .zip(used.outputs.iter().copied())
                .collect(),
        });
        Box::new(Leaves { uses: uses.collect(), ticking: vec![], panic: None })
    }

    fn update(&mut self, slots: &mut [u64], leaf: usize, edge: bool) {
        let leaf = &mut self.uses[leaf];
        let inputs: Vec<Int> = leaf.inputs.iter().map(|&(at, ty)| load(slots, at, ty)).collect();
        let mut outputs: Vec<Int> =
            leaf.outputs.iter().map(|&(at, ty)| load(slots, at, ty)).collect();
        let low = vec![false; leaf.clocks.len()];
        leaf.model.update(&low, &inputs, &mut outputs);
        if edge {
            let high: Vec<bool> = leaf.clocks.iter().map(|&clock| self.ticking[clock]).collect();
            leaf.model.update(&high, &inputs, &mut outputs);
            leaf.model.update(&low, &inputs, &mut outputs);
        }
        for (&(at, ty), value) in leaf.outputs.iter().zip(outputs) {
            store(slots, at, &ty.wrap(value), ty);
        }
    }
}

/// Lets a leaf settle with the inputs in its slots and, if `edge` is 1, see its clocks rise.
///
/// # Safety
/// `leaves` must be to live leaves, `slots` to `length` words.
pub(super) unsafe extern "C" fn update_leaf(
    leaves: *mut Leaves,
    slots: *mut u64,
    length: u64,
    leaf: u64,
    edge: u64,
) {
    // SAFETY: the caller's promise.
    let (leaves, slots) =
        unsafe { (&mut *leaves, std::slice::from_raw_parts_mut(slots, length as usize)) };
    let run = AssertUnwindSafe(|| leaves.update(slots, leaf as usize, edge == 1));
    if let Err(panic) = catch_unwind(run) {
        leaves.panic = Some(panic);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ty::s;

    #[test]
    fn products_and_shifts_agree_with_integers() {
        let (a_ty, b_ty) = (s(192), s(128));
        for (a, b) in [(-5, 7), (-5, -7), (5, -7), (5, 7)] {
            let (a, b) = ((Int::from(a) << 100u32) + 3, (Int::from(b) << 90u32) - 9);
            let (mut x, mut y, mut to) = ([0; 3], [0; 2], [0; 5]);
            store(&mut x, 0, &a, a_ty);
            store(&mut y, 0, &b, b_ty);
            // SAFETY: lengths are the arrays'.
            unsafe { multiply(to.as_mut_ptr(), 5, x.as_ptr(), 3, y.as_ptr(), 2, 1) };
            assert_eq!(load(&to, 0, s(320)), &a * &b);
            for amount in [0, 1, 63, 64, 100, 191, 500] {
                let mut to = [0; 3];
                // SAFETY: lengths are the arrays'.
                unsafe { shift_right(to.as_mut_ptr(), x.as_ptr(), 3, amount, 1) };
                assert_eq!(load(&to, 0, a_ty), &a >> amount);
                // SAFETY: lengths are the arrays'.
                unsafe { shift_left(to.as_mut_ptr(), x.as_ptr(), 3, amount) };
                assert_eq!(load(&to, 0, a_ty), a_ty.wrap(&a << amount));
            }
        }
    }
}
