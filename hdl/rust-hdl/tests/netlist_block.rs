//! hwgen modules in rust-hdl's own test bench: simulation, checks, VCD, Verilog.

mod common;

use common::run;
use hwgen_hdl::sim::{Engine, SimOptions, Simulator};
use hwgen_hdl::{Int, Module, ModuleBuilder, s, u};
use hwgen_rust_hdl::{NetlistBlock, leaves};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rust_hdl::prelude::*;
use std::sync::Arc;
use wellen::simple;

const CYCLES: usize = 1_000;
const HALF_PERIOD: u64 = 5;

/// A multiply-accumulate cell whose widths are known at run time only, and whose sum goes through
/// a FIFO that rust-hdl made: both bridges at once.
fn mac(width: u32, acc: u32) -> Arc<Module> {
    let m = ModuleBuilder::new(format!("mac_w{width}_acc{acc}"));
    let (w, x) = (m.input("w", s(width)), m.input("x", s(width)));
    let sum = m.reg("sum", s(acc));
    sum.next(sum + w.mul(x).extend(acc));
    let fifo = m.instance("fifo", &leaves::synchronous_fifo(acc).unwrap());
    let running = !m.domain().in_reset();
    fifo.input("write", m.input("save", u(1)) & !fifo.output("full") & running);
    fifo.input("data_in", sum.as_unsigned());
    fifo.input("read", m.input("load", u(1)) & !fifo.output("empty") & running);
    m.output("acc", sum);
    m.output("empty", fifo.output("empty"));
    m.output("oldest", fifo.output("data_out").as_signed());
    m.finish()
}

fn block(engine: Engine) -> NetlistBlock {
    let options = SimOptions { engine, ..SimOptions::default() };
    NetlistBlock::new(&mac(9, 29), options).unwrap()
}

/// The inputs of one cycle.
fn draw(cycle: usize, rng: &mut ChaCha8Rng) -> [(&'static str, Int); 5] {
    [
        ("rst", u8::from(cycle < 2).into()),
        ("w", rng.random_range(-256..256).into()),
        ("x", rng.random_range(-256..256).into()),
        ("save", rng.random_range(0..2).into()),
        ("load", rng.random_range(0..2).into()),
    ]
}

/// Runs the block in rust-hdl beside our simulator alone and compares all outputs every cycle.
fn bench(engine: Engine) -> Simulation<NetlistBlock> {
    let mut simulation = Simulation::new();
    simulation.add_clock(HALF_PERIOD, |block: &mut Box<NetlistBlock>| block.toggle("clk").unwrap());
    simulation.add_testbench(move |mut sim: Sim<NetlistBlock>| {
        let mut alone = Simulator::new(&mac(9, 29), engine);
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut block = sim.init()?;
        for cycle in 0..CYCLES {
            for (port, value) in draw(cycle, &mut rng) {
                block.set(port, value.clone()).unwrap();
                alone.poke(port, value);
            }
            alone.step();
            block = sim.watch(|block| block.get("clk").unwrap() == Int::from(1), block)?;
            block = sim.watch(|block| block.get("clk").unwrap() == Int::from(0), block)?;
            for port in ["acc", "empty", "oldest"] {
                sim_assert_eq!(sim, block.get(port).unwrap(), alone.peek(port), block);
            }
        }
        sim.done(block)
    });
    simulation
}

#[test]
fn a_netlist_in_rust_hdl_equals_our_simulator_alone() {
    for engine in [Engine::Interpreter, Engine::Jit] {
        bench(engine).run(Box::new(block(engine)), u64::MAX - 1).unwrap();
    }
}

#[test]
fn rust_hdl_writes_a_netlist_s_signals_to_its_vcd() {
    let mut vcd = Vec::new();
    let engine = Engine::Interpreter;
    bench(engine).run_traced(Box::new(block(engine)), u64::MAX - 1, &mut vcd).unwrap();
    let mut waves = simple::read_from_reader(std::io::Cursor::new(vcd)).unwrap();
    let hierarchy = waves.hierarchy();
    let variable = hierarchy.lookup_var(&["uut"], "acc").unwrap();
    let signal = hierarchy[variable].signal_ref();
    waves.load_signals(&[signal]);
    let signal = waves.get_signal(signal).unwrap();
    let in_vcd: Vec<Int> = signal
        .iter_changes()
        .map(|(_, value)| Int::parse_bytes(value.to_string().as_bytes(), 2).unwrap())
        .map(|bits| s(29).wrap(bits))
        .collect();

    let mut alone = Simulator::new(&mac(9, 29), engine);
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut expected = vec![alone.peek("acc")];
    for cycle in 0..CYCLES {
        draw(cycle, &mut rng).into_iter().for_each(|(port, value)| alone.poke(port, value));
        alone.step();
        expected.push(alone.peek("acc"));
    }
    expected.dedup();
    assert!(expected.len() > CYCLES * 9 / 10);
    assert_eq!(in_vcd, expected);
}

/// rust-hdl's FIFO, and beside it the same FIFO as an hwgen module, fed alike.
#[derive(LogicBlock)]
struct Twins {
    pub clock: Signal<In, Clock>,
    pub read: Signal<In, Bit>,
    pub write: Signal<In, Bit>,
    pub data: Signal<In, Bits<13>>,
    native: SynchronousFIFO<Bits<13>, 4, 5, 1>,
    netlist: NetlistBlock,
}

impl Twins {
    fn new() -> Self {
        let fifo = leaves::synchronous_fifo(13).unwrap();
        Self {
            clock: Signal::default(),
            read: Signal::default(),
            write: Signal::default(),
            data: Signal::default(),
            native: SynchronousFIFO::default(),
            netlist: NetlistBlock::new(&fifo, SimOptions::default()).unwrap(),
        }
    }

    fn outputs(&self) -> [(Int, Int); 4] {
        let netlist = |port: &str| self.netlist.get(port).unwrap();
        let native = &self.native;
        [
            (native.data_out.val().to_u64().into(), netlist("data_out")),
            (u8::from(native.empty.val()).into(), netlist("empty")),
            (u8::from(native.full.val()).into(), netlist("full")),
            (u8::from(native.overflow.val()).into(), netlist("overflow")),
        ]
    }
}

impl Logic for Twins {
    fn update(&mut self) {
        self.native.clock.next = self.clock.val();
        self.native.read.next = self.read.val();
        self.native.write.next = self.write.val();
        self.native.data_in.next = self.data.val();
        self.netlist.set("clock", u8::from(self.clock.val().clk)).unwrap();
        self.netlist.set("read", u8::from(self.read.val())).unwrap();
        self.netlist.set("write", u8::from(self.write.val())).unwrap();
        self.netlist.set("data_in", self.data.val().to_u64()).unwrap();
    }

    fn connect(&mut self) {
        self.native.clock.connect();
        self.native.read.connect();
        self.native.write.connect();
        self.native.data_in.connect();
    }
}

#[test]
fn a_netlist_keeps_step_with_a_rust_hdl_block_under_one_parent() {
    let mut simulation = Simulation::new();
    simulation.add_clock(HALF_PERIOD, |twins: &mut Box<Twins>| {
        twins.clock.next = !twins.clock.val();
    });
    simulation.add_testbench(move |mut sim: Sim<Twins>| {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut twins = sim.init()?;
        for _ in 0..CYCLES {
            wait_clock_true!(sim, clock, twins);
            wait_clock_false!(sim, clock, twins);
            for (native, netlist) in twins.outputs() {
                sim_assert_eq!(sim, native, netlist, twins);
            }
            twins.read.next = rng.random();
            twins.write.next = rng.random();
            twins.data.next = u64::from(rng.random_range(0..1_u32 << 13)).into();
        }
        sim.done(twins)
    });
    simulation.run(Box::new(Twins::new()), u64::MAX - 1).unwrap();
}

#[test]
fn a_netlist_prints_as_an_instance_of_its_module() {
    let mut block = block(Engine::Interpreter);
    block.connect_all();
    let text = generate_verilog(&block);
    assert_eq!(text.matches("mac_w9_acc29 inner (").count(), 1);
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("top.v"), text).unwrap();
    run(dir.path(), "iverilog", &["-g2005", "-t", "null", "-s", "top", "top.v"]);
}

#[test]
fn a_broken_promise_stops_the_block_and_is_told() {
    let m = ModuleBuilder::new("promising");
    let x = m.input("x", u(4));
    let held = m.reg("held", u(4)).no_reset();
    held.next(x);
    m.promise("x stays below 9", x.lt(9));
    m.output("y", held);
    let mut block = NetlistBlock::new(&m.finish(), SimOptions::default()).unwrap();
    block.connect_all();
    block.set("x", 9).unwrap();
    assert!(simulate(&mut block, 10));
    block.toggle("clk").unwrap();
    assert!(!simulate(&mut block, 10));
    let failure = block.failure().unwrap().to_string();
    assert!(
        failure.starts_with("promising: ") && failure.ends_with("x stays below 9"),
        "{failure}"
    );
}

#[test]
fn wrong_names_and_values_are_refused() {
    let mut block = block(Engine::Interpreter);
    assert_eq!(
        block.set("weight", 1).unwrap_err().to_string(),
        "mac_w9_acc29: no input or clock `weight`; there are clk, rst, w, x, save, load, acc, \
         empty, oldest"
    );
    assert_eq!(
        block.set("w", 256).unwrap_err().to_string(),
        "mac_w9_acc29: 256 does not fit `w: s9` (-256 to 255)"
    );
    assert_eq!(
        block.get("sum").unwrap_err().to_string(),
        "mac_w9_acc29: no port `sum`; there are clk, rst, w, x, save, load, acc, empty, oldest"
    );
}
