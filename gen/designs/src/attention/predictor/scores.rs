//! Scores of a group of keys: a bank and a datapath for each of its keys.

use super::pipe::Issue;
use crate::attention::Shape;
use crate::wiring::{delayed, delayed_flag, pack};
use hwgen_hdl::{Bundle, Module, ModuleBuilder, Signal, Stream, index_bits, u};
use std::sync::Arc;

/// What scores a group.
pub(crate) struct Scores<'a> {
    /// The predictor's size.
    pub(crate) shape: Shape,
    /// A bank: see [`key_bank`](super::key_bank).
    pub(crate) bank: &'a Arc<Module>,
    /// A key's datapath. In: `live` (the key takes part), `keys` (its word of the bank) and others
    /// that it shares with its neighbors. Out: `live_out`, `score`, which is stale for a key that
    /// is not live.
    pub(crate) row: &'a Arc<Module>,
    /// Cycles from a group's issue to its scores.
    pub(crate) cycles: u32,
}

/// A key on its way into the banks.
pub(crate) struct Write<'m> {
    /// A bit a key of the group.
    pub(crate) lanes: Signal<'m>,
    /// The group.
    pub(crate) group: Signal<'m>,
    /// The key's word.
    pub(crate) word: Signal<'m>,
}

impl Scores<'_> {
    /// The issued groups with their scores: `scores`, `live` (a bit a key), `last` of the row.
    ///
    /// `shared` are the inputs of a datapath beside `live` and `keys`; those are there in the cycle
    /// after the issue.
    pub(crate) fn of<'m>(
        &self,
        m: &'m ModuleBuilder,
        write: &Write<'m>,
        groups: &Stream<'m>,
        issue: &Issue<'m>,
        shared: &[(&str, Signal<'m>)],
    ) -> Stream<'m> {
        let group = m.reg("group_read", u(index_bits(self.shape.max_groups() as usize)));
        group.next(group + 1).enable(issue.now).clear(issue.last);
        let live = m.reg("live", u(self.shape.rows));
        live.next(issue.now.mux(groups.get("live"), 0));
        let (mut lives, mut scores) = (vec![], vec![]);
        for key in 0..self.shape.rows {
            let bank = m.instance(format!("bank_{key}"), self.bank);
            bank.input("write", write.lanes.bit(key))
                .input("write_group", write.group)
                .input("write_keys", write.word)
                .input("read", issue.now & groups.get("live").bit(key))
                .input("read_group", *group);
            let row = m.instance(format!("row_{key}"), self.row);
            row.input("live", live.bit(key)).input("keys", bank.output("keys"));
            for (name, signal) in shared {
                row.input(name, *signal);
            }
            lives.push(row.output("live_out"));
            scores.push(row.output("score"));
        }
        let valid = delayed_flag(m, "issued", issue.now, self.cycles);
        let last = delayed(m, "last", groups.get("last"), self.cycles);
        let (scores, lives) =
            (pack(&scores).called("scored_scores"), pack(&lives).called("scored_live"));
        let scored = Bundle::new([("scores", scores), ("live", lives), ("last", last)]);
        Stream::source(m, "scored", valid, scored)
    }
}
