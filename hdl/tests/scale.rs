//! Long chains, deep hierarchies, large memories: time in proportion, and no end of the stack.

use hwgen_hdl::passes::{Keep, simplify};
use hwgen_hdl::sim::{Engine, Simulator};
use hwgen_hdl::{Module, ModuleBuilder, u};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// So many links: sums of two inputs, each of the one before; nobody names them.
fn chain(links: usize) -> Arc<Module> {
    let m = ModuleBuilder::new("chain");
    let (x, k) = (m.input("x", u(16)), m.input("k", u(16)));
    let sum = (0..links).fold(x, |sum, _| sum + k);
    m.output("y", sum);
    m.finish()
}

/// The same with names, wires between them and every kind of operator.
fn named_chain(links: usize) -> Arc<Module> {
    let m = ModuleBuilder::new("named_chain");
    let (x, k) = (m.input("x", u(16)), m.input("k", u(16)));
    let mut value = x;
    for number in 0..links {
        let wire = m.wire(format!("link_{number}"), u(16));
        wire.drive(match number % 4 {
            0 => value + k,
            1 => value.bit(3).mux(value ^ k, !value),
            2 => value.slice(14, 0).cat(value.msb()),
            _ => (value & 0x7fff).shr(1) | k,
        });
        value = *wire;
    }
    m.output("y", value);
    m.finish()
}

/// Modules inside one another.
fn nested(levels: usize) -> Arc<Module> {
    let mut inside: Option<Arc<Module>> = None;
    for level in 0..levels {
        let m = ModuleBuilder::new(format!("level_{level}"));
        let x = m.input("x", u(8));
        let below = match &inside {
            Some(module) => m.instance("i", module).input("x", x).output("y"),
            None => {
                let last = m.reg("last", u(8));
                last.next(x);
                last.into()
            }
        };
        m.output("y", below + 1);
        inside = Some(m.finish());
    }
    inside.unwrap()
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    (work(), start.elapsed())
}

#[test]
fn chains_are_printed_simplified_and_run() {
    let links = 100_000;
    let (text, time) = timed(|| chain(links).verilog().unwrap());
    // what grows with the square takes an hour
    assert!(time < Duration::from_secs(20) && text.len() < links * 120, "{time:?}");
    // enough for any recursion to end the stack
    let links = 25_000;
    for module in [chain(links), named_chain(links)] {
        assert!(module.verilog().unwrap().len() < links * 120);
        assert!(simplify(&module, Keep::Names).nodes.len() <= module.nodes.len() + 4);
        let mut values = vec![];
        for engine in [Engine::Interpreter, Engine::Jit] {
            let mut sim = Simulator::new(&module, engine);
            sim.poke("x", 12_345);
            sim.poke("k", 77);
            values.push(sim.peek_u64("y"));
        }
        assert_eq!(values[0], values[1]);
        if *module.name == *"chain" {
            assert_eq!(values[0], (12_345 + 77 * links as u64) % 65_536);
        }
    }
}

#[test]
fn deep_hierarchies_are_printed_and_run() {
    let levels = 2_500;
    let module = nested(levels);
    let text = module.verilog().unwrap();
    assert_eq!(text.matches("\nendmodule").count(), levels);
    let folder = tempfile::tempdir().unwrap();
    for (engine, wave) in [(Engine::Interpreter, "deep.vcd"), (Engine::Jit, "deep.fst")] {
        let mut sim = Simulator::new(&module, engine);
        let path = folder.path().join(wave);
        match engine {
            Engine::Interpreter => sim.trace_vcd(&path).unwrap(),
            Engine::Jit => sim.trace_fst(&path).unwrap(),
        }
        sim.reset();
        sim.poke("x", 3);
        sim.step();
        assert_eq!(sim.peek_u64("y"), (3 + levels as u64) % 256);
        sim.finish_trace().unwrap();
    }
    // and taken apart again, however deep
    drop(nested(50_000));
}

#[test]
#[ignore = "a bar: cargo xtask bars chain"]
fn a_chain_is_printed_within_a_second() {
    let module = chain(100_000);
    let (text, time) = timed(|| module.verilog().unwrap());
    println!("chain: {:.3} seconds, {} bytes", time.as_secs_f64(), text.len());
    for engine in [Engine::Interpreter, Engine::Jit] {
        let start = |links| {
            let module = chain(links);
            timed(|| Simulator::new(&module, engine).peek_u64("y")).1.as_secs_f64()
        };
        println!(
            "{engine:?}: {:.2} s for 25,000, {:.2} s for 100,000",
            start(25_000),
            start(100_000)
        );
    }
}
