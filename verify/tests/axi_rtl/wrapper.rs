//! The top around designs other than LAPA.

use hwgen_designs::attention::attend::drive::Head;
use hwgen_designs::attention::attend::{self, AttendSpec};
use hwgen_designs::axi::drive::{Host, Stalls, cut, join};
use hwgen_designs::axi::{Wrapped, Wrapping, wrap};
use hwgen_designs::drive::Values;
use hwgen_hdl::lib::fifo;
use hwgen_hdl::netlist::StreamPort;
use hwgen_hdl::sim::{Engine, Simulator};
use hwgen_hdl::{Int, Module, ModuleBuilder, fields, s, u};
use hwgen_verify::suite::spec;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::sync::Arc;

fn wrapped(name: &str, core: &Arc<Module>, bus_bits: Option<u32>) -> Wrapped {
    wrap(name, core, Wrapping { bus_bits, meanings: &[] }).unwrap()
}

fn bits(core: &Module, stream: &StreamPort) -> u32 {
    let inside = stream.payload.iter().filter(|(field, _)| **field != *"last");
    inside.map(|(_, node)| core.ty(*node).width).sum()
}

/// Another engine, with a payload a transfer and with many transfers a payload.
#[test]
fn the_exact_stage_behind_axi() {
    let spec: AttendSpec = spec("head_dim=3 max_keys=10 rows=4 lanes=2");
    let core = attend::build(&spec);
    for bus_bits in [None, Some(8), Some(32)] {
        let built = wrapped("attend_axi", &core, bus_bits);
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let head = Head::kept_at_random(&spec, &mut rng, 10, 12, Values::Uniform);
        let mut simulator = Simulator::new(&built.module, Engine::Jit);
        let stalls = Stalls { registers: 0.0, inputs: 0.2, outputs: 0.4, seed: 7 };
        let mut host = Host::new(&mut simulator, &built.map, stalls);
        let width = |stream: &str| {
            let port = core.streams.iter().find(|port| *port.name == *stream).unwrap();
            let bits = bits(&core, port);
            (bits, bus_bits.unwrap_or(bits.div_ceil(8) * 8))
        };
        let vector = |elements: &[i32]| {
            let byte = |sum: Int, x: &i32| (sum << 8) | Int::from(*x as u8);
            elements.iter().rev().fold(Int::ZERO, byte)
        };
        let mut send = |stream: &str, payload: Int, last: bool| {
            let (bits, bus) = width(stream);
            host.send(stream, cut(&payload, bits, bus, last));
        };
        for (j, (key, value)) in head.keys.iter().zip(&head.values).enumerate() {
            send("keys", vector(key) | vector(value) << 24, j == 9);
        }
        for (i, row) in head.rows.iter().enumerate() {
            let query = &row.query;
            let rest = Int::from(query.scale) << 24 | Int::from(query.shift) << 40;
            send("queries", vector(&query.elements) | rest, i == 11);
            let groups = row.survivors.chunks(4);
            let count = groups.len();
            for (g, group) in groups.enumerate() {
                let live: u32 = group.iter_ones().map(|bit| 1 << bit).sum();
                send("survivors", live.into(), g + 1 == count);
            }
        }
        let (bits, bus) = width("out");
        host.await_transfers("out", 12 * bits.div_ceil(bus) as usize).unwrap();
        let rows = join(host.received("out"), bits, bus).unwrap();
        let element = |data: &Int, i: u32| i32::try_from(s(16).wrap(data >> (16 * i))).unwrap();
        let is: Vec<Vec<i32>> =
            rows.iter().map(|(data, _)| (0..3).map(|i| element(data, i)).collect()).collect();
        assert_eq!(is, head.expected(spec.probability_bits).unwrap(), "{bus_bits:?}");
        let ends: Vec<_> = rows.iter().map(|(_, last)| *last).collect();
        assert_eq!(ends, [vec![false; 11], vec![true]].concat());
        // an output of one bit is a register too
        assert!(host.read("idle_starved").unwrap() < 2);
    }
}

/// A queue with ports of awkward widths beside it.
fn core() -> Arc<Module> {
    let m = ModuleBuilder::new("awkward");
    let data = fields([("a", u(33)), ("last", u(1)), ("b", s(67))]);
    m.stream_out("out", &m.stream_in("in", &data).through("queue", &fifo(4, &data)));
    let (gain, flag) = (m.input("gain", s(40)), m.input("flag", u(1)));
    m.output("gained", m.reg("gained", s(50)).next(gain.extend(50)));
    m.output("narrow", gain.truncate(5));
    m.output("flagged", m.reg("flagged", u(1)).next(flag));
    m.finish()
}

#[test]
fn wide_and_signed_ports() {
    let built = wrapped("awkward_axi", &core(), Some(32));
    let mut simulator = Simulator::new(&built.module, Engine::Jit);
    let mut host = Host::new(&mut simulator, &built.map, Stalls::default());
    // -2^33 - 5
    host.write(&[("gain_0", 0xffff_fffb), ("gain_1", 0xffff_fffd), ("flag", 3)]).unwrap();
    let mut read = |name: &str| host.read(name).unwrap();
    assert_eq!([read("gain_0"), read("gain_1"), read("flag")], [0xffff_fffb, 0xfd, 1]);
    assert_eq!([read("gained_0"), read("gained_1")], [0xffff_fffb, 0xffff_fffd]);
    assert_eq!([read("narrow"), read("flagged")], [0xffff_fffb, 1]);
    assert_eq!(read("fingerprint"), built.map.fingerprint);
}

/// A bus is never idle because of the top.
#[test]
fn transfers_follow_each_other_without_a_gap() {
    for (bus_bits, count) in [(Some(8), 13), (Some(32), 4), (Some(64), 2), (None, 1)] {
        let built = wrapped("awkward_axi", &core(), bus_bits);
        let mut simulator = Simulator::new(&built.module, Engine::Jit);
        let mut host = Host::new(&mut simulator, &built.map, Stalls::default());
        let payloads: Vec<_> = (0..50u32).map(|i| (Int::from(i) << 77) + i * i).collect();
        let bus = bus_bits.unwrap_or(104);
        for (i, payload) in payloads.iter().enumerate() {
            host.send("in", cut(payload, 100, bus, i % 3 == 0));
        }
        host.await_transfers("out", 50 * count).unwrap();
        let is = join(host.received("out"), 100, bus).unwrap();
        let must = payloads.into_iter().enumerate().map(|(i, payload)| (payload, i % 3 == 0));
        assert_eq!(is, must.collect::<Vec<_>>());
        let cycles = host.bench.cycle;
        assert!(cycles <= 50 * count as u64 + count as u64 + 6, "{bus_bits:?}: {cycles} cycles");
    }
}

#[test]
fn a_payload_that_tlast_cuts_is_dropped_and_told() {
    let built = wrapped("awkward_axi", &core(), Some(32));
    let mut simulator = Simulator::new(&built.module, Engine::Jit);
    let mut host = Host::new(&mut simulator, &built.map, Stalls::default());
    let mut short = cut(&Int::from(77), 100, 32, false);
    short.truncate(3);
    short[2][1] = 1.into();
    host.send("in", cut(&Int::from(5), 100, 32, false));
    host.send("in", short);
    host.send("in", cut(&Int::from(6), 100, 32, true));
    host.await_transfers("out", 8).unwrap();
    let is = join(host.received("out"), 100, 32).unwrap();
    assert_eq!(is, [(5.into(), false), (6.into(), true)]);
    let cut_bit = built.map.get("status").unwrap().fields.iter().find(|f| f.name == "in_cut");
    let mask = 1 << cut_bit.unwrap().low;
    assert_eq!(host.read("status").unwrap(), mask);
    host.write(&[("control", 2)]).unwrap();
    assert_eq!(host.read("status").unwrap(), 0);
}

#[test]
fn what_cannot_be_wrapped_is_said() {
    let error = |core: &Arc<Module>, bits| {
        wrap("top", core, Wrapping { bus_bits: bits, meanings: &[] }).unwrap_err().to_string()
    };
    assert_eq!(
        error(&core(), Some(12)),
        "stream `in`: a bus of 12 bits; it must be a multiple of 8 in 8..=4096"
    );
    let m = ModuleBuilder::new("tokens");
    let token = fields([("last", u(1))]);
    m.stream_out("out", &m.stream_in("in", &token).through("queue", &fifo(4, &token)));
    assert_eq!(
        error(&m.finish(), None),
        "stream `in`: a payload needs a field beside `last`, and `last` is one bit"
    );
    let m = ModuleBuilder::new("many");
    (0..65).for_each(|i| m.output(format!("o_{i}"), m.input(format!("i_{i}"), u(1))));
    m.output("state", m.reg("state", u(1)).next(1));
    assert_eq!(error(&m.finish(), None), "65 registers for plain inputs; there is room for 64");
}

/// More than 16 streams: what was cut has a register of its own.
#[test]
fn a_crowd_of_streams_has_two_registers_of_state() {
    let token = fields([("data", u(40)), ("last", u(1))]);
    let crowd = |count: usize| {
        let m = ModuleBuilder::new("crowd");
        for i in 0..count {
            let waits = m.stream_in(&format!("in_{i}"), &token);
            m.stream_out(
                &format!("out_{i}"),
                &waits.through(&format!("queue_{i}"), &fifo(4, &token)),
            );
        }
        m.output("state", m.reg("state", u(1)).next(1));
        m.finish()
    };
    let built = wrapped("crowd_axi", &crowd(9), Some(32));
    let mut simulator = Simulator::new(&built.module, Engine::Jit);
    let stalls = Stalls { registers: 0.0, inputs: 0.0, outputs: 1.0, seed: 1 };
    let mut host = Host::new(&mut simulator, &built.map, stalls);
    let bit = |register: &str, field: &str| {
        let fields = &built.map.get(register).unwrap().fields;
        1 << fields.iter().find(|f| f.name == field).unwrap().low
    };
    let mut short = cut(&Int::from(77), 40, 32, false);
    short.truncate(1);
    short[0][1] = 1.into();
    host.send("in_8", short);
    host.send("in_7", cut(&Int::from(5), 40, 32, true));
    (0..50).for_each(|_| host.bench.step());
    assert_eq!(host.read("status").unwrap(), bit("status", "out_7_waits"));
    assert_eq!(host.read("cut").unwrap(), bit("cut", "in_8_cut"));
    host.write(&[("control", 2)]).unwrap();
    assert_eq!(host.read("cut").unwrap(), 0);

    let error = wrap("top", &crowd(17), Wrapping { bus_bits: None, meanings: &[] }).unwrap_err();
    assert_eq!(error.to_string(), "34 streams; there is room for the state of 32");
}
