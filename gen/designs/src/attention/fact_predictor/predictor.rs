//! The top: loads a head's keys, scores its rows, finds each row's largest scores.

use super::spec::{CODE_BITS, ELEMENT_BITS};
use super::{FactPredictorSpec, cost, row};
use crate::attention::predictor::front::Front;
use crate::attention::predictor::pipe::{Issue, Pipe, Places};
use crate::attention::predictor::scores::{Scores, Write};
use crate::attention::predictor::{key_bank, leading_one, top_k};
use crate::wiring::{held, pack, unpack};
use hwgen_hdl::lib::register_slice::{Cut, slice_stream};
use hwgen_hdl::{Bundle, Fields, Module, ModuleBuilder, Signal, Stream, fields, s, u};
use std::sync::Arc;

/// Stream `keys`: `data`, a key of `head_dim` elements, element 0 low; `last` of the head.
fn key_fields(spec: &FactPredictorSpec) -> Fields {
    fields([("data", u(spec.head_dim * ELEMENT_BITS)), ("last", u(1))])
}

/// Stream `queries`: `data`, a query of `head_dim` elements, element 0 low; `visible` keys; `last`
/// of the head.
fn query_fields(spec: &FactPredictorSpec) -> Fields {
    let data = u(spec.head_dim * ELEMENT_BITS);
    fields([("data", data), ("visible", u(spec.shape().count_bits())), ("last", u(1))])
}

/// The top module; see [`super::build`].
pub(super) fn module(spec: &FactPredictorSpec) -> Arc<Module> {
    let m = ModuleBuilder::new("fact_predictor");
    m.doc(
        "FACT's predictor: which keys a query will attend to, both operands in leading-one form.",
    );
    let keys = m.stream_in("keys", &key_fields(spec));
    let queries = m.stream_in("queries", &query_fields(spec));

    let front = Front::new(&m, spec.shape(), &keys, &queries);
    let encoder = leading_one::module("fact_leading_one", spec.code());
    let visible = front.visible(&queries);
    let query = Bundle::new([
        ("codes", encode(&m, spec, &encoder, "query", queries.get("data"))),
        ("visible", visible),
        ("last", queries.get("last")),
        ("last_key", visible - 1),
    ]);
    let encoded = front.rows(&queries, query);
    let row_fields =
        fields([("codes", encoded.get("codes").ty()), ("visible", visible.ty()), ("last", u(1))]);
    let (groups, row) = front.split(&encoded, &row_fields);

    let places = Places {
        prefix: "",
        queue: "score_queue",
        groups: cost::groups_in_flight(spec),
        rows: cost::ROWS_IN_FLIGHT,
    };
    let pipe = Pipe::new(&m, places);
    let searching = m.wire("searching", u(1));
    let issue = pipe.issue(&groups, Some(&row), Some(*searching));
    front.done.drive(issue.last & row.get("last"));

    let word = encode(&m, spec, &encoder, "key", keys.get("data"));
    let bank = key_bank::module(
        "fact_key_bank",
        "Leading-one codes of every key of one row.",
        "codes",
        word.ty(),
        spec.shape().max_groups(),
    );
    let scores = Scores {
        shape: spec.shape(),
        bank: &bank,
        row: &row::module(spec),
        cycles: cost::score_cycles(spec),
    };
    let write = Write { lanes: front.write, group: front.write_group, word };
    let query = held(&m, "query", row.get("codes"), issue.begins(&m));
    let scored = scores.of(&m, &write, &groups, &issue, &[("query", query)]);

    let limit = search(&m, spec, &scored, &row, &issue);
    // the search unit holds one row at a time
    let row_in_search = m.reg("row_in_search", u(1));
    searching.drive(row_in_search.next(issue.last).enable(issue.last | limit.valid));
    let out = pipe.wait(&scored, &limit, |groups, limit, taken| filter(spec, groups, limit, taken));
    let out = out
        .with_payload(Bundle::new([("survivors", out.get("live")), ("row_last", out.get("last"))]));
    m.stream_out("out", &slice_stream(Cut::Forward, "result", &out));
    m.finish()
}

/// The elements of a query or key as leading-one codes.
fn encode<'m>(
    m: &'m ModuleBuilder,
    spec: &FactPredictorSpec,
    encoder: &Arc<Module>,
    name: &str,
    data: Signal<'m>,
) -> Signal<'m> {
    let elements = unpack(data, s(ELEMENT_BITS), spec.head_dim).into_iter().enumerate();
    let codes = elements.map(|(i, x)| {
        let encoder = m.instance(format!("encode_{name}_{i}"), encoder);
        encoder.input("x", x).output("code")
    });
    let codes = pack(&codes.collect::<Vec<_>>()).called(format!("{name}_codes"));
    assert_eq!(codes.width(), spec.head_dim * CODE_BITS);
    codes
}

/// The rows' thresholds, and how many scores equal to them survive.
fn search<'m>(
    m: &'m ModuleBuilder,
    spec: &FactPredictorSpec,
    scored: &Stream<'m>,
    row: &Stream<'m>,
    issue: &Issue<'m>,
) -> Stream<'m> {
    let search =
        top_k::Search { shape: spec.shape(), score_bits: spec.score_bits(), keep256: spec.keep256 };
    let unit = m.instance("search", &top_k::module("fact_top_k", search));
    unit.input("valid", scored.valid)
        .input("last", scored.get("last"))
        .input("live", scored.get("live"))
        .input("scores", scored.get("scores"))
        .input("visible", held(m, "visible_keys", row.get("visible"), issue.now));
    let limit = ["threshold", "ties"].map(|name| (name, unit.output(name)));
    Stream::source(m, "limit", unit.output("threshold_valid"), Bundle::new(limit))
}

/// Drops keys: the groups with the survivors.
fn filter<'m>(
    spec: &FactPredictorSpec,
    groups: &Stream<'m>,
    limit: &Stream<'m>,
    taken: Signal<'m>,
) -> Bundle<'m> {
    let live = unpack(groups.get("live"), u(1), spec.rows);
    let scores = unpack(groups.get("scores"), s(spec.score_bits()), spec.rows);
    let last = groups.get("last");
    let group = top_k::Group { live: &live, scores: &scores, taken, row_ends: last };
    let (threshold, ties) = (limit.get("threshold"), limit.get("ties"));
    let survivors = top_k::survivors(spec.shape(), group, threshold, ties);
    Bundle::new([("live", pack(&survivors)), ("last", last)])
}
