//! Sums: those that only feed another are added with it, three and more terms through full
//! adders, the last two on a carry chain.

use super::circuit::{Circuit, Origin, Term};
use super::graph::{Bit, Gate};
use std::collections::BTreeSet;

/// Bits of a carry chain: the operands, the second inverted already where it is taken away.
#[derive(Clone, Debug)]
pub(super) struct Adder {
    /// Operands.
    pub(super) a: Vec<Bit>,
    pub(super) b: Vec<Bit>,
    /// The carry that goes in.
    pub(super) carry: Bit,
    /// What it gives; positions that nobody reads are none.
    pub(super) out: Vec<Option<Bit>>,
}

/// How often each gate or source is read by live logic.
pub(super) fn uses(circuit: &Circuit, live: &[bool]) -> Vec<u32> {
    let mut uses = vec![0; circuit.graph.gates.len()];
    let mut read = |bit: Bit| uses[bit.gate()] += 1;
    for (gate, kind) in circuit.graph.gates.iter().enumerate() {
        if let Gate::And(a, b) | Gate::Xor(a, b) = *kind
            && live[gate]
        {
            read(a);
            read(b);
        }
    }
    let alive = |bits: &[Bit]| bits.iter().any(|bit| live[bit.gate()]);
    for sum in circuit.sums.iter().filter(|sum| !sum.merged && alive(&sum.out)) {
        sum.terms.iter().flat_map(|term| &term.bits).for_each(|&bit| read(bit));
    }
    for product in circuit.products.iter().filter(|product| alive(&product.out)) {
        product.operands.iter().flat_map(|term| &term.bits).for_each(|&bit| read(bit));
        product.addend.iter().chain(&product.controls).for_each(|&bit| read(bit));
    }
    for chain in &circuit.chains {
        chain.data.iter().chain(&chain.select).for_each(|&bit| read(bit));
    }
    for memory in &circuit.memories {
        for write in &memory.writes {
            let mut enables = write.enables.clone();
            enables.dedup();
            write.address.iter().chain(&write.data).chain(&enables).for_each(|&bit| read(bit));
        }
        for port in &memory.reads {
            port.address.iter().for_each(|&bit| read(bit));
            port.sync.into_iter().for_each(|(_, enable)| read(enable));
        }
    }
    for flip_flop in circuit.flip_flops.iter().filter(|f| !f.absorbed && live[f.q.gate()]) {
        [flip_flop.d, flip_flop.enable, flip_flop.reset].into_iter().for_each(&mut read);
        flip_flop.asynchronous.into_iter().for_each(&mut read);
    }
    circuit.outputs.iter().for_each(|&bit| read(bit));
    uses
}

/// Sums that one other sum alone reads, whole, become its terms.
pub(super) fn merge(circuit: &mut Circuit) {
    let live = circuit.live();
    let uses = uses(circuit, &live);
    // later sums read earlier ones: from the last on, what is taken over is final
    for at in (0..circuit.sums.len()).rev() {
        if !circuit.sums[at].out.iter().any(|bit| live[bit.gate()]) {
            continue;
        }
        let mut next = 0;
        while next < circuit.sums[at].terms.len() {
            match mergeable(circuit, at, next, &uses) {
                None => next += 1,
                Some(inner) => {
                    let term = circuit.sums[at].terms.swap_remove(next);
                    let mut terms = circuit.sums[inner].terms.clone();
                    terms.iter_mut().for_each(|other| other.minus ^= term.minus);
                    circuit.sums[at].terms.extend(terms);
                    circuit.sums[inner].merged = true;
                }
            }
        }
    }
}

/// The sum that a term is, if nobody else reads it and nothing of it is lost.
fn mergeable(circuit: &Circuit, at: usize, term: usize, uses: &[u32]) -> Option<usize> {
    let sum = &circuit.sums[at];
    let term = &sum.terms[term];
    let top = *term.bits.last()?;
    let Some(Origin::Sum(inner, _)) = circuit.origins.get(&top.gate()).copied() else {
        return None;
    };
    if top.inverted() || inner == at {
        return None;
    }
    let other = &circuit.sums[inner];
    let used = other.out.iter().filter(
        |bit| matches!(circuit.origins.get(&bit.gate()), Some(Origin::Sum(n, _)) if *n == inner),
    );
    let alone = used.clone().all(|bit| uses[bit.gate()] <= 1);
    let whole = term.bits.iter().zip(&other.out).all(|(a, b)| a == b)
        && term.bits.len() >= other.width.min(sum.width);
    let signed = other.terms.iter().any(|term| term.signed || term.minus);
    let wraps = other.width < other.natural && other.out.len() != sum.out.len();
    let sign_kept = term.signed == signed || term.bits.len() >= sum.width;
    (alone && whole && !wraps && sign_kept).then_some(inner)
}

/// The chain of a sum, `live` telling which of its bits are read; more than two terms are made
/// two first.
pub(super) fn adder(circuit: &mut Circuit, at: usize, live: &[bool]) -> Option<Adder> {
    let sum = circuit.sums[at].clone();
    let own = |bit: Bit| {
        circuit
            .origins
            .get(&bit.gate())
            .is_some_and(|origin| matches!(origin, Origin::Sum(n, _) if *n == at))
    };
    let out: Vec<Option<Bit>> = sum.out[..sum.width]
        .iter()
        .map(|&bit| (own(bit) && live[bit.gate()]).then_some(bit))
        .collect();
    let top = out.iter().rposition(Option::is_some)? + 1;
    let (words, carry) = two_words(circuit, &sum.terms, top);
    let [a, b] = words;
    Some(Adder { a, b, carry, out: out[..top].to_vec() })
}

/// Terms as two words and a carry.
fn two_words(circuit: &mut Circuit, terms: &[Term], width: usize) -> ([Vec<Bit>; 2], Bit) {
    let wide = |term: &Term| (0..width).map(|at| term.bit(at)).collect::<Vec<_>>();
    let inverse = |word: Vec<Bit>| word.into_iter().map(|bit| !bit).collect::<Vec<_>>();
    let (mut whole, mut minus, mut carries) = (vec![], vec![], vec![]);
    for term in terms {
        match () {
            () if term.minus => minus.push(wide(term)),
            () if term.bits.len() == 1 && !term.signed => carries.push(term.bits[0]),
            () => whole.push(wide(term)),
        }
    }
    let zero = vec![Bit::ZERO; width];
    let first_of = |bit: Bit| {
        let mut word = zero.clone();
        word[0] = bit;
        word
    };
    while whole.len() + minus.len() < 2 && !carries.is_empty() {
        whole.push(first_of(carries.remove(0)));
    }
    let (count, taken) = (whole.len() + minus.len(), minus.len());
    if count <= 2 && taken <= 1 && carries.len() + taken <= 1 {
        let carry = carries.first().copied().unwrap_or(Bit::known(taken == 1));
        let second =
            minus.pop().map(inverse).or_else(|| if whole.len() == 2 { whole.pop() } else { None });
        let (first, second) = (whole.pop().unwrap_or_else(|| zero.clone()), second.unwrap_or(zero));
        // the first operand goes to the chain as it is, what makes the second is in the tables
        let made = |word: &[Bit]| word.iter().filter(|bit| circuit.is_made(**bit)).count();
        let swap = taken == 0 && made(&first) > made(&second);
        return (if swap { [second, first] } else { [first, second] }, carry);
    }
    // columns of bits; a bit twice in a column is one in the next
    let mut columns: Vec<BTreeSet<Bit>> = vec![BTreeSet::new(); width];
    for word in whole {
        word.iter().enumerate().for_each(|(at, &bit)| place(&mut columns, at, bit));
    }
    for word in minus {
        inverse(word).iter().enumerate().for_each(|(at, &bit)| place(&mut columns, at, bit));
        place(&mut columns, 0, Bit::ONE);
    }
    for bit in carries {
        place(&mut columns, 0, bit);
    }
    (reduce(circuit, columns), Bit::ZERO)
}

fn place(columns: &mut [BTreeSet<Bit>], at: usize, bit: Bit) {
    if bit == Bit::ZERO || at >= columns.len() {
        return;
    }
    if !columns[at].insert(bit) {
        columns[at].remove(&bit);
        place(columns, at + 1, bit);
    }
}

/// Two words with the sum of the columns: rows of full adders make two words of three, level by
/// level. A column's n-th bit is in word n, except those that go into carry inputs of the adders.
fn reduce(circuit: &mut Circuit, mut columns: Vec<BTreeSet<Bit>>) -> [Vec<Bit>; 2] {
    let width = columns.len();
    let (mut words, mut carries): (Vec<Vec<Bit>>, Vec<Bit>) = (vec![], vec![]);
    while columns.iter().any(|column| !column.is_empty()) {
        let first = |column: &mut BTreeSet<Bit>| column.pop_first().unwrap_or(Bit::ZERO);
        words.push(columns.iter_mut().map(first).collect());
        // n words take n - 2 adders; a bit of weight w fills w of their carry inputs
        let mut free = (words.len() - 1).saturating_sub(1 + carries.len());
        for (at, column) in columns.iter_mut().enumerate() {
            let weight = 1usize.checked_shl(at as u32).unwrap_or(usize::MAX);
            while weight <= free && !column.is_empty() {
                carries.extend(std::iter::repeat_n(first(column), weight));
                free -= weight;
            }
        }
    }
    while words.len() > 2 {
        let mut next = vec![];
        for rows in words.chunks(3) {
            let [a, b, c] = rows else {
                next.extend_from_slice(rows);
                continue;
            };
            let (mut sum, mut carry) = (vec![], vec![carries.pop().unwrap_or(Bit::ZERO)]);
            for ((&a, &b), &c) in a.iter().zip(b).zip(c) {
                let graph = &mut circuit.graph;
                let (half, both) = (graph.xor(a, b), graph.and(a, b));
                let through = graph.and(half, c);
                sum.push(graph.xor(half, c));
                carry.push(graph.or(both, through));
            }
            carry.truncate(width);
            next.extend([sum, carry]);
        }
        words = next;
    }
    words.resize(2, vec![Bit::ZERO; width]);
    let last = words.pop().unwrap_or_default();
    [words.pop().unwrap_or_default(), last]
}

#[cfg(test)]
mod tests {
    use crate::{Family, estimate};
    use hwgen_hdl::{ModuleBuilder, s, u};

    #[test]
    fn a_narrow_product_is_added_where_its_sum_is() {
        let m = ModuleBuilder::new("multiply_add");
        let (a, b, sum) = (m.input("a", s(4)), m.input("b", s(4)), m.input("sum", s(16)));
        m.output("out", sum + a.mul(b).named("product").resize(16));
        // Yosys 0.23: one chain for both, 16 bits
        assert_eq!(estimate(&m.finish(), Family::Xilinx7).carry, 4);
    }

    #[test]
    fn three_words_take_a_row_of_full_adders_and_a_chain() {
        let m = ModuleBuilder::new("three");
        let words = ["a", "b", "c"].map(|name| m.input(name, u(8)).extend(10));
        m.output("out", words[0] + words[1] + words[2]);
        let taken = estimate(&m.finish(), Family::Xilinx7);
        // sum and carry of each column, and their difference where the chain needs it
        assert!((8 + 8..=3 * 8).contains(&taken.lut), "{taken:?}");
        assert_eq!(taken.carry, 3);
    }
}
