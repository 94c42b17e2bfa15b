//! A network on a core: a place for every tensor, a program, and its cycles.
//!
//! - `draft`: what the core has to do of a network; `layout`: how tensors lie so that all who read and
//!   write them can, and copies where they cannot; `banks`, `place`: addresses;
//! - `size`: a core for a network.
//!
//! Tensors are bytes in two's complement; an unsigned one of eight bits is kept 128 below itself.

mod banks;
mod draft;
mod layout;
mod place;
mod size;

pub use crate::lowering::{OneWeight, PlanError};
pub use draft::Shapes;
pub use size::{Budget, HalfBytes, SUPPORTED_MULTIPLIERS, size, size_outline, supported};

use crate::graph::Network;
use crate::lowering::{Lowering, Operand, check_bits, is_narrow, offset, unsupported};
use draft::{Draft, Id};
use hwgen_designs::cnn::lower::Place;
use hwgen_designs::cnn::{CnnSpec, Image, Job, Nibbles, Outline, Program, Transfer};
use layout::Layout;
use place::Places;
use serde::Serialize;

/// A network ready for a core; with an [`Outline`] all but what is loaded, for costs.
#[derive(Debug, Clone)]
pub struct Plan<P = Image> {
    /// What is loaded.
    pub image: P,
    /// Tensors that come in, in order.
    pub inputs: Vec<Port>,
    /// Tensors that go out.
    pub outputs: Vec<Port>,
    /// What each layer takes, transfers among them.
    pub steps: Vec<Step>,
    /// Bytes of activations in use at most, in the bank that is used most.
    pub bank_bytes: u32,
    /// Bits that multipliers need.
    pub multiplier_bits: u32,
    /// Bits that the widest sum of a convolution or dense layer needs.
    pub sum_bits: u32,
}

/// A tensor that passes a stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Port {
    /// The tensor.
    pub name: String,
    /// Where it lies; of sums their bytes, the lowest ones of all elements first.
    pub place: Place,
    /// Its elements are sums, each of as many bytes as they need.
    pub sums: bool,
    /// What is subtracted from its integers to make bytes.
    offset: i32,
}

/// A layer's share of the program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// The layer; `in` and `out` for transfers.
    pub layer: String,
    /// Jobs it takes.
    pub jobs: usize,
    /// Cycles, fetching included.
    pub cycles: u64,
    /// Products that the layer needs.
    pub products: u64,
    /// In a network with weights of at most four bits: why lanes have one of this layer's, if they have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub one_weight: Option<OneWeight>,
}

impl<P> Plan<P> {
    /// Cycles from the first job's first word to the last beat out, streams never waiting.
    pub fn cycles(&self) -> u64 {
        self.steps.iter().map(|step| step.cycles).sum()
    }

    /// Products that are needed, of all that the array could make: the whole run, transfers and
    /// fetching included.
    pub fn utilization(&self, spec: &CnnSpec) -> f64 {
        let products: u64 = self.steps.iter().map(|step| step.products).sum();
        products as f64 / (self.cycles().max(1) * u64::from(spec.products())) as f64
    }
}

impl Port {
    /// A tensor's elements as bytes of its place.
    pub fn bytes(&self, elements: &[i32]) -> Vec<i8> {
        let mut bytes = vec![0; self.place.bytes() as usize];
        let rows = elements.chunks(self.place.channels as usize);
        for (row, at) in rows.zip(bytes.chunks_mut(self.place.pitch as usize)) {
            for (element, byte) in row.iter().zip(at) {
                *byte = (element - self.offset) as i8;
            }
        }
        bytes
    }

    /// The elements in its bytes; of sums their bytes.
    pub fn elements(&self, bytes: &[i8]) -> Vec<i32> {
        let rows = bytes.chunks(self.place.pitch as usize);
        let rows = rows.take((self.place.height * self.place.width) as usize);
        let row = |row: &[i8]| {
            let row = row.iter().take(self.place.channels as usize);
            row.map(|&byte| i32::from(byte) + self.offset).collect::<Vec<_>>()
        };
        rows.flat_map(row).collect()
    }
}

/// Makes a program for a core of this size.
///
/// # Errors
/// A layer that the core has no job for; memories that are too small.
pub fn plan(network: &Network, spec: &CnnSpec) -> Result<Plan, PlanError> {
    on_core(network, &Draft::new(network.into()), spec)
}

/// The same without what is loaded: cycles, memories and refusals, of a network or of a
/// `Candidate` that has no weights.
///
/// # Errors
/// As [`plan`].
pub fn outline<'n>(
    network: impl Into<Shapes<'n>>,
    spec: &CnnSpec,
) -> Result<Plan<Outline>, PlanError> {
    let shapes = network.into();
    on_core(shapes.network, &Draft::new(shapes), spec)
}

fn on_core<P: Program + Default>(
    network: &Network,
    draft: &Draft<'_>,
    spec: &CnnSpec,
) -> Result<Plan<P>, PlanError> {
    let mut draft = draft.clone();
    let mut layout = layout::agree(&mut draft, spec)?;
    let banks = banks::banks(&mut draft, spec, &mut layout);
    let places = Places::new(&draft, spec, &layout, &banks)?;
    let port = |(name, &id): (&String, &Id)| Port {
        name: name.clone(),
        place: places.of(id),
        sums: draft.tensors[id].sums.is_some(),
        offset: offset(&draft.tensors[id]),
    };
    let inputs: Vec<_> = network.inputs.iter().zip(&draft.inputs).map(port).collect();
    let outputs: Vec<_> = network.outputs.iter().zip(&draft.outputs).map(port).collect();
    let mut image = P::default();
    let mut steps = vec![];
    let mut sum_bits = 0;
    let mut done = |program: &mut P, layer: &str, first: usize, (products, one_weight)| {
        let jobs = &program.jobs()[first..];
        if !jobs.is_empty() {
            let cycles = spec.program_cycles(jobs);
            steps.push(Step {
                layer: layer.into(),
                jobs: jobs.len(),
                cycles,
                products,
                one_weight,
            });
        }
    };
    let transfer = |port: &Port| {
        let beats = port.place.bytes().div_ceil(spec.results);
        let nibbles = port.place.nibbles;
        let nibbles = Nibbles { input: nibbles, second: false, output: nibbles };
        Transfer { base: port.place.base, beats, nibbles }
    };
    for port in &inputs {
        let first = image.jobs().len();
        image.jobs().push(Job::Input(transfer(port)));
        done(&mut image, "in", first, (0, None));
    }
    let mut linears = draft.steps.iter().filter_map(|step| step.operator.linear());
    let narrow = linears.any(is_narrow);
    for step in &draft.steps {
        let first = image.jobs().len();
        let (bits, one_weight) = lower(&draft, spec, (&layout, &places), step, &mut image)?;
        check_bits(spec, &step.name, "its sums need", bits)?;
        sum_bits = sum_bits.max(bits);
        let one_weight = one_weight.filter(|_| narrow);
        done(&mut image, &step.name, first, (draft.multiplies(step), one_weight));
    }
    for port in &outputs {
        let first = image.jobs().len();
        image.jobs().push(Job::Output(transfer(port)));
        done(&mut image, "out", first, (0, None));
    }
    let (bank_bytes, multiplier_bits) = (places.bank_bytes, image.multiplier_bits());
    let mut plan = Plan { image, inputs, outputs, steps, bank_bytes, multiplier_bits, sum_bits };
    check_room(&mut plan, spec)?;
    check_fields(&mut plan)?;
    Ok(plan)
}

/// Adds a layer's jobs to the image; returns the bits that its sums need, and why lanes have one of its weights
/// if it has some and they have.
fn lower(
    draft: &Draft<'_>,
    spec: &CnnSpec,
    (layout, places): (&Layout, &Places),
    step: &draft::Step<'_>,
    program: &mut dyn Program,
) -> Result<(u32, Option<OneWeight>), PlanError> {
    let operand = |(n, &id): (usize, &Id)| Operand {
        tensor: &draft.tensors[id],
        place: places.of(id),
        lies_there: layout::is_part(layout, step, n),
    };
    let inputs: Vec<_> = step.inputs.iter().enumerate().map(operand).collect();
    let lowering = Lowering {
        spec,
        name: &step.name,
        x: inputs[0].tensor,
        inputs: &inputs,
        output: &draft.tensors[step.output],
        to: places.of(step.output),
        room: layout.room(step.output),
        weights: &step.weights,
    };
    let first = program.jobs().len();
    let bits = step.operator.known().lower(&lowering, program)?;
    let two = |job: &Job| matches!(job, Job::Convolve(job) if job.dual);
    let linear = step.operator.linear().filter(|_| !program.jobs()[first..].iter().any(two));
    let one_weight = |linear| lowering.one_weight(linear).unwrap_or(OneWeight::Pairs);
    Ok((bits, linear.map(one_weight)))
}

/// Every number of a job fits the place that the core has for it.
fn check_fields<P: Program>(plan: &mut Plan<P>) -> Result<(), PlanError> {
    let mut jobs = plan.image.jobs().iter();
    for step in &plan.steps {
        let overflow = jobs.by_ref().take(step.jobs).collect::<Vec<_>>();
        if let Some((field, value, bits)) = overflow.into_iter().find_map(Job::overflow) {
            let what = format!("its job's `{field}` is {value}, more than {bits} bits hold");
            return Err(unsupported(&step.layer, what, "make the layer smaller"));
        }
    }
    Ok(())
}

fn check_room<P: Program>(plan: &mut Plan<P>, spec: &CnnSpec) -> Result<(), PlanError> {
    let bytes = u64::from(spec.bank_bytes());
    let rooms = [
        ("bytes of activations", plan.bank_bytes.into(), bytes, "activation_words"),
        (
            "rows of weights",
            plan.image.planes().div_ceil(8) as u64,
            spec.weight_rows.into(),
            "weight_rows",
        ),
        ("rows of scales", plan.image.scale_rows() as u64, spec.scale_rows.into(), "scale_rows"),
        ("tables", plan.image.tables() as u64, spec.softmax_tables.into(), "softmax_tables"),
        (
            "bits of multipliers",
            plan.multiplier_bits.into(),
            spec.multiplier_bits.into(),
            "multiplier_bits",
        ),
        ("jobs", plan.image.jobs().len() as u64, spec.jobs.into(), "jobs"),
    ];
    for (what, needed, given, parameter) in rooms {
        if needed > given {
            return Err(PlanError::Room { what, needed, given, parameter });
        }
    }
    Ok(())
}
