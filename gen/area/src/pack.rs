//! What multiplier blocks take in: registers before, inside and behind them, and an addition.

use super::Family;
use super::circuit::{Circuit, FlipFlop, Origin, Term};
use super::graph::Bit;
use super::memory::OF_MEMORIES;
use super::sums::uses;

/// What a family's blocks can take in.
#[derive(Clone, Copy)]
struct Limits {
    /// The widest sum.
    sum_bits: usize,
    /// Registers before an operand.
    input_registers: usize,
    /// Whether the next block in a column gets operands from this one.
    cascades: bool,
}

impl Limits {
    fn of(family: Family) -> Limits {
        match family {
            Family::Xilinx7 => Limits { sum_bits: 48, input_registers: 2, cascades: true },
            Family::Ice40 => Limits { sum_bits: 32, input_registers: 1, cascades: false },
        }
    }
}

/// Moves registers and sums into blocks.
pub(super) fn pack(circuit: &mut Circuit, family: Family) {
    let limits = Limits::of(family);
    // enable and reset of the registers before each operand, if there are any
    let mut registers: Vec<[Option<[Bit; 2]>; 2]> = vec![[None; 2]; circuit.products.len()];
    for (at, registers) in registers.iter_mut().enumerate() {
        let live = circuit.live();
        let uses = uses(circuit, &live);
        if !circuit.products[at].out.iter().any(|bit| live[bit.gate()]) {
            continue;
        }
        let used: Vec<Bit> = {
            let out = &circuit.products[at].out;
            let last = out.iter().rposition(|bit| uses[bit.gate()] > 0).unwrap_or(0);
            out[..=last].to_vec()
        };
        for (side, register) in registers.iter_mut().enumerate() {
            for _ in 0..limits.input_registers {
                let term = circuit.products[at].operands[side].clone();
                let Some((bits, controls)) = before(circuit, &term.bits) else { break };
                circuit.products[at].operands[side].bits = bits;
                circuit.products[at].controls.extend(controls);
                *register = Some(controls);
            }
        }
        // a register right behind the product
        let mut out = used;
        out = behind(circuit, at, &out, &uses, &live).unwrap_or(out);
        if let Some(sum) = sum_of(circuit, &out, &uses, limits.sum_bits) {
            let terms = circuit.sums[sum].terms.clone();
            let width = circuit.sums[sum].width;
            let other = terms.iter().find(|term| term.bits.first() != out.first());
            let other = other.cloned().unwrap_or(Term::new(vec![Bit::ZERO], false, false));
            circuit.sums[sum].merged = true;
            let mut addend = other.bits.clone();
            if let Some((bits, controls)) = before(circuit, &addend) {
                addend = bits;
                circuit.products[at].controls.extend(controls);
            }
            circuit.products[at].addend = addend;
            out = circuit.sums[sum].out[..width].to_vec();
            for (n, bit) in out.iter().enumerate() {
                circuit.origins.insert(bit.gate(), Origin::Product(at, n));
            }
            let last = out.iter().rposition(|bit| uses[bit.gate()] > 0).unwrap_or(0);
            out.truncate(last + 1);
            out = behind(circuit, at, &out, &uses, &live).unwrap_or(out);
        }
        circuit.products[at].out = out;
    }
    if limits.cascades {
        cascade(circuit, &registers);
    }
}

/// Where both blocks have registers before an operand: what is, a register later, the operand of
/// the block whose sum comes in, comes from that block too, and the register is one of its own.
fn cascade(circuit: &mut Circuit, registers: &[[Option<[Bit; 2]>; 2]]) {
    let operands: Vec<[Vec<Bit>; 2]> = (circuit.products.iter())
        .map(|product| product.operands.each_ref().map(|term| term.bits.clone()))
        .collect();
    for at in 0..circuit.products.len() {
        let from =
            circuit.products[at].addend.first().and_then(|bit| circuit.origins.get(&bit.gate()));
        let Some(&Origin::Product(from, _)) = from else {
            continue;
        };
        for side in 0..2 {
            let (Some(_), Some(controls)) = (registers[at][side], registers[from][side]) else {
                continue;
            };
            if before(circuit, &operands[at][side])
                == Some((operands[from][side].clone(), controls))
            {
                circuit.products[at].operands[side].bits.clear();
            }
        }
    }
}

/// The flip-flop that a bit is the content of.
fn flip_flop<'a>(circuit: &'a Circuit, bit: &Bit) -> Option<&'a FlipFlop> {
    match circuit.origins.get(&bit.gate()) {
        Some(Origin::FlipFlop(at)) if !bit.inverted() => Some(&circuit.flip_flops[*at]),
        _ => None,
    }
}

/// Whether a flip-flop can be in a block, and is the next bit of a register after `first`.
fn fits(flip_flop: &FlipFlop, first: &FlipFlop, offset: usize) -> bool {
    let FlipFlop { asynchronous, enable_first, reset, value, enable, clock, .. } = *flip_flop;
    let plain = asynchronous.is_none()
        && !flip_flop.absorbed
        && flip_flop.register < OF_MEMORIES
        && (reset == Bit::ZERO || !value && (!enable_first || enable == Bit::ONE));
    let same = (reset, enable, clock, flip_flop.register)
        == (first.reset, first.enable, first.clock, first.register);
    plain && same && flip_flop.at == first.at + offset
}

/// What a register in front of `bits` takes, with its enable and reset.
fn before(circuit: &Circuit, bits: &[Bit]) -> Option<(Vec<Bit>, [Bit; 2])> {
    let first = flip_flop(circuit, bits.first()?)?;
    let mut taken = vec![];
    for (offset, bit) in bits.iter().enumerate() {
        let flip_flop = flip_flop(circuit, bit)?;
        if !fits(flip_flop, first, offset) {
            return None;
        }
        taken.push(flip_flop.d);
    }
    Some((taken, [first.enable, first.reset]))
}

/// The register that alone takes `bits`, absorbed: its content is the block's output.
fn behind(
    circuit: &mut Circuit,
    product: usize,
    bits: &[Bit],
    uses: &[u32],
    live: &[bool],
) -> Option<Vec<Bit>> {
    let find = |bit: &Bit| {
        let alone = uses[bit.gate()] == 1 && !bit.is_known();
        let taker =
            circuit.flip_flops.iter().position(|f| f.d == *bit && !f.absorbed && live[f.q.gate()]);
        taker.filter(|_| alone)
    };
    let takers: Vec<usize> = bits.iter().map(find).collect::<Option<_>>()?;
    let first = circuit.flip_flops[*takers.first()?];
    let all = takers.iter().enumerate();
    if !all.clone().all(|(offset, &at)| fits(&circuit.flip_flops[at], &first, offset)) {
        return None;
    }
    let mut out = vec![];
    for (n, &at) in takers.iter().enumerate() {
        circuit.flip_flops[at].absorbed = true;
        let q = circuit.flip_flops[at].q;
        circuit.origins.insert(q.gate(), Origin::Product(product, n));
        out.push(q);
    }
    circuit.products[product].controls.extend([first.enable, first.reset]);
    Some(out)
}

/// The sum of two terms that alone reads `bits` as one of them.
fn sum_of(circuit: &Circuit, bits: &[Bit], uses: &[u32], widest: usize) -> Option<usize> {
    if bits.iter().any(|bit| uses[bit.gate()] != 1) {
        return None;
    }
    circuit.sums.iter().position(|sum| {
        let reads = sum.terms.iter().any(|term| low_zeros_off(term) == bits);
        let adds = sum.terms.len() == 2 && sum.terms.iter().all(|term| !term.minus);
        !sum.merged && sum.width <= widest && reads && adds
    })
}

/// A term's bits without known zeros below.
fn low_zeros_off(term: &Term) -> &[Bit] {
    let from = term.bits.iter().position(|&bit| bit != Bit::ZERO).unwrap_or(0);
    &term.bits[from..]
}

#[cfg(test)]
mod tests {
    use crate::{Family, estimate};
    use hwgen_hdl::{ModuleBuilder, s, u};

    /// Weights that shift down a column, beside sums that travel down it.
    fn column(rows: u32) -> std::sync::Arc<hwgen_hdl::Module> {
        let m = ModuleBuilder::new("column");
        let load = m.input("load", u(1));
        let mut weight = m.input("weight", s(8));
        let mut sum = m.lit(s(24), 0);
        for row in 0..rows {
            let x = m.input(format!("x_{row}"), s(8));
            let held = m.reg(format!("weight_{row}"), s(8)).no_reset().enable(load);
            held.next(weight);
            let product = held.mul(x).named(format!("product_{row}"));
            let register = m.reg(format!("sum_{row}"), s(24)).no_reset();
            register.next(sum + product.resize(24));
            (weight, sum) = (*held, *register);
        }
        m.output("sum", sum);
        m.finish()
    }

    #[test]
    fn a_systolic_column_is_in_blocks_whole() {
        // Yosys 0.23: operands come from the block above, two registers each
        let xilinx = estimate(&column(6), Family::Xilinx7);
        assert_eq!((xilinx.dsp, xilinx.ff), (6, 0));
    }
}
