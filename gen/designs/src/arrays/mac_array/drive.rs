//! A MAC array between random matrices and the product they must give.

use crate::arrays::mac_array::MacArraySpec;
use crate::arrays::mac_array::golden::product;
use hwgen_hdl::fuzz::random_value;
use hwgen_hdl::netlist::Port;
use hwgen_hdl::sim::{Bench, Device};
use hwgen_hdl::{Int, Type, s};
use rand::Rng;

/// A matrix and the vectors it is multiplied with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// `rows` rows of `columns` weights.
    pub weights: Vec<Vec<i64>>,
    /// Vectors of `rows` activations, each with the idle cycles before it.
    pub activations: Vec<(u32, Vec<i64>)>,
}

impl Job {
    /// A random matrix and `vectors` random vectors; extreme values are frequent.
    pub fn random(spec: &MacArraySpec, rng: &mut impl Rng, vectors: usize) -> Job {
        let mut draw = |count: u32, ty: Type| -> Vec<i64> {
            let number = |_| i64::try_from(random_value(rng, ty)).unwrap_or_default();
            (0..count).map(number).collect()
        };
        let weights = (0..spec.rows).map(|_| draw(spec.columns, s(spec.weight_bits))).collect();
        let vectors: Vec<_> =
            (0..vectors).map(|_| draw(spec.rows, s(spec.activation_bits))).collect();
        let mut pause = || {
            if rng.random_bool(0.3) { rng.random_range(1..4) } else { 0 }
        };
        let activations = vectors.into_iter().map(|vector| (pause(), vector)).collect();
        Job { weights, activations }
    }

    /// What the golden model says: a vector of `columns` sums for each vector of activations.
    pub fn expected(&self) -> Vec<Vec<i64>> {
        let vectors = self.activations.iter();
        vectors.map(|(_, vector)| product(&self.weights, vector)).collect()
    }
}

/// Resets the device, loads the matrix, sends the vectors; returns what comes out, and the cycles
/// it took.
pub fn run(device: &mut dyn Device, spec: &MacArraySpec, job: &Job) -> (Vec<Vec<i64>>, u64) {
    let module = device.module().clone();
    let find = |ports: &[Port], name: &str| {
        let position = ports.iter().position(|port| *port.name == *name);
        position.unwrap_or_else(|| panic!("a MAC array has a port `{name}`"))
    };
    let input = |name| find(&module.inputs, name);
    let (load, weights) = (input("load"), input("weights"));
    let (valid, activations) = (input("valid"), input("activations"));
    let (sums_valid, sums) = (find(&module.outputs, "sums_valid"), find(&module.outputs, "sums"));

    let mut bench = Bench::new(device);
    let mut received = vec![];
    let mut cycle = |bench: &mut Bench<'_>, pokes: &[(usize, Int)]| {
        for (port, value) in pokes {
            bench.device.poke(*port, value);
        }
        if bench.device.peek(sums_valid) == Int::from(1) {
            received.push(unpack(&bench.device.peek(sums), s(spec.accumulator_bits), spec.columns));
        }
        bench.step();
    };
    // the last row first: it travels furthest
    for row in job.weights.iter().rev() {
        let row = pack(row, spec.weight_bits);
        cycle(&mut bench, &[(load, 1.into()), (weights, row), (valid, 0.into())]);
    }
    for (pause, vector) in &job.activations {
        for _ in 0..*pause {
            cycle(&mut bench, &[(load, 0.into()), (valid, 0.into())]);
        }
        let vector = pack(vector, spec.activation_bits);
        cycle(&mut bench, &[(load, 0.into()), (valid, 1.into()), (activations, vector)]);
    }
    for _ in 0..=spec.latency_cycles() {
        cycle(&mut bench, &[(load, 0.into()), (valid, 0.into())]);
    }
    let cycles = bench.cycle;
    (received, cycles)
}

/// Numbers side by side, the first lowest.
fn pack(numbers: &[i64], bits: u32) -> Int {
    let numbers = numbers.iter().rev();
    numbers.fold(Int::ZERO, |packed, &x| (packed << bits) | s(bits).to_bits(&Int::from(x)))
}

fn unpack(packed: &Int, ty: Type, count: u32) -> Vec<i64> {
    let number = |n| ty.wrap(packed.clone() >> (n * ty.width));
    (0..count).map(|n| i64::try_from(number(n)).unwrap_or_default()).collect()
}
