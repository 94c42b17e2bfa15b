//! Where memories have one port: a bank for every tensor. A job reads one bank and writes the other, so
//! tensors alternate, and one that is in the wrong bank is copied.

use super::draft::{Draft, Id};
use super::layout::{self, Layout, is_part};
use crate::operators::Memory;
use hwgen_designs::cnn::CnnSpec;

/// The bank of each tensor that is in no other; adds the copies that it takes.
pub(super) fn banks(draft: &mut Draft<'_>, spec: &CnnSpec, layout: &mut Layout) -> Vec<usize> {
    let mut banks = vec![None; draft.tensors.len()];
    let root = |layout: &Layout, id: Id| layout.root(id).0;
    if spec.single_port {
        draft.inputs.iter().for_each(|&input| banks[root(layout, input)] = Some(0));
        let mut at = 0;
        while at < draft.steps.len() {
            let step = &draft.steps[at];
            let inputs = 0..step.inputs.len();
            let read: Vec<usize> = match draft.memory(step) {
                Memory::View => vec![],
                Memory::Factors => vec![0],
                Memory::Parts(_) => inputs.filter(|&input| !is_part(layout, step, input)).collect(),
                Memory::Positions | Memory::FasterByWords | Memory::Words | Memory::Alike => {
                    inputs.collect()
                }
            };
            let bank = |banks: &[Option<usize>], id: Id| banks[root(layout, id)].unwrap_or(0);
            let Some(&first) = read.first() else {
                at += 1;
                continue;
            };
            let from = bank(&banks, step.inputs[first]);
            let to = *banks[root(layout, step.output)].get_or_insert(1 - from);
            let wrong = |input: &usize| bank(&banks, step.inputs[*input]) == to;
            for input in read.into_iter().filter(wrong).collect::<Vec<_>>() {
                let pitch = layout.pitches[draft.steps[at].inputs[input]];
                let made = layout::copy(draft, at, input);
                let channels = draft.tensors[made].image()[2] as u32;
                layout.pitches.push(match pitch.is_multiple_of(spec.results) {
                    true => pitch,
                    false => channels.next_multiple_of(spec.results),
                });
                layout.within.push(None);
                banks.push(Some(1 - to));
                at += 1;
            }
            at += 1;
        }
    }
    banks.into_iter().map(|bank| bank.unwrap_or(0)).collect()
}
