//! Engines compared by what passes through their streams, whatever the cycle.
//!
//! Each engine gets the same payloads and stalls of its own, so a design whose results depend on
//! who waits for whom shows it. Promises and stream contracts are checked where engines can.

use super::CosimError;
use super::compare::{Comparison, Mismatch, Report, hex};
use hwgen_hdl::sim::{Bench, Device};
use hwgen_hdl::{Int, Module};
use std::sync::Arc;

/// What is sent and awaited.
#[derive(Clone, Debug, Default)]
pub struct Traffic {
    /// Inputs that belong to no stream, and the value each holds.
    pub held: Vec<(String, Int)>,
    /// Incoming streams and the payloads each gets, values in the order of the fields.
    pub sent: Vec<(String, Vec<Vec<Int>>)>,
    /// Outgoing streams and how many payloads each must give.
    pub awaited: Vec<(String, usize)>,
    /// How often a stream pauses, from 0 (never) to below 1.
    pub stall: f64,
}

/// Sends the same traffic through every engine of a plan, and compares what comes out.
///
/// # Errors
/// A [`CosimError`] if an engine does not start, a name is wrong, or the payloads do not come
/// within the plan's cycles.
pub fn compare_traffic(
    module: &Arc<Module>,
    plan: &Comparison,
    traffic: &Traffic,
) -> Result<Report, CosimError> {
    let engines = plan.engines.iter().map(|engine| engine.to_string()).collect();
    let mut report = Report { engines, ..Report::default() };
    let mut reference: Option<Received> = None;
    for (k, engine) in plan.engines.iter().enumerate() {
        let mut device = engine.open_checked(module)?;
        let seed = plan.seed.wrapping_add(1000 * k as u64);
        let (received, cycles) = run(device.as_mut(), plan.cycles, traffic, seed)?;
        report.cycles = report.cycles.max(cycles);
        let Some(reference) = &reference else {
            reference = Some(received);
            continue;
        };
        let streams = traffic.awaited.iter().zip(reference.iter().zip(&received));
        for ((stream, _), (expected, got)) in streams {
            for (index, (expected, got)) in expected.iter().zip(got).enumerate() {
                report.checks += expected.len() as u64;
                let Some(field) = expected.iter().zip(got).position(|(a, b)| a != b) else {
                    continue;
                };
                report.mismatches += 1;
                report.first.get_or_insert_with(|| {
                    let (name, width) = field_of(module, stream, field);
                    let shown = |value: &Int| {
                        hex(&hwgen_hdl::u(width).wrap(value.clone()), &Int::ZERO, width)
                    };
                    Mismatch {
                        command: plan.command(plan.cycles),
                        place: format!("payload {index} of stream `{stream}`, field `{name}`"),
                        reference: format!("{} {}", plan.engines[0], shown(&expected[field])),
                        other: format!("{engine} {}", shown(&got[field])),
                    }
                });
            }
        }
    }
    Ok(report)
}

/// For each awaited stream its payloads, values in the order of the fields.
type Received = Vec<Vec<Vec<Int>>>;

/// What came out of each awaited stream, and the cycles it took.
fn run(
    device: &mut dyn Device,
    limit: u64,
    traffic: &Traffic,
    seed: u64,
) -> Result<(Received, u64), CosimError> {
    let module = device.module().clone();
    for (name, value) in &traffic.held {
        let position = module.inputs.iter().position(|port| *port.name == **name);
        let unknown =
            || CosimError::NoInput { module: module.name.to_string(), input: name.clone() };
        device.poke(position.ok_or_else(unknown)?, value);
    }
    let mut bench = Bench::new(device);
    for (k, (stream, payloads)) in traffic.sent.iter().enumerate() {
        let driver = bench.driver(stream, traffic.stall, seed.wrapping_add(k as u64));
        payloads.iter().for_each(|payload| bench.drivers[driver].push(payload.iter().cloned()));
    }
    for (k, (stream, _)) in traffic.awaited.iter().enumerate() {
        bench.monitor(stream, traffic.stall, seed.wrapping_add(500 + k as u64));
    }
    let wanted: Vec<usize> = traffic.awaited.iter().map(|(_, count)| *count).collect();
    let cycles = bench.run_until(limit, "the awaited payloads", |bench| {
        bench.monitors.iter().zip(&wanted).all(|(monitor, count)| monitor.received.len() >= *count)
    })?;
    Ok((bench.monitors.into_iter().map(|monitor| monitor.received).collect(), cycles))
}

/// The name and width of a stream's field.
fn field_of(module: &Module, stream: &str, field: usize) -> (String, u32) {
    let known = module.streams.iter().find(|known| *known.name == *stream);
    let field = known.and_then(|known| known.payload.get(field));
    field.map_or((String::new(), 1), |(name, node)| (name.to_string(), module.ty(*node).width))
}
