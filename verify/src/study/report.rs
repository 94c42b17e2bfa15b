//! Tables of a study: for a terminal, and as CSV.

use super::ledger::{Record, Split};
use serde::Serialize;
use std::fmt::Write;

/// Sums over records of one accelerator on one model, or on one of its layers.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sum {
    /// The accelerator.
    pub accelerator: String,
    /// Its setting.
    pub setting: String,
    /// The model, or the layer in it.
    pub workload: String,
    heads: u64,
    queries: u64,
    seen: u64,
    kept: u64,
    cosines: f64,
    mismatches: u64,
    cycles: u64,
    model_cycles: u64,
    scoring_cycles: u64,
    cell_area_um2: f64,
    memory_bits: u64,
    energy_pj: Split,
}

impl Sum {
    fn new(record: &Record, workload: String) -> Sum {
        Sum {
            accelerator: record.accelerator.clone(),
            setting: record.setting.clone(),
            workload,
            cell_area_um2: record.cell_area_um2,
            memory_bits: record.memory_bits,
            ..Sum::default()
        }
    }

    fn add(&mut self, record: &Record) {
        self.heads += 1;
        self.queries += record.queries;
        self.seen += record.seen;
        self.kept += record.kept;
        self.cosines += record.cosine;
        self.mismatches += record.mismatches;
        self.cycles += record.cycles;
        self.model_cycles += record.model_cycles;
        self.scoring_cycles += record.scoring_cycles;
        self.energy_pj += record.energy_pj;
    }

    /// Energy of a query row, by part, in pJ.
    pub fn energy_per_query(&self) -> [(&'static str, f64); 5] {
        let queries = self.queries.max(1) as f64;
        self.energy_pj.parts().map(|(part, energy)| (part, energy / queries))
    }

    /// Energy of a query row, in pJ.
    pub fn total_per_query(&self) -> f64 {
        self.energy_pj.total() / self.queries.max(1) as f64
    }

    /// Keys kept, of those seen.
    pub fn kept(&self) -> f64 {
        self.kept as f64 / self.seen.max(1) as f64
    }

    /// The predictor's part of the energy.
    pub fn predict_share(&self) -> f64 {
        self.energy_pj.predict / self.energy_pj.total().max(f64::MIN_POSITIVE)
    }

    /// Cosine of the output, mean over the heads that ran.
    pub fn cosine(&self) -> f64 {
        self.cosines / self.heads.max(1) as f64
    }

    /// How far the cost model's cycles are off.
    pub fn model_error(&self) -> f64 {
        self.model_cycles as f64 / self.cycles.max(1) as f64 - 1.0
    }

    /// Rows that differed from the golden model.
    pub fn mismatches(&self) -> u64 {
        self.mismatches
    }
}

/// The layer of a head named `layer 3 head 7`; the whole name where there is none.
pub(super) fn layer(head: &str) -> &str {
    head.split_once(" head").map_or(head, |(layer, _)| layer)
}

/// Sums for each accelerator and model, in the order of the records.
pub fn by_workload(records: &[Record]) -> Vec<Sum> {
    sums(records, |record| record.workload.clone())
}

/// Sums for each accelerator and layer of each model.
pub fn by_layer(records: &[Record]) -> Vec<Sum> {
    sums(records, |record| format!("{}, {}", record.workload, layer(&record.head)))
}

fn sums(records: &[Record], group: impl Fn(&Record) -> String) -> Vec<Sum> {
    let mut sums: Vec<Sum> = vec![];
    for record in records {
        let workload = group(record);
        let same = |sum: &Sum| sum.workload == workload && sum.accelerator == record.accelerator;
        let place = sums.iter().position(same).unwrap_or_else(|| {
            sums.push(Sum::new(record, workload.clone()));
            sums.len() - 1
        });
        sums[place].add(record);
    }
    sums
}

/// A table of the sums, with the ratio of each energy to that of `reference` on the same workload.
pub fn table(sums: &[Sum], reference: &str) -> String {
    let mut text = String::from(
        "| model | accelerator | setting | kept | cosine | cycles a query | predict | fetch | compute | softmax | rest | pJ a query | ratio | predict share | cells, um2 | memory, bit | cycle model | differing rows |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for sum in sums {
        let parts = sum.energy_per_query().map(|(_, energy)| format!("{energy:.1}")).join(" | ");
        // writing to a string cannot fail
        let _ = writeln!(
            text,
            "| {} | {} | {} | {:.3} | {:.4} | {:.1} | {parts} | {:.1} | {} | {:.1} % | {:.0} | {} | {:+.2} % | {} |",
            sum.workload,
            sum.accelerator,
            sum.setting,
            sum.kept(),
            sum.cosine(),
            sum.cycles as f64 / sum.queries.max(1) as f64,
            sum.total_per_query(),
            ratio(sums, sum, reference).map_or("-".to_owned(), |ratio| format!("{ratio:.2}")),
            100.0 * sum.predict_share(),
            sum.cell_area_um2,
            sum.memory_bits,
            100.0 * sum.model_error(),
            sum.mismatches,
        );
    }
    text
}

/// Energy of a query over that of `reference` on the same workload.
pub fn ratio(sums: &[Sum], sum: &Sum, reference: &str) -> Option<f64> {
    let same = |other: &&Sum| other.workload == sum.workload && other.accelerator == reference;
    let reference = sums.iter().find(same)?.total_per_query();
    Some(sum.total_per_query() / reference)
}

/// A record as a row of a CSV file.
#[derive(Serialize)]
struct Row<'r> {
    accelerator: &'r str,
    setting: &'r str,
    workload: &'r str,
    layer: &'r str,
    head: &'r str,
    queries: u64,
    keys_seen: u64,
    keys_kept: u64,
    cosine: f64,
    differing_rows: u64,
    cycles: u64,
    model_cycles: u64,
    scoring_cycles: u64,
    cell_area_um2: f64,
    memory_bits: u64,
    predict_pj: f64,
    fetch_pj: f64,
    compute_pj: f64,
    softmax_pj: f64,
    rest_pj: f64,
}

/// All records as CSV, with a header.
///
/// # Errors
/// A field that cannot be written as text.
pub fn csv(records: &[Record]) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::Writer::from_writer(vec![]);
    for record in records {
        writer.serialize(Row {
            accelerator: &record.accelerator,
            setting: &record.setting,
            workload: &record.workload,
            layer: layer(&record.head),
            head: &record.head,
            queries: record.queries,
            keys_seen: record.seen,
            keys_kept: record.kept,
            cosine: record.cosine,
            differing_rows: record.mismatches,
            cycles: record.cycles,
            model_cycles: record.model_cycles,
            scoring_cycles: record.scoring_cycles,
            cell_area_um2: record.cell_area_um2,
            memory_bits: record.memory_bits,
            predict_pj: record.energy_pj.predict,
            fetch_pj: record.energy_pj.fetch,
            compute_pj: record.energy_pj.compute,
            softmax_pj: record.energy_pj.softmax,
            rest_pj: record.energy_pj.rest,
        })?;
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}
