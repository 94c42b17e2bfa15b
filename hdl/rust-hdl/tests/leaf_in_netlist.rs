//! Each leaf inside an hwgen netlist: our engines, Icarus and Verilator agree in every cycle.

mod common;
mod leaf_cases;

use common::{Case, any_bits, chance, icarus, verilator};
use hwgen_hdl::sim::Engine;
use hwgen_hdl::{Module, ModuleBuilder, mux, u};
use hwgen_rust_hdl::leaves::{Edge, bit_synchronizer, edge_detector, synchronous_fifo};
use leaf_cases::{fifo_vectors, spi_leaf};
use rand::Rng;
use std::sync::Arc;

const CYCLES: usize = 2_500;

/// Two FIFOs in a row with a register between: a word moves on when the second has room.
fn two_fifos() -> Arc<Module> {
    let fifo = synchronous_fifo(13).unwrap();
    let m = ModuleBuilder::new("two_fifos");
    let (first, second) = (m.instance("first", &fifo), m.instance("second", &fifo));
    let running = !m.domain().in_reset();
    let word = m.reg("word", u(13));
    let holds = m.reg("holds", u(1));
    let put = (holds & !second.output("full") & running).named("put");
    let take = ((!holds | put) & !first.output("empty") & running).named("take");
    word.next(first.output("data_out")).enable(take);
    holds.next(take | (holds & !put));
    first.input("write", m.input("write", u(1)) & !first.output("full") & running);
    first.input("data_in", m.input("data_in", u(13)));
    first.input("read", take);
    second.input("write", put);
    second.input("data_in", word);
    second.input("read", m.input("read", u(1)) & !second.output("empty") & running);
    let (empty, data) = (second.output("empty"), second.output("data_out"));
    m.output("empty", empty);
    // What stands in an unread memory is unknown in hardware.
    m.output("data_or_0", mux(empty, m.lit(u(13), 0), data));
    m.output("overflow", first.output("overflow") | second.output("overflow"));
    m.finish()
}

/// Counts the rises of 5 lanes that come from another clock domain.
fn rise_counters() -> Arc<Module> {
    let m = ModuleBuilder::new("rise_counters");
    let synchronizer = m.instance("synchronizer", &bit_synchronizer(5).unwrap());
    let rises = m.instance("rises", &edge_detector(5, Edge::Rising).unwrap());
    synchronizer.input("sig_in", m.input("lanes", u(5)));
    rises.input("input_signal", synchronizer.output("sig_out"));
    let edges = rises.output("edge_signal");
    for lane in 0..5 {
        let count = m.reg(format!("count_{lane}"), u(8));
        count.next(count + 1).enable(edges.bit(lane));
        m.output(format!("rises_{lane}"), count);
    }
    m.finish()
}

/// Sends a running number over a wire and looks at what comes back.
fn spi_loop() -> Arc<Module> {
    let m = ModuleBuilder::new("spi_loop");
    let spi = m.instance("spi", &spi_leaf(11, 0));
    let running = !m.domain().in_reset();
    let start = (m.input("start", u(1)) & !spi.output("busy") & running).named("start_now");
    let number = m.reg("number", u(11));
    number.next(number + 77).enable(start);
    spi.input("start_send", start);
    spi.input("data_outbound", number);
    spi.input("bits_outbound", m.input("bits", u(4)).extend(16));
    spi.input("continued_transaction", m.lit(u(1), 0));
    spi.input("wires__miso", spi.output("wires__mosi"));
    let received = m.reg("received", u(11));
    received.next(spi.output("data_inbound")).enable(spi.output("transfer_done"));
    m.output("received_word", received);
    m.output("select", spi.output("wires__msel"));
    m.output("wire_clock", spi.output("wires__mclk"));
    m.finish()
}

/// In reset during the first two cycles; not later, since leaves have no reset.
fn cases() -> Vec<Case> {
    let mut draw = fifo_vectors();
    let resetting = |cycle: &mut u32| {
        *cycle += 1;
        u8::from(*cycle <= 2).into()
    };
    let mut cycle = [0; 3];
    let [first, second, third] = &mut cycle;
    vec![
        Case::new(two_fifos(), CYCLES, move |port, rng| match &*port.name {
            "rst" => resetting(first),
            _ => draw(port, rng),
        }),
        Case::new(rise_counters(), CYCLES, move |port, rng| match &*port.name {
            "rst" => resetting(second),
            _ => any_bits(port, rng),
        }),
        Case::new(spi_loop(), CYCLES, move |port, rng| match &*port.name {
            "rst" => resetting(third),
            "bits" => rng.random_range(0..=11).into(),
            _ => chance(rng, 0.3),
        }),
    ]
}

#[test]
fn netlists_with_leaves_equal_on_every_engine() {
    let cases = cases();
    let engines = [("Icarus", icarus(&cases)), ("Verilator", verilator(&cases))];
    for (index, case) in cases.iter().enumerate() {
        let expected = case.ours(Engine::Interpreter);
        assert_eq!(expected, case.ours(Engine::Jit), "{}: our engines", case.module.name);
        let mut distinct = expected.clone();
        distinct.sort();
        distinct.dedup();
        assert!(distinct.len() > 20, "{}: {} distinct rows", case.module.name, distinct.len());
        for (engine, traces) in &engines {
            // Registers are unknown to Icarus until reset has seen an edge.
            let differs =
                (1..expected.len()).find(|&cycle| expected[cycle] != traces[index][cycle]);
            assert_eq!(differs, None, "{} differs in {engine} at this cycle", case.module.name);
        }
        println!("{:16} {CYCLES} cycles equal on all engines", case.module.name);
    }
}

#[test]
fn a_leaf_is_printed_once_for_any_number_of_instances() {
    let text = two_fifos().verilog().unwrap();
    assert_eq!(text.matches("module synchronous_fifo_w13_d16(").count(), 1);
    assert_eq!(text.matches("synchronous_fifo_w13_d16__ram ").count(), 1);
    assert_eq!(text.matches("  synchronous_fifo_w13_d16 ").count(), 2);
}
