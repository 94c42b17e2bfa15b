//! An engine behind AXI: its parameters are the engine's and the bus width.

use super::{RegisterMap, Wrapped, Wrapping, wrap};
use crate::accelerator::compose::stream_fields;
use crate::registry::Generate;
use crate::spec::{Parameter, Range, Spec, SpecError};
use hwgen_hdl::Module;
use hwgen_hdl::netlist::Direction;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::sync::Arc;

/// An engine that has a top in the registry.
pub trait Engine: Generate {
    /// The top's name.
    const TOP: &'static str;
    /// What the top is, in a line.
    const TOP_SUMMARY: &'static str;
    /// The engine's table, then [`BUS_BITS`]; see [`with_bus_bits`].
    const TOP_PARAMETERS: &'static [Parameter];

    /// What stands behind the buses.
    fn core(&self) -> Arc<Module>;

    /// What its settings and counters mean.
    fn meanings() -> Vec<(&'static str, &'static str)>;
}

/// An engine behind AXI, sized; in JSON one object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Map<String, Value>", bound(deserialize = "E: Spec"))]
pub struct AxiSpec<E> {
    /// The engine.
    #[serde(flatten)]
    pub engine: E,
    /// Bits of `tdata` of every stream.
    pub bus_bits: u32,
}

const DEFAULT_BUS_BITS: u32 = 128;

impl<E: Default> Default for AxiSpec<E> {
    fn default() -> Self {
        AxiSpec { engine: E::default(), bus_bits: DEFAULT_BUS_BITS }
    }
}

/// Members that are not ours are the engine's: serde cannot refuse unknown ones of flattened
/// structures by itself.
impl<E: Spec> TryFrom<Map<String, Value>> for AxiSpec<E> {
    type Error = serde_json::Error;

    fn try_from(mut members: Map<String, Value>) -> Result<AxiSpec<E>, serde_json::Error> {
        let bus_bits = match members.remove(BUS_BITS.name) {
            Some(value) => serde_json::from_value(value)?,
            None => DEFAULT_BUS_BITS,
        };
        let engine = serde_json::from_value(Value::Object(members)).map_err(|error| {
            let said = error.to_string();
            // the engine lists the members it knows, but not ours
            let more = if said.starts_with("unknown field") { ", `bus_bits`" } else { "" };
            serde::de::Error::custom(said + more)
        })?;
        Ok(AxiSpec { engine, bus_bits })
    }
}

/// The parameter beside the engine's.
pub const BUS_BITS: Parameter = Parameter {
    name: "bus_bits",
    range: Range::PowerOfTwo(32, 1024),
    meaning: "bits of `tdata` of every stream",
};

/// An engine's table with [`BUS_BITS`] behind it; `ROWS` is one more than the engine's.
pub const fn with_bus_bits<const ROWS: usize>(engine: &[Parameter]) -> [Parameter; ROWS] {
    let mut table = [BUS_BITS; ROWS];
    let mut row = 0;
    while row < engine.len() {
        table[row] = engine[row];
        row += 1;
    }
    table
}

impl<E: Engine> Spec for AxiSpec<E> {
    const PARAMETERS: &'static [Parameter] = E::TOP_PARAMETERS;

    fn validate(&self) -> Result<(), SpecError> {
        self.engine.validate()?;
        BUS_BITS.check(self.bus_bits)
    }
}

/// The circuit, whose top module has the design's name, and its registers.
///
/// `spec` must be one that [`validate`](Spec::validate) accepts.
pub fn build<E: Engine>(spec: &AxiSpec<E>) -> Wrapped {
    let meanings = E::meanings();
    let how = Wrapping { bus_bits: Some(spec.bus_bits), meanings: &meanings };
    wrap(E::TOP, &spec.engine.core(), how).unwrap_or_else(|error| panic!("{error}"))
}

/// A stream as its bus sees it.
struct Bus {
    name: String,
    direction: Direction,
    payload_bits: u32,
}

fn buses(core: &Module) -> Vec<Bus> {
    let bus = |stream: &hwgen_hdl::netlist::StreamPort| {
        let fields = stream_fields(core, &stream.name);
        let inside = fields.iter().filter(|(field, _)| field != "last");
        let payload_bits = inside.map(|(_, ty)| ty.width).sum();
        Bus { name: stream.name.to_string(), direction: stream.direction, payload_bits }
    };
    core.streams.iter().map(bus).collect()
}

impl<E: Engine> Generate for AxiSpec<E> {
    const NAME: &'static str = E::TOP;
    const SUMMARY: &'static str = E::TOP_SUMMARY;

    fn build(&self) -> Arc<Module> {
        build(self).module
    }

    fn latency(&self) -> String {
        let transfers: Vec<_> = buses(&self.engine.core())
            .iter()
            .map(|bus| format!("{} {}", bus.name, bus.payload_bits.div_ceil(self.bus_bits)))
            .collect();
        format!(
            "{}\ntransfers a payload: {}; on a bus as wide as its payloads results come 2 cycles later \
             than from the engine alone",
            Generate::latency(&self.engine),
            transfers.join(", "),
        )
    }

    fn diagram(&self) -> String {
        let (core, width) = (self.engine.core(), self.bus_bits);
        let buses = buses(&core);
        let longest = buses.iter().map(|bus| bus.name.len()).max().unwrap_or_default();
        let row = |Bus { name, direction, payload_bits: bits }: &Bus| {
            let arrow = "-".repeat(longest + 1 - name.len());
            let fits = *bits <= width;
            match direction {
                Direction::In if fits => {
                    format!("s_axis_{name} {arrow}> slice -> {bits} bits -> core\n")
                }
                Direction::In => {
                    format!("s_axis_{name} {arrow}> slice -> join {width} to {bits} bits -> core\n")
                }
                Direction::Out if fits => {
                    format!("m_axis_{name} <{arrow} slice <- {bits} bits <- core\n")
                }
                Direction::Out => {
                    format!("m_axis_{name} <{arrow} slice <- cut {bits} to {width} bits <- core\n")
                }
            }
        };
        let rows: String = buses.iter().map(row).collect();
        format!(
            "s_axil {:-<pad$}> registers -> settings, reset   (counters, status <-)\n{rows}\n\
             core (`{}`): {}\nengine (`{}`):\n{}",
            "-",
            core.name,
            core.doc,
            E::NAME,
            Generate::diagram(&self.engine),
            pad = longest + 2,
        )
    }

    fn registers(&self) -> Option<RegisterMap> {
        Some(build(self).map)
    }
}
