//! Small circuits that between them use the whole language, on every engine; every component.

use hwgen_hdl::fuzz::{Shape, random_module};
use hwgen_hdl::lib::catalogue;
use hwgen_hdl::sim::{Device, Initial};
use hwgen_hdl::{Bundle, Int, Module, ModuleBuilder, Stream, cat, fields, s, u};
use hwgen_verify::cosim::race::{Stimulus, race};
use hwgen_verify::cosim::{
    Comparison, Compiled, Engine, IcarusDevice, Optimize, Report, Traffic, VerilatorDevice,
    compare, compare_traffic,
};
use std::sync::Arc;

/// Those that run the Verilog itself, and ours.
const TEXT: [Engine; 4] = [Engine::Interpreter, Engine::Jit, Engine::Verilator, Engine::Icarus];

fn all_equal(module: &Arc<Module>) -> Report {
    equal_on(module, &Engine::ALL)
}

fn equal_on(module: &Arc<Module>, engines: &[Engine]) -> Report {
    let report = compare(module, &Comparison::new(&*module.name, engines)).unwrap();
    println!("{}: {report}", module.name);
    if let Err(mismatch) = report.assert_equal() {
        panic!("{mismatch}");
    }
    assert_eq!(report.cycles, 200);
    let outputs = module.outputs.len() as u64;
    assert_eq!(report.checks, 200 * outputs * (engines.len() as u64 - 1));
    report
}

/// Every operator on operands of one type.
fn operators(signed: bool, width: u32) -> Arc<Module> {
    let sign = if signed { "s" } else { "u" };
    let m = ModuleBuilder::new(format!("operators_{sign}{width}"));
    let ty = if signed { s(width) } else { u(width) };
    let (a, b, by) = (m.input("a", ty), m.input("b", ty), m.input("by", u(7)));
    let which = m.input("which", u(1));
    let results = [
        ("sum", a + b),
        ("difference", a - b),
        ("product", a.mul(b)),
        ("conjunction", a & b),
        ("disjunction", a | b),
        ("exclusive", a ^ b),
        ("inverse", !a),
        ("negative", -a.as_signed()),
        ("left", a.shl(by)),
        ("right", a.shr(by)),
        ("equal", a.eq(b)),
        ("unequal", a.ne(b)),
        ("less", a.lt(b)),
        ("at_most", a.le(b)),
        ("greater", a.gt(b)),
        ("at_least", a.ge(b)),
        ("all", a.all()),
        ("any", a.any()),
        ("parity", a.parity()),
        ("chosen", which.mux(a, b)),
        ("joined", cat(&[a, b, a])),
        ("sign", a.msb()),
        ("wider", a.extend(width + 5)),
        ("resigned", a.as_unsigned() + b.as_unsigned()),
        ("nested", (a + b).mul(a - b).truncate(width) ^ !(!a)),
    ];
    for (name, value) in results {
        m.output(name, value);
    }
    m.finish()
}

#[test]
fn components_agree() {
    for sample in catalogue() {
        equal_on(&sample.module, &[Engine::Interpreter, Engine::Icarus]);
    }
}

#[test]
fn operators_agree() {
    for (signed, width) in [(false, 1), (true, 1), (true, 8), (false, 17)] {
        let report = all_equal(&operators(signed, width));
        assert_eq!((report.unknown_bits, report.undetermined_bits), (0, 0));
    }
}

#[test]
fn operators_on_many_words_agree() {
    // Gates of products this wide take minutes to simulate.
    for (signed, width) in [(false, 33), (true, 64), (true, 100)] {
        equal_on(&operators(signed, width), &TEXT);
    }
}

#[test]
fn very_wide_ports_agree() {
    let m = ModuleBuilder::new("wide");
    let (a, b) = (m.input("a", s(3000)), m.input("b", s(3000)));
    let kept = m.reg("kept", s(3000));
    kept.next(a ^ b);
    m.output("kept_q", kept);
    m.output("both", a & b);
    let report = all_equal(&m.finish());
    // Until the first edge in reset, in the text and in its gates.
    assert_eq!(report.unknown_bits, 2 * 3000);
}

#[test]
fn registers_agree() {
    let m = ModuleBuilder::new("registers");
    let (up, clear, x) = (m.input("up", u(1)), m.input("clear", u(1)), m.input("x", s(9)));
    let count = m.reg("count", u(5)).enable(up).clear(clear).reset_to(7);
    count.next(count + 1);
    let held = m.reg("held", s(9)).enable(up).no_reset();
    held.next(x);
    m.output("count_q", count);
    m.output("held_q", held);
    let report = all_equal(&m.finish());
    assert!(report.unknown_bits > 0, "`held` is unknown until first enabled");
}

#[test]
fn memories_agree() {
    // A depth that is no power of two: addresses beyond it read 0 and write nothing.
    let m = ModuleBuilder::new("memories");
    let (write, address) = (m.input("write", u(1)), m.input("address", u(4)));
    let (data, mask) = (m.input("data", s(12)), m.input("mask", u(3)));
    let words = m.memory("words", 11, s(12)).write_masked(address, data, write, mask);
    m.output("now", words.read(address));
    m.output("word_before", words.read_sync(address, m.input("read", u(1))));
    let table = m.memory("entries", 16, s(12)).init((0..16).map(|k| 100 * k - 800));
    m.output("entry", table.read(address));
    let report = all_equal(&m.finish());
    assert!(report.unknown_bits > 0, "words are unknown until first written");
}

#[test]
fn two_clocks_agree() {
    let m = ModuleBuilder::new("two_clocks");
    let (fast, slow) = (m.clock("clk_fast").sync_reset("rst_fast"), m.clock("clk_slow"));
    let slow = slow.sync_reset("rst_slow");
    let x = m.input("x", u(16));
    let count = m.reg("count", u(16)).domain(fast);
    count.next(count + x);
    // Sampled at simultaneous edges: the value from before.
    let seen = m.reg("seen", u(16)).domain(slow);
    seen.next(*count);
    let back = m.reg("back", u(16)).domain(fast);
    back.next(seen ^ *count);
    m.output("seen_q", seen);
    m.output("back_q", back);
    all_equal(&m.finish());
}

#[test]
fn asynchronous_resets_agree() {
    for active_low in [false, true] {
        let m = ModuleBuilder::new(if active_low { "async_low" } else { "async_high" });
        let kind = hwgen_hdl::netlist::ResetKind::Async;
        m.clock("clk").reset("clear_now", kind, active_low).default();
        let count = m.reg("count", u(8)).reset_to(0xa5);
        count.next(count + m.input("x", u(8)));
        m.output("count_q", count);
        all_equal(&m.finish());
    }
}

#[test]
fn hierarchies_agree() {
    let below = operators(true, 12);
    let m = ModuleBuilder::new("hierarchy");
    let (a, b) = (m.input("a", s(12)), m.input("b", s(12)));
    let by = m.input("by", u(7));
    for name in ["one", "two"] {
        let inner = m.instance(name, &below);
        inner.input("a", a);
        inner.input("b", if name == "one" { b } else { a });
        inner.input("by", by);
        inner.input("which", by.bit(0));
        m.output(format!("{name}_product"), inner.output("product"));
        m.output(format!("{name}_less"), inner.output("less"));
    }
    all_equal(&m.finish());
}

/// A stream through one slot, whose payload's `data` is doubled.
fn one_slot() -> Arc<Module> {
    let m = ModuleBuilder::new("one_slot");
    let input = m.stream_in("in", &fields([("data", s(10)), ("last", u(1))]));
    let full = m.reg("full", u(1));
    let taken = m.wire("taken", u(1));
    let accept = input.valid & (!full | *taken);
    input.ready.drive(!full | *taken);
    full.next(accept | (full & !*taken));
    let data = m.reg("data", s(10)).enable(accept).no_reset();
    data.next(input.get("data"));
    let last = m.reg("last", u(1)).enable(accept).no_reset();
    last.next(input.get("last"));
    let payload = Bundle::new([("data", data + data), ("last", *last)]);
    let output = Stream::source(&m, "out", full, payload);
    taken.drive(full & *output.ready);
    m.stream_out("out", &output);
    m.finish()
}

#[test]
fn streams_agree_and_their_handshakes_are_known() {
    let report = all_equal(&one_slot());
    assert!(report.unknown_bits > 0, "the payload is unknown until the first one passes");
}

#[test]
fn traffic_agrees_whatever_the_stalls() {
    let sent: Vec<Vec<Int>> = (-20..20).map(|k| vec![(13 * k).into(), (k & 1).into()]).collect();
    let traffic = Traffic {
        held: vec![],
        awaited: vec![("out".into(), sent.len())],
        sent: vec![("in".into(), sent)],
        stall: 0.4,
    };
    let plan = Comparison { cycles: 1000, ..Comparison::new("one_slot", &Engine::ALL) };
    let report = compare_traffic(&one_slot(), &plan, &traffic).unwrap();
    println!("{report}");
    report.assert_equal().unwrap();
    assert_eq!(report.checks, 5 * 40 * 2);
}

/// Both run the text they are given, not the module.
#[test]
fn a_wrong_text_is_found() {
    let m = ModuleBuilder::new("counter");
    let count = m.reg("count", u(8));
    count.next(count + m.input("x", u(8)));
    m.output("count_q", count);
    let module = m.finish();
    let wrong = module.verilog().unwrap().replace("count + x", "count - x");
    assert_ne!(wrong, module.verilog().unwrap());
    let clocks: Vec<_> = module.clock_ids().collect();
    let seen = |mut device: Box<dyn Device>| {
        let x = module.inputs.iter().position(|port| &*port.name == "x").unwrap();
        let rst = 1 - x;
        for (reset, value) in [(1, 0), (0, 5), (0, 5)] {
            device.poke(rst, &reset.into());
            device.poke(x, &value.into());
            device.tick(&clocks);
        }
        device.peek(0)
    };
    assert_eq!(seen(Engine::Interpreter.open_checked(&module).unwrap()), 10.into());
    assert_eq!(seen(Box::new(VerilatorDevice::from_text(&module, &wrong).unwrap())), 246.into());
    assert_eq!(seen(Box::new(IcarusDevice::from_text(&module, &wrong).unwrap())), 246.into());
}

#[test]
fn a_race_has_one_checksum() {
    let module = random_module(7, Shape { operations: 30, max_width: 80, depth: 1 });
    for stimulus in [Stimulus::Random, Stimulus::Held] {
        let mut ours = Engine::Jit.open(&module, Initial::Zero).unwrap();
        let expected = race(ours.as_mut(), 300, 99, stimulus).checksum;
        for optimize in [Optimize::Build, Optimize::Run] {
            let compiled = Compiled::new(&module, optimize).unwrap();
            let raced = compiled.race(300, 99, stimulus).unwrap();
            println!("{stimulus:?}, {optimize:?}: {:.0} cycles/s", raced.cycles_per_second());
            assert_eq!(raced.checksum, expected, "{stimulus:?} {optimize:?}");
            let mut outside = compiled.device(Initial::Zero).unwrap();
            assert_eq!(race(&mut outside, 300, 99, stimulus).checksum, expected);
        }
    }
}

/// Drivers do not set what is 0 already.
#[test]
fn inputs_start_at_zero_where_registers_do_not() {
    let m = ModuleBuilder::new("echo");
    m.output("y", m.input("x", u(100)));
    let module = m.finish();
    for engine in TEXT {
        let mut device = engine.open(&module, Initial::Random(3)).unwrap();
        assert_eq!(device.peek_known(0), (Int::ZERO, Int::ZERO), "{engine}");
    }
}

#[test]
fn random_netlists_agree() {
    for seed in 1..=4 {
        let shape = Shape { operations: 30, max_width: 80, depth: 1 };
        all_equal(&random_module(seed, shape));
    }
}
