//! Where tensors lie: at which address while they live.

use super::draft::{Draft, Id};
use super::layout::Layout;
use crate::lowering::{PlanError, fits_nibbles};
use hwgen_designs::cnn::CnnSpec;
use hwgen_designs::cnn::lower::Place;
use hwgen_designs::cnn::spec::ADDRESS_BITS;

/// Bytes that addresses reach.
pub(super) const MOST_BYTES: u64 = 1 << ADDRESS_BITS;

/// Places of all tensors.
#[derive(Debug, Clone)]
pub(super) struct Places {
    places: Vec<Place>,
    /// Bytes in use at most, in the bank that is used most.
    pub(super) bank_bytes: u32,
}

impl Places {
    pub(super) fn of(&self, id: Id) -> Place {
        self.places[id]
    }

    /// Places all tensors, each in its bank.
    pub(super) fn new(
        draft: &Draft<'_>,
        spec: &CnnSpec,
        layout: &Layout,
        banks: &[usize],
    ) -> Result<Places, PlanError> {
        check_sizes(draft, layout)?;
        let nibbles = nibbles(draft, spec, layout);
        let (bases, bytes) = allocate(draft, spec, layout, banks, &nibbles);
        let most = if nibbles.contains(&true) { MOST_BYTES / 2 } else { MOST_BYTES };
        if bytes > most {
            return Err(PlanError::Address { what: "all tensors".into(), needed: bytes });
        }
        let place = |id: Id| {
            let (owner, offset) = layout.root(id);
            let [height, width, channels] = draft.tensors[id].image().map(|side| side as u32);
            let nibbles = nibbles[owner];
            let base = bases[owner] as u32 * if nibbles { 2 } else { 1 } + offset;
            let height = height * draft.tensors[id].bytes() as u32;
            Place { base, height, width, channels, pitch: layout.pitches[id], nibbles }
        };
        let places = (0..draft.tensors.len()).map(place).collect();
        Ok(Places { places, bank_bytes: bytes as u32 })
    }
}

/// Which tensors lie two elements in a byte, with all that lie in their memory: those of few bits that are
/// only written by pairs.
fn nibbles(draft: &Draft<'_>, spec: &CnnSpec, layout: &Layout) -> Vec<bool> {
    let owner = |id: Id| layout.root(id).0;
    let mut nibbles = vec![spec.nibbles; draft.tensors.len()];
    let even = |id: Id| {
        let [height, width, _] = draft.tensors[id].image();
        height * width == 1 || layout.pitches[id].is_multiple_of(2)
    };
    for id in 0..draft.tensors.len() {
        nibbles[owner(id)] &= fits_nibbles(&draft.tensors[id]) && even(id);
    }
    for step in draft.steps.iter().filter(|step| !step.operator.known().writes_pairs()) {
        nibbles[owner(step.output)] = false;
    }
    nibbles
}

/// Every tensor is within reach of addresses.
pub(super) fn check_sizes(draft: &Draft<'_>, layout: &Layout) -> Result<(), PlanError> {
    for id in 0..draft.tensors.len() {
        let needed = bytes(draft, layout, id);
        if needed > MOST_BYTES {
            return Err(PlanError::Address { what: draft.tensors[id].name.clone(), needed });
        }
    }
    Ok(())
}

/// Bytes from a tensor's first to its last, the pitch's rest included.
fn bytes(draft: &Draft<'_>, layout: &Layout, id: Id) -> u64 {
    let tensor = &draft.tensors[id];
    let [height, width, _] = tensor.image().map(|side| side as u64);
    tensor.bytes() as u64 * height * width * u64::from(layout.pitches[id])
}

/// From the step that makes a tensor to the last one that reads it, or any that lies in it.
#[derive(Clone, Copy)]
struct Life {
    from: usize,
    to: usize,
    bytes: u64,
}

/// Addresses: each tensor the lowest of its bank that is free while it lives.
fn allocate(
    draft: &Draft<'_>,
    spec: &CnnSpec,
    layout: &Layout,
    banks: &[usize],
    nibbles: &[bool],
) -> (Vec<u64>, u64) {
    let mut lives: Vec<Option<Life>> = vec![None; draft.tensors.len()];
    let mut order = vec![];
    let mut touch = |id: Id, when: usize| {
        let (owner, bytes) = (layout.root(id).0, bytes(draft, layout, id));
        let bytes = if nibbles[owner] { bytes.div_ceil(2) } else { bytes };
        match &mut lives[owner] {
            Some(life) => {
                life.to = life.to.max(when);
                life.bytes = life.bytes.max(bytes);
            }
            none => {
                *none = Some(Life { from: when, to: when, bytes });
                order.push(owner);
            }
        }
    };
    draft.inputs.iter().for_each(|&input| touch(input, 0));
    for (at, step) in draft.steps.iter().enumerate() {
        step.inputs.iter().for_each(|&input| touch(input, at + 1));
        touch(step.output, at + 1);
    }
    draft.outputs.iter().for_each(|&output| touch(output, draft.steps.len() + 1));

    let mut banked: [Vec<(u64, u64, Life)>; 2] = [vec![], vec![]];
    let (mut bases, mut most) = (vec![0; draft.tensors.len()], 0);
    for owner in order {
        let Some(life) = lives[owner] else {
            continue;
        };
        let bank = banks[owner];
        let placed = &mut banked[bank];
        let bytes = life.bytes.next_multiple_of(spec.lanes.into());
        let meets = |other: &Life| other.from <= life.to && life.from <= other.to;
        let busy = placed.iter().filter(|(_, _, other)| meets(other));
        let mut busy: Vec<_> = busy.map(|&(start, end, _)| (start, end)).collect();
        busy.sort_unstable();
        let mut base = 0;
        for (start, end) in busy {
            if base + bytes <= start {
                break;
            }
            base = base.max(end);
        }
        placed.push((base, base + bytes, life));
        bases[owner] = base + bank as u64 * u64::from(spec.bank_bytes());
        most = most.max(base + bytes);
    }
    (bases, most)
}
