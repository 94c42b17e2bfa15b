//! Layers that read tables: softmax, functions of one element.

use super::error::{PlanError, unsupported};
use super::lower::Lowering;
use super::offset;
use crate::graph;
use hwgen_designs::cnn::lower::Place;
use hwgen_designs::cnn::{Image, Job, Lookup, Softmax};

/// Entries of a table: one a byte.
const ENTRIES: usize = 256;

/// Elements of a row that a job's number of them can tell.
const ROW_ELEMENTS: u32 = (1 << 20) - 1;

impl Lowering<'_> {
    pub(super) fn softmax(
        &self,
        image: &mut Image,
        (from, to): (Place, Place),
        table: &[i32],
        steps: u32,
    ) -> Result<u32, PlanError> {
        if from.channels > 1024 {
            let what = format!("its rows have {} elements", from.channels);
            return Err(unsupported(self.name, what, "1,024 is the most"));
        }
        let mut entries: Vec<u32> = table.iter().map(|&entry| entry.max(0) as u32).collect();
        entries.resize(ENTRIES, 0);
        let table = known(image, entries);
        image.jobs.push(Job::Softmax(Softmax {
            input: from.base,
            input_pitch: from.pitch,
            output: to.base,
            output_pitch: to.pitch,
            length: from.channels,
            rows: from.height * from.width,
            steps,
            table,
            clamp: self.clamp(graph::Clamp::of(self.output)),
        }));
        Ok(0)
    }

    /// A function of each element, whose table begins at the smallest integer.
    pub(super) fn lookup(
        &self,
        image: &mut Image,
        (from, to): (Place, Place),
        table: &[i32],
    ) -> Result<u32, PlanError> {
        let lowest = self.x.lowest() - offset(self.x);
        let result = |byte: i32| {
            let place = usize::try_from(byte - lowest).ok();
            // what no element can be is nothing
            let value = place.and_then(|place| table.get(place));
            value.map_or(0, |value| u32::from((value - offset(self.output)) as u8))
        };
        // the core counts from the largest byte downward
        let table = known(image, (-128..=127).rev().map(result).collect());
        // what lies between positions may become anything, if it is there to be written
        let alike = from.pitch == to.pitch && self.room >= to.pitch;
        let (length, rows) = match alike && to.bytes() <= ROW_ELEMENTS {
            true => (to.bytes(), 1),
            false => (to.channels, to.height * to.width),
        };
        image.jobs.push(Job::Lookup(Lookup {
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

/// Which of the image's tables it is, added if it is new.
fn known(image: &mut Image, entries: Vec<u32>) -> u32 {
    let known = image.tables.iter().position(|table| *table == entries);
    let table = known.unwrap_or(image.tables.len());
    if known.is_none() {
        image.tables.push(entries);
    }
    table as u32
}
