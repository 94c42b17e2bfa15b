//! Products: multiplier blocks, or rows of ANDs where a block is too much.

use super::circuit::Term;
use super::graph::Bit;
use super::lower::Lowering;

/// A family's multiplier blocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Blocks {
    /// The longer and the shorter operand's most bits.
    pub(super) most: [usize; 2],
    /// The same for the parts of longer ones.
    pub(super) part: [usize; 2],
    /// Bits of the narrowest product that gets a block.
    pub(super) least: usize,
    /// Whether operands are signed always: an unsigned one takes a bit more.
    pub(super) signed: bool,
}

/// `a * b`, exact.
pub(super) fn multiply(lowering: &mut Lowering<'_>, operands: [Term; 2], width: usize) -> Vec<Bit> {
    let [a, b] = &operands;
    if a.is_zero() || b.is_zero() {
        return vec![Bit::ZERO; width];
    }
    for (one, other) in [(a, b), (b, a)] {
        if let Some(by) = power(one) {
            let shifted = std::iter::repeat_n(Bit::ZERO, by).chain(other.bits.iter().copied());
            let shifted = Term::new(shifted.collect(), other.signed, false);
            return (0..width).map(|at| shifted.bit(at)).collect();
        }
    }
    let blocks = lowering.family.blocks();
    let signed = a.signed || b.signed;
    let natural = natural_width(a, b).min(width);
    let taken = operands.each_ref().map(|term| operand_width(term, blocks));
    let soft = taken.iter().any(|&width| width < 2) || natural < blocks.least;
    let [a, b] = operands;
    let mut out = match soft {
        true => {
            let terms = rows(lowering, [&a, &b]);
            return lowering.sum_within(terms, width, natural);
        }
        false if taken[0] >= taken[1] => pieces(lowering, a, b, natural, blocks, signed),
        false => pieces(lowering, b, a, natural, blocks, signed),
    };
    let fill = if signed { out[natural - 1] } else { Bit::ZERO };
    out.resize(width, fill);
    out
}

/// A product of operands however long: parts of the first, then of the second, each in a block of
/// its own, summed one after the other.
fn pieces(
    lowering: &mut Lowering<'_>,
    a: Term,
    b: Term,
    width: usize,
    blocks: Blocks,
    signed: bool,
) -> Vec<Bit> {
    let head = usize::from(blocks.signed);
    let taken = |term: &Term| operand_width(term, blocks);
    for (long, other, side) in [(&a, &b, 0), (&b, &a, 1)] {
        let (most, step) = (blocks.most[side], blocks.part[side] - head);
        if taken(long) <= most {
            continue;
        }
        let count = (taken(long) - most).div_ceil(step);
        let part = |from: usize, to: Option<usize>| match to {
            Some(to) => Term::new(
                long.bits[from.min(long.bits.len())..to.min(long.bits.len())].to_vec(),
                false,
                false,
            ),
            None => Term::new(long.bits[from.min(long.bits.len())..].to_vec(), long.signed, false),
        };
        let mut total: Option<Vec<Bit>> = None;
        for n in 0..=count {
            let term = part(n * step, (n < count).then_some((n + 1) * step));
            if term.bits.is_empty() {
                continue;
            }
            let (wide, sign) = (natural_width(&term, other), term.signed || other.signed);
            let room = width.saturating_sub(n * step);
            let product = match side {
                0 => pieces(lowering, term, other.clone(), wide.min(room), blocks, sign),
                _ => pieces(lowering, other.clone(), term, wide.min(room), blocks, sign),
            };
            let shifted = std::iter::repeat_n(Bit::ZERO, n * step).chain(product).collect();
            let shifted = Term::new(shifted, sign, false);
            total = Some(match total {
                None => (0..width).map(|at| shifted.bit(at)).collect(),
                Some(before) => {
                    let before = Term::new(before, signed, false);
                    lowering.sum(vec![shifted, before], width)
                }
            });
        }
        return total.unwrap_or_else(|| vec![Bit::ZERO; width]);
    }
    if taken(&a) < 2 || taken(&b) < 2 || width < blocks.least {
        let terms = rows(lowering, [&a, &b]);
        return lowering.sum_within(terms, width, natural_width(&a, &b));
    }
    lowering.block([a, b], width)
}

/// The exponent, if a term is a known power of two.
fn power(term: &Term) -> Option<usize> {
    let known = term.bits.iter().all(|bit| bit.is_known());
    let ones: Vec<usize> = (0..term.bits.len()).filter(|&at| term.bits[at] == Bit::ONE).collect();
    match ones.as_slice() {
        [one] if known && !term.signed => Some(*one),
        _ => None,
    }
}

/// Bits of the exact product.
fn natural_width(a: &Term, b: &Term) -> usize {
    match a.signed || b.signed {
        true => a.signed_width() + b.signed_width(),
        false => a.bits.len() + b.bits.len(),
    }
}

/// Bits that a block's operand takes.
fn operand_width(term: &Term, blocks: Blocks) -> usize {
    if blocks.signed { term.signed_width() } else { term.bits.len() }
}

/// A product as shifted copies of one operand, each where a bit of the other is set; where that is
/// a sign, the copy's inverse and the sign once more.
fn rows(lowering: &mut Lowering<'_>, [a, b]: [&Term; 2]) -> Vec<Term> {
    let (a, b) = if a.bits.len() >= b.bits.len() { (a, b) } else { (b, a) };
    let (signed, count) = (a.signed || b.signed, a.bits.len() + usize::from(!a.signed));
    let graph = &mut lowering.circuit.graph;
    let mut rows = vec![];
    for (at, &bit) in b.bits.iter().enumerate() {
        let minus = b.signed && at == b.bits.len() - 1;
        let copied = |n: usize| if minus { !a.bit(n) } else { a.bit(n) };
        let ands = (0..count).map(|n| graph.and(copied(n), bit));
        let below = std::iter::repeat_n(Bit::ZERO, at);
        rows.push(Term::new(below.clone().chain(ands).collect(), signed, false));
        if minus {
            rows.push(Term::new(below.chain([bit]).collect(), false, false));
        }
    }
    rows
}
