//! A core for a network: as many lanes as a budget of multipliers allows, memories that just hold it.

use super::draft::{Draft, Shapes};
use super::{Plan, PlanError, on_core};
use crate::graph::{Layer, Network, Operator, Tensor};
use crate::lowering::fits_nibbles;
use hwgen_designs::cnn::{CnnSpec, Job, Multiplier, Nibbles, Outline, Program, dual};

/// What a core may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Multipliers: [`CnnSpec::multipliers_of`].
    pub multipliers: u32,
    /// What they are; two positions of a lane share one of 25 x 18 bits.
    pub kind: Multiplier,
    /// Lanes may have two weights.
    pub dual: bool,
    /// Whether activations of at most 4 bits lie two in a byte.
    pub nibbles: HalfBytes,
    /// Weights may be stored in fewer bits than eight.
    pub narrow_weights: bool,
    /// Memories have one port, and a lane one position: for parts whose large memories are so.
    pub single_port: bool,
}

/// When activations of at most 4 bits lie two in a byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HalfBytes {
    /// Never.
    Never,
    /// Where the memory that it saves is worth more than its lookup tables, in no more cycles.
    WherePaid,
    /// Always.
    Always,
}

impl HalfBytes {
    /// All of them.
    pub const ALL: [HalfBytes; 3] = [HalfBytes::WherePaid, HalfBytes::Never, HalfBytes::Always];
}

/// Words of a block of memory four bytes wide, as Xilinx' and Lattice's parts have them: what is saved of one is
/// nothing. A lane's share of one is 512 bytes, for which an Artix 7 35T has 46 lookup tables; halves of bytes take 16.
const BLOCK_WORDS: u32 = 512;

/// One cycle more of so many is none: some layers write no odd byte.
const CYCLES_OF_ONE_MORE: u64 = 1000;

/// The narrowest accumulator and multipliers of a core.
const LEAST_SUM_BITS: u32 = 18;
const LEAST_MULTIPLIER_BITS: u32 = 15;

/// Words of a memory of one port, as iCE40 UltraPlus has them, and the bytes of one.
const SINGLE_PORT_WORDS: u32 = 1 << 14;
const SINGLE_PORT_BYTES: u32 = 2;

/// Weights of fewer rows are left to small memories; Yosys leaves all of up to half of one of one port there.
const LEAST_SINGLE_PORT_ROWS: u32 = SINGLE_PORT_WORDS / 8;

/// The budget of a network that is called supported: a core exists within so many multipliers.
pub const SUPPORTED_MULTIPLIERS: u32 = 256;

impl Budget {
    /// So many multipliers of 25 x 18 bits; weights of eight bits, memories of two ports.
    pub fn within(multipliers: u32) -> Budget {
        let kind = Multiplier::default();
        Budget {
            multipliers,
            kind,
            dual: false,
            nibbles: HalfBytes::Never,
            narrow_weights: false,
            single_port: false,
        }
    }

    /// What a user has in mind who names but a number of multipliers.
    pub fn of<'n>(network: impl Into<Shapes<'n>>, multipliers: u32) -> Budget {
        let linear =
            network.into().network.layers.iter().filter_map(|layer| layer.operator.linear());
        let least = linear.map(|linear| linear.bits).min().unwrap_or(8);
        let (dual, narrow_weights) = (least <= dual::WEIGHT_BITS.into(), least < 8);
        let nibbles = HalfBytes::WherePaid;
        Budget { dual, nibbles, narrow_weights, ..Budget::within(multipliers) }
    }
}

/// The core that makes a network a supported one, and the network on it: [`size`] within
/// [`SUPPORTED_MULTIPLIERS`].
///
/// # Errors
/// Why no core runs it.
pub fn supported(network: &Network) -> Result<(CnnSpec, Plan), PlanError> {
    size(network, Budget::of(network, SUPPORTED_MULTIPLIERS))
}

/// The fastest core within the budget, and the network on it.
///
/// # Errors
/// No core that it fits; see [`plan`](super::plan).
pub fn size(network: &Network, budget: Budget) -> Result<(CnnSpec, Plan), PlanError> {
    let draft = Draft::new(network.into());
    let (spec, outlined) = fastest(network, &draft, budget)?;
    let plan = on_fitted(network, &draft, &spec, &outlined)?;
    Ok((spec, plan))
}

/// The same without what is loaded: its weights are not written.
///
/// # Errors
/// As [`size`].
pub fn size_outline<'n>(
    network: impl Into<Shapes<'n>>,
    budget: Budget,
) -> Result<(CnnSpec, Plan<Outline>), PlanError> {
    let shapes = network.into();
    fastest(shapes.network, &Draft::new(shapes), budget)
}

/// A core, and the network on it.
type Core = (CnnSpec, Plan<Outline>);

fn fastest(network: &Network, draft: &Draft<'_>, budget: Budget) -> Result<Core, PlanError> {
    let least_of = |spec: &CnnSpec| {
        let (accumulator_bits, multiplier_bits) = (LEAST_SUM_BITS, LEAST_MULTIPLIER_BITS);
        CnnSpec { accumulator_bits, multiplier_bits, softmax_tables: 0, ..spec.clone() }
            .multipliers_of(budget.kind)
    };
    let addition_shift = addition_shift(network);
    let cores = cores(budget).map(|spec| CnnSpec { addition_shift, ..spec });
    let (within, beyond): (Vec<_>, Vec<_>) =
        cores.partition(|spec| least_of(spec) <= budget.multipliers);
    let within_count = within.len();
    let mut best: Option<(&CnnSpec, Core)> = None;
    let (mut refused, mut least) = (None, None);
    for (n, roomy) in within.iter().chain(&beyond).enumerate() {
        // where none will do, what is needed is of interest
        if n >= within_count && best.is_some() {
            break;
        }
        match on(network, draft, roomy) {
            Ok((fitted, plan)) => {
                let needed = fitted.multipliers_of(budget.kind);
                least = Some(least.unwrap_or(needed).min(needed));
                let slower = |(_, (_, best)): &(_, Core)| best.cycles() <= plan.cycles();
                if needed <= budget.multipliers && !best.as_ref().is_some_and(slower) {
                    best = Some((roomy, (fitted, plan)));
                }
            }
            // the plainest core's refusal says most
            Err(error) => refused = refused.or(Some(error)),
        }
    }
    let given = budget.multipliers;
    let (roomy, best) = best.ok_or_else(|| match (least, refused) {
        (Some(needed), _) => PlanError::Multipliers { needed, given },
        (None, Some(error)) => error.of_any_core(),
        (None, None) => unreachable!("some core was tried"),
    })?;
    Ok(match budget.nibbles {
        HalfBytes::WherePaid => halved(network, draft, roomy, best),
        _ => best,
    })
}

/// The core with two activations in a byte, if that pays.
fn halved(network: &Network, draft: &Draft<'_>, roomy: &CnnSpec, whole: Core) -> Core {
    let few = |tensor: &Tensor| fits_nibbles(tensor) && tensor.elements() > 1;
    if roomy.results < 2 || !network.tensors.iter().any(few) {
        return whole;
    }
    match on(network, draft, &CnnSpec { nibbles: true, ..roomy.clone() }) {
        Ok(halves) if pays(&whole, &halves) => halves,
        _ => whole,
    }
}

/// Whether two activations in a byte save enough memory, in as many cycles.
fn pays((whole, slow): &Core, (halves, plan): &Core) -> bool {
    let blocks = |spec: &CnnSpec| spec.activation_words.div_ceil(BLOCK_WORDS);
    let most = slow.cycles() + slow.cycles() / CYCLES_OF_ONE_MORE;
    blocks(halves) < blocks(whole) && plan.cycles() <= most
}

/// What the network's additions shift by; TFLite's 20 if it has none, or one that no core has.
fn addition_shift(network: &Network) -> u32 {
    let shift = |layer: &Layer| match &layer.operator {
        Operator::Add(add) => Some(add.left_shift),
        _ => None,
    };
    let shift = network.layers.iter().find_map(shift);
    shift.filter(|shift| (4..=20).contains(shift)).unwrap_or(20)
}

/// A core just large enough, and the plan on it.
fn on(network: &Network, draft: &Draft<'_>, roomy: &CnnSpec) -> Result<Core, PlanError> {
    let planned = on_core(network, draft, roomy)?;
    let spec = fitted(roomy, &planned);
    // the second bank begins elsewhere
    let planned =
        if spec.single_port { on_fitted(network, draft, &spec, &planned)? } else { planned };
    Ok((spec, planned))
}

/// The plan on a core that lacks what nothing used: why nothing did is told by the plan before.
fn on_fitted<P: Program + Default>(
    network: &Network,
    draft: &Draft<'_>,
    fitted: &CnnSpec,
    before: &Plan<Outline>,
) -> Result<Plan<P>, PlanError> {
    let mut plan = on_core(network, draft, fitted)?;
    for (step, before) in plan.steps.iter_mut().zip(&before.steps) {
        step.one_weight = before.one_weight;
    }
    Ok(plan)
}

/// All cores, the plainest first, with more memory than any plan takes.
fn cores(budget: Budget) -> impl Iterator<Item = CnnSpec> {
    let lanes = (1..=8).map(|bits| 1u32 << bits);
    let results = |lanes: u32| (0..=4).map(|bits| 1u32 << bits).filter(move |&r| r <= lanes);
    let sizes = lanes.flat_map(move |lanes| results(lanes).map(move |results| (lanes, results)));
    let duals = if budget.dual { &[false, true][..] } else { &[false] };
    let core = move |(lanes, results)| {
        duals.iter().map(move |&dual| CnnSpec { dual, ..roomy(lanes, results, budget) })
    };
    sizes.flat_map(core)
}

/// A core with more memory than any plan takes.
fn roomy(lanes: u32, results: u32, budget: Budget) -> CnnSpec {
    CnnSpec {
        lanes,
        pixels: if budget.single_port { 1 } else { 2 },
        dual: false,
        split: false,
        packed: budget.kind == Multiplier::Bits25x18 && !budget.single_port,
        results,
        multiplier_bits: 31,
        nibbles: budget.nibbles == HalfBytes::Always && results > 1,
        accumulator_bits: 32,
        // narrow ones are in memories as wide as there are lanes: where one of one port holds rows, it is left idle
        narrow_weights: budget.narrow_weights && !rows_of_one_port(budget.single_port, lanes),
        activation_words: (1 << 24) / lanes,
        weight_rows: 1 << 18,
        scale_rows: 1 << 14,
        jobs: 1024,
        additions: true,
        addition_shift: 20,
        maxima: true,
        sums: true,
        softmax_tables: 16,
        matrices: true,
        counters: false,
        single_port: budget.single_port,
    }
}

/// Whether rows of weights are words of a memory of one port.
fn rows_of_one_port(single_port: bool, lanes: u32) -> bool {
    single_port && lanes == SINGLE_PORT_BYTES
}

/// Memories and accumulators as small as the plan allows.
fn fitted(spec: &CnnSpec, plan: &Plan<Outline>) -> CnnSpec {
    let jobs = plan.image.jobs.len() as u32;
    let additions = plan.image.jobs.iter().any(|job| matches!(job, Job::Add(_)));
    let maxima = |job: &Job| matches!(job, Job::Convolve(job) if job.largest);
    let dual = |job: &Job| matches!(job, Job::Convolve(job) if job.dual);
    let least = if additions { spec.addition_bits().max(LEAST_SUM_BITS) } else { LEAST_SUM_BITS };
    // what is cut in halves saves nothing by being narrower
    let multiplier_bits = match plan.multiplier_bits.max(LEAST_MULTIPLIER_BITS) {
        bits @ ..=17 => bits,
        _ => 31,
    };
    let wraps = |job: &Job| matches!(job, Job::Convolve(job) if job.wraps);
    // synthesis takes small memories for those of two ports
    let bank = |words: u32| words.next_power_of_two().max(SINGLE_PORT_WORDS);
    let words = plan.bank_bytes.div_ceil(spec.lanes).max(4);
    let rows = (plan.image.planes as u32).div_ceil(8).max(2);
    let half = LEAST_SINGLE_PORT_ROWS..=SINGLE_PORT_WORDS / 2;
    let fill = rows_of_one_port(spec.single_port, spec.lanes) && half.contains(&rows);
    CnnSpec {
        dual: plan.image.jobs.iter().any(dual),
        nibbles: plan.image.jobs.iter().any(|job| job.nibbles() != Nibbles::default()),
        multiplier_bits,
        accumulator_bits: plan.sum_bits.max(least),
        activation_words: if spec.single_port { 2 * bank(words) } else { words },
        weight_rows: if fill { SINGLE_PORT_WORDS } else { rows },
        scale_rows: (plan.image.scale_rows as u32).max(2),
        jobs,
        additions,
        maxima: plan.image.jobs.iter().any(maxima),
        sums: plan.image.jobs.iter().any(wraps),
        softmax_tables: plan.image.tables.len() as u32,
        matrices: plan.image.jobs.iter().any(|job| matches!(job, Job::Fill(_))),
        ..spec.clone()
    }
}
