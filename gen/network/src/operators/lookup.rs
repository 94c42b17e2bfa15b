//! `lookup`: a function of one element.

use super::{
    Checked, Compute, Kind, Lowered, Lowering, Memory, Program, Rescaled, Rescaling, Shape,
};
use crate::basics::check::within;
use crate::basics::{NetworkError, Numbers, Tensor};
use crate::lowering::offset;
use hwgen_designs::cnn::{Job, Nibbles, job};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `z = table[x - the smallest x]`: a function of one element, such as a sigmoid.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lookup {
    /// 2^bits integers of the output, from the smallest input's on.
    pub table: Numbers<i32>,
}

/// Elements of a row that a job's number of them can tell.
const ROW_ELEMENTS: u32 = (1 << 20) - 1;

impl Kind for Lookup {
    fn check(&self, place: &str, inputs: &[&Tensor], output: &Tensor) -> Checked {
        let (table, bits) = (&self.table, inputs[0].bits);
        if table.len() != 1 << bits {
            let expected = format!("{}, one an input", 1 << bits);
            return Err(NetworkError::wrong_length(place, "table", table.len(), expected));
        }
        let (lowest, highest) = (output.lowest().into(), output.highest().into());
        table.iter().enumerate().try_for_each(|(n, &entry)| {
            within(place, &format!("table[{n}]"), entry.into(), lowest, highest)
        })
    }

    fn shape(&self, inputs: &[&Tensor], _: &Tensor) -> Shape {
        Ok(inputs[0].shape.clone())
    }

    fn prepare(&self, inputs: &[&Tensor], _: &Tensor) -> Box<dyn Compute> {
        let table = self.table.iter().map(|&entry| entry as i16).collect();
        Box::new(Ready::new(inputs[0], table))
    }

    /// The entry of the nearest integer before.
    fn rescale(&mut self, rescaling: &Rescaling<'_>) -> Rescaled {
        let (x, z) = (rescaling.inputs[0], rescaling.output);
        let entry = |after: i32| {
            let place = x.origin(after) - x.before.lowest();
            z.integer(self.table[place as usize])
        };
        let table = (x.after.lowest()..=x.after.highest()).map(entry);
        self.table = table.collect::<Vec<_>>().into();
        Ok(())
    }

    fn writes_pairs(&self) -> bool {
        false
    }

    fn memory(&self, _: &[&Tensor], _: &Tensor) -> Memory {
        Memory::Positions
    }

    fn lower(&self, lowering: &Lowering<'_>, program: &mut dyn Program) -> Lowered {
        let (from, to) = lowering.places();
        let lowest = lowering.x.lowest() - offset(lowering.x);
        let result = |byte: i32| {
            let place = usize::try_from(byte - lowest).ok();
            // what no element can be is nothing
            let value = place.and_then(|place| self.table.get(place));
            value.map_or(0, |value| u32::from((value - offset(lowering.output)) as u8))
        };
        // the core counts from the largest byte downward
        let table = program.table((-128..=127).rev().map(result).collect());
        // what lies between positions may become anything, if it is there to be written
        let alike = from.pitch == to.pitch && lowering.room >= to.pitch;
        let (length, rows) = match alike && to.bytes() <= ROW_ELEMENTS {
            true => (to.bytes(), 1),
            false => (to.channels, to.height * to.width),
        };
        let nibbles = Nibbles { input: from.nibbles, ..Nibbles::default() };
        program.jobs().push(Job::Lookup(job::Lookup {
            nibbles,
            input: from.base,
            input_pitch: from.pitch,
            output: to.base,
            output_pitch: to.pitch,
            length,
            rows,
            table,
        }));
        Ok(0)
    }
}

/// The result of every integer the input can hold, from the lowest on.
pub(super) struct Ready {
    lowest: i16,
    table: Vec<i16>,
}

impl Ready {
    pub(super) fn new(x: &Tensor, table: Vec<i16>) -> Ready {
        Ready { lowest: x.lowest() as i16, table }
    }
}

impl Compute for Ready {
    fn run(&mut self, inputs: &[&[i16]], output: &mut [i16]) {
        for (result, &x) in output.iter_mut().zip(inputs[0]) {
            *result = self.table[(x - self.lowest) as usize];
        }
    }
}
