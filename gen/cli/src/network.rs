//! A network on the core `cnn`: the arguments that emit and verify share.

use crate::cores::{multipliers, told};
use crate::design::Size;
use crate::failure::{Failure, wrong};
use crate::policy::Narrowing;
use anyhow::Context;
use clap::value_parser;
use hwgen_designs::cnn::{CnnSpec, Multiplier};
use hwgen_designs::generate::Generate;
use hwgen_designs::registry::Configured;
use hwgen_network::graph::{self, Network};
use hwgen_network::import::{self, ImportError};
use hwgen_network::plan::{self, Budget, HalfBytes, Plan, SUPPORTED_MULTIPLIERS};
use std::fmt::Display;
use std::path::{Path, PathBuf};

/// The largest file of labels or of words.
const MOST_BYTES: u64 = 1 << 28;

/// Which network, on how large a core.
#[derive(clap::Args)]
pub(crate) struct OnCore {
    /// A network for the core: network.json, or a file that `hwgen import` takes
    #[arg(long, value_name = "FILE")]
    network: Option<PathBuf>,
    #[command(flatten)]
    narrowing: Narrowing,
    /// Multipliers that the core may have: 256 without, unless --spec or --set size it
    #[arg(long, value_name = "N", requires = "network", value_parser = value_parser!(u32).range(1..))]
    multipliers: Option<u32>,
    /// What multipliers are: 25x18 bits (Xilinx), 18x18 (ECP5, Gowin) or 16x16 (iCE40)
    #[arg(long, value_name = "BITS", requires = "network", default_value = "25x18", value_parser = dsp)]
    dsp: Multiplier,
    /// Activations of at most 4 bits lie two in a byte; without, where that saves more than it takes
    #[arg(long, requires = "network")]
    nibbles: bool,
    /// Memories of one port, as iCE40 UltraPlus has large ones; with --spec or --set, say it there
    #[arg(long, requires = "network")]
    single_port: bool,
}

/// Multipliers by their bits.
fn dsp(name: &str) -> Result<Multiplier, String> {
    let kind = Multiplier::ALL.into_iter().find(|kind| kind.bits() == name);
    kind.ok_or_else(|| "multipliers have 25x18, 18x18 or 16x16 bits".into())
}

/// A network on a core.
pub(crate) struct Planned {
    /// The network, narrowed as the policy has it.
    pub(crate) network: Network,
    /// The core.
    pub(crate) spec: CnnSpec,
    /// The network on it.
    pub(crate) plan: Plan,
    /// What its multipliers are.
    pub(crate) kind: Multiplier,
}

impl OnCore {
    /// Whether a network is named and nobody says how large its core is to be.
    pub(crate) fn sizes_itself(&self, size: &Size) -> bool {
        self.network.is_some() && self.multipliers.is_none() && !size.is_given()
    }

    /// Whether memories are to have one port.
    pub(crate) fn single_port(&self) -> bool {
        self.single_port
    }

    /// Whether activations of few bits lie two in a byte.
    pub(crate) fn nibbles(&self) -> HalfBytes {
        if self.nibbles { HalfBytes::Always } else { HalfBytes::WherePaid }
    }

    /// The files that it is read from, with their arguments.
    pub(crate) fn files(&self) -> [(&'static str, Option<&Path>); 2] {
        [("--network", self.network.as_deref()), self.narrowing.file()]
    }

    /// The network and its core, if one is named; with `taps` every layer's result is an output.
    ///
    /// The core is the fastest within --multipliers; without that, the one that --spec and --set say; with
    /// neither, the fastest within what makes a network a supported one.
    pub(crate) fn plan(
        &self,
        size: &Size,
        configured: &dyn Configured,
        taps: bool,
    ) -> Result<Option<Planned>, Failure> {
        let Some(path) = &self.network else {
            if self.narrowing.is_given() {
                return wrong("--policy narrows a network: name it with --network");
            }
            return Ok(None);
        };
        let Some(core) = configured.as_any().downcast_ref::<CnnSpec>() else {
            let (design, core) = (configured.name(), CnnSpec::NAME);
            return wrong(format!("design `{design}` runs no networks: use --design {core}"));
        };
        let network = read(path)?;
        let network = self.narrowing.apply(network)?;
        let network = if taps { tapped(network) } else { network };
        let (spec, plan) = match (self.multipliers, size.is_given()) {
            (None, true) => {
                if self.single_port {
                    return wrong(
                        "--single-port beside --spec or --set: say --set single_port=true",
                    );
                }
                let plan =
                    plan::plan(&network, core).context("the network does not go onto the core")?;
                (core.clone(), plan)
            }
            (multipliers, _) => {
                let most = multipliers.unwrap_or(SUPPORTED_MULTIPLIERS);
                let (single_port, kind, nibbles) = (self.single_port, self.dsp, self.nibbles());
                let budget = Budget { single_port, kind, nibbles, ..Budget::of(&network, most) };
                plan::size(&network, budget).context("no core fits the network")?
            }
        };
        Ok(Some(Planned { network, spec, plan, kind: self.dsp }))
    }

    /// Tells which core it is, if nobody sized it.
    pub(crate) fn tell(&self, size: &Size, spec: &CnnSpec) {
        if self.sizes_itself(size) {
            tell!("the core: {} (--multipliers N changes that)", told(spec, self.dsp));
        }
    }
}

/// The network with every layer's result as an output, its own last.
fn tapped(mut network: Network) -> Network {
    let own = std::mem::take(&mut network.outputs);
    let results = network.layers.iter().map(|layer| layer.output.clone());
    network.outputs = results.filter(|name| !own.contains(name)).chain(own.clone()).collect();
    network
}

/// Reads a network of our own or of another's making.
fn read(path: &Path) -> anyhow::Result<Network> {
    load(path)?.with_context(|| format!("cannot import {}", path.display()))
}

/// The same; the inner result is what a model says of itself.
pub(crate) fn load(path: &Path) -> anyhow::Result<Result<Network, ImportError>> {
    if path.extension().is_some_and(|extension| extension == "json") {
        return Ok(Ok(graph::load(path)?));
    }
    let bytes = hwgen_files::read(path, import::MOST_BYTES as u64)?;
    let name = path.file_stem().map_or("network".into(), |stem| stem.to_string_lossy());
    Ok(import::import(&name, &bytes))
}

/// A file's bytes, if it is not beyond all measure.
pub(crate) fn bytes(path: &Path) -> anyhow::Result<Vec<u8>> {
    Ok(hwgen_files::read(path, MOST_BYTES)?)
}

/// The plan as a table: jobs, cycles and use of each layer.
pub(crate) fn table(planned: &Planned) -> String {
    let Planned { spec, plan, kind, .. } = planned;
    let head = ["layer", "jobs", "cycles", "products", "of the array"].map(str::to_string);
    let mut rows = vec![head.to_vec()];
    for step in &plan.steps {
        let all = (step.cycles * u64::from(spec.products())).max(1) as f64;
        rows.push(vec![
            step.layer.clone(),
            step.jobs.to_string(),
            step.cycles.to_string(),
            step.products.to_string(),
            format!("{:.1} %", 100.0 * step.products as f64 / all),
        ]);
    }
    crate::output::table(&rows)
        + &format!(
            "  {} cycles an inference, {:.1} % of {} products a cycle, {}\n",
            plan.cycles(),
            100.0 * plan.utilization(spec),
            spec.products(),
            multipliers(spec, *kind),
        )
        + &one_weights(plan.steps.iter().map(|step| (&step.layer[..], step.one_weight)))
}

/// Layers that have one weight a lane where two were hoped for, by the reason why.
pub(crate) fn one_weights<'s, R: PartialEq + Display>(
    layers: impl Iterator<Item = (&'s str, Option<R>)>,
) -> String {
    let mut reasons: Vec<(R, Vec<&str>)> = vec![];
    for (layer, reason) in layers.filter_map(|(layer, reason)| Some((layer, reason?))) {
        match reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, layers)) => layers.push(layer),
            None => reasons.push((reason, vec![layer])),
        }
    }
    let line = |(reason, layers): (R, Vec<&str>)| {
        format!("  one weight a lane in {}: {reason}\n", layers.join(", "))
    };
    reasons.into_iter().map(line).collect()
}
