//! Comparisons, as Yosys lays them on carry chains.

use super::Family;
use super::circuit::{Chain, Origin, Term};
use super::graph::{Bit, Graph};
use super::lower::Lowering;
use hwgen_hdl::netlist::BinaryOp;

/// `x op y`.
pub(super) fn compare(
    lowering: &mut Lowering<'_>,
    op: BinaryOp,
    x: Vec<Bit>,
    y: Vec<Bit>,
    signed: bool,
) -> Bit {
    // without what both do not need: repeated signs, zeros on top
    let (x, y) = (Term::new(x, signed, false), Term::new(y, signed, false));
    let signed = x.signed || y.signed;
    let width = match signed {
        true => x.signed_width().max(y.signed_width()),
        false => x.bits.len().max(y.bits.len()),
    };
    let wide = |term: &Term| (0..width).map(|at| term.bit(at)).collect::<Vec<_>>();
    let (x, y) = (wide(&x), wide(&y));
    let known = |bits: &[Bit]| bits.iter().all(|bit| bit.is_known());
    let inputs = lowering.family.inputs();
    if known(&x) && known(&y) || (known(&x) || known(&y)) && width <= inputs || width <= 2 {
        return logic(lowering.graph(), op, &x, &y, signed);
    }
    match lowering.family {
        Family::Xilinx7 => by_tables(lowering, op, &x, &y, signed),
        Family::Ice40 => by_subtraction(lowering, op, &x, &y, signed),
    }
}

/// In gates alone.
fn logic(graph: &mut Graph, op: BinaryOp, x: &[Bit], y: &[Bit], signed: bool) -> Bit {
    let (x, y, op) = match op {
        BinaryOp::Gt => (y, x, BinaryOp::Lt),
        BinaryOp::Le => (y, x, BinaryOp::Ge),
        op => (x, y, op),
    };
    let last = x.len() - 1;
    let mut less = Bit::ZERO;
    for at in 0..x.len() {
        let (x, y) = if signed && at == last { (y[at], x[at]) } else { (x[at], y[at]) };
        let (differ, greater) = (graph.xor(x, y), y);
        less = graph.mux(differ, greater, less);
    }
    if op == BinaryOp::Lt { less } else { !less }
}

/// A carry position for as many bits as a table takes: three of two signals, six beside a number.
fn by_tables(lowering: &mut Lowering<'_>, op: BinaryOp, x: &[Bit], y: &[Bit], signed: bool) -> Bit {
    let (a, b, equal) = match op {
        BinaryOp::Gt => (x, y, false),
        BinaryOp::Ge => (x, y, true),
        BinaryOp::Lt => (y, x, false),
        _ => (y, x, true),
    };
    let inputs = lowering.family.inputs();
    let graph = lowering.graph();
    let (mut data, mut select) = (vec![], vec![]);
    let (mut same, mut greater, mut left) = (Bit::ONE, Bit::ZERO, inputs);
    for at in (0..a.len()).rev() {
        let cost = usize::from(!a[at].is_known()) + usize::from(!b[at].is_known());
        if left < cost {
            data.push(greater);
            select.push(same);
            (same, greater, left) = (Bit::ONE, Bit::ZERO, inputs);
        }
        left -= cost;
        let (a, b) = if signed && at == a.len() - 1 { (b[at], a[at]) } else { (a[at], b[at]) };
        let wins = graph.and(a, !b);
        let wins = graph.and(same, wins);
        greater = graph.or(greater, wins);
        let match_here = !graph.xor(a, b);
        same = graph.and(same, match_here);
    }
    data.push(greater);
    select.push(same);
    // the carry climbs from the lowest bits
    data.reverse();
    select.reverse();
    if data.len() <= 2 {
        let mut carry = Bit::known(equal);
        for (&data, &select) in data.iter().zip(&select) {
            let graph = lowering.graph();
            let through = graph.and(select, carry);
            carry = graph.or(data, through);
        }
        return carry;
    }
    let graph = lowering.graph();
    let alone: Vec<Bit> = select.iter().zip(&data).map(|(&s, &d)| graph.and(s, !d)).collect();
    let last = data.len();
    chain(lowering, data, alone, &[last])[0]
}

/// A subtraction whose sum nobody reads: less is the borrow; greater is neither less nor equal.
fn by_subtraction(
    lowering: &mut Lowering<'_>,
    op: BinaryOp,
    x: &[Bit],
    y: &[Bit],
    signed: bool,
) -> Bit {
    let width = x.len();
    let inverse: Vec<Bit> = y.iter().map(|&bit| !bit).collect();
    let less = if signed {
        let carries = chain(lowering, x.to_vec(), inverse, &[width - 1, width]);
        let graph = lowering.graph();
        let overflow = graph.xor(carries[0], carries[1]);
        let sum = graph.xor(x[width - 1], !y[width - 1]);
        let sum = graph.xor(sum, carries[0]);
        graph.xor(overflow, sum)
    } else {
        !chain(lowering, x.to_vec(), inverse, &[width])[0]
    };
    let graph = lowering.graph();
    let equal = |graph: &mut Graph| {
        let same: Vec<Bit> = x.iter().zip(y).map(|(&x, &y)| !graph.xor(x, y)).collect();
        graph.all(&same)
    };
    match op {
        BinaryOp::Lt => less,
        BinaryOp::Le => {
            let equal = equal(graph);
            graph.or(less, equal)
        }
        BinaryOp::Gt => {
            let equal = equal(graph);
            !graph.or(less, equal)
        }
        _ => !less,
    }
}

/// A carry chain; the carries into the positions asked for.
fn chain(
    lowering: &mut Lowering<'_>,
    data: Vec<Bit>,
    select: Vec<Bit>,
    reach: &[usize],
) -> Vec<Bit> {
    let circuit = &mut lowering.circuit;
    let number = circuit.chains.len();
    let out = circuit.graph.sources(reach.len());
    for (bit, &reach) in out.iter().zip(reach) {
        circuit.origins.insert(bit.gate(), Origin::Chain(number, reach));
    }
    circuit.chains.push(Chain { data, select });
    out
}
