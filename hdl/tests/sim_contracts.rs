//! Broken promises, broken stream contracts, wrong requests: what the simulator says.

use hwgen_hdl::sim::{Engine, SimError, SimOptions, Simulator};
use hwgen_hdl::{Module, ModuleBuilder, fields, u};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

const ENGINES: [Engine; 2] = [Engine::Interpreter, Engine::Jit];

fn offers() -> Arc<Module> {
    let m = ModuleBuilder::new("offers");
    let q = m.stream_in("q", &fields([("data", u(8)), ("last", u(1))]));
    m.stream_out("out", &q);
    m.promise("data stays small", q.get("data").lt(100));
    m.finish()
}

#[test]
fn broken_contracts_are_reported() {
    for engine in ENGINES {
        let options = SimOptions { engine, collect_violations: true, ..SimOptions::default() };
        let mut sim = Simulator::with_options(&offers(), options);
        sim.poke("q_valid", 1);
        sim.poke("q_data", 7);
        sim.step();
        sim.poke("q_data", 8);
        sim.step();
        sim.poke("q_valid", 0);
        sim.step();
        sim.poke("q_data", 100);
        sim.steps(2);
        sim.poke("q_valid", 1);
        sim.poke("out_ready", 1);
        sim.poke("q_data", 1);
        sim.step();
        sim.poke("q_data", 2);
        sim.step();
        let said = |it: &hwgen_hdl::sim::Violation| format!("{}: {}", it.cycle, it.message);
        assert_eq!(
            sim.violations().iter().map(said).collect::<Vec<_>>(),
            [
                "1: stream `q`: `data` changed before it passed",
                "2: stream `q`: valid fell before the payload passed",
                "3: data stays small",
                "4: data stays small",
            ]
        );
        let unchecked = SimOptions { engine, check_contracts: false, ..SimOptions::default() };
        let mut sim = Simulator::with_options(&offers(), unchecked);
        sim.poke("q_data", 100);
        sim.step();
        assert!(sim.violations().is_empty());
    }
}

#[test]
fn a_domain_looks_at_its_own_promises_and_streams() {
    let m = ModuleBuilder::new("two_clocks");
    let io = m.clock("clk_io").sync_reset("rst_io");
    let count = m.reg("count", u(4)).domain(io);
    count.next(count + 1);
    io.promise("below three", count.lt(3));
    let q = io.stream_in("q", &fields([("data", u(8))]));
    io.stream_out("out", &q);
    m.output("seen", m.reg("seen_there", u(4)).next(count));
    let module = m.finish();
    for engine in ENGINES {
        let options = SimOptions { engine, collect_violations: true, ..SimOptions::default() };
        let mut sim = Simulator::with_options(&module, options);
        sim.reset();
        sim.poke("q_valid", 1);
        sim.tick(&["clk_io"]);
        sim.poke("q_data", 1);
        for clocks in [["clk_io"], ["clk_io"], ["clk_io"], ["clk"], ["clk"]] {
            sim.tick(&clocks);
        }
        let said: Vec<_> = sim.violations().iter().map(|it| (it.cycle, &*it.message)).collect();
        let want = [(3, "stream `q`: `data` changed before it passed"), (5, "below three")];
        assert_eq!(said, want);
    }
}

#[test]
fn reset_forgives() {
    let m = ModuleBuilder::new("resets");
    let q = m.stream_in("q", &fields([("data", u(80))]));
    m.stream_out("out", &q);
    m.promise("never 5 outside reset", q.get("data").ne(5));
    m.output("in_reset", m.domain().in_reset());
    let module = m.finish();
    for engine in ENGINES {
        let mut sim = Simulator::new(&module, engine);
        sim.poke("q_valid", 1);
        sim.step();
        sim.poke("q_data", 5);
        sim.poke("rst", 1);
        sim.step();
        sim.poke("rst", 0);
        sim.poke("q_data", 6);
        sim.steps(10);
    }
}

#[test]
fn contracts_below_the_top_name_their_place() {
    let m = ModuleBuilder::new("outer");
    let inner = m.instance("inner", &offers());
    inner.input("q_valid", 0).input("q_last", 0).input("out_ready", 0);
    inner.input("q_data", m.input("data", u(8)));
    let outer = m.finish();
    for engine in ENGINES {
        let run = std::panic::catch_unwind(AssertUnwindSafe(|| {
            let mut sim = Simulator::new(&outer, engine);
            sim.step();
            sim.poke("data", 255);
            sim.steps(5);
        }));
        let text = *run.unwrap_err().downcast::<String>().unwrap();
        let (place, text) = text.split_once(": ").unwrap();
        assert!(place.contains("sim_contracts.rs:"), "{place}");
        assert_eq!(text, "cycle 1: `inner`: data stays small");
    }
}

#[test]
fn wrong_names_and_values_are_refused() {
    for engine in ENGINES {
        let mut sim = Simulator::new(&offers(), engine);
        let text = |result: Result<(), SimError>| result.unwrap_err().to_string();
        assert_eq!(
            text(sim.try_poke("q_data", 256)),
            "input `q_data` of module `offers`: 256 does not fit u8 (0..=255)"
        );
        assert_eq!(
            text(sim.try_poke("q_dat", 1)),
            "module `offers` has no input `q_dat`; it has `q_valid`, `q_data`, `q_last`, \
             `out_ready`"
        );
        assert_eq!(
            text(sim.try_peek("nothing").map(drop)),
            "module `offers` has no signal `nothing`; it has `q_valid`, `q_data`, `q_last`, \
             `out_ready`, `q_ready`, `out_valid`, `out_data`, `out_last`"
        );
        assert_eq!(
            text(sim.try_tick(&["slow"])),
            "module `offers` has no clock `slow`; it has `clk`"
        );
    }
}
