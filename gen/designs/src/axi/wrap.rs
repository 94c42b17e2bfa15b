//! The top around a design.

use super::map::{CLEAR_COUNTERS, RegisterMap, plain_ports, status_bits};
use super::width::{data_and_last, deserializer, packed, serializer, unpacked};
use super::{AxiError, registers};
use hwgen_hdl::lib::register_slice::{Cut, slice_stream};
use hwgen_hdl::netlist::{Direction, ResetKind, StreamPort};
use hwgen_hdl::{Bundle, Fields, InstanceBuilder, Module, ModuleBuilder, Signal, Stream, cat, u};
use std::sync::Arc;

/// The widest bus.
pub const MOST_BUS_BITS: u32 = 4096;

/// How a top is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wrapping<'a> {
    /// Bits of `tdata`, a multiple of 8 up to [`MOST_BUS_BITS`]; none: a payload a transfer, in
    /// whole bytes.
    pub bus_bits: Option<u32>,
    /// What the core's plain ports mean, by name.
    pub meanings: &'a [(&'a str, &'a str)],
}

/// A top and its registers.
#[derive(Debug, Clone)]
pub struct Wrapped {
    /// The top module.
    pub module: Arc<Module>,
    /// What its registers are.
    pub map: RegisterMap,
}

/// A stream of the core on its bus.
struct Bus {
    /// The core's stream.
    stream: StreamPort,
    fields: Fields,
    payload_bits: u32,
    bus_bits: u32,
    last: bool,
}

impl Bus {
    fn new(core: &Module, stream: &StreamPort, bus_bits: Option<u32>) -> Result<Bus, AxiError> {
        let fields: Fields = (stream.payload.iter())
            .map(|(name, node)| (name.to_string(), core.ty(*node)))
            .collect();
        let inside = fields.iter().filter(|(name, _)| name != "last");
        let payload_bits: u32 = inside.map(|(_, ty)| ty.width).sum();
        let name = || stream.name.to_string();
        let last = fields.iter().find(|(name, _)| name == "last");
        if payload_bits == 0 || last.is_some_and(|(_, ty)| *ty != u(1)) {
            return Err(AxiError::Payload { stream: name() });
        }
        let bus_bits = bus_bits.unwrap_or(8 * payload_bits.div_ceil(8));
        if bus_bits == 0 || !bus_bits.is_multiple_of(8) || bus_bits > MOST_BUS_BITS {
            return Err(AxiError::BusWidth { stream: name(), bits: bus_bits });
        }
        Ok(Bus { stream: stream.clone(), last: last.is_some(), fields, payload_bits, bus_bits })
    }

    /// Its name as a bus.
    fn name(&self) -> String {
        let side = if self.stream.direction == Direction::In { "s" } else { "m" };
        format!("{side}_axis_{}", self.stream.name)
    }

    fn cuts(&self) -> bool {
        self.payload_bits > self.bus_bits
    }
}

/// What a bus tells register STATUS.
struct State<'m> {
    waits: Signal<'m>,
    cut: Option<Signal<'m>>,
}

/// Puts a top named `name` around `core`: its streams on AXI4-Stream buses, its plain ports in
/// registers behind AXI4-Lite, as `docs/axi.md` defines. Input `clear_counters` of the core, if it
/// has one, becomes a control bit.
///
/// # Errors
/// A core that the definition has no room for.
pub fn wrap(name: &str, core: &Arc<Module>, how: Wrapping<'_>) -> Result<Wrapped, AxiError> {
    let [clock] = &core.clocks[..] else {
        return Err(AxiError::Clocks { module: core.name.to_string(), count: core.clocks.len() });
    };
    let buses: Vec<Bus> = (core.streams.iter())
        .map(|stream| Bus::new(core, stream, how.bus_bits))
        .collect::<Result<_, _>>()?;
    let layout: Vec<_> = (buses.iter())
        .map(|bus| format!("{} {} {:?}", bus.name(), bus.bus_bits, bus.fields))
        .collect();
    let map = RegisterMap::new(name, core, how.meanings, &layout.join("\n"))?;

    let m = ModuleBuilder::new(name);
    m.doc(format!("`{}` behind AXI4-Stream and AXI4-Lite.", core.name));
    m.parameter("fingerprint", format!("{:08x}", map.fingerprint));
    let domain = m.clock("aclk").reset("aresetn", ResetKind::Sync, true);
    domain.default();
    let (inputs, outputs) = plain_ports(core);
    let (state_bits, _) = status_bits(buses.len());
    let file = registers::module(&map, &inputs, &outputs, state_bits);
    let file = m.instance("registers", &file);
    for channel in registers::CHANNELS_IN {
        file.stream_into(channel, m.stream_in_as(channel, channel, &registers::channel(channel)));
    }
    for channel in registers::CHANNELS_OUT {
        m.stream_out_as(channel, channel, &file.stream_from(channel));
    }

    let hold = (domain.in_reset() | file.output("core_reset")).named("hold");
    let unit = m.instance("core", core);
    if let Some(reset) = &clock.reset {
        let port = core.inputs.iter().find(|port| port.node == reset.signal);
        let level = if reset.active_low { !hold } else { hold };
        if let Some(port) = port {
            unit.input(&port.name, level);
        }
    }
    if core.inputs.iter().any(|port| *port.name == *CLEAR_COUNTERS) {
        unit.input(CLEAR_COUNTERS, file.output("clear"));
    }
    for (port, _) in &inputs {
        unit.input(port, file.output(port));
    }
    for (port, _) in &outputs {
        file.input(port, unit.output(port));
    }
    let states: Vec<State<'_>> = (buses.iter())
        .map(|bus| match bus.stream.direction {
            Direction::In => incoming(&m, bus, &unit, hold),
            Direction::Out => outgoing(&m, bus, &unit, hold),
        })
        .collect();
    file.input("status", status(&m, &buses, &states, file.output("clear")));
    Ok(Wrapped { module: m.finish(), map })
}

fn incoming<'m>(
    m: &'m ModuleBuilder,
    bus: &Bus,
    core: &InstanceBuilder<'m>,
    hold: Signal<'m>,
) -> State<'m> {
    let name = bus.name();
    let outside =
        m.stream_in_as(&name, &format!("{name}_t"), &data_and_last(bus.bus_bits, bus.last));
    let waits = (outside.valid & !*outside.ready).called(format!("{}_waits", bus.stream.name));
    let sliced = slice_stream(Cut::Full, &format!("{}_in", bus.stream.name), &outside);
    // what comes while the core is held in reset is taken and dropped
    let name = format!("{}_passing", bus.stream.name);
    let passing = Stream::source(m, &name, sliced.valid & !hold, sliced.payload.clone());
    sliced.ready.drive(*passing.ready | hold);
    let (whole, cut) = if bus.cuts() {
        let unit = deserializer(bus.payload_bits, bus.bus_bits, bus.last);
        let join = m.instance(format!("{}_join", bus.stream.name), &unit);
        join.input("rst", hold).stream_into("in", passing);
        (join.stream_from("out"), bus.last.then(|| join.output("cut")))
    } else {
        let data = passing.get("data").truncate(bus.payload_bits);
        let payload = passing.payload.map(|field, old| if field == "data" { data } else { old });
        (passing.with_payload(payload), None)
    };
    let last = bus.last.then(|| whole.get("last"));
    let payload = unpacked(&bus.fields, whole.get("data"), last);
    core.stream_into(&bus.stream.name, whole.with_payload(payload));
    State { waits, cut }
}

fn outgoing<'m>(
    m: &'m ModuleBuilder,
    bus: &Bus,
    core: &InstanceBuilder<'m>,
    hold: Signal<'m>,
) -> State<'m> {
    let whole = core.stream_from(&bus.stream.name);
    let with_last = |data: Signal<'m>| {
        let payload = Bundle::new([("data", data)]);
        if bus.last { payload.with("last", whole.get("last")) } else { payload }
    };
    let data = packed(&whole.payload);
    let cut = if bus.cuts() {
        let unit = serializer(bus.payload_bits, bus.bus_bits, bus.last);
        let cutter = m.instance(format!("{}_cut", bus.stream.name), &unit);
        cutter.input("rst", hold).stream_into("in", whole.with_payload(with_last(data)));
        cutter.stream_from("out")
    } else {
        whole.with_payload(with_last(
            data.extend(bus.bus_bits).called(format!("{}_padded", bus.stream.name)),
        ))
    };
    // a transfer once offered outside stays, whatever the core's reset
    let valid = (cut.valid & !hold).called(format!("{}_offered", bus.stream.name));
    let passing = Stream { valid, ..cut };
    let sliced = slice_stream(Cut::Full, &format!("{}_out", bus.stream.name), &passing);
    let name = bus.name();
    m.stream_out_as(&name, &format!("{name}_t"), &sliced);
    State { waits: sliced.valid & !*sliced.ready, cut: None }
}

/// Registers STATUS and CUT: `waits` of each stream as it was a cycle ago, `cut` since the last clear.
fn status<'m>(
    m: &'m ModuleBuilder,
    buses: &[Bus],
    states: &[State<'m>],
    clear: Signal<'m>,
) -> Signal<'m> {
    let (width, cut_from) = status_bits(buses.len());
    let mut bits = vec![m.lit(u(1), 0); width as usize];
    for (k, (bus, state)) in buses.iter().zip(states).enumerate() {
        let name = &bus.stream.name;
        bits[k] = m.reg(format!("{name}_waits"), u(1)).next(state.waits).into();
        if let Some(cut) = state.cut {
            let seen = m.reg(format!("{name}_was_cut"), u(1)).clear(clear);
            bits[cut_from as usize + k] = seen.next(seen | cut).into();
        }
    }
    bits.reverse();
    cat(&bits)
}
