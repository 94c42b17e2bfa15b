//! Register slices: cut a stream's combinational paths, as named in SpinalHDL's `Stream`.
//!
//! | cut | valid, payload | ready | latency | throughput | payload registers |
//! |---|---|---|---|---|---|
//! | forward (`m2sPipe`) | cut | passes | 1 | 1 | 1 |
//! | backward (`s2mPipe`, a skid buffer) | pass | cut | 0 | 1 | 1 |
//! | full | cut | cut | 1 | 1 | 2 |
//! | half (`halfPipe`) | cut | cut | 1 | 1/2 | 1 |

use super::naming::shape;
use crate::Place;
use crate::build::{Bundle, Fields, ModuleBuilder, Reg, Signal, Stream, field_name};
use crate::netlist::Module;
use crate::ty::u;
use std::sync::Arc;

/// Which of a stream's paths are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cut {
    /// Valid and payload go through registers; ready passes.
    Forward,
    /// Ready goes through a register; valid and payload pass. A payload caught by a ready that
    /// came too late waits in a buffer.
    Backward,
    /// Both, at full throughput.
    Full,
    /// Both with one register, at half the throughput.
    Half,
}

impl Cut {
    /// The name used in module names: `forward`, ..
    pub const fn name(self) -> &'static str {
        match self {
            Cut::Forward => "forward",
            Cut::Backward => "backward",
            Cut::Full => "full",
            Cut::Half => "half",
        }
    }
}

/// Cuts `stream` inside the caller's module; registers are named `{name}_valid`, `{name}_{field}`
/// (and `{name}_skid_..` behind a backward cut).
#[track_caller]
pub fn slice_stream<'m>(cut: Cut, name: &str, stream: &Stream<'m>) -> Stream<'m> {
    let _caller = Place::of_caller();
    match cut {
        Cut::Forward => forward(name, stream),
        Cut::Backward => backward(name, stream),
        Cut::Full => forward(name, &backward(name, stream)),
        Cut::Half => half(name, stream),
    }
}

/// Registers for a payload, taken over when `enable` is 1.
#[track_caller]
fn store<'m>(name: &str, payload: &Bundle<'m>, enable: Signal<'m>) -> Bundle<'m> {
    let _caller = Place::of_caller();
    payload.map(|field, value| {
        let register = value.module().reg(field_name(name, field), value.ty());
        register.no_reset().enable(enable).next(value).into()
    })
}

#[track_caller]
fn valid_bit<'m>(name: &str, stream: &Stream<'m>) -> Reg<'m> {
    let _caller = Place::of_caller();
    stream.valid.module().reg(field_name(name, "valid"), u(1))
}

#[track_caller]
fn forward<'m>(name: &str, stream: &Stream<'m>) -> Stream<'m> {
    let _caller = Place::of_caller();
    let valid = valid_bit(name, stream);
    let payload = store(name, &stream.payload, stream.fires());
    let output = Stream::source(stream.valid.module(), name, valid, payload);
    let may_take = (*output.ready | !valid).called(field_name(name, "may_take"));
    valid.next(stream.valid).enable(may_take);
    stream.ready.drive(may_take);
    output
}

#[track_caller]
fn backward<'m>(name: &str, stream: &Stream<'m>) -> Stream<'m> {
    let _caller = Place::of_caller();
    let skid = format!("{name}_skid");
    let full = valid_bit(&skid, stream);
    let kept = store(&skid, &stream.payload, stream.fires());
    let now = format!("{name}_now");
    let payload = stream
        .payload
        .map(|field, passing| full.mux(kept.get(field), passing).called(field_name(&now, field)));
    let valid = (stream.valid | *full).called(field_name(&now, "valid"));
    let output = Stream::source(stream.valid.module(), &skid, valid, payload);
    full.next(output.valid & !*output.ready);
    stream.ready.drive(!full);
    output
}

#[track_caller]
fn half<'m>(name: &str, stream: &Stream<'m>) -> Stream<'m> {
    let _caller = Place::of_caller();
    let valid = valid_bit(name, stream);
    let payload = store(name, &stream.payload, stream.fires());
    let output = Stream::source(stream.valid.module(), name, valid, payload);
    valid.next(valid.mux(!*output.ready, stream.valid));
    stream.ready.drive(!valid);
    output
}

/// A register slice as a module: streams `in` and `out` of the given fields.
pub fn register_slice(cut: Cut, fields: &Fields) -> Arc<Module> {
    let m = ModuleBuilder::new(format!("slice_{}_{}", cut.name(), shape(fields)));
    m.doc(match cut {
        Cut::Forward => "Register slice: registers valid and payload, passes ready.",
        Cut::Backward => "Skid buffer: registers ready, passes valid and payload.",
        Cut::Full => "Register slice: registers valid, payload and ready; full throughput.",
        Cut::Half => "Register slice: registers valid, payload and ready; half throughput.",
    });
    m.parameter("cut", cut.name());
    m.parameter("fields", shape(fields));
    let input = m.stream_in("in", fields);
    m.stream_out("out", &slice_stream(cut, "slice", &input));
    m.finish()
}

/// The skid buffer: [`register_slice`] with [`Cut::Backward`].
pub fn skid_buffer(fields: &Fields) -> Arc<Module> {
    register_slice(Cut::Backward, fields)
}

const CUTS: [Cut; 4] = [Cut::Forward, Cut::Backward, Cut::Full, Cut::Half];

pub(super) fn samples() -> Vec<Arc<Module>> {
    use crate::build::fields;
    use crate::ty::s;
    let shapes = [
        fields([("data", u(8))]),
        fields([("last", u(1))]),
        fields([("value", s(70)), ("index", u(9))]),
    ];
    CUTS.iter().flat_map(|cut| shapes.iter().map(|shape| register_slice(*cut, shape))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lib::testing::{Random, pass};
    use crate::ty::Int;

    #[test]
    fn keeps_order_at_the_stated_rate() {
        let mut random = Random::new(5);
        for module in samples() {
            let types: Vec<_> =
                (module.streams[0].payload.iter()).map(|(_, node)| module.ty(*node)).collect();
            let inputs: Vec<Vec<Int>> =
                (0..100).map(|_| types.iter().map(|ty| random.value(*ty)).collect()).collect();
            for stall in [20, 50, 80] {
                assert_eq!(pass(&module, &inputs, stall).outputs, inputs, "{}", module.name);
            }
            let run = pass(&module, &inputs, 0);
            assert_eq!(run.outputs, inputs);
            let cycles = match &module.parameters[0].1[..] {
                "forward" | "full" => 101,
                "backward" => 100,
                _ => 200,
            };
            assert_eq!(run.cycles, cycles, "{}", module.name);
        }
    }

    #[test]
    fn cuts_the_stated_paths() {
        for cut in CUTS {
            let module = register_slice(cut, &super::super::naming::data(4));
            let depends = |output: &str, input: &str| {
                let position = |ports: &[crate::netlist::Port], name: &str| {
                    ports.iter().position(|port| *port.name == *name).expect("a port")
                };
                let input = position(&module.inputs, input);
                module.combinational[position(&module.outputs, output)].contains(&input)
            };
            let passes = |a, b| cut == a || cut == b;
            assert_eq!(depends("out_data", "in_data"), passes(Cut::Backward, Cut::Backward));
            assert_eq!(depends("out_valid", "in_valid"), passes(Cut::Backward, Cut::Backward));
            assert_eq!(depends("in_ready", "out_ready"), passes(Cut::Forward, Cut::Forward));
            assert!(!depends("in_ready", "in_valid"));
        }
    }
}
