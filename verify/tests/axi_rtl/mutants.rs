//! Tops that break the protocol or lose data, to show that each check can fail.

use super::{SMALL, random_loads, spec};
use hwgen_designs::attention::axi::build;
use hwgen_designs::attention::axi::lapa_check::access_registers;
use hwgen_designs::attention::axi::lapa_drive::{expected, run_loads};
use hwgen_designs::axi::drive::{Host, Stalls};
use hwgen_hdl::netlist::{Direction, ResetKind};
use hwgen_hdl::sim::{SimOptions, Simulator};
use hwgen_hdl::{Fields, Module, ModuleBuilder, Stream, u};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::sync::Arc;

/// A change to the stream of that name on its way through.
type Change = for<'m> fn(&'m ModuleBuilder, Stream<'m>) -> Stream<'m>;

/// The top with one of its streams changed; same ports, module `mutant`.
fn mutant_builder(top: &Arc<Module>, stream: &str, change: Change) -> ModuleBuilder {
    let m = ModuleBuilder::new("mutant");
    m.clock("aclk").reset("aresetn", ResetKind::Sync, true).default();
    let unit = m.instance("top", top);
    for port in &top.streams {
        let change = |passing| if *port.name == *stream { change(&m, passing) } else { passing };
        let shape: Fields =
            port.payload.iter().map(|(name, node)| (name.to_string(), top.ty(*node))).collect();
        match port.direction {
            Direction::In => {
                let outside = m.stream_in_as(&port.name, &port.prefix, &shape);
                unit.stream_into(&port.name, change(outside));
            }
            Direction::Out => {
                let inside = change(unit.stream_from(&port.name));
                m.stream_out_as(&port.name, &port.prefix, &inside);
            }
        }
    }
    m
}

pub(super) fn mutant(top: &Arc<Module>, stream: &str, change: Change) -> Arc<Module> {
    mutant_builder(top, stream, change).finish()
}

/// A bit that changes in every cycle.
fn toggles(m: &ModuleBuilder) -> hwgen_hdl::Signal<'_> {
    let phase = m.reg("phase", u(1));
    phase.next(!phase).into()
}

fn flip<'m>(m: &'m ModuleBuilder, stream: Stream<'m>, field: &'static str) -> Stream<'m> {
    let bit = toggles(m);
    let payload = stream.payload.map(|name, old| match name == field {
        true => old ^ bit.extend(old.width()),
        false => old,
    });
    stream.with_payload(payload)
}

/// `valid` is taken back after a cycle without `ready`.
fn gives_up<'m>(m: &'m ModuleBuilder, stream: Stream<'m>) -> Stream<'m> {
    let waited = m.reg("waited", u(1));
    let valid = stream.valid & !waited;
    waited.next(valid & !*stream.ready);
    Stream { valid, ..stream }
}

/// Every second payload is swallowed.
fn loses<'m>(m: &'m ModuleBuilder, stream: Stream<'m>) -> Stream<'m> {
    let odd = m.reg("odd", u(1));
    let shown = Stream::source(m, "shown", stream.valid & !odd, stream.payload.clone());
    let takes = *shown.ready | odd;
    odd.next(!odd).enable(stream.valid & takes);
    stream.ready.drive(takes);
    shown
}

/// All bytes are written whatever the strobes.
pub(super) fn ignores_strobes<'m>(m: &'m ModuleBuilder, stream: Stream<'m>) -> Stream<'m> {
    let all = m.lit(u(4), 15);
    let payload = stream.payload.map(|name, old| if name == "strb" { all } else { old });
    stream.with_payload(payload)
}

/// `tlast` never comes out.
fn forgets_last<'m>(m: &'m ModuleBuilder, stream: Stream<'m>) -> Stream<'m> {
    let never = m.lit(u(1), 0);
    let payload = stream.payload.map(|name, old| if name == "last" { never } else { old });
    stream.with_payload(payload)
}

/// The contracts that busy buses find broken, whatever the answers.
fn broken_contracts(module: &Arc<Module>) -> Vec<String> {
    let spec = spec(SMALL);
    let map = build(&spec).map;
    let options = SimOptions { collect_violations: true, ..SimOptions::default() };
    let mut simulator = Simulator::with_options(module, options);
    let stalls = Stalls { registers: 0.4, inputs: 0.1, outputs: 0.4, seed: 3 };
    let load = &random_loads(&spec, &mut ChaCha8Rng::seed_from_u64(9), 1)[0];
    let mut host = Host::new(&mut simulator, &map, stalls);
    for i in 0..50 {
        host.begin_write(0x100, i, 15);
        host.begin_read(0x100);
    }
    host.send("keys", load.key_transfers(&spec));
    host.send("queries", load.query_transfers(&spec));
    (0..2000).for_each(|_| host.bench.step());
    let mut said: Vec<_> = simulator.violations().iter().map(|v| v.message.clone()).collect();
    said.dedup();
    said
}

/// Whether registers and loads come out as the golden models say.
fn is_right(module: &Arc<Module>) -> bool {
    let spec = spec(SMALL);
    let map = build(&spec).map;
    let options = SimOptions { collect_violations: true, ..SimOptions::default() };
    let mut simulator = Simulator::with_options(module, options);
    let stalls = Stalls { registers: 0.4, inputs: 0.1, outputs: 0.4, seed: 3 };
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    let loads = random_loads(&spec, &mut rng, 2);
    let must = expected(&spec, &loads).unwrap();
    let mut host = Host::new(&mut simulator, &map, stalls);
    access_registers(&mut host, &map, &mut rng).is_ok()
        && run_loads(&mut host, &spec, &loads).is_ok_and(|rows| rows == must)
}

#[test]
fn a_top_that_breaks_the_protocol_is_caught_by_the_contracts() {
    let top = build(&spec(SMALL)).module;
    assert_eq!(broken_contracts(&top), [""; 0]);
    let mutants: [(&str, Change, &str); 5] = [
        (
            "m_axis_out",
            |m, s| flip(m, s, "data"),
            "stream `m_axis_out`: `data` changed before it passed",
        ),
        ("m_axis_out", gives_up, "stream `m_axis_out`: valid fell before the payload passed"),
        ("s_axil_b", gives_up, "stream `s_axil_b`: valid fell before the payload passed"),
        (
            "s_axil_r",
            |m, s| flip(m, s, "data"),
            "stream `s_axil_r`: `data` changed before it passed",
        ),
        (
            "s_axil_b",
            |m, s| flip(m, s, "resp"),
            "stream `s_axil_b`: `resp` changed before it passed",
        ),
    ];
    for (stream, change, must) in mutants {
        let said = broken_contracts(&mutant(&top, stream, change));
        assert!(said.iter().any(|is| is == must), "{must}: {said:?}");
    }
}

#[test]
fn a_top_that_waits_for_ready_is_not_built() {
    let top = build(&spec(SMALL)).module;
    let change: Change = |_, s| Stream { valid: s.valid & *s.ready, ..s };
    let errors = mutant_builder(&top, "m_axis_out", change).try_finish().unwrap_err().to_string();
    assert!(errors.contains("stream `m_axis_out`: valid depends on its own ready"), "{errors}");
}

/// Faults that keep to the protocol are the golden models' to find.
#[test]
fn a_top_that_loses_something_is_caught_by_the_models() {
    let top = build(&spec(SMALL)).module;
    assert!(is_right(&top));
    let mutants: [(&str, Change); 6] = [
        ("s_axil_b", loses),
        ("s_axil_w", ignores_strobes),
        ("m_axis_out", loses),
        ("m_axis_out", forgets_last),
        ("s_axis_keys", loses),
        ("s_axis_queries", |m, s| flip(m, s, "data")),
    ];
    for (stream, change) in mutants {
        assert!(!is_right(&mutant(&top, stream, change)), "a fault at {stream} went unseen");
    }
}
