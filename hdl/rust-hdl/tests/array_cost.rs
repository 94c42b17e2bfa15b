//! What an array of equal cells costs in rust-hdl: one module an instance, and slow simulation.
//!
//! `cargo test --release -p hwgen-rust-hdl --test array_cost -- --nocapture` prints the figures.

use rust_hdl::prelude::*;
use std::time::Instant;

const CELLS: usize = 64;
const CYCLES: u32 = 2_000;

#[derive(LogicBlock, Default)]
struct Cell {
    pub clock: Signal<In, Clock>,
    pub w: Signal<In, Signed<16>>,
    pub x: Signal<In, Signed<16>>,
    pub acc: Signal<Out, Signed<32>>,
    sum: DFF<Signed<32>>,
    product: Signal<Local, Signed<32>>,
}

impl Logic for Cell {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, sum);
        self.product.next = self.w.val() * self.x.val();
        self.sum.d.next = self.sum.q.val() + self.product.val();
        self.acc.next = self.sum.q.val();
    }
}

/// A chain's worth of cells that share `x`; only the last one's sum is looked at.
#[derive(LogicBlock)]
struct Array {
    pub clock: Signal<In, Clock>,
    pub x: Signal<In, Signed<16>>,
    pub last: Signal<Out, Signed<32>>,
    cells: [Cell; CELLS],
}

impl Logic for Array {
    #[hdl_gen]
    fn update(&mut self) {
        for i in 0..64 {
            self.cells[i].clock.next = self.clock.val();
            self.cells[i].w.next = self.x.val();
            self.cells[i].x.next = self.x.val();
        }
        self.last.next = self.cells[63].acc.val();
    }
}

fn array() -> Array {
    let mut array = Array {
        clock: Signal::default(),
        x: Signal::default(),
        last: Signal::default(),
        cells: std::array::from_fn(|_| Cell::default()),
    };
    array.connect_all();
    array
}

#[test]
fn every_instance_is_a_module_of_its_own() {
    let text = generate_verilog(&array());
    let modules = text.lines().filter(|line| line.starts_with("module ")).count();
    println!("{modules} modules, {} lines for {CELLS} equal cells", text.lines().count());
    assert_eq!(modules, 1 + 2 * CELLS, "rust-hdl is mended if there are 3");
}

#[test]
fn an_array_simulates_correctly_if_slowly() {
    let mut array = array();
    let start = Instant::now();
    let mut expected = 0_i64;
    for cycle in 0..CYCLES {
        let x = i64::from(cycle % 100) - 50;
        expected += x * x;
        array.x.next = x.into();
        array.clock.next = false.into();
        assert!(simulate(&mut array, 10));
        array.clock.next = true.into();
        assert!(simulate(&mut array, 10));
    }
    let rate = f64::from(CYCLES) / start.elapsed().as_secs_f64();
    println!("{CELLS} cells: {rate:.0} cycles a second in rust-hdl's simulation");
    assert_eq!(array.last.val().bigint(), expected.into());
}
