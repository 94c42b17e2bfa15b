//! LAPA behind AXI: its parameters are the engine's and the bus width.

use super::{RegisterMap, Wrapped, Wrapping, sequence, wrap};
use crate::accelerator::AcceleratorSpec;
use crate::registry::Generate;
use crate::spec::{Parameter, Range, Spec, SpecError};
use hwgen_hdl::Module;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::sync::Arc;

/// LAPA behind AXI, sized; in JSON one object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Map<String, Value>")]
pub struct LapaAxiSpec {
    /// The engine.
    #[serde(flatten)]
    pub engine: AcceleratorSpec,
    /// Bits of `tdata` of every stream.
    pub bus_bits: u32,
}

impl Default for LapaAxiSpec {
    fn default() -> Self {
        LapaAxiSpec { engine: AcceleratorSpec::default(), bus_bits: 128 }
    }
}

/// Members that are not ours are the engine's: serde cannot refuse unknown ones of flattened
/// structures by itself.
impl TryFrom<Map<String, Value>> for LapaAxiSpec {
    type Error = serde_json::Error;

    fn try_from(mut members: Map<String, Value>) -> Result<LapaAxiSpec, serde_json::Error> {
        let bus_bits = match members.remove(BUS_BITS.name) {
            Some(value) => serde_json::from_value(value)?,
            None => LapaAxiSpec::default().bus_bits,
        };
        let engine = serde_json::from_value(Value::Object(members)).map_err(|error| {
            let said = error.to_string();
            // the engine lists the members it knows, but not ours
            let more = if said.starts_with("unknown field") { ", `bus_bits`" } else { "" };
            serde::de::Error::custom(said + more)
        })?;
        Ok(LapaAxiSpec { engine, bus_bits })
    }
}

const BUS_BITS: Parameter = Parameter {
    name: "bus_bits",
    range: Range::PowerOfTwo(32, 1024),
    meaning: "bits of `tdata` of every stream",
};

/// The engine's table, then ours.
const TABLE: [Parameter; AcceleratorSpec::PARAMETERS.len() + 1] = {
    let mut table = [BUS_BITS; AcceleratorSpec::PARAMETERS.len() + 1];
    let mut row = 0;
    while row < AcceleratorSpec::PARAMETERS.len() {
        table[row] = AcceleratorSpec::PARAMETERS[row];
        row += 1;
    }
    table
};

impl Spec for LapaAxiSpec {
    const PARAMETERS: &'static [Parameter] = &TABLE;

    fn validate(&self) -> Result<(), SpecError> {
        self.engine.validate()?;
        BUS_BITS.check(self.bus_bits)
    }
}

/// What the engine's settings and counters mean.
const MEANINGS: &[(&str, &str)] = &[
    ("scale", "factor of a score"),
    ("shift", "bits a scaled score is shifted down by"),
    ("radius", "of the filter, in units of the final score"),
    ("cycles", "cycles since reset or clear"),
    ("rows", "rows whose survivors the exact stage has taken"),
    ("groups", "groups of keys predicted"),
    ("survivors", "keys that survived"),
    ("scoring", "cycles in which a key is issued to the score unit"),
    ("loading", "cycles in which none is, since keys are loaded or read out"),
    ("starved", "cycles in which none is, since no survivor is listed"),
    ("blocked", "cycles in which none is, since query or room behind the score unit is missing"),
];

/// The circuit, top module `lapa_axi`, and its registers.
///
/// `spec` must be one that [`validate`](Spec::validate) accepts.
pub fn build(spec: &LapaAxiSpec) -> Wrapped {
    let core = sequence("lapa_rows", &crate::accelerator::build(&spec.engine));
    let meanings = [super::sequence::MEANINGS, MEANINGS].concat();
    let how = Wrapping { bus_bits: Some(spec.bus_bits), meanings: &meanings };
    wrap(LapaAxiSpec::NAME, &core, how).unwrap_or_else(|error| panic!("{error}"))
}

impl Generate for LapaAxiSpec {
    const NAME: &'static str = "lapa_axi";
    const SUMMARY: &'static str = "LAPA behind AXI4-Stream and AXI4-Lite, rows marked in hardware";

    fn build(&self) -> Arc<Module> {
        build(self).module
    }

    fn latency(&self) -> String {
        let width = self.bus_bits;
        let transfers = |elements: u32, bits: u32| (elements * bits).div_ceil(width);
        let dim = self.engine.head_dim;
        format!(
            "{}\ntransfers: {} a key, {} a query, {} a result; on a bus as wide as its payloads \
             a load's results come 2 cycles later than from the engine alone",
            Generate::latency(&self.engine),
            transfers(dim, 16),
            transfers(dim, 8),
            transfers(dim, 16),
        )
    }

    fn diagram(&self) -> String {
        format!(
            "s_axil ---------> registers --> settings, reset   (counters, status <--)\n\
             s_axis_keys ----> slice -> join {width} to {} bits ---------------> engine\n\
             s_axis_queries -> slice -> join {width} to {} bits -> sequencer --> engine\n\
             m_axis_out <----- slice <- cut {} to {width} bits <---------------- engine\n\n\
             engine (lapa):\n{}",
            16 * self.engine.head_dim,
            8 * self.engine.head_dim,
            16 * self.engine.head_dim,
            Generate::diagram(&self.engine),
            width = self.bus_bits,
        )
    }

    fn registers(&self) -> Option<RegisterMap> {
        Some(build(self).map)
    }
}
