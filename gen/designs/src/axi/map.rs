//! The registers of a design: one table, from which come circuit, documents and header.

use super::AxiError;
use hwgen_hdl::netlist::{Direction, NodeId, Port};
use hwgen_hdl::{Fields, Module, Type};
use serde::Serialize;

/// Bits of an address.
pub const ADDRESS_BITS: u32 = 12;
/// What register `id` reads: `hwgn` in ASCII.
pub const ID: u32 = 0x6877_676e;
/// What register `version` reads: the layout of what every design has, major and minor in 16 bits.
pub const VERSION: u32 = 0x0001_0000;
/// Inputs begin here, a page of 64 registers.
const INPUTS: u32 = 0x100;
/// Outputs begin here, two pages.
const OUTPUTS: u32 = 0x200;
const OUTPUTS_END: u32 = 0x400;
/// Streams whose state fits a register: a `waits` and a `cut` bit each. With more, each kind has a
/// register of its own.
const STATUS_STREAMS: usize = 16;
/// Streams whose `waits` fit a register.
const MOST_STREAMS: usize = 32;
/// The input that a control bit takes the place of.
pub(super) const CLEAR_COUNTERS: &str = "clear_counters";

/// Who may do what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Access {
    /// Read only.
    #[serde(rename = "ro")]
    ReadOnly,
    /// Written and read.
    #[serde(rename = "rw")]
    ReadWrite,
    /// Writing 1 does it; reads 0.
    #[serde(rename = "w1")]
    Pulse,
}

/// Bits of a register.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its lowest bit.
    pub low: u32,
    /// How many it has.
    pub bits: u32,
    /// Who may do what.
    pub access: Access,
    /// What it says or does, in a line.
    pub meaning: String,
}

/// What stands behind a register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    Constant(u32),
    Control,
    /// State of the streams, from this bit up.
    Status {
        low: u32,
    },
    /// Bits of the core's input; a wide one has a register for each 32 of them.
    Input {
        port: String,
    },
    /// Bits of the core's output from this one up.
    Output {
        port: String,
        low: u32,
    },
}

/// A register of 32 bits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Register {
    /// Its name.
    pub name: String,
    /// Its byte address, a multiple of 4.
    pub offset: u32,
    /// Who may do what.
    pub access: Access,
    /// Bits it has, from bit 0.
    pub bits: u32,
    /// Its value after reset.
    pub reset: u32,
    /// Its bits, if they differ in meaning.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<Field>,
    /// What it says or does, in a line.
    pub meaning: String,
    #[serde(skip)]
    pub(super) source: Source,
}

/// All registers of a design, by rising offset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RegisterMap {
    /// The top module.
    pub design: String,
    /// Bits of an address.
    pub address_bits: u32,
    /// Hash of registers and streams; what register `fingerprint` reads.
    pub fingerprint: u32,
    /// The registers.
    pub registers: Vec<Register>,
}

impl RegisterMap {
    /// The registers of `core` behind the top `design`; `meanings` says what its ports mean, and
    /// `layout` how its streams are laid out, in any words.
    ///
    /// # Errors
    /// More ports or streams than there is room for.
    pub fn new(
        design: &str,
        core: &Module,
        meanings: &[(&str, &str)],
        layout: &str,
    ) -> Result<RegisterMap, AxiError> {
        let mut registers = common(core)?;
        let meaning = |port: &str| {
            let known = meanings.iter().find(|(name, _)| *name == port);
            known.map_or_else(|| format!("port `{port}` of the core"), |(_, text)| text.to_string())
        };
        let (inputs, outputs) = plain_ports(core);
        let mut offset = INPUTS;
        for (port, ty) in inputs {
            words(&mut registers, &mut offset, (&port, ty), &meaning(&port), true);
        }
        check_room("inputs", offset, INPUTS, OUTPUTS)?;
        let mut offset = OUTPUTS;
        for (port, ty) in outputs {
            words(&mut registers, &mut offset, (&port, ty), &meaning(&port), false);
        }
        check_room("outputs", offset, OUTPUTS, OUTPUTS_END)?;
        let text = serde_json::to_string(&registers).unwrap_or_default();
        let fingerprint = fnv1a(&format!("{text}{layout}"));
        let mut map = RegisterMap {
            design: design.to_owned(),
            address_bits: ADDRESS_BITS,
            fingerprint,
            registers,
        };
        for register in map.registers.iter_mut().filter(|r| r.name == "fingerprint") {
            (register.reset, register.source) = (fingerprint, Source::Constant(fingerprint));
        }
        Ok(map)
    }

    /// The register of that name.
    pub fn get(&self, name: &str) -> Option<&Register> {
        self.registers.iter().find(|register| register.name == name)
    }
}

fn check_room(what: &'static str, end: u32, from: u32, to: u32) -> Result<(), AxiError> {
    let (count, most) = ((end - from) / 4, (to - from) / 4);
    if end <= to { Ok(()) } else { Err(AxiError::TooManyRegisters { what, count, most }) }
}

/// What every design has.
fn common(core: &Module) -> Result<Vec<Register>, AxiError> {
    if core.streams.len() > MOST_STREAMS {
        let (count, most) = (core.streams.len(), MOST_STREAMS);
        return Err(AxiError::TooManyStreams { count, most });
    }
    let field = |name: String, low, access, meaning: &str| Field {
        name,
        low,
        bits: 1,
        access,
        meaning: meaning.to_owned(),
    };
    let control = vec![
        field("reset".into(), 0, Access::ReadWrite, "hold the core in reset, drop what comes in"),
        field("clear".into(), 1, Access::Pulse, "clear counters and `cut` bits"),
    ];
    let mut status = vec![];
    for (k, stream) in (0..).zip(&core.streams) {
        let name = format!("{}_waits", stream.name);
        status.push(field(name, k, Access::ReadOnly, "a transfer is offered and not taken"));
    }
    let (mut cut, apart) = (vec![], core.streams.len() > STATUS_STREAMS);
    let first = if apart { 0 } else { STATUS_STREAMS as u32 };
    for (k, stream) in (first..).zip(&core.streams) {
        let has_last = stream.payload.iter().any(|(field, _)| **field == *"last");
        if stream.direction == Direction::Out || !has_last {
            continue;
        }
        let name = format!("{}_cut", stream.name);
        cut.push(field(name, k, Access::ReadOnly, "`tlast` has come inside a payload"));
    }
    if !apart {
        status.append(&mut cut);
    }
    let row = |name: &str, offset, source: Source, fields: Vec<Field>, meaning: &str| {
        let constant = if let Source::Constant(value) = source { value } else { 0 };
        let writable = source == Source::Control;
        Register {
            name: name.into(),
            offset,
            access: if writable { Access::ReadWrite } else { Access::ReadOnly },
            bits: fields.iter().map(|field| field.low + field.bits).max().unwrap_or(32),
            reset: constant,
            fields,
            meaning: meaning.into(),
            source,
        }
    };
    let mut registers = vec![
        row("id", 0x000, Source::Constant(ID), vec![], "`hwgn` in ASCII"),
        row("version", 0x004, Source::Constant(VERSION), vec![], "of these five registers' layout"),
        row(
            "fingerprint",
            0x008,
            Source::Constant(0),
            vec![],
            "of the map and the streams' layout",
        ),
        row("control", 0x00c, Source::Control, control, "what the core is told"),
        row("status", 0x010, Source::Status { low: 0 }, status, "state of the streams"),
    ];
    if apart {
        registers.push(row("cut", 0x014, Source::Status { low: 32 }, cut, "what came wrongly"));
    }
    Ok(registers)
}

/// The registers of a port: one for each 32 bits.
fn words(
    registers: &mut Vec<Register>,
    offset: &mut u32,
    (port, ty): (&str, Type),
    meaning: &str,
    writable: bool,
) {
    for low in (0..ty.width).step_by(32) {
        let of = port.to_owned();
        let source = match writable {
            true => Source::Input { port: of },
            false => Source::Output { port: of, low },
        };
        let rest = ty.width - low;
        let name = if ty.width > 32 { format!("{port}_{}", low / 32) } else { port.to_owned() };
        registers.push(Register {
            name,
            offset: *offset,
            access: if writable { Access::ReadWrite } else { Access::ReadOnly },
            bits: rest.min(32),
            reset: 0,
            fields: vec![],
            meaning: meaning.to_owned(),
            source,
        });
        *offset += 4;
    }
}

/// Bits of the state of so many streams: their `waits`, and from the second number on their `cut`.
pub(super) fn status_bits(streams: usize) -> (u32, u32) {
    if streams > STATUS_STREAMS { (64, 32) } else { (32, STATUS_STREAMS as u32) }
}

/// Inputs and outputs that belong to no stream and are neither reset nor the counters' clear.
pub(super) fn plain_ports(core: &Module) -> (Fields, Fields) {
    let of_streams: Vec<String> = (core.streams.iter())
        .flat_map(|stream| {
            let fields = stream.payload.iter().map(|(field, _)| &**field);
            fields.chain(["valid", "ready"]).map(|field| stream.port(field)).collect::<Vec<_>>()
        })
        .collect();
    let resets: Vec<NodeId> = (core.clocks.iter())
        .filter_map(|clock| clock.reset.as_ref())
        .map(|reset| reset.signal)
        .collect();
    let plain = |port: &&Port| {
        *port.name != *CLEAR_COUNTERS && !of_streams.iter().any(|name| **name == *port.name)
    };
    let entry = |port: &Port| (port.name.to_string(), port.ty);
    let inputs = core.inputs.iter().filter(|port| !resets.contains(&port.node));
    (
        inputs.filter(plain).map(entry).collect(),
        core.outputs.iter().filter(plain).map(entry).collect(),
    )
}

/// The hash FNV-1a of 32 bits.
fn fnv1a(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
