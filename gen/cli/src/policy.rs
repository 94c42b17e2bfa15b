//! A network with fewer bits, as a policy has them: the arguments that import, infer, emit and verify share.

use crate::inputs::runs;
use anyhow::{Context, anyhow};
use hwgen_network::graph::{Network, Tensor, printable};
use hwgen_network::policy::{Calibration, Policy};
use std::path::{Path, PathBuf};

/// The largest policy: a few entries for each of as many layers as there may be.
const MOST_POLICY: u64 = 1 << 24;

/// Which policy, if any.
#[derive(clap::Args)]
pub(crate) struct Narrowing {
    /// Bits of weights and activations by layer: policy.json
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Inputs by which a policy of version 2 chooses ranges: a file or a folder (*.bin, *.npy)
    #[arg(long, value_name = "PATH", requires = "policy")]
    calibrate: Option<PathBuf>,
}

impl Narrowing {
    pub(crate) fn is_given(&self) -> bool {
        self.policy.is_some()
    }

    /// The file that it is read from, with its argument.
    pub(crate) fn file(&self) -> (&'static str, Option<&Path>) {
        ("--policy", self.policy.as_deref())
    }

    /// The network with the bits that the policy gives it.
    pub(crate) fn apply(&self, network: Network) -> anyhow::Result<Network> {
        let Some(path) = &self.policy else {
            return Ok(network);
        };
        let policy = read(path)?;
        let narrowed = match &self.calibrate {
            None => policy.apply(&network),
            Some(inputs) => policy.calibrated(&network, &calibration(inputs, &network)?),
        };
        narrowed.context("cannot apply the policy")
    }
}

/// A policy in a file.
pub(crate) fn read(path: &Path) -> anyhow::Result<Policy> {
    let text = hwgen_files::read_text(path, MOST_POLICY)?;
    serde_json::from_str(&text).map_err(|error| {
        let problem = printable(&error.to_string());
        anyhow!("cannot read {}: {problem}", path.display())
    })
}

fn calibration(path: &Path, network: &Network) -> anyhow::Result<Calibration> {
    let given: Vec<&Tensor> = network.given().collect();
    let apart = |mut all: &[i16]| {
        let own = |tensor: &&Tensor| {
            let (own, rest) = all.split_at(tensor.elements().min(all.len()));
            all = rest;
            own.to_vec()
        };
        given.iter().map(own).collect::<Vec<_>>()
    };
    let files = runs(path, network)?;
    let inputs: Vec<_> = files.iter().flat_map(|file| &file.runs).map(|run| apart(run)).collect();
    Calibration::new(network, &inputs).context("cannot run the network on --calibrate")
}
