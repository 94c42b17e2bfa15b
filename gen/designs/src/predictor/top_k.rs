//! Fixed fraction: finds a row's k-th largest score bit by bit, and breaks ties by key order.

use super::Shape;
use crate::wiring::{delayed_flag, pack, times_constant, unpack};
use hwgen_hdl::lib::popcount::popcount;
use hwgen_hdl::{Module, ModuleBuilder, Signal, bits_for, s, u};
use std::sync::Arc;

/// What is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Search {
    /// The predictor's size.
    pub(crate) shape: Shape,
    /// Bits of a score, signed.
    pub(crate) score_bits: u32,
    /// The fraction of a row's visible keys to keep, in 1/256.
    pub(crate) keep256: u32,
}

/// Cycles from a row's last scores to its threshold, for a row of `groups` groups: a pass over the
/// groups for each bit.
pub(crate) fn cycles(score_bits: u32, groups: u32) -> u32 {
    score_bits * (groups + 2) + 1
}

/// The search unit: one row at a time.
///
/// In: `valid`, `last` (the row's last group), `live` (a bit a key), `scores` (those of
/// keys not live do not matter), and `visible`, which stays until the result. Out, for one cycle, [`cycles`] after the last
/// group: `threshold_valid`, with `threshold` (the k-th largest live score)
/// and `ties` (how many scores equal to it are among the k). A row with k live keys or fewer gets
/// a threshold that they all pass.
///
/// The row's groups are kept, then read once a bit of the score, highest first: a threshold bit is
/// 1 if k scores or more are at least as large as the threshold so far with this bit set.
pub(crate) fn module(name: &str, search: Search) -> Arc<Module> {
    let (score, rows) = (s(search.score_bits), search.shape.rows);
    let count = u(search.shape.count_bits());
    let m = ModuleBuilder::new(name);
    m.doc("Finds a row's k-th largest live score, a bit a pass over the row.");
    let (valid, last) = (m.input("valid", u(1)), m.input("last", u(1)));
    let live = m.input("live", u(rows));
    let scores = m.input("scores", u(rows * score.width));
    let keep = keep(m.input("visible", count), search.keep256).named("keep");

    // the row: scores in offset binary, which orders them as unsigned numbers
    let groups = search.shape.max_groups() as usize;
    let memory = m.memory("row", groups, u(rows * (score.width + 1)));
    let fill = m.reg("fill", memory.address_type());
    let ends = (valid & last).named("row_ends");
    fill.next(fill + 1).enable(valid).clear(ends);
    let last_group = m.reg("last_group", fill.ty()).no_reset();
    last_group.next(*fill).enable(ends);
    let offset: Vec<_> = (unpack(scores, score, rows).iter())
        .map(|a| (!a.msb()).cat(a.truncate(a.width() - 1)))
        .collect();
    memory.write(*fill, live.cat(pack(&offset)), valid);

    // a pass: read, compare, count, decide
    let decided = m.wire("decided", u(1));
    let again = m.wire("again", u(1));
    let starts = (ends | *again).named("pass_starts");
    let reading = m.reg("reading", u(1));
    let group = m.reg("group", fill.ty());
    let pass_ends = (*reading & group.eq(*last_group)).named("pass_ends");
    reading.next(starts | (*reading & !pass_ends));
    group.next(group + 1).enable(reading).clear(starts);
    let word = memory.read_sync(*group, *reading);

    let threshold = m.reg("threshold_offset", u(score.width)).no_reset();
    let bit = m.reg("trial_bit", u(score.width)).no_reset();
    let candidate = (*threshold | *bit).named("candidate");
    let reaches: Vec<_> = (unpack(word, u(score.width), rows).iter())
        .enumerate()
        .map(|(i, a)| a.ge(candidate) & word.bit(rows * score.width + i as u32))
        .collect();
    let word_valid = delayed_flag(&m, "word_valid", *reading, 1);
    let hits = m.reg("hits", u(rows)).no_reset().next(pack(&reaches)).enable(word_valid);
    let hits_valid = delayed_flag(&m, "hits_valid", word_valid, 1);
    decided.drive(delayed_flag(&m, "hits_last", pass_ends, 2));

    let total = m.reg("total", count);
    let reached = (*total + popcount(*hits).resize(count.width)).named("reached");
    total.next(reached).enable(hits_valid).clear(*decided);
    let accept = (*decided & reached.ge(keep)).named("accept");
    // the last candidate refused is the threshold plus one: its count is that of larger scores
    let larger = m.reg("larger", count).no_reset();
    larger.next(ends.mux(m.lit(count, 0), reached)).enable(ends | (*decided & !accept));
    threshold.next(ends.mux(m.lit(threshold.ty(), 0), candidate)).enable(ends | accept);
    let top_bit = m.lit(bit.ty(), hwgen_hdl::Int::from(1) << (score.width - 1));
    bit.next(ends.mux(top_bit, bit.shr(1))).enable(ends | *decided);
    let done = (*decided & bit.bit(0)).named("done");
    again.drive(*decided & !bit.bit(0));

    m.output("threshold_valid", m.reg("done_before", u(1)).next(done));
    let threshold = (!threshold.msb()).cat(threshold.truncate(score.width - 1));
    m.output("threshold", threshold.as_signed());
    m.output("ties", keep - *larger);
    m.finish()
}

/// `max(1, visible * keep256 / 256)`, rounded down.
pub(crate) fn keep(visible: Signal<'_>, keep256: u32) -> Signal<'_> {
    let product = times_constant(visible.to_signed(), keep256 as i32);
    let keep = product.shr(8).as_unsigned().truncate(visible.width());
    keep.any().mux(keep, 1)
}

/// For each bit, how many bits before it are 1, and how many are 1 in all.
fn ranks<'m>(bits: &[Signal<'m>], width: u32) -> (Vec<Signal<'m>>, Signal<'m>) {
    if let [bit] = bits {
        return (vec![bit.module().lit(u(width), 0)], bit.extend(width));
    }
    let (low, high) = bits.split_at(bits.len() / 2);
    let (mut ranks_low, total_low) = ranks(low, width);
    let (ranks_high, total_high) = ranks(high, width);
    ranks_low.extend(ranks_high.iter().map(|rank| total_low + *rank));
    (ranks_low, total_low + total_high)
}

/// A group on its way out of the queue.
pub(crate) struct Group<'a, 'm> {
    /// A bit a key.
    pub(crate) live: &'a [Signal<'m>],
    /// A score a key.
    pub(crate) scores: &'a [Signal<'m>],
    /// The group leaves at this edge.
    pub(crate) taken: Signal<'m>,
    /// It is its row's last.
    pub(crate) row_ends: Signal<'m>,
}

/// The keys of a group that are among the k: live scores above the threshold, and the row's first
/// `ties` of those equal to it.
pub(crate) fn survivors<'m>(
    shape: Shape,
    group: Group<'_, 'm>,
    threshold: Signal<'m>,
    ties: Signal<'m>,
) -> Vec<Signal<'m>> {
    let m = threshold.module();
    let keys = || group.live.iter().zip(group.scores);
    let equal: Vec<_> = keys().map(|(live, a)| *live & a.eq(threshold)).collect();
    // counts past the largest number of keys by less than a group
    let width = shape.count_bits().max(bits_for(shape.rows.into())) + 1;
    let seen = m.reg("ties_seen", u(width));
    let (ranks, in_group) = ranks(&equal, width);
    seen.next(*seen + in_group).enable(group.taken).clear(group.taken & group.row_ends);
    let ties = ties.extend(width);
    let among_k = |(equal, rank): (&Signal<'m>, Signal<'m>)| *equal & (*seen + rank).lt(ties);
    let among_k = equal.iter().zip(ranks).map(among_k);
    (keys().zip(among_k)).map(|((live, a), among_k)| (*live & a.gt(threshold)) | among_k).collect()
}
