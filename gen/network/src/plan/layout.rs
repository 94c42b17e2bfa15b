//! How tensors lie, agreed upon by all who write and read them: bytes from position to position, which
//! tensors are parts or views of others, and copies where they cannot agree.
//!
//! What each one asks for:
//! - a layer writes `results` bytes at once, or fewer if lanes share a result: where it writes begins
//!   at multiples of that, and what is written beyond the channels must harm nothing;
//! - additions and what comes in write every byte from the first to the last;
//! - depthwise convolutions and largest elements are read by whole words; means and changes of scale are
//!   fast then;
//! - an addition's terms and sum lie alike;
//! - a reshaped tensor is the same bytes: of as many channels, or without gaps between positions;
//! - parts of a concatenation lie in it, if each begins where it can be written; else they are copied.

use super::draft::{Draft, Id, Step};
use super::place::check_sizes;
use crate::graph::{Operator, Requantize};
use crate::lowering::{PlanError, unsupported};
use crate::operators::Memory;
use hwgen_designs::cnn::CnnSpec;
use std::borrow::Cow;
use std::rc::Rc;

/// A tensor that lies in another's memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Within {
    owner: Id,
    /// Which of the inputs of the step that makes the owner, if that is a concatenation.
    part: usize,
    /// Channels before its own, in each position.
    channels: u32,
    /// Positions before its own.
    positions: u32,
    /// Bytes that may be written in each position; as many as the owner has room for without.
    room: Option<u32>,
}

/// How all tensors lie.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    /// Bytes from a position to the next.
    pub(super) pitches: Vec<u32>,
    pub(super) within: Vec<Option<Within>>,
}

impl Layout {
    /// The tensor whose memory a tensor lies in, and where there.
    pub(super) fn root(&self, mut id: Id) -> (Id, u32) {
        let mut offset = 0;
        while let Some(within) = &self.within[id] {
            offset += within.channels + within.positions * self.pitches[within.owner];
            id = within.owner;
        }
        (id, offset)
    }

    /// Bytes that may be written in each position of a tensor.
    pub(super) fn room(&self, id: Id) -> u32 {
        match self.within[id] {
            None => self.pitches[id],
            Some(Within { owner, channels, room, .. }) => {
                room.unwrap_or_else(|| self.room(owner) - channels)
            }
        }
    }

    /// Whether all positions of a tensor begin at multiples of so many bytes.
    fn aligned(&self, id: Id, bytes: u32) -> bool {
        self.root(id).1.is_multiple_of(bytes) && self.pitches[id].is_multiple_of(bytes)
    }
}

/// Whether a tensor lies in a concatenation that it is a part of: it is not copied there.
pub(super) fn is_part(layout: &Layout, step: &Step<'_>, input: usize) -> bool {
    let within = layout.within[step.inputs[input]];
    within.is_some_and(|within| (within.owner, within.part) == (step.output, input))
}

/// Rounds of copies until all agree; each one settles what it finds.
const ROUNDS: usize = 64;

/// Agrees on a layout; adds the copies that it takes.
pub(super) fn agree(draft: &mut Draft<'_>, spec: &CnnSpec) -> Result<Layout, PlanError> {
    for _ in 0..ROUNDS {
        let layout = proposed(draft, spec);
        check_sizes(draft, &layout)?;
        let complaints = complaints(draft, spec, &layout);
        if complaints.is_empty() {
            return Ok(layout);
        }
        // each copy moves the steps behind it
        for (copies, complaint) in complaints.into_iter().enumerate() {
            let made = copy(draft, complaint.step + copies, complaint.input);
            draft.dense[made] = complaint.dense;
        }
    }
    Err(unsupported(&draft.steps[0].name, "no layout suits all layers", "leave out a reshape"))
}

/// What a reader asks for that it is not given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Complaint {
    step: usize,
    input: usize,
    /// It wants a copy without gaps, not one that lies as it likes best.
    dense: bool,
}

/// Gives a step a copy of what it reads, made by a step before it; returns the copy.
pub(super) fn copy(draft: &mut Draft<'_>, at: usize, input: usize) -> Id {
    let read = draft.steps[at].inputs[input];
    let from = &draft.tensors[read];
    let operator = Cow::Owned(Operator::Requantize(Requantize::copy(from)));
    let (name, shape) = (format!("copy of {}", from.name), from.shape.clone());
    let output = draft.like(read, &name, shape);
    let name = draft.tensors[output].name.clone();
    draft.steps[at].inputs[input] = output;
    draft
        .steps
        .insert(at, Step { name, operator, inputs: vec![read], output, weights: Rc::default() });
    output
}

/// A layout that all agree on but for [`complaints`].
fn proposed(draft: &Draft<'_>, spec: &CnnSpec) -> Layout {
    let tensors = &draft.tensors;
    let size = |id: Id| {
        let [height, width, channels] = tensors[id].image().map(|side| side as u32);
        (height * width, channels)
    };
    // tensors whose pitch is that of their channels
    let mut dense = draft.dense.clone();
    for step in draft.steps.iter().filter(|step| draft.memory(step) == Memory::View) {
        let ((_, from), (positions, channels)) = (size(step.inputs[0]), size(step.output));
        dense[step.output] = positions > 1 && (from != channels || dense[step.inputs[0]]);
    }
    let mut alike = Alike::new(tensors.len());
    let mut within = parts(draft, spec, &dense);
    for step in &draft.steps {
        let (x, z) = (step.inputs[0], step.output);
        match draft.memory(step) {
            Memory::View => {
                if size(x).1 == size(z).1 {
                    alike.join(x, z);
                }
                let all = Within { owner: x, part: 0, channels: 0, positions: 0, room: None };
                within[z] = Some(all);
            }
            Memory::Alike => {
                let terms = step.inputs.iter().filter(|term| !dense[**term]);
                terms.for_each(|term| alike.join(*term, z));
            }
            Memory::Parts(_) => {
                let lies = |part: &&Id| within[**part].is_some_and(|within| within.owner == z);
                step.inputs.iter().filter(lies).for_each(|part| alike.join(*part, z));
            }
            Memory::Positions | Memory::FasterByWords | Memory::Words | Memory::Factors => {}
        }
    }
    // bytes that pitches are multiples of
    let mut grains = vec![1; tensors.len()];
    let mut widest = vec![0; tensors.len()];
    let mut ask = |id: Id, bytes: u32| {
        let class = alike.of(id);
        grains[class] = bytes.max(grains[class]);
        widest[class] = size(id).1.max(widest[class]);
    };
    for &input in &draft.inputs {
        ask(input, size(input).1.next_power_of_two().min(spec.results));
    }
    for step in &draft.steps {
        if matches!(draft.memory(step), Memory::Words | Memory::FasterByWords) {
            ask(step.inputs[0], spec.lanes);
        }
        ask(step.output, spec.results);
    }
    let pitch = |id: Id| match dense[id] {
        true => size(id).1,
        false => widest[alike.of(id)].max(size(id).1).next_multiple_of(grains[alike.of(id)]),
    };
    let pitches = (0..tensors.len()).map(pitch).collect();
    Layout { pitches, within }
}

/// Classes of tensors that have one pitch.
struct Alike(Vec<Id>);

impl Alike {
    fn new(tensors: usize) -> Alike {
        Alike((0..tensors).collect())
    }

    fn of(&self, mut id: Id) -> Id {
        while self.0[id] != id {
            id = self.0[id];
        }
        id
    }

    fn join(&mut self, a: Id, b: Id) {
        let (a, b) = (self.of(a), self.of(b));
        self.0[a] = b;
    }
}

/// Parts that lie in the concatenations that they are parts of.
fn parts(draft: &Draft<'_>, spec: &CnnSpec, dense: &[bool]) -> Vec<Option<Within>> {
    let count = draft.tensors.len();
    let mut within: Vec<Option<Within>> = vec![None; count];
    // what lies elsewhere: in what it was before a reshape
    let mut elsewhere = vec![false; count];
    // what is written from its first byte to its last
    let mut solid = vec![false; count];
    draft.inputs.iter().for_each(|&input| solid[input] = true);
    let mut reads = vec![false; count];
    for step in draft.steps.iter().filter(|step| draft.memory(step) == Memory::Words) {
        reads[step.inputs[0]] = true;
    }
    for step in &draft.steps {
        match draft.memory(step) {
            Memory::View => elsewhere[step.output] = true,
            Memory::Alike => solid[step.output] = true,
            Memory::Parts(axis) => {
                let whole = &draft.tensors[step.output];
                let lines: usize = whole.image()[..axis].iter().product();
                let (mut channels, mut positions) = (0, 0);
                for (n, &part) in step.inputs.iter().enumerate() {
                    let [height, width, own] = draft.tensors[part].image().map(|side| side as u32);
                    let last = n + 1 == step.inputs.len();
                    let fits = match axis {
                        2 => {
                            let grain = if reads[part] { spec.lanes } else { spec.results };
                            let ends = own.is_multiple_of(spec.results) || last;
                            channels % grain == 0 && ends && !solid[part]
                        }
                        _ => lines == 1,
                    };
                    if fits && !elsewhere[part] && !dense[part] {
                        elsewhere[part] = true;
                        solid[step.output] |= solid[part];
                        let room = (axis == 2 && !last).then_some(own);
                        let owner = step.output;
                        within[part] = Some(Within { owner, part: n, channels, positions, room });
                    }
                    match axis {
                        2 => channels += own,
                        _ => positions += height * width,
                    }
                }
            }
            Memory::Positions | Memory::FasterByWords | Memory::Words | Memory::Factors => {}
        }
    }
    within
}

/// Who is not content.
fn complaints(draft: &Draft<'_>, spec: &CnnSpec, layout: &Layout) -> Vec<Complaint> {
    let mut complaints = vec![];
    for (at, step) in draft.steps.iter().enumerate() {
        for (input, &x) in step.inputs.iter().enumerate() {
            let complaint = |dense: bool| Complaint { step: at, input, dense };
            let [height, width, channels] = draft.tensors[x].image().map(|side| side as u32);
            match draft.memory(step) {
                Memory::View => {
                    let same = draft.tensors[step.output].image()[2] as u32 == channels;
                    let dense = layout.pitches[x] == channels || height * width == 1;
                    if !same && !dense {
                        complaints.push(complaint(true));
                    }
                }
                Memory::Alike => {
                    let alike = layout.pitches[x] == layout.pitches[step.output];
                    if !alike || !layout.aligned(x, spec.results) {
                        complaints.push(complaint(false));
                    }
                }
                // copied from where lanes share results, to anywhere
                Memory::Parts(_) if !is_part(layout, step, input) => {
                    complaints.extend((!layout.aligned(x, spec.results)).then(|| complaint(false)));
                }
                Memory::Words => {
                    complaints.extend((!layout.aligned(x, spec.lanes)).then(|| complaint(false)));
                }
                // a copy without gaps
                Memory::Positions if draft.dense[step.output] => {
                    complaints.extend((!layout.aligned(x, spec.results)).then(|| complaint(false)));
                }
                Memory::Positions | Memory::FasterByWords | Memory::Factors | Memory::Parts(_) => {}
            }
        }
    }
    complaints
}
