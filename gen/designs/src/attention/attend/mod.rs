//! Attention on the keys that a predictor let survive: exact scores, softmax, weighted values.
//!
//! Numbers, streams and cycles are defined in `docs/attention.md`. The circuit: a [`list`] of
//! keys feeds the [`scores`] unit; a scored row's keys are walked once more by [`weights`] and
//! [`values`]; [`division`] ends a row. [`cost`] tells its cycles exactly.

pub mod cost;
pub(crate) mod division;
pub mod drive;
mod engine;
pub mod golden;
mod list;
pub(crate) mod memory;
pub(crate) mod scores;
pub mod spec;
pub(crate) mod values;
pub(crate) mod weights;

pub(crate) use engine::query_fields;
pub use spec::AttendSpec;

use crate::cost::Cost;
use hwgen_hdl::Module;
use std::sync::Arc;

/// The circuit; top module `attend`.
///
/// Streams: `keys`, `queries`, `survivors` in, `out` out. A head's keys are taken after reset and
/// after the last row of the head before has read its last value; keys beyond `max_keys` are taken
/// and forgotten. Queries and survivors may come at any time; a row must have a survivor.
///
/// Outputs, one of which is 1 in every cycle: `scoring`, a key is issued to the score unit;
/// `idle_loading`, none is since keys are loaded or read out; `idle_starved`, since none is listed;
/// `idle_blocked`, since the query or room behind the score unit is missing, or the key before has
/// further beats.
///
/// `spec` must be one that [`validate`](crate::spec::Spec::validate) accepts.
pub fn build(spec: &AttendSpec) -> Arc<Module> {
    engine::module(spec, false)
}

/// The circuit for whoever says itself when a row can be attended to; top module `attend_open`.
///
/// Unlike [`build`]: stream `keys` has `index` instead of `last`, and is taken at any time. A row whose
/// survivors come needs its keys to be there, and they stay until output `head_read`, which is 1 for a
/// cycle when the head's last row has read its last value. `idle_loading` is input `waits` while
/// no key is listed: no row is sent, since keys are missing.
pub(crate) fn build_open(spec: &AttendSpec) -> Arc<Module> {
    engine::module(spec, true)
}

impl crate::generate::Generate for AttendSpec {
    const NAME: &'static str = "attend";
    const SUMMARY: &'static str = "attention on the keys that a predictor let survive";
    const PAGE: &'static str = "docs/attention.md";

    const SIZES: &'static [&'static str] = &[
        "max_keys=8 head_dim=4 rows=2 lanes=4",
        "max_keys=13 head_dim=5 rows=4 lanes=2 probability_bits=6",
        "max_keys=1 head_dim=1 rows=1 lanes=1 window=2",
    ];

    fn circuit(&self) -> Arc<Module> {
        build(self)
    }

    fn latency(&self) -> String {
        let key = |rows: u32| cost::HeadShape {
            keys: 1,
            rows: vec![vec![1]; rows as usize],
            visible: vec![1; rows as usize],
        };
        let one = self.cycles(&[key(1)]) - 1;
        format!(
            "{one} cycles from the survivors of a row with one key to its result; a surviving key takes \
             {} cycle(s) to score and as many to weigh, rows back to back, at least {} cycles each; a \
             head's keys load in a cycle each",
            self.beats(),
            self.division_steps() + 3,
        )
    }

    fn diagram(&self) -> String {
        let (lanes, bits) = (self.multipliers(), self.probability_bits);
        format!(
            "keys ------> key memory, value memory, a key a cycle\n\
             queries ---> row register\n\
             survivors -> list of keys --+--> key memory -> {lanes} products -> adder tree -> logit --+\n\
             {pad}|                                                          |\n\
             {pad}+--> keys of rows ----> weight ({bits} bits) <--- largest <-+\n\
             {pad}     value memory ----> {lanes} products -> 2 banks of sums\n\
             out: data, last <- {} dividers by table\n",
            self.dividers(),
            pad = " ".repeat(28),
        )
    }
}
