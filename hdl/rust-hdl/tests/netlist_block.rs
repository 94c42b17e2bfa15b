//! A block with run-time ports in rust-hdl's own test bench: simulation, checks, VCD, Verilog.

mod common;

use common::run;
use hwgen_rust_hdl::{ModelBlock, leaves};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rust_hdl::prelude::*;
use wellen::simple;

const CYCLES: usize = 1_000;
const HALF_PERIOD: u64 = 5;

/// rust-hdl's FIFO, and beside it the same FIFO behind run-time ports, fed alike.
#[derive(LogicBlock)]
struct Bench {
    pub clock: Signal<In, Clock>,
    pub read: Signal<In, Bit>,
    pub write: Signal<In, Bit>,
    pub data: Signal<In, Bits<13>>,
    native: SynchronousFIFO<Bits<13>, 2, 3, 1>,
    model: ModelBlock,
}

impl Bench {
    fn new() -> Self {
        Self {
            clock: Signal::default(),
            read: Signal::default(),
            write: Signal::default(),
            data: Signal::default(),
            native: SynchronousFIFO::default(),
            model: ModelBlock::from(&leaves::synchronous_fifo(13, 4).unwrap()),
        }
    }

    fn outputs(&self) -> [(u64, u64); 4] {
        let model = |port: &str| u64::try_from(self.model.get(port).unwrap()).unwrap();
        let native = &self.native;
        [
            (native.data_out.val().to_u64(), model("data_out")),
            (native.empty.val().into(), model("empty")),
            (native.full.val().into(), model("full")),
            (native.overflow.val().into(), model("overflow")),
        ]
    }
}

impl Logic for Bench {
    fn update(&mut self) {
        self.native.clock.next = self.clock.val();
        self.native.read.next = self.read.val();
        self.native.write.next = self.write.val();
        self.native.data_in.next = self.data.val();
        self.model
            .set("clock", u32::from(self.clock.val().clk))
            .unwrap();
        self.model.set("read", u32::from(self.read.val())).unwrap();
        self.model
            .set("write", u32::from(self.write.val()))
            .unwrap();
        self.model.set("data_in", self.data.val()).unwrap();
    }

    fn connect(&mut self) {
        self.native.clock.connect();
        self.native.read.connect();
        self.native.write.connect();
        self.native.data_in.connect();
    }
}

fn simulation() -> Simulation<Bench> {
    let mut simulation = Simulation::new();
    simulation.add_clock(HALF_PERIOD, |bench: &mut Box<Bench>| {
        bench.clock.next = !bench.clock.val();
    });
    simulation.add_testbench(move |mut sim: Sim<Bench>| {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut bench = sim.init()?;
        for _ in 0..CYCLES {
            wait_clock_true!(sim, clock, bench);
            wait_clock_false!(sim, clock, bench);
            for (native, model) in bench.outputs() {
                sim_assert_eq!(sim, native, model, bench);
            }
            bench.read.next = rng.random();
            bench.write.next = rng.random();
            bench.data.next = u64::from(rng.random_range(0..1_u32 << 13)).into();
        }
        sim.done(bench)
    });
    simulation
}

#[test]
fn a_model_runs_in_step_with_the_native_block_and_both_are_in_the_vcd() {
    let mut vcd = Vec::new();
    simulation()
        .run_traced(Box::new(Bench::new()), u64::MAX - 1, &mut vcd)
        .unwrap();
    let mut waves = simple::read_from_reader(std::io::Cursor::new(vcd)).unwrap();
    let changes = |waves: &mut simple::Waveform, path: &[&str]| -> Vec<(u32, String)> {
        let hierarchy = waves.hierarchy();
        let variable = hierarchy.lookup_var(path, "data_out").unwrap();
        let signal = hierarchy[variable].signal_ref();
        waves.load_signals(&[signal]);
        let signal = waves.get_signal(signal).unwrap();
        signal
            .iter_changes()
            .map(|(time, value)| (time, value.to_string()))
            .collect()
    };
    let native = changes(&mut waves, &["uut", "native"]);
    let model = changes(&mut waves, &["uut", "model"]);
    assert!(
        native.len() > CYCLES / 4,
        "{} changes of data_out",
        native.len()
    );
    assert_eq!(native, model);
}

#[test]
fn a_model_prints_as_an_instance_of_its_module() {
    let mut block = ModelBlock::from(&leaves::synchronous_fifo(13, 4).unwrap());
    block.connect_all();
    let text = generate_verilog(&block);
    assert_eq!(text.matches("synchronous_fifo_w13_d4 inner (").count(), 1);
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("top.v"), text).unwrap();
    run(
        dir.path(),
        "iverilog",
        &["-g2005", "-t", "null", "-s", "top", "top.v"],
    );
}

#[test]
fn wrong_names_and_values_are_refused() {
    let mut block = ModelBlock::from(&leaves::bit_synchronizer(4).unwrap());
    assert_eq!(
        block.set("sig", 1_u32).unwrap_err().to_string(),
        "bit_synchronizer_w4: no input `sig`; there are sig_in, clock"
    );
    assert_eq!(
        block.set("sig_in", 16_u32).unwrap_err().to_string(),
        "bit_synchronizer_w4: 16 does not fit port `sig_in` of 4 bits; mask it first"
    );
    assert_eq!(
        block.get("q").unwrap_err().to_string(),
        "bit_synchronizer_w4: no port `q`; there are sig_out"
    );
}
