//! A job: takes its tokens, then goes through its key heads.

use super::LapaSpec;
use crate::wiring::times_constant;
use hwgen_hdl::lib::stream_fork::fork_stream;
use hwgen_hdl::{Bundle, InstanceBuilder, ModuleBuilder, Signal, Stream, Wire, index_bits, u};

/// Where the job is.
pub(super) struct Job<'m> {
    /// A token is to be kept.
    pub(super) store: Signal<'m>,
    /// Tokens so far; while the job runs, all of them.
    pub(super) keys: Signal<'m>,
    /// Key heads are worked on.
    pub(super) running: Signal<'m>,
    /// How many there are.
    heads: Signal<'m>,
    starts: Signal<'m>,
    /// To be driven: a key head's last query passes, its last column is with the layer.
    pub(super) rows_end: Wire<'m>,
    pub(super) columns_end: Wire<'m>,
    /// Where there is a feed-forward block: the `keys` of each job.
    pub(super) feeds: Option<Stream<'m>>,
}

impl<'m> Job<'m> {
    /// Starts a job when its tokens are there, and the unit `importance` is free.
    pub(super) fn new(
        m: &'m ModuleBuilder,
        spec: &LapaSpec,
        (jobs, tokens): (&Stream<'m>, &Stream<'m>),
        importance: &InstanceBuilder<'m>,
    ) -> Job<'m> {
        let (filling, waiting, running) =
            (m.reg("filling", u(1)).reset_to(1), m.reg("waiting", u(1)), m.reg("running", u(1)));
        let (rows_end, columns_end) = (m.wire("rows_end", u(1)), m.wire("columns_end", u(1)));
        let ends = m.wire("job_ends", u(1));
        let tokens_end = (tokens.fires() & tokens.get("last")).named("tokens_end");
        tokens.ready.drive(*filling);
        filling.next(*ends).enable(*ends | tokens_end);
        let keys = m.reg("token_count", u(spec.count_bits()));
        let store = (tokens.fires() & keys.lt(spec.shape().max_keys)).named("token_store");
        keys.next(keys + 1).enable(store).clear(*ends);

        let asked = jobs.get("heads");
        let most = asked.gt(spec.max_heads).mux(m.lit(asked.ty(), spec.max_heads), asked);
        let held = most.any().mux(most, 1).named("held_heads");
        let queries = rows(spec, *keys).mul(held).resize(spec.importance().count_bits());
        let count = Bundle::new([("keys", *keys), ("queries", queries)]);
        let counted = Stream::source(m, "counted", *waiting & jobs.valid, count);
        jobs.ready.drive(*waiting & *counted.ready);
        let starts = counted.fires().named("job_starts");
        waiting.next(tokens_end).enable(tokens_end | starts);
        running.next(starts).enable(starts | *ends);
        let (counted, feeds) = match spec.feed_forward() {
            None => (counted, None),
            Some(_) => {
                let parts = vec![counted.payload.clone(), Bundle::new([("keys", *keys)])];
                let mut parts = fork_stream(m, "counted_to", &counted, parts);
                let feeds = parts.pop();
                (parts.remove(0), feeds)
            }
        };
        importance.stream_into("jobs", counted);
        let heads = m.reg("heads", held.ty()).no_reset().next(held).enable(starts);

        let done = [("rows", *rows_end), ("columns", *columns_end)].map(|(name, ends)| {
            let count = m.reg(format!("{name}_done"), held.ty()).clear(starts);
            count.next(count + 1).enable(ends);
            count.eq(*heads)
        });
        ends.drive(*running & done[0] & done[1]);
        Job {
            store,
            keys: *keys,
            running: *running,
            heads: *heads,
            starts,
            rows_end,
            columns_end,
            feeds,
        }
    }

    /// Whether `index` is that of the last token.
    pub(super) fn is_last(&self, index: Signal<'m>) -> Signal<'m> {
        let bits = self.keys.width();
        // an index has no more bits than a count
        (self.keys - 1).eq(index.extend(bits))
    }

    /// Whether a unit that has begun `begun` key heads may begin another.
    fn more(&self, m: &'m ModuleBuilder, name: &str, begins: Signal<'m>) -> Signal<'m> {
        let begun = m.reg(format!("{name}_begun"), self.heads.ty()).clear(self.starts);
        begun.next(begun + 1).enable(begins);
        self.running & begun.ne(self.heads)
    }

    /// The edge at which the front, at work while `fronting`, begins a key head.
    pub(super) fn begin_front(&self, m: &'m ModuleBuilder, fronting: Signal<'m>) -> Signal<'m> {
        let begins = m.wire("front_begins", u(1));
        begins.drive(self.more(m, "front", *begins) & !fronting);
        *begins
    }

    /// Whether all columns of a key head are to be made, which is done at the edges with `ends`.
    pub(super) fn make_all(&self, m: &'m ModuleBuilder, ends: Signal<'m>) -> Signal<'m> {
        self.more(m, "making", ends)
    }
}

/// Counts the rows that pass at the edges with `passes` through their key heads: returns whether one
/// is its head's last.
pub(super) fn head_last<'m>(
    m: &'m ModuleBuilder,
    spec: &LapaSpec,
    job: &Job<'m>,
    passes: Signal<'m>,
) -> Signal<'m> {
    let token = m.reg("predicted_token", u(index_bits(spec.shape().max_keys as usize)));
    let head = m.reg("predicted_head", u(index_bits(spec.queries_per_key as usize)));
    let token_last = job.is_last(*token);
    let head_last = head.eq(spec.queries_per_key - 1);
    token.next(token + 1).enable(passes).clear(passes & token_last);
    let ends = passes & token_last;
    head.next(head + 1).enable(ends).clear(ends & head_last);
    (token_last & head_last).named("predicted_last")
}

/// Rows of a key head of `keys` tokens.
fn rows<'m>(spec: &LapaSpec, keys: Signal<'m>) -> Signal<'m> {
    times_constant(keys.to_signed(), spec.queries_per_key as i32).as_unsigned()
}
