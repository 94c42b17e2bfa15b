//! A network on the core `cnn`: the arguments that emit and verify share.

use crate::cores::told;
use crate::design::Size;
use crate::failure::{Failure, wrong};
use anyhow::{Context, anyhow};
use clap::value_parser;
use hwgen_designs::cnn::CnnSpec;
use hwgen_designs::generate::Generate;
use hwgen_designs::registry::Configured;
use hwgen_network::graph::{self, Network, printable};
use hwgen_network::import::{self, ImportError};
use hwgen_network::plan::{self, Budget, Plan, SUPPORTED_MULTIPLIERS};
use hwgen_network::policy::Policy;
use std::path::{Path, PathBuf};

/// The largest file of labels or of words.
const MOST_BYTES: u64 = 1 << 28;
/// The largest policy: two entries for each of as many layers as there may be.
pub(crate) const MOST_POLICY: u64 = 1 << 24;

/// Which network, on how large a core.
#[derive(clap::Args)]
pub(crate) struct OnCore {
    /// A network for the core: network.json, or a file that `hwgen import` takes
    #[arg(long, value_name = "FILE")]
    network: Option<PathBuf>,
    /// Bits of the weights by layer: policy.json
    #[arg(long, value_name = "FILE", requires = "network")]
    policy: Option<PathBuf>,
    /// Multipliers that the core may have: 256 without, unless --spec or --set size it
    #[arg(long, value_name = "N", requires = "network", value_parser = value_parser!(u32).range(1..))]
    multipliers: Option<u32>,
    /// Memories of one port, as iCE40 UltraPlus has large ones; with --spec or --set, say it there
    #[arg(long, requires = "network")]
    single_port: bool,
}

/// A network on a core.
pub(crate) struct Planned {
    /// The network, narrowed as the policy has it.
    pub(crate) network: Network,
    /// The core.
    pub(crate) spec: CnnSpec,
    /// The network on it.
    pub(crate) plan: Plan,
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

    /// The files that it is read from, with their arguments.
    pub(crate) fn files(&self) -> [(&'static str, Option<&Path>); 2] {
        [("--network", self.network.as_deref()), ("--policy", self.policy.as_deref())]
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
            return Ok(None);
        };
        let Some(core) = configured.as_any().downcast_ref::<CnnSpec>() else {
            let (design, core) = (configured.name(), CnnSpec::NAME);
            return wrong(format!("design `{design}` runs no networks: use --design {core}"));
        };
        let network = read(path)?;
        let network = match &self.policy {
            None => network,
            Some(path) => with_policy(path, &network)?,
        };
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
                let budget = Budget { single_port: self.single_port, ..Budget::of(&network, most) };
                plan::size(&network, budget).context("no core fits the network")?
            }
        };
        Ok(Some(Planned { network, spec, plan }))
    }

    /// Tells which core it is, if nobody sized it.
    pub(crate) fn tell(&self, size: &Size, spec: &CnnSpec) {
        if self.sizes_itself(size) {
            tell!("the core: {} (--multipliers N changes that)", told(spec));
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

/// The network with the bits that a policy gives its weights.
pub(crate) fn with_policy(path: &Path, network: &Network) -> anyhow::Result<Network> {
    let text = hwgen_files::read_text(path, MOST_POLICY)?;
    policy(path, &text)?.apply(network).context("cannot apply the policy")
}

/// A policy from its text.
pub(crate) fn policy(path: &Path, text: &str) -> anyhow::Result<Policy> {
    serde_json::from_str(text).map_err(|error| {
        let problem = printable(&error.to_string());
        anyhow!("cannot read {}: {problem}", path.display())
    })
}

/// A file's bytes, if it is not beyond all measure.
pub(crate) fn bytes(path: &Path) -> anyhow::Result<Vec<u8>> {
    Ok(hwgen_files::read(path, MOST_BYTES)?)
}

/// The plan as a table: jobs, cycles and use of each layer.
pub(crate) fn table(planned: &Planned) -> String {
    let Planned { spec, plan, .. } = planned;
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
            "  {} cycles an inference, {:.1} % of {} products a cycle, {} multipliers\n",
            plan.cycles(),
            100.0 * plan.utilization(spec),
            spec.products(),
            spec.all_multipliers(),
        )
}
