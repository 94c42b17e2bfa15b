//! Fixed fraction: finds a row's k-th largest score digit by digit, and breaks ties by key order.

use crate::attention::Shape;
use crate::wiring::{delayed_flag, held, numbered, pack, times_constant, unpack};
use hwgen_hdl::lib::popcount::popcount;
use hwgen_hdl::{Module, ModuleBuilder, Signal, bits_for, mux, reduce, s, u};
use std::sync::Arc;

/// Bits of a digit: a pass finds one.
pub(crate) const DIGIT_BITS: u32 = 4;

/// Keys that a pass looks at in a cycle, unless a group has more.
const WORD_KEYS: u32 = 32;

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

/// Groups of a word that a pass looks at in a cycle: a power of two.
pub(crate) fn word_groups(shape: Shape) -> u32 {
    (WORD_KEYS / shape.rows).clamp(1, shape.max_groups().next_power_of_two())
}

/// Words that hold all the keys.
pub(crate) fn max_words(shape: Shape) -> u32 {
    shape.max_groups().div_ceil(word_groups(shape))
}

/// Cycles from a row's last scores to its threshold, for a row of `groups` groups: the first digit
/// is counted while the scores come, each other one in a pass over the row's words.
pub(crate) fn cycles(shape: Shape, score_bits: u32, groups: u32) -> u32 {
    let words = groups.div_ceil(word_groups(shape));
    (digits(score_bits) - 1) * (words + 2) + 3
}

fn digits(score_bits: u32) -> u32 {
    score_bits.div_ceil(DIGIT_BITS)
}

/// The search unit: one row at a time.
///
/// In: `valid`, `last` (the row's last group), `live` (a bit a key), `scores` (those of
/// keys not live do not matter), and `visible`, which stays until the result. Out, for one cycle, [`cycles`] after the last
/// group: `threshold_valid`, with `threshold` and `ties`: the k largest live scores are those above the
/// threshold and the first `ties` equal to it. A row with k live keys or fewer gets a threshold
/// that they all pass.
///
/// Of the keys whose scores begin with the threshold's digits found so far, a pass counts, for each
/// digit d but 0, those that go on with d or more: the threshold's next digit is the largest d with as
/// many as are still to be kept. Once there are as many keys left as are to be kept, the
/// threshold's other digits are 0, and the row is read no more.
pub(crate) fn module(name: &str, search: Search) -> Arc<Module> {
    let (score, rows) = (s(search.score_bits), search.shape.rows);
    let count = u(search.shape.count_bits());
    let m = ModuleBuilder::new(name);
    m.doc("Finds a row's k-th largest live score, a digit a pass over the row.");
    let (valid, last) = (m.input("valid", u(1)), m.input("last", u(1)));
    let live = m.input("live", u(rows));
    let scores = m.input("scores", u(rows * score.width));
    let keep = keep(m.input("visible", count), search.keep256).named("keep");
    let ends = (valid & last).named("row_ends");

    let digits = digits(score.width);
    let digit = u(DIGIT_BITS.min(score.width));
    let top_digit = u(score.width - DIGIT_BITS * (digits - 1));
    // one-hot: which digit is looked for, 0 being the highest
    let place = m.reg("place", u(digits)).reset_to(1);
    let found: Vec<_> = (0..digits)
        .map(|at| m.reg(format!("found_{at}"), if at == 0 { top_digit } else { digit }).no_reset())
        .collect();
    let resolved = m.reg("resolved", u(1));

    // offset binary, which orders scores as unsigned numbers
    let live = unpack(live, u(1), rows);
    let scores = unpack(scores, score, rows).into_iter();
    let scores =
        scores.map(|a| (!a.msb()).called_in(a, "not_negative").cat(a.truncate(a.width() - 1)));
    let scores = numbered("ordered", scores);
    let row_counted = delayed_flag(&m, "row_counted", ends, 1);
    let mut counted = row_counted;
    let mut arrives = valid;
    let zero = m.lit(digit, 0);
    let looks = live.iter().zip(&scores);
    let looks = looks.map(|(live, score)| (valid & *live).mux(digit_of(*score, 0), zero));
    let mut looks = numbered("first_digit", looks);
    if digits > 1 {
        let again = m.wire("again", u(1));
        let row = Row { valid, ends, live: &live, scores: &scores };
        let starts = (row_counted | *again).named("pass_starts");
        let read = row.read_back(&m, search, starts, (!*resolved).called("searching"));
        again.drive(read.counted & !place.msb());
        counted = (row_counted | read.counted).named("counted");
        arrives = (valid | read.valid).named("arrives");
        let later = (read.live.iter().zip(&read.scores).enumerate()).map(|(i, (live, score))| {
            let differs = |at: u32| {
                digit_of(*score, at).truncate(found[at as usize].width()).ne(*found[at as usize])
            };
            // a digit is found if a later one is looked for
            let passed = |at: u32| {
                place.slice(digits - 1, at + 1).any().called(format!("digit_{at}_is_found"))
            };
            let out: Vec<_> = (0..digits - 1)
                .map(|at| (differs(at) & passed(at)).called(format!("key_{i}_differs_at_{at}")))
                .collect();
            let choices: Vec<_> =
                (1..digits).map(|at| (place.bit(at), digit_of(*score, at))).collect();
            let goes_on = (*live & !pack(&out).called(format!("key_{i}_differs")).any())
                .called(format!("key_{i}_goes_on"));
            let digit = one_of(&choices).called(format!("sought_digit_{i}"));
            goes_on.mux(digit, zero).called(format!("later_digit_{i}"))
        });
        looks = later
            .enumerate()
            .map(|(i, later)| looks.get(i).map_or(later, |first| later | *first))
            .collect();
    }

    // counts of digits
    let looks: Vec<Signal<'_>> = (looks.iter().enumerate())
        .map(|(i, look)| held(&m, format!("digit_{i}"), *look, arrives))
        .collect();
    let counts = delayed_flag(&m, "counts", arrives, 1);
    let decided = delayed_flag(&m, "decided", counted, 1);
    let totals: Vec<Signal<'_>> = (1..1 << digit.width)
        .map(|d: u32| {
            let hits = numbered(&format!("reaches_{d}_in"), looks.iter().map(|look| look.ge(d)));
            let hits = popcount(pack(&hits)).called(format!("reaching_{d}"));
            let total = m.reg(format!("reach_{d}"), count);
            total.next(*total + hits.resize(count.width)).enable(counts).clear(decided).into()
        })
        .collect();

    // the digit: the largest that enough keys reach
    let need = m.reg("need", count).no_reset();
    let enough: Vec<_> =
        (totals.iter()).map(|total| total.ge(*need).called_in(*total, "is_enough")).collect();
    let next = |d: usize| enough.get(d).map_or(m.lit(u(1), 1), |enough| !*enough);
    // of the digits 0, 1, ..
    let is = |d| if d == 0 { next(0) } else { enough[d - 1] & next(d) };
    let is = numbered("digit_is", (0..=totals.len()).map(is));
    let values: Vec<_> = (1..is.len()).map(|d| (is[d], m.lit(digit, d as u64))).collect();
    let reached: Vec<_> = is[1..].iter().copied().zip(totals.iter().copied()).collect();
    let larger: Vec<_> = is.iter().copied().zip(totals.iter().copied()).collect();
    let value = one_of(&values).named("value");
    for (at, found) in found.iter().enumerate() {
        let found_now = (decided & place.bit(at as u32)).called(format!("found_{at}_now"));
        found.next(value.truncate(found.width())).enable(found_now);
    }
    let still = (*need - one_of(&larger).called("larger")).named("still_to_keep");
    let changes = (ends | decided).called("need_changes");
    need.next(ends.mux(keep, still)).enable(changes);
    let all_kept = one_of(&reached).called("reached").eq(*need).named("all_kept");
    resolved.next(!ends & (*resolved | all_kept)).enable(changes);
    if digits > 1 {
        place.next(place.truncate(digits - 1).cat(place.msb())).enable(decided);
    } else {
        place.next(*place);
    }

    m.output("threshold_valid", m.reg("done", u(1)).next(decided & place.msb()));
    let found: Vec<Signal<'_>> = found.iter().rev().map(|found| (*found).into()).collect();
    let threshold = pack(&found).called("ordered_threshold");
    let threshold = (!threshold.msb()).cat(threshold.truncate(score.width - 1));
    m.output("threshold", threshold.as_signed());
    m.output("ties", *need);
    m.finish()
}

/// The digit of a score in offset binary that lies at `place`, 0 being the highest.
fn digit_of(score: Signal<'_>, place: u32) -> Signal<'_> {
    let (width, below) = (score.width(), DIGIT_BITS * (digits(score.width()) - 1 - place));
    let digit = score.slice((below + DIGIT_BITS).min(width) - 1, below);
    digit.extend(DIGIT_BITS.min(width))
}

/// The row as it comes: a group a cycle with `valid`.
struct Row<'a, 'm> {
    valid: Signal<'m>,
    ends: Signal<'m>,
    live: &'a [Signal<'m>],
    /// In offset binary.
    scores: &'a [Signal<'m>],
}

/// The row as it is read again: a word a cycle with `valid`.
struct ReadBack<'m> {
    valid: Signal<'m>,
    /// 0 without `valid`.
    live: Vec<Signal<'m>>,
    scores: Vec<Signal<'m>>,
    /// The pass's last word is in the counts with the next edge.
    counted: Signal<'m>,
}

impl<'m> Row<'_, 'm> {
    /// Keeps the row, and goes over its words after each cycle with `starts`; reads them while `wanted`.
    fn read_back(
        &self,
        m: &'m ModuleBuilder,
        search: Search,
        starts: Signal<'m>,
        wanted: Signal<'m>,
    ) -> ReadBack<'m> {
        let Search { shape, score_bits, .. } = search;
        let (rows, lanes) = (shape.rows, word_groups(shape));
        let group_bits = rows * (score_bits + 1);
        let memory = m.memory("row", max_words(shape) as usize, u(lanes * group_bits));
        let address = memory.address_type();
        let lane_bits = lanes.trailing_zeros();
        let fill = m.reg("fill", u(address.width + lane_bits));
        fill.next(fill + 1).enable(self.valid).clear(self.ends);
        let last_group = held(m, "last_group", *fill, self.ends);
        let group = pack(self.live).cat(pack(self.scores)).called("group");
        let to = fill.high(address.width);
        match lane_bits {
            0 => memory.write(to, group, self.valid),
            _ => {
                let lane = m.lit(u(lanes), 1).shl(fill.truncate(lane_bits));
                memory.write_masked(to, group.repeat(lanes), self.valid, lane)
            }
        };

        let reading = m.reg("reading", u(1));
        let from = m.reg("word_read", address);
        let ends = (*reading & from.eq(last_group.high(address.width))).named("pass_ends");
        reading.next(starts).enable(starts | ends);
        from.next(from + 1).enable(reading).clear(starts);
        let word = memory.read_sync(*from, *reading & wanted);
        let valid = (delayed_flag(m, "word_read_before", *reading, 1) & wanted).named("word_valid");
        let last = delayed_flag(m, "word_last", ends, 1);

        let (mut live, mut scores) = (vec![], vec![]);
        for (lane, group) in unpack(word, u(group_bits), lanes).into_iter().enumerate() {
            // the row's last word may hold groups of an earlier row
            let there = match lane_bits {
                0 => valid,
                _ => {
                    let within = last_group.truncate(lane_bits).ge(lane as u64);
                    (valid & mux(last, within, m.lit(u(1), 1))).called(format!("there_{lane}"))
                }
            };
            let group = group.called(format!("group_{lane}"));
            let of_keys = unpack(group.high(rows), u(1), rows);
            live.extend((of_keys.into_iter()).map(|live| (live & there).called_in(live, "there")));
            scores.extend(unpack(group.truncate(rows * score_bits), u(score_bits), rows));
        }
        ReadBack { valid, live, scores, counted: delayed_flag(m, "pass_counted", last, 1) }
    }
}

/// The value whose flag is 1, of those at most one of which is; 0 if none is.
fn one_of<'m>(choices: &[(Signal<'m>, Signal<'m>)]) -> Signal<'m> {
    let masked: Vec<_> = choices.iter().map(|(flag, value)| flag.mux(*value, 0)).collect();
    reduce(&masked, |a, b| a | b)
}

/// `max(1, visible * keep256 / 256)`, rounded down.
pub(crate) fn keep(visible: Signal<'_>, keep256: u32) -> Signal<'_> {
    let product = times_constant(visible.to_signed(), keep256 as i32);
    let keep = product.called("visible_in_256ths").shr(8).as_unsigned();
    let keep = keep.truncate(visible.width()).called("rounded_keep");
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
    (ranks_low, (total_low + total_high).called_in(bits[0], format!("and_{}_more", bits.len() - 1)))
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
    let equal = numbered("ties", keys().map(|(live, a)| *live & a.eq(threshold)));
    // counts past the largest number of keys by less than a group
    let width = shape.count_bits().max(bits_for(shape.rows.into())) + 1;
    let seen = m.reg("ties_seen", u(width));
    let (ranks, in_group) = ranks(&equal, width);
    let in_group = in_group.called("ties_in_group");
    seen.next(*seen + in_group).enable(group.taken).clear(group.taken & group.row_ends);
    let ties = ties.extend(width);
    let among_k = |(tie, rank): (&Signal<'m>, Signal<'m>)| {
        let rank = rank.called_in(*tie, "rank");
        (*tie & (*seen + rank).lt(ties)).called_in(*tie, "pass")
    };
    let among_k = equal.iter().zip(ranks).map(among_k);
    let survives =
        |((live, a), among_k): ((&Signal<'m>, &Signal<'m>), _)| (*live & a.gt(threshold)) | among_k;
    numbered("survives", keys().zip(among_k).map(survives))
}
