//! A predictor and the exact stage as one engine.

use super::counters;
use crate::attention::attend::{self, AttendSpec};
use crate::spec::Parameters;
use crate::wiring::stream_fields;
use hwgen_hdl::lib::fifo::{Storage, fifo_with};
use hwgen_hdl::lib::stream_fork::fork_stream;
use hwgen_hdl::{Bundle, Fields, Module, ModuleBuilder, Stream};
use std::sync::Arc;

/// What stands around predictor and exact stage.
#[derive(Debug, Clone, PartialEq, Eq, Parameters)]
pub struct Buffers {
    /// Queries that wait for their survivors.
    ///
    /// As many rows as the predictor has in flight keep both at work.
    #[parameter(default = 16, range = 1..=256)]
    pub queries: u32,
    /// Count what the engine does and waits for.
    #[parameter(default = true)]
    pub counters: bool,
}

/// The engine; module `name`.
///
/// The predictor has streams `keys` (`data`, `last`) and `queries` (`data`, `visible`, .., `last`)
/// in, and `out` (`survivors`, `row_last`, ..) out, in groups of the exact stage's `rows` keys. The
/// engine's `queries` carry the fields of both stages once.
///
/// # Panics
/// If the predictor has other streams.
pub fn compose(
    name: &str,
    predictor: &Arc<Module>,
    spec: &AttendSpec,
    buffers: &Buffers,
) -> Arc<Module> {
    let attend = attend::build(spec);
    let m = ModuleBuilder::new(name);
    m.doc("Attention on predicted keys: a predictor, then exact scores, softmax and values.");
    let keys = m.stream_in("keys", &stream_fields(&attend, "keys"));
    let (ours, theirs) = (stream_fields(predictor, "queries"), stream_fields(&attend, "queries"));
    let last = ours.len() - 1;
    let more = theirs.iter().filter(|(name, _)| !ours.iter().any(|(ours, _)| ours == name));
    let fields: Fields = ours[..last].iter().chain(more).chain(&ours[last..]).cloned().collect();
    let queries = m.stream_in("queries", &fields);

    let predict = m.instance("predictor", predictor);
    let exact = m.instance("exact", &attend);
    let key = Bundle::new([("data", keys.get("key")), ("last", keys.get("last"))]);
    let [key, key_and_value] =
        two(fork_stream(&m, "keys_to", &keys, vec![key, keys.payload.clone()]));
    predict.stream_into("keys", key);
    exact.stream_into("keys", key_and_value);

    let pick = |fields: &Fields| {
        Bundle::new(fields.iter().map(|(name, _)| (name.clone(), queries.get(name))))
    };
    let parts = vec![pick(&ours), pick(&theirs)];
    let [query, waiting] = two(fork_stream(&m, "queries_to", &queries, parts));
    predict.stream_into("queries", query);
    let queue = fifo_with(Storage::BlockRam, buffers.queries as usize, &waiting.payload.shape());
    exact.stream_into("queries", waiting.through("query_queue", &queue));

    let predicted = predict.stream_from("out");
    let survivors = predicted.with_payload(Bundle::new([
        ("live", predicted.get("survivors")),
        ("last", predicted.get("row_last")),
    ]));
    if buffers.counters {
        counters::count(&m, spec, &survivors, &exact);
    }
    exact.stream_into("survivors", survivors);
    m.stream_out("out", &exact.stream_from("out"));
    m.finish()
}

fn two<'m>(streams: Vec<Stream<'m>>) -> [Stream<'m>; 2] {
    streams.try_into().unwrap_or_else(|_| unreachable!("a fork has an output a part"))
}
