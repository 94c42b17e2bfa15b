//! Energy from gates: golden models on a library's cells, changes counted as Icarus counts them.

mod toggles;

use hwgen_designs::registry;
use hwgen_hdl::sim::Device;
use hwgen_hdl::{ModuleBuilder, u};
use hwgen_verify::power::{Library, Options, PowerModel, Report};
use std::path::PathBuf;
use std::time::Instant;

const OSU018: &str = "/usr/share/qflow/tech/osu018/osu018_stdcells.lib";

const SMALL_LAPA: &[&str] =
    &["head_dim=4", "max_keys=16", "rows=2", "key_slices=[4,4]", "lanes=2", "queries=2"];

/// Runs batches of the golden model on gates and tells what they cost.
fn run(design: &str, set: &[&str], library: &Library, options: &Options, batches: u64) -> Report {
    let set: Vec<_> = set.iter().map(|set| set.to_string()).collect();
    let configured = registry::find(design).unwrap().configure(None, &set).unwrap();
    let golden = configured.golden();
    let start = Instant::now();
    let model = PowerModel::new(&configured.build(), library, options).unwrap();
    let made = start.elapsed().as_secs_f64();
    let start = Instant::now();
    let mut device = model.device();
    let started = start.elapsed().as_secs_f64();
    let start = Instant::now();
    for seed in 0..batches {
        golden.batch(&mut device, seed).unwrap();
    }
    let speed = device.cycles() as f64 / start.elapsed().as_secs_f64();
    eprintln!(
        "{design}: {} cells, {made:.2} s to synthesize or load, {started:.2} s to start, {} cycles, \
         {speed:.0} a second",
        model.cells(),
        device.cycles(),
    );
    model.report(&device)
}

/// A library of `HWGEN_DATA`, if it is there.
fn recorded(name: &str) -> Option<Library> {
    let path = PathBuf::from(std::env::var_os("HWGEN_DATA")?).join("liberty").join(name);
    path.is_file().then(|| Library::read(path).unwrap())
}

#[test]
fn gates_equal_golden_models() {
    let library = Library::read(OSU018).unwrap();
    let report = run("mac_array", &["rows=2", "columns=1"], &library, &Options::default(), 3);
    let total = report.total();
    assert!(total.flip_flops > 50 && total.cells > total.flip_flops);
    let energy = total.energy;
    assert!(energy.combinational_joules > 0.0 && energy.register_joules > 0.0);
    assert!(energy.clock_joules > 0.0 && energy.leakage_joules > 0.0);
    assert_eq!(energy.memory_read_joules + energy.memory_write_joules, 0.0);
    // parts add up to the whole
    let parts: f64 = report.parts.iter().map(|part| part.energy.total_joules()).sum();
    assert!((parts / energy.total_joules() - 1.0).abs() < 1e-9);
}

#[test]
#[ignore = "minutes of synthesis"]
fn gates_of_engines_equal_golden_models() {
    let library = Library::read(OSU018).unwrap();
    // memories as memories, then as flip-flops
    for (flip_flop_bits, clock_gating) in [(0, true), (1 << 20, false)] {
        let options = Options { flip_flop_bits, clock_gating, ..Options::default() };
        let attend = ["head_dim=4", "max_keys=16", "rows=2", "lanes=2"];
        for (design, set) in [("attend", &attend[..]), ("lapa_attention", SMALL_LAPA)] {
            let total = run(design, set, &library, &options, 20).total();
            assert_eq!(total.memory_bits > 0, flip_flop_bits == 0);
            assert_eq!(total.energy.memory_read_joules > 0.0, flip_flop_bits == 0);
        }
    }
    for name in ["sky130hd_tt.lib.gz", "sg13g2_typ.lib"] {
        match recorded(name) {
            Some(library) => {
                run("lapa_attention", SMALL_LAPA, &library, &Options::default(), 5);
            }
            None => eprintln!("{name} is not in HWGEN_DATA: not run"),
        }
    }
}

#[test]
#[ignore = "minutes of synthesis; prints how fast gates run"]
fn speed_of_the_default_engine() {
    let library = recorded("sky130hd_tt.lib.gz");
    let library = library.unwrap_or_else(|| Library::read(OSU018).unwrap());
    for clock_gating in [false, true] {
        let options = Options { clock_gating, ..Options::default() };
        let report = run("lapa_attention", &[], &library, &options, 20);
        eprintln!("{} in {}: {:#?}", report.module, report.library, report.total());
    }
}

#[test]
fn gated_registers_pay_while_enabled() {
    let library = Library::read(OSU018).unwrap();
    let m = ModuleBuilder::new("counter");
    let enable = m.input("enable", u(1));
    let count = m.reg("count", u(8)).enable(enable);
    m.output("count", count.next(*count + 1));
    // shares the gate
    m.output("few", m.reg("few", u(2)).enable(enable).next(count.slice(1, 0)));
    let module = m.finish();
    let told = |clock_gating: bool| {
        let options = Options { clock_gating, ..Options::default() };
        let model = PowerModel::new(&module, &library, &options).unwrap();
        let mut device = model.device();
        let input = module.inputs.iter().position(|port| &*port.name == "enable").unwrap();
        let reset = module.inputs.iter().position(|port| &*port.name == "rst").unwrap();
        let clocks: Vec<_> = module.clock_ids().collect();
        device.poke(reset, &1.into());
        device.tick(&clocks);
        device.poke(reset, &0.into());
        device.restart();
        for cycle in 0..100 {
            device.poke(input, &i32::from(cycle % 4 == 0).into());
            device.tick(&clocks);
        }
        assert_eq!(device.peek(0), 25.into());
        model.report(&device).total()
    };
    let (free, gated) = (told(false), told(true));
    assert_eq!((free.flip_flops, free.clock_gates), (10, 0));
    assert_eq!((gated.flip_flops, gated.clock_gates), (10, 1));
    // 10 flip-flops always; or the gate always and 10 in a quarter of the cycles
    let ratio = gated.energy.clock_joules / free.energy.clock_joules;
    assert!((ratio - (1.0 + 10.0 / 4.0) / 10.0).abs() < 1e-9, "{ratio}");
}

#[test]
fn groups_take_each_instance_once() {
    let library = Library::read(OSU018).unwrap();
    let pe = ModuleBuilder::new("pe");
    let x = pe.input("x", u(4));
    pe.output("y", pe.reg("sum", u(4)).next(x + 1));
    let pe = pe.finish();
    let m = ModuleBuilder::new("pair");
    let x = m.input("x", u(4));
    let first = m.instance("first", &pe).input("x", x).output("y");
    let second = m.instance("second", &pe).input("x", first).output("y");
    m.output("y", second);
    let model = PowerModel::new(&m.finish(), &library, &Options::default()).unwrap();
    let mut device = model.device();
    hwgen_hdl::sim::Bench::new(&mut device).step();
    let report = model.report(&device);
    let groups = report.group(&[("all", &[""]), ("one", &["first"]), ("none", &["fir"])]);
    assert_eq!(groups["one"].flip_flops, 4);
    assert_eq!(groups["all"].flip_flops, 4);
    assert!(!groups.contains_key("none") && !groups.contains_key("other"));
    assert_eq!(report.under(&["second"]).flip_flops, 4);
    assert_eq!(report.under(&["first", "second"]).flip_flops, 8);
    let sum: f64 = groups.values().map(|part| part.energy.total_joules()).sum();
    assert!((sum / report.total().energy.total_joules() - 1.0).abs() < 1e-9);
}

#[test]
fn what_cannot_be_told_is_refused() {
    let library = Library::read(OSU018).unwrap();
    let refused = |module, options: &Options| {
        PowerModel::new(&module, &library, options).unwrap_err().to_string()
    };
    let module = |clocks: usize| {
        let m = ModuleBuilder::new("some");
        let x = m.input("x", u(1));
        let clocks = ["a", "b"][..clocks].iter().map(|name| m.clock(*name));
        for (n, clock) in clocks.enumerate() {
            let register = m.reg(format!("r{n}"), u(1)).domain(clock).no_reset();
            m.output(format!("y{n}"), register.next(x));
        }
        m.finish()
    };
    let said = refused(module(2), &Options::default());
    assert_eq!(said, "module `some` has 2 clocks; energy is told of designs with one");
    let slow = Options { clock_hertz: 0.0, ..Options::default() };
    let said = refused(module(1), &slow);
    assert_eq!(said, "the clock is 0e0; it must be 1 Hz to 100 GHz");
}
