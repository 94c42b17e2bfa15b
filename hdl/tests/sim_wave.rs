//! Wave files, read back.

use hwgen_hdl::sim::{Engine, Simulator};
use hwgen_hdl::{MAX_WIDTH, Module, ModuleBuilder, s, u};
use std::sync::Arc;
use wellen::simple::{Waveform, read};

fn counters() -> Arc<Module> {
    let m = ModuleBuilder::new("counting");
    let count = m.reg("count", s(70));
    let ahead = (count - m.input("by", s(70))).named("ahead");
    count.next(ahead);
    m.output("value", count);
    m.output("sign", ahead.msb());
    let counting = m.finish();
    let m = ModuleBuilder::new("waves");
    let by = m.input("by", s(70));
    let a = m.instance("a", &counting).input("by", by);
    let b = m.instance("b", &counting).input("by", a.output("value"));
    m.output("sum", a.output("value") + b.output("value"));
    m.output("b_sign", b.output("sign"));
    m.finish()
}

/// The digits of a signal at a time.
fn value(wave: &mut Waveform, path: &[&str], time: u64) -> String {
    let (name, scopes) = path.split_last().unwrap();
    let hierarchy = wave.hierarchy();
    let variable = hierarchy.lookup_var(scopes, name).unwrap_or_else(|| panic!("{path:?}"));
    let signal = &hierarchy[variable];
    let id = signal.signal_ref();
    wave.load_signals(&[id]);
    let at = wave.time_table().iter().rposition(|&t| t <= time).unwrap();
    let signal = wave.get_signal(id).unwrap();
    let offset = signal.get_offset(at as u32).unwrap();
    signal.get_value_at(&offset, 0).to_string()
}

#[test]
fn waves_show_every_name_in_its_scope() {
    let folder = tempfile::tempdir().unwrap();
    for (engine, format) in
        [(Engine::Interpreter, "vcd"), (Engine::Jit, "vcd"), (Engine::Jit, "fst")]
    {
        let path = folder.path().join(format!("{engine:?}.{format}"));
        let module = counters();
        let mut sim = Simulator::new(&module, engine);
        sim.reset();
        match format {
            "vcd" => sim.trace_vcd(&path).unwrap(),
            _ => sim.trace_fst(&path).unwrap(),
        }
        let names = ["by", "sum", "b_sign", "rst", "a.count", "a.value", "b.ahead", "b.by"];
        let mut seen = vec![];
        for cycle in 0..20 {
            sim.poke("by", cycle - 7);
            let before = names.map(|name| sim.peek(name));
            sim.step();
            seen.push([before, names.map(|name| sim.peek(name))]);
        }
        assert!(!path.exists(), "not before it is complete");
        sim.finish_trace().unwrap();
        let mut wave = read(&path).unwrap();
        for (cycle, both) in seen.iter().enumerate() {
            let start = 10 * (cycle as u64 + 2);
            for (values, time) in both.iter().zip([start, start + 5]) {
                for (name, want) in names.iter().zip(values) {
                    let path: Vec<&str> = ["waves"].into_iter().chain(name.split('.')).collect();
                    let got = value(&mut wave, &path, time);
                    let width = got.len();
                    let bits = u(width as u32).wrap(want.clone()).to_str_radix(2);
                    assert_eq!(got, format!("{bits:0>width$}"), "{name} at {time}");
                }
            }
            let clock = [start, start + 5].map(|t| value(&mut wave, &["waves", "clk"], t));
            assert_eq!(clock, ["0", "1"]);
        }
    }
}

#[test]
fn a_panic_leaves_the_wave() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("broken.vcd");
    let m = ModuleBuilder::new("broken");
    let count = m.reg("count", u(4));
    count.next(count + 1);
    m.promise("less than 3", count.lt(3));
    let module = m.finish();
    let mut sim = Simulator::new(&module, Engine::Jit);
    sim.trace_vcd(&path).unwrap();
    let run = std::panic::AssertUnwindSafe(move || sim.steps(10));
    assert!(std::panic::catch_unwind(run).is_err());
    assert_eq!(value(&mut read(&path).unwrap(), &["broken", "count"], 35), "0100");
}

#[test]
fn a_wave_without_a_place_is_an_error() {
    let mut sim = Simulator::new(&counters(), Engine::Interpreter);
    let error = sim.trace_vcd("/nowhere/at/all.vcd").unwrap_err().to_string();
    assert_eq!(error, "wave file `/nowhere/at/all.vcd`: No such file or directory");
}

#[test]
fn the_widest_signal_is_in_both_formats() {
    let folder = tempfile::tempdir().unwrap();
    let m = ModuleBuilder::new("wide");
    let word = m.reg("word", u(MAX_WIDTH));
    word.next(m.input("x", u(MAX_WIDTH)));
    m.output("y", word);
    let module = m.finish();
    for (engine, format) in [(Engine::Interpreter, "vcd"), (Engine::Jit, "fst")] {
        let path = folder.path().join(format);
        let mut sim = Simulator::new(&module, engine);
        match format {
            "vcd" => sim.trace_vcd(&path).unwrap(),
            _ => sim.trace_fst(&path).unwrap(),
        }
        sim.poke("x", u(MAX_WIDTH).max() - 5);
        sim.steps(3);
        sim.finish_trace().unwrap();
        let mut wave = read(&path).unwrap();
        let digits = value(&mut wave, &["wide", "word"], 25);
        assert_eq!(digits.len(), MAX_WIDTH as usize);
        assert!(digits.ends_with("11111010") && !digits[..65_528].contains('0'), "{format}");
    }
}
