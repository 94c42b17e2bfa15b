//! A board with a network on it: what `run` and `eembc` share.

use crate::cores::{cores, told};
use crate::design::{Named, Size};
use crate::failure::{Failure, usage};
use crate::link::Port;
use crate::network::{self, Planned};
use anyhow::{Context, anyhow};
use hwgen_boards::host::cnn::{Inference, hash};
use hwgen_boards::host::{Board, Transport};
use hwgen_boards::link::identity::Identity;
use hwgen_designs::cnn::{CnnSpec, Multiplier};
use hwgen_designs::generate::Generate;
use hwgen_designs::registry;
use hwgen_network::plan::{Budget, HalfBytes, SUPPORTED_MULTIPLIERS};

/// Which board, with which network.
#[derive(clap::Args)]
pub(crate) struct OnBoard {
    #[command(flatten)]
    port: Port,
    #[command(flatten)]
    size: Size,
    #[command(flatten)]
    network: network::OnCore,
    /// Load the network first; without, the board must have it from before
    #[arg(long)]
    load: bool,
}

/// The driver of a board with a network.
pub(crate) type Driver = Inference<Box<dyn Transport>>;

/// Takes the board's core, if the network goes onto it.
fn adopt(planned: &mut Planned, found: &Identity) {
    if found.design != CnnSpec::NAME || found.spec_hash == hash(&planned.spec) {
        return;
    }
    let ports = [false, true].into_iter();
    let plain = Budget::of(&planned.network, SUPPORTED_MULTIPLIERS);
    let budgets = ports
        .flat_map(|single_port| Multiplier::ALL.map(|kind| Budget { single_port, kind, ..plain }));
    let budgets =
        budgets.flat_map(|budget| HalfBytes::ALL.map(|nibbles| Budget { nibbles, ..budget }));
    let core = budgets.into_iter().find_map(|budget| {
        let mut all = cores(&planned.network, budget);
        let core = all.find(|(spec, _)| hash(spec) == found.spec_hash)?;
        Some((core, budget.kind))
    });
    if let Some(((spec, plan), kind)) = core {
        tell!("the board's core: {}", told(&spec, kind));
        (planned.spec, planned.plan, planned.kind) = (spec, plan, kind);
    }
}

impl OnBoard {
    /// The network, and the core that the board must have.
    pub(crate) fn network(&self) -> Result<Planned, Failure> {
        let configured = self.size.configure(Named(registry::of::<CnnSpec>()))?;
        let planned = self.network.plan(&self.size, &*configured, false)?;
        planned.ok_or_else(|| usage(anyhow!("which network? --network FILE names it")))
    }

    /// The board, once it holds the network. If nobody said how large the core is, it is the board's.
    pub(crate) fn open(&self, planned: &mut Planned) -> Result<Driver, Failure> {
        let board = Board::open(self.port.open()?).map_err(anyhow::Error::from)?;
        if self.network.sizes_itself(&self.size) {
            adopt(planned, board.identity());
        }
        let inference = Inference::new(board, &planned.spec, planned.plan.clone());
        let mut inference = inference.map_err(anyhow::Error::from)?;
        if self.load {
            let mut told = 0;
            let tell = |done: usize, all: usize| {
                let tenth = 10 * done / all.max(1);
                if tenth > told {
                    tell!("loading: {done} of {all} words");
                    told = tenth;
                }
            };
            inference.load(tell).context("cannot load the network")?;
        }
        let counters = inference.counters().map_err(anyhow::Error::from)?;
        let (found, wanted) = (inference.board().identity().contents, inference.contents());
        match (counters.started, found == wanted) {
            (true, true) if !counters.waiting && !self.load => {
                Err(anyhow!("the board is in the middle of a run that somebody left: use --load").into())
            }
            (true, true) => Ok(inference),
            (false, _) => Err(anyhow!("the board has no network: use --load").into()),
            (true, false) => Err(anyhow!(
                "the board holds another network than --network names, on the same core: its contents are {found:08x}, those wanted {wanted:08x}; use --load"
            )
            .into()),
        }
    }
}
