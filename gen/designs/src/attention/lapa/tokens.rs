//! The job's tokens: written once, read by the layers.

use super::LapaSpec;
use super::job::Job;
use hwgen_hdl::{
    Bundle, Fields, MemoryBuilder, ModuleBuilder, Signal, Stream, fields, index_bits, u,
};

/// Stream `tokens`: `data`, element 0 low; `last` of the job.
pub(super) fn token_fields(spec: &LapaSpec) -> Fields {
    fields([("data", u(spec.inputs * 8)), ("last", u(1))])
}

/// The memory, which has a port for each reader.
pub(super) struct Tokens<'m> {
    memory: MemoryBuilder<'m>,
}

impl<'m> Tokens<'m> {
    /// Takes the tokens while the job does.
    pub(super) fn new(
        m: &'m ModuleBuilder,
        spec: &LapaSpec,
        tokens: &Stream<'m>,
        job: &Job<'m>,
    ) -> Tokens<'m> {
        let memory = m.memory("token_memory", spec.shape().max_keys as usize, u(spec.inputs * 8));
        memory.write(job.keys.resize(memory.address_type().width), tokens.get("data"), job.store);
        Tokens { memory }
    }

    /// Field `index` of `asked` becomes `data`, a cycle later; the other fields stay beside it.
    pub(super) fn read(&self, name: &str, asked: &Stream<'m>) -> Stream<'m> {
        let m = asked.valid.module();
        let shown = m.reg(format!("{name}_valid"), u(1));
        let takes = asked.fires();
        let data = self.memory.read_sync(asked.get("index"), takes);
        let others = asked.payload.iter().filter(|(field, _)| *field != "index");
        let mut payload = Bundle::new([("data", data)]);
        for (field, value) in others {
            let held = m.reg(format!("{name}_{field}"), value.ty()).no_reset();
            payload = payload.with(field, held.next(value).enable(takes));
        }
        let out = Stream::source(m, name, shown, payload);
        let may_take = *out.ready | !shown;
        shown.next(asked.valid).enable(may_take);
        asked.ready.drive(may_take);
        out
    }
}

/// Asks for all tokens once for each pass of a key head: with predicted keys first for those
/// (field `predicts`), then for each of its query heads.
pub(super) fn passes<'m>(m: &'m ModuleBuilder, spec: &LapaSpec, job: &Job<'m>) -> Stream<'m> {
    let count = spec.queries_per_key + u32::from(spec.predict_keys);
    let fronting = m.reg("fronting", u(1));
    let index = m.reg("front_index", u(index_bits(spec.shape().max_keys as usize)));
    let pass = m.reg("front_pass", u(index_bits(count as usize)));
    let predicts = match spec.predict_keys {
        true => pass.eq(0),
        false => m.lit(u(1), 0),
    };
    let last = job.is_last(*index);
    let payload = Bundle::new([("index", *index), ("predicts", predicts), ("last", last)]);
    let asked = Stream::source(m, "front_asks", *fronting, payload);
    let pass_ends = (asked.fires() & last).named("pass_ends");
    index.next(index + 1).enable(asked.fires()).clear(pass_ends);
    let ends = (pass_ends & pass.eq(count - 1)).named("front_ends");
    pass.next(pass + 1).enable(pass_ends).clear(ends);
    let begins = job.begin_front(m, *fronting);
    fronting.next(begins).enable(begins | ends);
    asked
}

/// Sends tokens that were read to the layer they were asked for.
pub(super) fn direct<'m>(read: &Stream<'m>) -> [Stream<'m>; 2] {
    let (m, predicts) = (read.valid.module(), read.get("predicts"));
    let to = |name: &str, here: Signal<'m>| {
        let payload = Bundle::new([("data", read.get("data")), ("last", read.get("last"))]);
        Stream::source(m, name, read.valid & here, payload)
    };
    let (log, query) = (to("to_log", predicts), to("to_queries", !predicts));
    read.ready.drive(predicts.mux(*log.ready, *query.ready));
    [log, query]
}
