//! What networks cost, on cores that are given or found.

use super::answer::{Area, Found};
use hwgen_area::{Family, Resources, estimate};
use hwgen_boards::board::{self, Board};
use hwgen_boards::build::may_fit;
use hwgen_designs::cnn::{CnnSpec, Outline};
use hwgen_designs::generate::Generate;
use hwgen_network::candidate::{Candidate, CandidateError};
use hwgen_network::graph::Network;
use hwgen_network::plan::{
    Budget, Plan, PlanError, SUPPORTED_MULTIPLIERS, Shapes, outline, size_outline,
};
use hwgen_network::policy::Policy;
use std::collections::HashMap;

/// Cores whose area is kept.
const MOST_KEPT: usize = 1 << 12;

/// What has a cost.
pub(super) enum Subject {
    Network(Network),
    Candidate(Candidate),
}

impl Subject {
    pub(super) fn name(&self) -> &str {
        match self {
            Subject::Network(network) => &network.name,
            Subject::Candidate(candidate) => candidate.name(),
        }
    }

    /// The same with weights of other widths.
    pub(super) fn with(&self, policy: &Policy) -> Result<Subject, CandidateError> {
        Ok(match self {
            Subject::Network(network) => Subject::Network(policy.apply(network)?),
            Subject::Candidate(candidate) => Subject::Candidate(candidate.with(policy)?),
        })
    }

    fn shapes(&self) -> Shapes<'_> {
        match self {
            Subject::Network(network) => network.into(),
            Subject::Candidate(candidate) => candidate.into(),
        }
    }
}

/// The core that is asked for.
#[derive(Clone)]
enum Core {
    This(Box<CnnSpec>),
    /// The fastest within so many multipliers.
    Within(u32, bool),
    /// The fastest that the board has room for.
    OfBoard(bool),
}

/// A core, and where it is.
#[derive(Clone)]
pub(super) struct Target {
    core: Core,
    board: Option<Board>,
}

impl Target {
    pub(super) fn core(spec: CnnSpec, board: Option<Board>) -> Target {
        Target { core: Core::This(Box::new(spec)), board }
    }

    pub(super) fn within(multipliers: u32, single_port: bool, board: Option<Board>) -> Target {
        Target { core: Core::Within(multipliers, single_port), board }
    }

    pub(super) fn board(board: Board, single_port: bool) -> Target {
        // its large memories have one port
        let single_port = single_port || board.fpga.device == "up5k";
        Target { core: Core::OfBoard(single_port), board: Some(board) }
    }

    /// Families whose area is told: the board's, or what is nearest to it; all without a board.
    fn families(&self) -> &'static [Family] {
        match self.board.as_ref().map(|board| board.fpga.family) {
            None => &Family::ALL,
            Some(board::Family::Xilinx7) => &[Family::Xilinx7],
            Some(_) => &[Family::Ice40],
        }
    }
}

/// Costs, and what is kept of cores from one to the next.
#[derive(Default)]
pub(super) struct Costs {
    areas: HashMap<(String, Family), Resources>,
    fits: HashMap<(String, String), bool>,
}

impl Costs {
    /// What a network costs.
    pub(super) fn cost(&mut self, subject: &Subject, target: &Target) -> Result<Found, PlanError> {
        let shapes = subject.shapes();
        let (spec, plan) = match &target.core {
            Core::This(spec) => ((**spec).clone(), outline(shapes, spec)?),
            Core::Within(multipliers, single_port) => sized(shapes, *multipliers, *single_port)?,
            Core::OfBoard(single_port) => self.of_board(shapes, *single_port, target)?,
        };
        let hertz =
            target.board.as_ref().map(|board| board.clock.run_hertz.unwrap_or(board.clock.hertz));
        Ok(Found { name: subject.name().to_owned(), spec, plan, hertz })
    }

    /// The fastest core that the board has room for, as `hwgen build` tries them first.
    fn of_board(
        &mut self,
        shapes: Shapes<'_>,
        single_port: bool,
        target: &Target,
    ) -> Result<(CnnSpec, Plan<Outline>), PlanError> {
        let device = target.board.as_ref().map_or("", |board| &board.fpga.device);
        let mut most = SUPPORTED_MULTIPLIERS;
        let mut smallest = None;
        loop {
            let core = match (sized(shapes, most, single_port), smallest) {
                (Ok(core), _) => core,
                // the smallest there is does not fit
                (Err(_), Some(needed)) => {
                    return Err(PlanError::Multipliers { needed, given: most });
                }
                (Err(error), None) => return Err(error),
            };
            if self.fits(&core.0, device) {
                return Ok(core);
            }
            let needed = core.0.all_multipliers();
            (most, smallest) = (needed.saturating_sub(1), Some(needed));
        }
    }

    fn fits(&mut self, spec: &CnnSpec, device: &str) -> bool {
        let key = (format!("{spec:?}"), device.to_owned());
        kept(&mut self.fits, key, || may_fit(&spec.build(), device))
    }

    /// Estimates for the families that are asked for.
    pub(super) fn areas(&mut self, found: &Found, target: &Target) -> Vec<Area> {
        let area = |&family: &Family| {
            let key = (format!("{:?}", found.spec), family);
            let resources = kept(&mut self.areas, key, || estimate(&found.spec.build(), family));
            Area { family: family.name().into(), resources: resources.into() }
        };
        target.families().iter().map(area).collect()
    }
}

fn sized(
    shapes: Shapes<'_>,
    multipliers: u32,
    single_port: bool,
) -> Result<(CnnSpec, Plan<Outline>), PlanError> {
    size_outline(shapes, Budget { single_port, ..Budget::of(shapes, multipliers) })
}

/// What is known of a key, made if it is new; a server that runs for weeks keeps but so much.
fn kept<K: std::hash::Hash + Eq, V: Copy>(
    map: &mut HashMap<K, V>,
    key: K,
    make: impl FnOnce() -> V,
) -> V {
    if map.len() >= MOST_KEPT {
        map.clear();
    }
    *map.entry(key).or_insert_with(make)
}
