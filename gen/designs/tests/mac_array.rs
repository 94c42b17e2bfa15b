//! The MAC array against a plain matrix-vector product.

use hwgen_designs::arrays::mac_array::drive::{Job, run};
use hwgen_designs::arrays::mac_array::{MacArraySpec, build};
use hwgen_designs::cost::Cost;
use hwgen_hdl::sim::{Engine, Simulator};
use hwgen_hdl::{Int, s};

/// Numbers that look random and repeat; the least and largest are among them.
struct Numbers(u64);

impl Numbers {
    fn draw(&mut self, bits: u32) -> i64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1);
        let x = (self.0 >> 33) as i64;
        let limit = 1 << (bits - 1);
        match x % 8 {
            0 => -limit,
            1 => limit - 1,
            _ => (x >> 3) % (2 * limit) - limit,
        }
    }

    fn vector(&mut self, count: u32, bits: u32) -> Vec<i64> {
        (0..count).map(|_| self.draw(bits)).collect()
    }
}

fn pack(elements: &[i64], bits: u32) -> Int {
    elements
        .iter()
        .rev()
        .fold(Int::ZERO, |packed, x| (packed << bits) | s(bits).to_bits(&Int::from(*x)))
}

fn unpack(packed: &Int, count: u32, bits: u32) -> Vec<Int> {
    (0..count).map(|i| s(bits).wrap(packed.clone() >> (i * bits))).collect()
}

/// Loads a matrix, streams vectors with gaps, loads another.
fn check(spec: &MacArraySpec) {
    let (rows, columns) = (spec.rows as usize, spec.columns as usize);
    let mut sim = Simulator::new(&build(spec), Engine::default());
    sim.reset();
    let mut numbers = Numbers(1);
    for _ in 0..2 {
        let weights: Vec<Vec<i64>> =
            (0..rows).map(|_| numbers.vector(spec.columns, spec.weight_bits)).collect();
        sim.poke("load", 1);
        for row in weights.iter().rev() {
            sim.poke("weights", pack(row, spec.weight_bits));
            sim.step();
        }
        sim.poke("load", 0);

        let mut expected = vec![];
        let mut received = vec![];
        let vectors = 20;
        for cycle in 0..vectors + spec.latency_cycles() {
            let valid = cycle < vectors && cycle % 3 != 2;
            let x = numbers.vector(spec.rows, spec.activation_bits);
            sim.poke("valid", u64::from(valid));
            sim.poke("activations", pack(&x, spec.activation_bits));
            if sim.peek_u64("sums_valid") == 1 {
                let sums = unpack(&sim.peek("sums"), spec.columns, spec.accumulator_bits);
                received.push((cycle, sums));
            }
            if valid {
                let sum = |c: usize| (0..rows).map(|r| weights[r][c] * x[r]).sum::<i64>();
                let sums: Vec<Int> = (0..columns).map(|c| sum(c).into()).collect();
                expected.push((cycle + spec.latency_cycles(), sums));
            }
            sim.step();
        }
        assert_eq!(received, expected, "{spec:?}");
    }
}

#[test]
fn equals_the_matrix_product() {
    check(&MacArraySpec::default());
    for (rows, columns, weight_bits, activation_bits) in
        [(1, 1, 8, 8), (1, 5, 2, 2), (5, 1, 16, 16), (3, 4, 4, 9)]
    {
        let mut spec =
            MacArraySpec { rows, columns, weight_bits, activation_bits, ..MacArraySpec::default() };
        spec.accumulator_bits = spec.least_accumulator_bits();
        check(&spec);
    }
}

#[test]
fn eight_by_eight_prints_short() {
    let text = build(&MacArraySpec::default()).verilog().unwrap();
    let modules = text.lines().filter(|line| line.starts_with("module ")).count();
    assert!(modules <= 3 && text.lines().count() < 500);
}

#[test]
fn cycles_are_those_foretold() {
    for (rows, columns, vectors) in [(1, 1, 1), (3, 5, 7), (8, 2, 20)] {
        let spec = MacArraySpec { rows, columns, ..MacArraySpec::default() };
        let mut numbers = Numbers(9);
        let weights = (0..rows).map(|_| numbers.vector(columns, 8)).collect();
        let activations = (0..vectors).map(|_| (0, numbers.vector(rows, 8))).collect();
        let job = Job { weights, activations };
        let mut simulator = Simulator::new(&build(&spec), Engine::Jit);
        let (sums, cycles) = run(&mut simulator, &spec, &job);
        assert_eq!(sums, job.expected());
        // the bench looks once more than there are sums
        assert_eq!(cycles, spec.cycles(&vectors) + 1, "{spec:?}");
    }
}
