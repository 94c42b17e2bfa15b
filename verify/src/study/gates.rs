//! An accelerator in cells of a library, and what a head costs there.

use super::accelerator::{Accelerator, HeadRun};
use super::ledger::{Record, Split};
use crate::power::{Library, Options, Part, PowerModel, Report};
use hwgen_designs::attention::attend::AttendSpec;
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
        // as synthesis for silicon would: idle registers cost no clock
        let options = Options { clock_gating: true, ..Options::default() };
        let model = PowerModel::new(&accelerator.module(size), library, &options)?;
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
        let results = (head.run)(&mut device)?;
        let rows = results.rows.iter().zip(&head.expected);
        let differ = rows.filter(|(is, must)| is != must).count();
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
            cycles: results.cycles,
            model_cycles: head.model_cycles,
            scoring_cycles: head.scored * u64::from(self.size.beats()),
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
    let top = part.path.split('.').next().unwrap_or_default();
    let begins = |names: &[&str]| names.iter().any(|name| part.module.starts_with(name));
    // SpAtten looks at a row's weights to choose its values: that is its prediction
    if top == "predictor" || ["select_unit", "importance_unit", "head_unit"].contains(&top) {
        &mut split.predict
    } else if begins(&["attend_memory"])
        || ["key_high_memory", "key_low_memory", "value_memory"].contains(&top)
    {
        &mut split.fetch
    } else if begins(&["attend_scores", "attend_values"]) || top == "score_unit" {
        &mut split.compute
    } else if begins(&["attend_weights", "attend_division"]) || top == "weight_unit" {
        &mut split.softmax
    } else {
        &mut split.rest
    }
}
