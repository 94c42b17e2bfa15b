//! `importance`: a counter a token, and a threshold that keeps up with their sum.
//!
//! ```text
//! survivors -> within the job? -+-> counters[group] + live -> counters[group]     (read out: clear)
//!                               +-> popcount -> x factor -> remainder, threshold
//! ```

use super::ImportanceSpec;
use super::importance::RESULT_CYCLES;
use crate::wiring::{delayed_flag, numbered, pack, times_constant, unpack};
use hwgen_hdl::lib::popcount::popcount;
use hwgen_hdl::{
    Bundle, Module, ModuleBuilder, Reg, Signal, Stream, Wire, bits_for, fields, index_bits, u,
};
use std::sync::Arc;

/// The circuit; top module `name`. Streams as `docs/linear.md` tells.
pub(super) fn module(name: &str, spec: &ImportanceSpec) -> Arc<Module> {
    let m = ModuleBuilder::new(name);
    m.doc("Counts how many rows keep each token: which tokens are needed, which are precise.");
    let (keys, queries) = (bits_for(spec.max_keys.into()), spec.count_bits());
    let jobs = m.stream_in("jobs", &fields([("keys", u(keys)), ("queries", u(queries))]));
    let survivors = m.stream_in("survivors", &fields([("live", u(spec.rows)), ("last", u(1))]));

    let job = Job::new(&m, spec, &jobs);
    let phase = Phase::new(&m, spec, &jobs, &survivors, &job);
    let counted = count(&m, spec, &job, &survivors);
    let threshold = threshold(&m, spec, &job, counted.live);
    let out = read_out(&m, spec, &job, &phase, counted, threshold);
    phase.job_ends.drive(out.fires() & out.get("last"));
    m.stream_out("out", &out);
    m.finish()
}

/// The job, in registers.
struct Job<'m> {
    /// It starts at this edge.
    starts: Signal<'m>,
    /// Its tokens.
    keys: Signal<'m>,
    /// Its rows less one.
    last_row: Signal<'m>,
    /// The group of its last token.
    last_group: Signal<'m>,
    /// Which tokens of that group are the job's.
    inside: Signal<'m>,
}

impl<'m> Job<'m> {
    fn new(m: &'m ModuleBuilder, spec: &ImportanceSpec, jobs: &Stream<'m>) -> Job<'m> {
        let starts = jobs.fires().named("job_starts");
        let held = |field: &str, most: u32| {
            let asked = jobs.get(field);
            let held = asked.gt(most).mux(m.lit(asked.ty(), most), asked);
            held.any().mux(held, 1).named(format!("held_{field}"))
        };
        let register = |name: &str, value: Signal<'m>| -> Signal<'m> {
            m.reg(name, value.ty()).no_reset().next(value).enable(starts).into()
        };
        let keys = held("keys", spec.max_keys);
        let last_key = (keys - 1).called("last_key");
        let (lane_bits, group_bits) =
            (spec.rows.trailing_zeros(), index_bits(spec.max_groups() as usize));
        let wide = last_key.resize(last_key.width().max(lane_bits + group_bits));
        let group = wide.slice(lane_bits + group_bits - 1, lane_bits);
        let inside = match lane_bits {
            0 => m.lit(u(1), 1),
            _ => {
                let last_lane = wide.slice(lane_bits - 1, 0);
                pack(&numbered("inside", (0..spec.rows).map(|lane| last_lane.ge(lane))))
            }
        };
        Job {
            starts,
            keys: register("keys", keys),
            last_row: register("last_row", held("queries", spec.max_queries) - 1),
            last_group: register("last_group", group),
            inside: register("inside_last", inside),
        }
    }
}

/// Clearing after reset, waiting for a job, counting, reading out.
struct Phase<'m> {
    /// Clears a group that no job has touched.
    clearing: Signal<'m>,
    /// The group to clear.
    clear_group: Signal<'m>,
    /// The last survivors pass at this edge.
    counting_ends: Signal<'m>,
    /// To be driven: the last group of the result passes.
    job_ends: Wire<'m>,
}

impl<'m> Phase<'m> {
    fn new(
        m: &'m ModuleBuilder,
        spec: &ImportanceSpec,
        jobs: &Stream<'m>,
        survivors: &Stream<'m>,
        job: &Job<'m>,
    ) -> Phase<'m> {
        let groups = spec.max_groups();
        let clearing = m.reg("clearing", u(1)).reset_to(1);
        let clear_group = m.reg("clear_group", u(index_bits(groups as usize)));
        let cleared = (*clearing & clear_group.eq(groups - 1)).named("cleared");
        clear_group.next(clear_group + 1).enable(*clearing).clear(cleared);
        clearing.next(!cleared).enable(*clearing);

        let job_ends = m.wire("job_ends", u(1));
        let idle = m.reg("idle", u(1));
        idle.next(!job.starts).enable(job.starts | cleared | *job_ends);
        jobs.ready.drive(*idle);

        let counting = m.reg("counting", u(1));
        let row_ends = (survivors.fires() & survivors.get("last")).named("row_ends");
        let row = m.reg("row", job.last_row.ty());
        let counting_ends = (row_ends & row.eq(job.last_row)).named("counting_ends");
        row.next(row + 1).enable(row_ends).clear(counting_ends);
        counting.next(job.starts).enable(job.starts | counting_ends);
        survivors.ready.drive(*counting);
        Phase { clearing: *clearing, clear_group: *clear_group, counting_ends, job_ends }
    }
}

/// A group of survivors on its way to the counters.
struct Counted<'m> {
    /// The tokens of the job that the row keeps; none if there is no group.
    live: Signal<'m>,
    /// It has any, and was read.
    valid: Signal<'m>,
    /// Which group.
    group: Signal<'m>,
}

/// Takes a group of survivors.
fn count<'m>(
    m: &'m ModuleBuilder,
    spec: &ImportanceSpec,
    job: &Job<'m>,
    survivors: &Stream<'m>,
) -> Counted<'m> {
    let (fires, last) = (survivors.fires(), survivors.get("last"));
    let group = m.reg("group", u(index_bits(spec.max_groups() as usize)));
    let in_last = group.eq(job.last_group).named("in_last_group");
    let row_ends = (fires & last).named("group_of_row_ends");
    group.next(group + 1).enable(fires & !in_last).clear(row_ends);
    let beyond = m.reg("beyond", u(1));
    beyond.next(m.lit(u(1), 1)).enable(fires & in_last).clear(row_ends);
    let all = m.lit(u(spec.rows), u(spec.rows).max());
    let inside = in_last.mux(job.inside, all);
    let inside = (fires & !*beyond).mux(inside, 0).named("counted");
    let live = (survivors.get("live") & inside).named("counted_live");
    Counted { live, valid: live.any().called("any_counted"), group: *group }
}

/// T of the page, kept up to date: S factor256 = 256 n T + remainder, the remainder below 256 n.
fn threshold<'m>(
    m: &'m ModuleBuilder,
    spec: &ImportanceSpec,
    job: &Job<'m>,
    live: Signal<'m>,
) -> Signal<'m> {
    let threshold = m.reg("threshold", u(spec.threshold_bits())).clear(job.starts);
    if spec.factor256 == 0 {
        threshold.next(m.lit(threshold.ty(), 0));
        return *threshold;
    }
    let new = m.reg("counted_live_1", live.ty()).next(live);
    let number = popcount(*new);
    let number = m.reg("new_survivors", number.ty()).next(number);
    let gain = times_constant(number.to_signed(), spec.factor256 as i32).as_unsigned();
    let gain = m.reg("gain", gain.ty()).next(gain);

    // one more bit than the sum of remainder and gain, for the sign of the differences
    let share_bits = job.keys.width() + 8;
    let bits = share_bits.max(gain.width()) + 2;
    let remainder = m.reg("remainder", u(share_bits)).clear(job.starts);
    let sum = (remainder.extend(bits) + gain.extend(bits)).as_signed().named("remainder_sum");
    let share = job.keys.extend(bits + 2).shl(8);
    let (mut next, mut growth) = (sum, m.lit(threshold.ty(), 0));
    for times in 1..=spec.most_growth() {
        let less = times_constant(share.to_signed(), times as i32);
        let wide = less.width();
        let rest = (sum.extend(wide) - less).named(format!("rest_{times}"));
        let fits = (!rest.msb()).called(format!("fits_{times}"));
        next = fits.mux(rest.truncate(bits), next);
        growth = fits.mux(m.lit(threshold.ty(), times), growth);
    }
    let busy = gain.any().named("gains");
    remainder.next(next.as_unsigned().truncate(share_bits)).enable(busy);
    threshold.next(threshold + growth).enable(busy);
    *threshold
}

/// The counters: counts a group a cycle, then reads out the job's groups and clears them.
fn read_out<'m>(
    m: &'m ModuleBuilder,
    spec: &ImportanceSpec,
    job: &Job<'m>,
    phase: &Phase<'m>,
    counted: Counted<'m>,
    threshold: Signal<'m>,
) -> Stream<'m> {
    let count = u(spec.count_bits());
    let word = u(spec.rows * count.width);
    let memory = m.memory("counters", spec.max_groups() as usize, word);
    let advance = m.wire("advance", u(1));

    // reading out: starts when the last group is counted and in the threshold
    let starts = delayed_flag(m, "result_starts", phase.counting_ends, RESULT_CYCLES - 3);
    let reading = m.reg("reading", u(1));
    let read_group = m.reg("read_group", memory.address_type());
    let reads = (*reading & *advance).named("reads");
    let reads_last = (reads & read_group.eq(job.last_group)).named("reads_last");
    reading.next(starts).enable(starts | reads_last);
    read_group.next(read_group + 1).enable(reads).clear(reads_last);

    let address = reading.mux(*read_group, counted.group);
    let stored = memory.read_sync(address, reads | counted.valid);

    // counting: a group read while it was written is in `written`
    let valid = m.reg("counted_valid", u(1)).next(counted.valid);
    let register = |name: &str, value: Signal<'m>, enable: Signal<'m>| -> Reg<'m> {
        m.reg(name, value.ty()).no_reset().next(value).enable(enable)
    };
    let live = register("new_live", counted.live, counted.valid);
    let group = register("new_group", counted.group, counted.valid);
    let again = counted.group.eq(*group) & *valid;
    let again = register("again", again, counted.valid);
    let written = m.reg("written", word).no_reset();
    let before = again.mux(*written, stored);
    let sums = (unpack(before, count, spec.rows).into_iter().enumerate())
        .map(|(lane, sum)| sum + live.bit(lane as u32).extend(count.width));
    let sums = pack(&numbered("count_now", sums)).named("sums");
    written.next(sums).enable(*valid);

    // reading out, a cycle later: compare, and clear what was read
    let read = m.reg("read", u(1)).next(*reading).enable(*advance);
    let of_last = register("read_last", reads_last, reads);
    let cleared = register("cleared_group", *read_group, reads);
    let clears = (*read & *advance).named("clears");
    let write = *valid | clears | phase.clearing;
    let write_group = valid.mux(*group, read.mux(*cleared, phase.clear_group));
    memory.write(write_group, valid.mux(sums, m.lit(word, 0)), write);

    let counts = unpack(stored, count, spec.rows);
    let needed = numbered("needed", counts.iter().map(|count| count.any()));
    let bits = count.width.max(threshold.width());
    let reaches = counts.iter().map(|count| count.extend(bits).ge(threshold.extend(bits)));
    let reaches = numbered("reaches", reaches);
    let all = m.lit(u(spec.rows), u(spec.rows).max());
    let inside = of_last.mux(job.inside, all);
    let result =
        |name: &str, value: Signal<'m>| *register(&format!("result_{name}"), value, clears);
    let payload = Bundle::new([
        ("needed", result("needed", pack(&needed))),
        ("precise", result("precise", pack(&reaches) & inside)),
        ("count", result("count", stored)),
        ("last", result("last", *of_last)),
    ]);
    let shown = m.reg("result_valid", u(1)).next(*read).enable(*advance);
    let out = Stream::source(m, "result", shown, payload);
    advance.drive(*out.ready | !shown);
    out
}
