//! The feed-forward block: a job's tokens, in their order, each in the precision of its importance.

use super::LapaSpec;
use super::columns::in_group;
use super::job::Job;
use crate::generate::Generate;
use crate::wiring::stream_fields;
use hwgen_hdl::lib::fifo::fifo;
use hwgen_hdl::lib::stream_fork::fork_stream;
use hwgen_hdl::{Bundle, ModuleBuilder, Signal, Stream, fields, index_bits, u};

/// Jobs whose number of tokens waits for the block: the one it works on, and one that attends.
pub(super) const JOBS: usize = 2;

/// The block at work.
pub(super) struct Fed<'m> {
    /// A token passes into it at this edge; it is precise.
    pub(super) passes: Signal<'m>,
    pub(super) precise: Signal<'m>,
    /// A token waits for it; it waits for a token.
    pub(super) waits: Signal<'m>,
    pub(super) starved: Signal<'m>,
    /// Its results.
    pub(super) out: Stream<'m>,
}

/// Puts the block, if the specification has one, behind the stream `important` of the unit
/// `importance`; returns that stream for its other taker.
pub(super) fn feed<'m>(
    m: &'m ModuleBuilder,
    spec: &LapaSpec,
    job: &Job<'m>,
    important: Stream<'m>,
) -> (Stream<'m>, Option<Fed<'m>>) {
    let (Some(block), Some(jobs)) = (spec.feed_forward(), job.feeds.clone()) else {
        return (important, None);
    };
    let precise = Bundle::new([("precise", important.get("precise"))]);
    let parts = vec![important.payload.clone(), precise];
    let mut parts = fork_stream(m, "importance_to", &important, parts);
    let (groups, important) = (parts.remove(1), parts.remove(0));
    // the unit is free for the next job whatever the block does
    let places = spec.importance().max_groups() as usize;
    let queue = fifo(places, &groups.payload.shape());
    let groups = groups.through("precision_queue", &queue);
    let queue = fifo(JOBS, &jobs.payload.shape());
    let jobs = jobs.through("feed_jobs", &queue);
    let tokens = m.stream_in("feed_tokens", &fields([("data", u(spec.inputs * 8))]));

    let index = m.reg("feed_index", u(index_bits(spec.shape().max_keys as usize)));
    let (precise, group_ends) = in_group(spec, groups.get("precise"), *index);
    let precise = precise.named("feed_is_precise");
    let keys = jobs.get("keys");
    let last = (keys - 1).eq(index.extend(keys.width())).named("feed_is_last");
    let known = (groups.valid & jobs.valid).named("precision_known");
    let payload = Bundle::new([("data", tokens.get("data")), ("precise", precise), ("last", last)]);
    let fed = Stream::source(m, "feed", known & tokens.valid, payload);
    let passes = fed.fires().named("feeds");
    tokens.ready.drive(passes);
    groups.ready.drive(passes & (group_ends | last));
    jobs.ready.drive(passes & last);
    index.next(index + 1).enable(passes).clear(passes & last);

    let (waits, starved) = (fed.valid, known & !tokens.valid);
    let unit = m.instance("feed_forward", &block.build());
    for stream in
        ["first_weights", "first_scales", "first_table", "second_weights", "second_scales"]
    {
        let outside =
            m.stream_in(&format!("feed_{stream}"), &stream_fields(&unit.module(), stream));
        unit.stream_into(stream, outside);
    }
    unit.stream_into("tokens", fed);
    (important, Some(Fed { passes, precise, waits, starved, out: unit.stream_from("out") }))
}
