//! An engine behind AXI: its parameters are the engine's and the bus width.

use crate::axi::{RegisterMap, Wrapped, Wrapping, wrap};
use crate::generate::Generate;
use crate::golden::Golden;
use crate::spec::{Parameters, Spec, SpecError};
use crate::wiring::stream_fields;
use hwgen_hdl::Module;
use hwgen_hdl::netlist::Direction;
use std::sync::Arc;

/// An engine that has a top in the registry.
pub trait Engine: Generate {
    /// The top's name.
    const TOP: &'static str;
    /// What the top is, in a line.
    const TOP_SUMMARY: &'static str;

    /// Sizes that tests walk; see [`Generate::SIZES`].
    const TOP_SIZES: &'static [&'static str];

    /// What stands behind the buses.
    fn core(&self) -> Arc<Module>;

    /// What its settings and counters mean.
    fn meanings() -> Vec<(&'static str, &'static str)>;
}

/// An engine behind AXI, sized.
#[derive(Debug, Clone, PartialEq, Eq, Parameters)]
pub struct AxiSpec<E> {
    /// The engine.
    #[part]
    pub engine: E,
    /// Bits of `tdata` of every stream.
    #[parameter(default = 128, range = 32..=1024, power_of_two)]
    pub bus_bits: u32,
}

impl<E: Engine> Spec for AxiSpec<E> {
    fn check_relations(&self) -> Result<(), SpecError> {
        self.engine.validate()
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

impl<E: Engine> Generate for AxiSpec<E>
where
    AxiSpec<E>: Golden,
{
    const NAME: &'static str = E::TOP;
    const SUMMARY: &'static str = E::TOP_SUMMARY;
    const PAGE: &'static str = "docs/axi.md";

    const SIZES: &'static [&'static str] = E::TOP_SIZES;

    fn circuit(&self) -> Arc<Module> {
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
