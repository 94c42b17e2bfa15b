//! Random netlists: every kind of node, any width, memories, two clocks, instances.
//!
//! One seed is one netlist, on every machine. What comes out is meaningless and checked: two
//! engines that disagree on it disagree about the language.

use crate::{Domain, Int, Module, ModuleBuilder, Signal, Type, cat, s, u};
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::sync::Arc;

/// How large a random netlist gets.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Operations, about.
    pub operations: usize,
    /// The widest signal.
    pub max_width: u32,
    /// Levels of instances below the module.
    pub depth: u32,
}

impl Default for Shape {
    fn default() -> Shape {
        Shape { operations: 60, max_width: 200, depth: 1 }
    }
}

/// The netlist of a seed: module `random_{seed}` with clocks `clk_a` (synchronous reset `rst_a`)
/// and `clk_b` (asynchronous, active-low reset `rst_b_n`).
pub fn random_module(seed: u64, shape: Shape) -> Arc<Module> {
    named_module(format!("random_{seed}"), seed, shape)
}

/// `count` random netlists side by side in one module `bundle_{seed}`, so that an engine that
/// compiles slowly compiles once. They share clocks and resets; ports are named `n{index}_…`.
pub fn random_bundle(seed: u64, count: usize, shape: Shape) -> Arc<Module> {
    let m = ModuleBuilder::new(format!("bundle_{seed}"));
    m.clock("clk_a").sync_reset("rst_a").default();
    m.clock("clk_b").reset("rst_b_n", crate::netlist::ResetKind::Async, true);
    for index in 0..count {
        let module = random_module(seed.wrapping_mul(1000).wrapping_add(index as u64), shape);
        let instance = m.instance(format!("n{index}"), &module);
        for port in module.inputs.iter().filter(|port| !port.name.starts_with("rst")) {
            instance.input(&port.name, m.input(format!("n{index}_{}", port.name), port.ty));
        }
        for port in &module.outputs {
            m.output(format!("n{index}_{}", port.name), instance.output(&port.name));
        }
    }
    m.finish()
}

/// A value of the type: often one of its corners.
pub fn random_value(rng: &mut impl Rng, ty: Type) -> Int {
    match rng.random_range(0..8) {
        0 => ty.min(),
        1 => ty.max(),
        2 => ty.wrap(Int::from(-1)),
        3 => ty.wrap(Int::from(1)),
        4 => ty.wrap(Int::from(rng.random_range(-4..=4))),
        _ => {
            let limbs = ty.width.div_ceil(32);
            let bits = (0..limbs).fold(Int::ZERO, |bits, _| (bits << 32) + rng.random::<u32>());
            ty.wrap(bits)
        }
    }
}

fn named_module(name: String, seed: u64, shape: Shape) -> Arc<Module> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let child = (shape.depth > 0).then(|| {
        let below = Shape { operations: shape.operations / 3, depth: shape.depth - 1, ..shape };
        named_module(format!("{name}_child"), rng.random(), below)
    });
    let m = ModuleBuilder::new(name);
    let clk_a = m.clock("clk_a").sync_reset("rst_a").default();
    let clk_b = m.clock("clk_b").reset("rst_b_n", crate::netlist::ResetKind::Async, true);
    let mut grower = Grower { m: &m, clocks: [clk_a, clk_b], rng, shape, pool: vec![], made: 0 };
    grower.grow(child.as_ref());
    m.finish()
}

struct Grower<'m> {
    m: &'m ModuleBuilder,
    clocks: [Domain<'m>; 2],
    rng: ChaCha8Rng,
    shape: Shape,
    pool: Vec<Signal<'m>>,
    made: usize,
}

impl<'m> Grower<'m> {
    fn grow(&mut self, child: Option<&Arc<Module>>) {
        let (m, clocks) = (self.m, self.clocks);
        for input in 0..self.rng.random_range(2..6) {
            let ty = self.ty();
            self.pool.push(m.input(format!("in_{input}"), ty));
        }
        // Registers first, so that logic reads them; what they take over is known last.
        let registers: Vec<_> = (0..self.rng.random_range(2..7))
            .map(|index| {
                let ty = self.ty();
                let clock = *clocks.choose(&mut self.rng).expect("two clocks");
                let reset = random_value(&mut self.rng, ty);
                m.reg(format!("state_{index}"), ty).domain(clock).reset_to(reset)
            })
            .collect();
        self.pool.extend(registers.iter().map(|register| Signal::from(*register)));
        let wires: Vec<_> = (0..self.rng.random_range(0..3))
            .map(|index| {
                let ty = self.ty();
                m.wire(format!("late_{index}"), ty)
            })
            .collect();
        // A wire is driven by what exists before anyone reads it, so that no loop can close.
        for wire in wires {
            let driver = self.pick_as(wire.ty());
            wire.drive(driver);
            self.pool.push(*wire);
        }
        for index in 0..self.rng.random_range(0..3) {
            self.memory(index);
        }
        let half = self.shape.operations / 2;
        self.operations(half);
        if let Some(child) = child {
            for index in 0..self.rng.random_range(1..3) {
                self.instance(index, child);
            }
        }
        self.operations(half);
        for register in &registers {
            let next = self.pick_as(register.ty());
            register.next(next);
            if self.rng.random_bool(0.4) {
                register.enable(self.bit());
            }
            if self.rng.random_bool(0.3) {
                register.clear(self.bit());
            }
        }
        if self.rng.random_bool(0.5) {
            let value = self.pick();
            let delayed = m.reg("delayed", value.ty()).no_reset();
            delayed.next(value);
            self.pool.push(*delayed);
        }
        let first = self.pool.len().saturating_sub(8);
        for (index, signal) in self.pool[first..].iter().enumerate() {
            m.output(format!("out_{index}"), *signal);
        }
        for (index, register) in registers.iter().enumerate() {
            m.output(format!("seen_{index}"), *register);
        }
    }

    fn operations(&mut self, count: usize) {
        for _ in 0..count {
            let mut made = self.operation();
            if self.rng.random_bool(0.2) {
                made = made.named(format!("net_{}", self.made));
            }
            self.made += 1;
            self.pool.push(made);
        }
    }

    fn width(&mut self) -> u32 {
        let max = match self.rng.random_range(0..6) {
            0 => 1,
            1 | 2 => 8,
            3 => 33,
            4 => 66,
            _ => self.shape.max_width,
        };
        self.rng.random_range(1..=max.min(self.shape.max_width))
    }

    fn ty(&mut self) -> Type {
        let width = self.width();
        if self.rng.random() { s(width) } else { u(width) }
    }

    /// A signal, rather a young one than an old one.
    fn pick(&mut self) -> Signal<'m> {
        let count = self.pool.len();
        let recent = self.rng.random_bool(0.5);
        let from = if recent { count.saturating_sub(12) } else { 0 };
        self.pool[self.rng.random_range(from..count)]
    }

    /// A signal made to fit a type.
    fn pick_as(&mut self, ty: Type) -> Signal<'m> {
        if self.rng.random_bool(0.08) {
            let value = random_value(&mut self.rng, ty);
            return self.m.lit(ty, value);
        }
        let signal = self.pick();
        if signal.width() <= ty.width {
            return signal.cast(ty);
        }
        let low = self.rng.random_range(0..=signal.width() - ty.width);
        signal.slice(low + ty.width - 1, low).cast(ty)
    }

    fn bit(&mut self) -> Signal<'m> {
        let signal = self.pick();
        match self.rng.random_range(0..5) {
            0 => signal.any(),
            1 => signal.all(),
            2 => signal.parity(),
            3 => signal.lt(self.pick_as(signal.ty())),
            _ => {
                let index = self.rng.random_range(0..signal.width());
                signal.bit(index)
            }
        }
    }

    fn operation(&mut self) -> Signal<'m> {
        let a = self.pick();
        let width = a.width();
        match self.rng.random_range(0..22) {
            0 => !a,
            1 => -a.as_signed(),
            2 => a + self.pick_as(a.ty()),
            3 => a - self.pick_as(a.ty()),
            4 | 5 => {
                let most = self.shape.max_width;
                let a = a.resize(width.min(most / 2).max(1));
                let width = self.width().min(most - a.width()).max(1);
                a.mul(self.pick_as(a.ty().with_width(width)))
            }
            6 => a & self.pick_as(a.ty()),
            7 => a | self.pick_as(a.ty()),
            8 => a ^ self.pick_as(a.ty()),
            9 => a.eq(self.pick_as(a.ty())),
            10 => a.ne(self.pick_as(a.ty())),
            11 => a.lt(self.pick_as(a.ty())),
            12 => a.le(self.pick_as(a.ty())),
            13 => a.gt(self.pick_as(a.ty())),
            14 => a.ge(self.pick_as(a.ty())),
            15 | 16 => {
                let bits = self.rng.random_range(1..=9);
                let amount = self.pick_as(u(bits));
                if self.rng.random() { a.shl(amount) } else { a.shr(amount) }
            }
            17 => self.bit().mux(a, self.pick_as(a.ty())),
            18 => {
                let parts: Vec<_> = (0..self.rng.random_range(1..4)).map(|_| self.pick()).collect();
                let joined = cat(&parts);
                joined.resize(joined.width().min(self.shape.max_width))
            }
            19 => {
                let low = self.rng.random_range(0..width);
                let high = self.rng.random_range(low..width);
                a.slice(high, low)
            }
            20 => {
                let ty = self.ty();
                a.resize(ty.width).cast(ty)
            }
            _ => {
                let index = self.pick_as(u(2));
                let choices: Vec<_> =
                    (0..self.rng.random_range(1..=4)).map(|_| self.pick_as(a.ty())).collect();
                index.select(&choices)
            }
        }
    }

    fn memory(&mut self, index: usize) {
        let clocks = self.clocks;
        let depth = self.rng.random_range(1..=20);
        let word = self.ty();
        let words: Vec<Int> = (0..depth).map(|_| random_value(&mut self.rng, word)).collect();
        let memory = self.m.memory(format!("store_{index}"), depth, word).init(words);
        let address = memory.address_type();
        // One clock writes: two writers at one instant would race in Verilog.
        let writer = *clocks.choose(&mut self.rng).expect("two clocks");
        for _ in 0..self.rng.random_range(0..3) {
            let (at, data) = (self.pick_as(address), self.pick_as(word));
            // What is unknown before the reset must not be stored.
            let enable = self.bit() & !writer.in_reset();
            let lanes: Vec<u32> =
                (1..=word.width).filter(|n| word.width.is_multiple_of(*n)).collect();
            let lanes = *lanes.choose(&mut self.rng).expect("1 divides");
            if self.rng.random() {
                memory.write_in(writer, at, data, enable);
            } else {
                let mask = self.pick_as(u(lanes));
                memory.write_masked_in(writer, at, data, enable, mask);
            }
        }
        for _ in 0..self.rng.random_range(1..3) {
            let at = self.pick_as(address);
            let read = if self.rng.random() {
                memory.read(at)
            } else {
                let reader = *clocks.choose(&mut self.rng).expect("two clocks");
                memory.read_sync_in(reader, at, self.bit() | reader.in_reset())
            };
            self.pool.push(read);
        }
    }

    fn instance(&mut self, index: usize, child: &Arc<Module>) {
        let instance = self.m.instance(format!("child_{index}"), child);
        for port in child.inputs.iter().filter(|port| !port.name.starts_with("rst")) {
            let value = self.pick_as(port.ty);
            instance.input(&port.name, value);
        }
        for port in &child.outputs {
            if self.rng.random_bool(0.8) {
                self.pool.push(instance.output(&port.name));
            }
        }
    }
}
