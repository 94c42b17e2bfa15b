//! An accelerator in cells of a library, and what a head costs there.

use super::accelerator::{Accelerator, HeadRun};
use super::ledger::{Record, Split};
use crate::drive;
use crate::drive::attend::Run;
use crate::power::{Library, Options, Part, PowerModel, Report};
use hwgen_designs::attend::AttendSpec;
use std::error::Error;

/// Gates ready to run heads.
pub struct Gates {
    model: PowerModel,
    accelerator: String,
    setting: String,
    size: AttendSpec,
}

impl Gates {
    /// Makes gates of an accelerator; kept in the cache.
    ///
    /// # Errors
    /// No Yosys, or a cell of the library that is not understood.
    pub fn new(
        accelerator: &dyn Accelerator,
        size: &AttendSpec,
        library: &Library,
    ) -> Result<Gates, Box<dyn Error>> {
        let model = PowerModel::new(&accelerator.module(size), library, &Options::default())?;
        let (name, setting) = (accelerator.name().to_owned(), accelerator.setting());
        Ok(Gates { model, accelerator: name, setting, size: size.clone() })
    }

    /// Runs a head after a reset, compares what comes out, and counts energy from the first key to
    /// the last result.
    ///
    /// # Errors
    /// Nothing comes out for long.
    pub fn run(&self, head: &HeadRun, workload: &str) -> Result<Record, Box<dyn Error>> {
        let mut device = self.model.device();
        let rows = head.expected.len();
        let run = drive::run(&mut device, &(head.feeds)(), 0.0, 0, rows)?;
        let run = Run::from_beats(run, self.size.head_dim);
        let differ = run.rows.iter().zip(&head.expected).filter(|(is, must)| is != must).count();
        let report = self.model.report(&device);
        let total = report.total();
        Ok(Record {
            accelerator: self.accelerator.clone(),
            setting: self.setting.clone(),
            workload: workload.to_owned(),
            head: head.head.clone(),
            queries: head.queries,
            seen: head.seen,
            kept: head.kept,
            cosine: head.output.cosine,
            mismatches: differ as u64,
            cycles: run.cycles.last().map_or(0, |last| last + 1),
            model_cycles: head.model_cycles,
            scoring_cycles: head.kept * u64::from(self.size.beats()),
            cell_area_um2: total.cell_area_um2,
            memory_bits: total.memory_bits,
            energy_pj: split(&report),
        })
    }
}

/// Energy by what it is spent on. The predictor has all that happens in it; elsewhere the module
/// tells.
fn split(report: &Report) -> Split {
    let mut split = Split::default();
    for part in &report.parts {
        let energy_pj = part.energy.total_joules() * 1e12;
        *place(&mut split, part) += energy_pj;
    }
    split
}

fn place<'s>(split: &'s mut Split, part: &Part) -> &'s mut f64 {
    if part.path.split('.').next() == Some("predictor") {
        return &mut split.predict;
    }
    let begins = |names: &[&str]| names.iter().any(|name| part.module.starts_with(name));
    if begins(&["attend_memory"]) {
        &mut split.fetch
    } else if begins(&["attend_scores", "attend_values"]) {
        &mut split.compute
    } else if begins(&["attend_weights", "attend_division"]) {
        &mut split.softmax
    } else {
        &mut split.rest
    }
}
