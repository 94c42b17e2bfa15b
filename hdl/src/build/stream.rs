//! Valid/ready streams.
//!
//! The contract, asserted in every simulation:
//! 1. a payload passes at a rising edge at which `valid` and `ready` are both 1;
//! 2. once `valid` is 1 it stays 1, and the payload stays the same, until it passes;
//! 3. `valid` never depends on `ready` within a cycle (checked when the module is built);
//! 4. `ready` may depend on `valid`, and may come and go as it likes.
//!
//! A stream `q` with fields `data` and `last` has the ports `q_valid`, `q_ready`, `q_data`, `q_last`.
//! Standards that name ports otherwise have a prefix of their own: AXI4-Stream `s_axis_q` with the
//! prefix `s_axis_q_t` has `s_axis_q_tvalid`, ..

use super::{Bundle, Fields, ModuleBuilder, Signal, Wire};
use crate::netlist::{ClockId, Direction, Module, StreamPort};
use crate::place::Place;
use crate::ty::u;
use std::sync::Arc;

/// The receiving end of a stream: read `valid` and `payload`, drive `ready`.
#[derive(Clone)]
pub struct Stream<'m> {
    /// A payload is offered.
    pub valid: Signal<'m>,
    /// What is offered.
    pub payload: Bundle<'m>,
    /// To be driven by the receiver; the sender reads it.
    pub ready: Wire<'m>,
}

/// The name of a stream's port for one of its fields.
pub fn field_name(stream: &str, field: &str) -> String {
    format!("{stream}_{field}")
}

impl<'m> Stream<'m> {
    /// A stream made in this module: `valid` and `payload` are given, `ready` comes back through
    /// the wire once a receiver drives it.
    #[track_caller]
    pub fn source(
        m: &'m ModuleBuilder,
        name: &str,
        valid: impl Into<Signal<'m>>,
        payload: Bundle<'m>,
    ) -> Stream<'m> {
        let ready = m.wire(field_name(name, "ready"), u(1));
        Stream { valid: valid.into(), payload, ready }
    }

    /// Whether a payload passes at this edge.
    #[track_caller]
    pub fn fires(&self) -> Signal<'m> {
        let ready = self.ready.name().unwrap_or_default();
        let stream = ready.trim_end_matches("ready").trim_end_matches("_t").trim_end_matches('_');
        (self.valid & *self.ready).called(format!("{stream}_fires"))
    }

    /// The field of that name.
    #[track_caller]
    pub fn get(&self, field: &str) -> Signal<'m> {
        self.payload.get(field)
    }

    /// The same handshake with another payload.
    pub fn with_payload(&self, payload: Bundle<'m>) -> Stream<'m> {
        Stream { payload, ..self.clone() }
    }

    /// Sends the stream through an instance of `module`, in by its stream `in`, out by its `out`.
    #[track_caller]
    pub fn through(self, name: &str, module: &Arc<Module>) -> Stream<'m> {
        let stage = self.valid.module().instance(name, module);
        stage.stream_into("in", self);
        stage.stream_from("out")
    }
}

impl ModuleBuilder {
    /// A stream that comes in through the module's ports.
    #[track_caller]
    pub fn stream_in(&self, name: &str, fields: &Fields) -> Stream<'_> {
        self.stream_in_as(name, &field_name(name, ""), fields)
    }

    /// A stream that comes in through ports whose names begin with `prefix`.
    #[track_caller]
    pub fn stream_in_as(&self, name: &str, prefix: &str, fields: &Fields) -> Stream<'_> {
        let clock = self.default_clock_later(Place::here());
        self.add_stream_in(clock, (name, prefix), fields)
    }

    #[track_caller]
    pub(super) fn add_stream_in(
        &self,
        clock: ClockId,
        (name, prefix): (&str, &str),
        fields: &Fields,
    ) -> Stream<'_> {
        let at = Place::here();
        let port = |field: &str| format!("{prefix}{field}");
        let valid = self.input(port("valid"), u(1));
        let mut payload = Bundle::default();
        for (field, ty) in fields {
            payload = payload.with(field, self.input(port(field), *ty));
        }
        let ready = self.wire(port("ready"), u(1));
        self.output(port("ready"), ready);
        let stream = Stream { valid, payload, ready };
        self.note_stream(clock, (name, prefix), Direction::In, &stream, at);
        stream
    }

    /// Sends a stream out through the module's ports.
    #[track_caller]
    pub fn stream_out<'m>(&'m self, name: &str, stream: &Stream<'m>) {
        self.stream_out_as(name, &field_name(name, ""), stream);
    }

    /// Sends a stream out through ports whose names begin with `prefix`.
    #[track_caller]
    pub fn stream_out_as<'m>(&'m self, name: &str, prefix: &str, stream: &Stream<'m>) {
        let clock = self.default_clock_later(Place::here());
        self.add_stream_out(clock, (name, prefix), stream);
    }

    #[track_caller]
    pub(super) fn add_stream_out<'m>(
        &'m self,
        clock: ClockId,
        (name, prefix): (&str, &str),
        stream: &Stream<'m>,
    ) {
        let at = Place::here();
        let port = |field: &str| format!("{prefix}{field}");
        self.output(port("valid"), stream.valid);
        for (field, signal) in stream.payload.iter() {
            self.output(port(field), signal);
        }
        stream.ready.drive(self.input(port("ready"), u(1)));
        self.note_stream(clock, (name, prefix), Direction::Out, stream, at);
    }

    fn note_stream(
        &self,
        clock: ClockId,
        (name, prefix): (&str, &str),
        direction: Direction,
        stream: &Stream<'_>,
        place: Place,
    ) {
        let payload =
            stream.payload.iter().map(|(name, field)| (Arc::from(name), field.id())).collect();
        self.draft.borrow_mut().module.streams.push(StreamPort {
            name: name.into(),
            prefix: prefix.into(),
            direction,
            clock,
            valid: stream.valid.id(),
            ready: stream.ready.id(),
            payload,
            place,
        });
    }
}

impl<'m> super::InstanceBuilder<'m> {
    /// Connects a stream to the instance's incoming stream `port`.
    #[track_caller]
    pub fn stream_into(self, port: &str, stream: Stream<'m>) {
        let name = self.stream_ports(port);
        self.input(&name("valid"), stream.valid);
        for (field, signal) in stream.payload.iter() {
            self.input(&name(field), signal);
        }
        stream.ready.drive(self.output(&name("ready")));
    }

    /// How the ports of one of the module's streams are named.
    fn stream_ports(self, stream: &str) -> impl Fn(&str) -> String + use<> {
        let module = self.module();
        let declared = module.streams.iter().find(|declared| *declared.name == *stream);
        let prefix =
            declared.map_or(field_name(stream, ""), |declared| declared.prefix.to_string());
        move |field| format!("{prefix}{field}")
    }

    /// The instance's outgoing stream `port`.
    #[track_caller]
    pub fn stream_from(self, port: &str) -> Stream<'m> {
        let module = self.module();
        let declared = module.streams.iter().find(|stream| *stream.name == *port);
        let fields = declared.map_or(&[][..], |stream| &stream.payload);
        let name = self.stream_ports(port);
        let valid = self.output(&name("valid"));
        let mut payload = Bundle::default();
        for (field, _) in fields {
            payload = payload.with(&**field, self.output(&name(field)));
        }
        let ready = self.parent().wire(self.net_name(&name("ready")), u(1));
        self.input(&name("ready"), ready);
        Stream { valid, payload, ready }
    }
}
