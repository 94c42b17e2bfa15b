//! Drivers and monitors.

use hwgen_hdl::sim::{Bench, Engine, Simulator, StreamMonitor};
use hwgen_hdl::{Bundle, Int, Module, ModuleBuilder, fields, u};
use hwgen_hdl::{Stream, s};
use std::sync::Arc;

/// A stream register: takes a payload when empty, sums its fields.
fn summing() -> Arc<Module> {
    let m = ModuleBuilder::new("summing");
    let q = m.stream_in("q", &fields([("a", s(8)), ("b", s(8))]));
    let full = m.reg("full", u(1));
    let sum = m.reg("total", s(9)).no_reset();
    let out = Stream::source(&m, "kept", full, Bundle::new([("sum", *sum)]));
    q.ready.drive(!full);
    sum.next(q.get("a").extend(9) + q.get("b").extend(9)).enable(q.fires());
    full.next(q.fires()).enable(q.fires() | out.fires());
    m.stream_out("out", &out);
    m.finish()
}

#[test]
fn payloads_arrive_in_order_whatever_the_stalls() {
    let module = summing();
    for (engine, stall_in, stall_out) in
        [(Engine::Interpreter, 0.0, 0.7), (Engine::Jit, 0.4, 0.2), (Engine::Jit, 0.0, 0.0)]
    {
        let mut sim = Simulator::new(&module, engine);
        let mut bench = Bench::new(&mut sim);
        let (q, out) = (bench.driver("q", stall_in, 3), bench.monitor("out", stall_out, 4));
        let sent: Vec<[i32; 2]> = (0..50).map(|i| [i - 20, 2 * i]).collect();
        sent.iter().for_each(|payload| bench.drivers[q].push(*payload));
        bench.run_until(1000, "all sums", |b| b.monitors[out].received.len() == 50).unwrap();
        let sums: Vec<Vec<Int>> = sent.iter().map(|[a, b]| vec![Int::from(a + b)]).collect();
        assert_eq!(bench.monitors[out].received, sums);
        assert_eq!((bench.drivers[q].sent, bench.drivers[q].pending()), (50, 0));
    }
}

#[test]
fn waiting_in_vain_and_wrong_streams_are_errors() {
    let mut sim = Simulator::new(&summing(), Engine::Interpreter);
    let mut bench = Bench::new(&mut sim);
    let out = bench.monitor("out", 0.0, 1);
    let waited = bench.run_until(10, "a sum", |b| !b.monitors[out].received.is_empty());
    assert_eq!(waited.unwrap_err().to_string(), "a sum: not within 10 cycles");
    let error = StreamMonitor::new(&summing(), "q", 0.0, 1).err().unwrap();
    assert_eq!(error.to_string(), "module `summing` has no outgoing stream `q`; it has `out`");
}

#[test]
#[should_panic(expected = "stream `q` has 2 payload fields, but a payload of 1 was queued")]
fn payloads_have_all_their_fields() {
    let mut sim = Simulator::new(&summing(), Engine::Interpreter);
    let mut bench = Bench::new(&mut sim);
    let q = bench.driver("q", 0.0, 3);
    bench.drivers[q].push([1]);
}
