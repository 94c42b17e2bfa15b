//! LAPA attention predictor: finds the keys worth attending to, without a multiplier.
//!
//! - ALOC: the query becomes signs and leading-one positions, so a product is a shift.
//! - MRSA: the key is read in slices, most significant first; each slice is one round.
//! - DDF: after each round a filter set by the row's own statistics drops keys.
//!
//! Source: "LAPA" (arXiv 2512.07855) names the three; formats, rounds and thresholds are our
//! definition, written out in `docs/lapa-predictor.md`.
//!
//! The circuit: `predictor` chains one `round` a key slice; a round is key banks and a `lane`: rows that
//! `shift_accumulate`, `statistics` and a `threshold` (or a search of the k-th largest). A `tile` is
//! key banks and several lanes, each with a query of its own. [`cost`]
//! tells its cycles exactly, [`area::estimate`](crate::area::estimate) its size. What other predictors
//! need as well is in [`predictor`](hwgen_designs::attention::predictor).

pub mod cost;
pub mod drive;
pub mod golden;
mod lane;
mod mass;
mod mass_threshold;
mod predictor;
mod round;
mod shift_accumulate;
pub mod spec;
mod statistics;
mod threshold;
mod tile;
mod widths;

pub use spec::{Filter, LapaPredictorSpec, RoundFilter};

use hwgen_hdl::Module;
use std::sync::Arc;

/// The circuit; top module `lapa_predictor`.
///
/// After reset it takes keys, a head's with `last` on the last of them; keys beyond `max_keys` are
/// taken and forgotten. Then it takes query rows until one with `last`, and keys again once that
/// row's last group has entered the last round. A row's `visible` is held to the range
/// 1..=keys of the head. With `tile` rows side by side a row waits for the others, or for `last`.
///
/// Streams: `keys` and `queries` in, `out` out: `survivors`, `scores` if they are asked for (key 0 of
/// the group low, 0 for keys that are not among the survivors), `row_last`.
///
/// `spec` must be one that [`validate`](crate::spec::Spec::validate) accepts.
pub fn build(spec: &LapaPredictorSpec) -> Arc<Module> {
    predictor::module(spec)
}

/// The filter of a round of a valid specification.
fn round_filter(spec: &LapaPredictorSpec, round: usize) -> RoundFilter {
    let filter = spec.filter.round(round);
    filter.expect("a valid specification has a filter for every round")
}

impl crate::generate::Generate for LapaPredictorSpec {
    const NAME: &'static str = "lapa_predictor";
    const SUMMARY: &'static str = "LAPA predictor: finds the keys a query will attend to";
    const PAGE: &'static str = "docs/lapa-predictor.md";

    const SIZES: &'static [&'static str] = &[
        "max_keys=8 head_dim=4 rows=2",
        "max_keys=16 head_dim=8 rows=4 query_bits=6",
        "max_keys=12 head_dim=3 rows=1 filter.mode=radius",
        "max_keys=16 head_dim=4 rows=4 filter.mode=sigma key_slices=[4,2,2]",
        "max_keys=16 head_dim=2 rows=4 filter.mode=top_k key_slices=[8]",
        "max_keys=8 head_dim=5 rows=8 approx_mean=true round_leading_one=true",
        "max_keys=9 head_dim=3 rows=2 filter.mode=mass",
        "max_keys=12 head_dim=4 rows=4 filter.mode=mass key_slices=[8]",
    ];

    fn circuit(&self) -> Arc<Module> {
        build(self)
    }

    fn latency(&self) -> String {
        let rows = match self.filter {
            Filter::TopK { .. } => "a search of the threshold a row and round",
            _ => "a group of keys a cycle, rows back to back",
        };
        crate::attention::predictor::latency(self, rows)
    }

    fn diagram(&self) -> String {
        let mut lines = vec![
            "keys ----> slices into banks, a key a cycle".to_owned(),
            match self.tile {
                1 => "queries -> leading-one codes".to_owned(),
                tile => format!("queries -> leading-one codes, gathered to tiles of {tile}"),
            },
        ];
        let unit = match self.filter {
            Filter::TopK { .. } => "search of the k-th largest",
            Filter::Mass { .. } => "histogram, threshold -----",
            _ => "statistics, threshold ----",
        };
        for (round, width) in self.key_slices.iter().enumerate() {
            let (low, score) = (self.slice_low(round), self.score_bits(round));
            let (high, rows, dim) = (low + width - 1, self.lane().rows, self.head_dim);
            let lanes =
                if self.tile > 1 { format!("{} lanes: ", self.tile) } else { String::new() };
            let score = format!(
                "{rows} banks of keys[{high}:{low}] -> {lanes}{rows} x ({dim} shifts, adder tree) -> s{score}"
            );
            let score = format!("round {round}:  {score} --+");
            let margin = " ".repeat(score.len() - 1);
            lines.push(format!("   |  groups of {rows} keys"));
            lines.push(format!("{score}--> score queue ----------------+--> filter"));
            lines.push(format!("{margin}+--> {unit}--+"));
        }
        lines.push("   |".to_owned());
        let scores = if self.scores { "scores, " } else { "" };
        lines.push(format!("out: survivors, {scores}row_last"));
        lines.join("\n") + "\n"
    }
}
