//! `spatten_tokens`: what a layer leaves to the next, by the importance of its tokens so far.
//!
//! ```text
//! scores --> + --> importance of the tokens left --> k-th largest, a bit a pass --> out: who stays
//!            ^-------------- closed up <---------------------------------------------+
//! ```

use super::spec::IMPORTANCE_BITS;
use crate::cost::Cost;
use crate::generate::Generate;
use crate::spec::{Parameters, Spec};
use crate::wiring::{delayed_flag, held};
use hwgen_hdl::{
    Bundle, Int, Module, ModuleBuilder, Reg, Signal, Stream, bits_for, fields, index_bits, mux, u,
};
use std::sync::Arc;

/// A unit that prunes tokens, sized.
#[derive(Debug, Clone, PartialEq, Eq, Parameters)]
pub struct SpattenTokensSpec {
    /// Tokens the unit holds.
    #[parameter(default = 512, range = 1..=4096)]
    pub max_keys: u32,
}

impl Spec for SpattenTokensSpec {}

impl SpattenTokensSpec {
    /// Bits of a number of tokens.
    pub fn count_bits(&self) -> u32 {
        bits_for(self.max_keys.into())
    }

    /// Cycles from a layer's last score to the first bit of its result, for that many tokens.
    pub fn layer_cycles(&self, tokens: u32) -> u64 {
        3 + u64::from(IMPORTANCE_BITS) * (u64::from(tokens) + 2)
    }
}

impl Generate for SpattenTokensSpec {
    const NAME: &'static str = "spatten_tokens";
    const SUMMARY: &'static str = "SpAtten: the tokens that a layer leaves to the next";
    const PAGE: &'static str = "docs/baselines.md";

    const SIZES: &'static [&'static str] = &["max_keys=1", "max_keys=8", "max_keys=13"];

    fn circuit(&self) -> Arc<Module> {
        module(self)
    }

    fn latency(&self) -> String {
        format!(
            "a score a cycle; {} cycles after the last of {} tokens their bits, one a cycle",
            self.layer_cycles(self.max_keys),
            self.max_keys
        )
    }

    fn diagram(&self) -> String {
        format!(
            "\
jobs: how many stay ----------------------------> k
scores --> + --> {} words of u{IMPORTANCE_BITS} --> compare, count --> a bit of the k-th largest a pass
           ^-----+   ^                                      |
                     +--- those that stay, closed up <------+--> out: live, last
",
            self.max_keys
        )
    }
}

/// The circuit; top module `spatten_tokens`.
fn module(spec: &SpattenTokensSpec) -> Arc<Module> {
    let m = ModuleBuilder::new("spatten_tokens");
    m.doc("Keeps the most important tokens of those that are left.");
    let count = u(spec.count_bits());
    let jobs = m.stream_in("jobs", &fields([("keep", count), ("first", u(1))]));
    let scores = m.stream_in("scores", &fields([("score", u(IMPORTANCE_BITS)), ("last", u(1))]));
    let unit = Unit { m: &m, spec };

    // a job: add, search, tell
    let idle = m.reg("idle", u(1)).reset_to(1);
    let adding = m.reg("adding", u(1));
    let job = jobs.fires().named("job_starts");
    jobs.ready.drive(idle);
    scores.ready.drive(adding);
    let takes = scores.fires().named("takes");
    let taken = (takes & scores.get("last")).named("scores_end");
    adding.next(job).enable(job | taken);
    let first = held(&m, "first_layer", jobs.get("first"), job);
    let keep = held(&m, "keep", mux(jobs.get("keep").any(), jobs.get("keep"), 1), job);

    // tokens beyond the memory are taken and forgotten
    let index = u(index_bits(spec.max_keys as usize));
    let tokens = m.reg("tokens", count);
    let store = (takes & tokens.lt(spec.max_keys)).named("store");
    tokens.next(tokens + 1).enable(store).clear(job);
    let last = (*tokens - 1).resize(index.width).named("last_token");

    let word = m.wire("word", u(IMPORTANCE_BITS));
    let search = unit.search(delayed_flag(&m, "search", taken, 1), last, *word, keep);
    let tell = unit.tell(&search, last, *word);
    idle.next(tell.done).enable(tell.done | job);

    let memory = m.memory("importance", spec.max_keys as usize, u(IMPORTANCE_BITS));
    let at = adding.mux(tokens.resize(index.width), tell.telling.mux(tell.token, search.token));
    word.drive(memory.read_sync(at, store | search.reads | tell.reads));
    let added = delayed_flag(&m, "added", store, 1);
    let added_token = held(&m, "added_token", tokens.resize(index.width), store);
    let score = held(&m, "score", scores.get("score"), store);
    let before = mux(first, m.lit(word.ty(), 0), *word);
    let wide = before.extend(IMPORTANCE_BITS + 1) + score.extend(IMPORTANCE_BITS + 1);
    let most = m.lit(word.ty(), word.ty().max());
    let sum = wide.msb().mux(most, wide.truncate(IMPORTANCE_BITS)).named("sum");
    memory.write(added.mux(added_token, tell.place), added.mux(sum, *word), added | tell.stays);
    m.stream_out("out", &tell.out);
    m.finish()
}

struct Unit<'m, 's> {
    m: &'m ModuleBuilder,
    spec: &'s SpattenTokensSpec,
}

/// The search for the k-th largest word.
struct Search<'m> {
    /// Reads that word.
    reads: Signal<'m>,
    token: Signal<'m>,
    /// It is found: from the next cycle on `threshold`, and how many words equal to it stay.
    found: Signal<'m>,
    threshold: Signal<'m>,
    ties: Signal<'m>,
}

/// The pass that tells who stays.
struct Tell<'m> {
    telling: Signal<'m>,
    reads: Signal<'m>,
    token: Signal<'m>,
    /// The word read before moves to `place`.
    stays: Signal<'m>,
    place: Signal<'m>,
    done: Signal<'m>,
    out: Stream<'m>,
}

impl<'m> Unit<'m, '_> {
    /// A pass over the words for each bit of the threshold, highest first: it is 1 if `keep` words or
    /// more are at least as large as the threshold so far with this bit set.
    fn search(
        &self,
        starts: Signal<'m>,
        last: Signal<'m>,
        word: Signal<'m>,
        keep: Signal<'m>,
    ) -> Search<'m> {
        let m = self.m;
        let again = m.wire("again", u(1));
        let reading = m.reg("reading", u(1));
        let token = m.reg("searched_token", last.ty());
        let pass_ends = (*reading & token.eq(last)).named("pass_ends");
        reading.next(starts | *again).enable(starts | *again | pass_ends);
        token.next(token + 1).enable(reading).clear(pass_ends);
        let valid = delayed_flag(m, "searched", *reading, 1);
        let decided = delayed_flag(m, "decided", pass_ends, 2);

        let threshold: Reg<'m> = m.reg("threshold", word.ty()).no_reset();
        let bit = m.reg("trial_bit", word.ty()).no_reset();
        let candidate = (*threshold | *bit).named("candidate");
        let hits = m.reg("hits", u(self.spec.count_bits()));
        hits.next(hits + 1).enable(valid & word.ge(candidate)).clear(decided);
        let accept = (decided & hits.ge(keep)).named("accept");
        // the last candidate refused is the threshold plus one: its count is that of larger words
        let larger = m.reg("larger", hits.ty()).no_reset();
        larger.next(starts.mux(m.lit(hits.ty(), 0), *hits)).enable(starts | (decided & !accept));
        threshold.next(starts.mux(m.lit(word.ty(), 0), candidate)).enable(starts | accept);
        let top = m.lit(word.ty(), Int::from(1) << (IMPORTANCE_BITS - 1));
        bit.next(starts.mux(top, bit.shr(1))).enable(starts | decided);
        again.drive(decided & !bit.bit(0));
        Search {
            reads: *reading,
            token: *token,
            found: (decided & bit.bit(0)).named("found"),
            threshold: *threshold,
            ties: (keep - *larger).named("ties"),
        }
    }

    /// Tells of each token whether it stays, and closes up the words of those that do.
    fn tell(&self, search: &Search<'m>, last: Signal<'m>, word: Signal<'m>) -> Tell<'m> {
        let m = self.m;
        let advance = m.wire("advance", u(1));
        let telling = m.reg("telling", u(1));
        let token = m.reg("told_token", last.ty());
        let reads = (*telling & *advance).named("tell_reads");
        let reads_last = (reads & token.eq(last)).named("tell_reads_last");
        telling.next(search.found).enable(search.found | reads_last);
        token.next(token + 1).enable(reads).clear(reads_last);
        let shown = m.reg("shown", u(1)).next(*telling).enable(*advance);
        let shown_last = held(m, "shown_last", reads_last, reads);

        let seen = m.reg("ties_seen", search.ties.ty());
        let among = (word.eq(search.threshold) & seen.lt(search.ties)).named("among_ties");
        let live = (word.gt(search.threshold) | among).named("live");
        let payload = Bundle::new([("live", live), ("last", shown_last)]);
        let out = Stream::source(m, "told", *shown, payload);
        let fires = out.fires();
        advance.drive(*out.ready | !*shown);
        let done = (fires & shown_last).named("told_all");
        seen.next(seen + 1).enable(fires & among).clear(done);
        let stays = (fires & live).named("stays");
        let place = m.reg("place", last.ty());
        place.next(place + 1).enable(stays).clear(done);
        Tell { telling: *telling, reads, token: *token, stays, place: *place, done, out }
    }
}

impl Cost for SpattenTokensSpec {
    type Workload = [u32];

    /// The cycle at whose end each bit of the result passes when no stream stalls, for layers of so
    /// many tokens. Cycle 0 takes the first layer's job.
    fn result_cycles(&self, layers: &[u32]) -> Vec<u64> {
        let (mut job, mut cycles) = (0, vec![]);
        for &tokens in layers {
            let first = job + u64::from(tokens) + self.layer_cycles(tokens);
            cycles.extend(first..first + u64::from(tokens));
            job = first + u64::from(tokens);
        }
        cycles
    }
}
