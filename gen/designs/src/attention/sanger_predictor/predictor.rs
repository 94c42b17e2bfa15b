//! The top: loads a head's keys, estimates its rows' softmax, keeps what is probable.
//!
//! ```text
//! keys ----> shorten ----> banks
//! queries -> shorten --+-> groups --> logits --+--> logit queue ---> weights --+--> weight queue --> filter --> out
//!                      +-> row ------^         +--> largest ---^               +--> sum, limit ------^
//! ```

use super::spec::ELEMENT_BITS;
use super::{SangerPredictorSpec, cost, row, shorten, weight};
use crate::attention::attend::spec::{LOGIT_BITS, LOGIT_FRACTION, SCALE_BITS, SHIFT_BITS};
use crate::attention::attend::weights::halvings;
use crate::attention::predictor::fold::{Groups, fold};
use crate::attention::predictor::front::Front;
use crate::attention::predictor::key_bank;
use crate::attention::predictor::pipe::{Issue, Pipe, Places};
use crate::attention::predictor::scores::{Scores, Write};
use crate::wiring::{delayed, delayed_flag, held, numbered, pack, quiet, times_constant, unpack};
use hwgen_hdl::lib::register_slice::{Cut, slice_stream};
use hwgen_hdl::{Bundle, Fields, Int, Module, ModuleBuilder, Signal, Stream, fields, s, u};
use std::sync::Arc;

/// Stream `keys`: `data`, a key of `head_dim` elements, element 0 low; `last` of the head.
fn key_fields(spec: &SangerPredictorSpec) -> Fields {
    fields([("data", u(spec.head_dim * ELEMENT_BITS)), ("last", u(1))])
}

/// Stream `queries`: `data`, a query of `head_dim` elements, element 0 low; `visible` keys; `scale`
/// and `shift` of the row; `last` of the head.
fn query_fields(spec: &SangerPredictorSpec) -> Fields {
    fields([
        ("data", u(spec.head_dim * ELEMENT_BITS)),
        ("visible", u(spec.shape().count_bits())),
        ("scale", u(SCALE_BITS)),
        ("shift", u(SHIFT_BITS)),
        ("last", u(1)),
    ])
}

/// The top module; see [`super::build`].
pub(super) fn module(spec: &SangerPredictorSpec) -> Arc<Module> {
    let m = ModuleBuilder::new("sanger_predictor");
    m.doc("Sanger's predictor: which keys a query will attend to, by a softmax of short numbers.");
    let keys = m.stream_in("keys", &key_fields(spec));
    let queries = m.stream_in("queries", &query_fields(spec));

    let front = Front::new(&m, spec.shape(), &keys, &queries);
    let top =
        Top { m: &m, spec, shift: shorten::shift_module(spec), code: shorten::code_module(spec) };
    let short = top.queries(&front, &queries);
    let row_fields: Fields =
        short.payload.shape().into_iter().filter(|(name, _)| name != "last_key").collect();
    let (groups, row) = front.split(&short, &row_fields);

    let (logits, issue) = top.logits(&top.keys(&front, &keys), &groups, &row);
    front.done.drive(issue.last & row.get("last"));
    let out = top.survivors(&logits);
    let out = out
        .with_payload(Bundle::new([("survivors", out.get("live")), ("row_last", out.get("last"))]));
    m.stream_out("out", &slice_stream(Cut::Forward, "result", &out));
    m.finish()
}

/// The top under construction.
struct Top<'m, 's> {
    m: &'m ModuleBuilder,
    spec: &'s SangerPredictorSpec,
    shift: Arc<Module>,
    code: Arc<Module>,
}

impl<'m> Top<'m, '_> {
    /// The power of two by which a vector is shortened, if it has its own.
    fn own_shift(&self, name: &str, data: Signal<'m>) -> Option<Signal<'m>> {
        self.spec.row_normalise.then(|| {
            self.m
                .instance(format!("shift_{name}"), &self.shift)
                .input("data", data)
                .output("shift")
        })
    }

    /// A vector in short: its elements, element 0 low, then its power of two if it has its own.
    fn word(&self, name: &str, data: Signal<'m>, shift: Option<Signal<'m>>) -> Signal<'m> {
        let codes = shorten::codes(self.m, self.spec, &self.code, name, data, shift);
        shift.map_or(codes, |shift| shift.cat(codes))
    }

    /// Keys on their way into the banks, a cycle after they are taken.
    fn keys(&self, front: &Front<'m>, keys: &Stream<'m>) -> Write<'m> {
        let (m, store) = (self.m, front.write.any().called("key_comes"));
        let data = keys.get("data");
        let shift = self.own_shift("key", data).map(|shift| held(m, "key_shift", shift, store));
        let data = held(m, "key_data", data, store);
        Write {
            lanes: m.reg("key_write", front.write.ty()).next(front.write).into(),
            group: held(m, "key_group", front.write_group, store),
            word: self.word("key", data, shift),
        }
    }

    /// Rows in short: `word`, `scale`, `shift`, `last`, `last_key`.
    fn queries(&self, front: &Front<'m>, queries: &Stream<'m>) -> Stream<'m> {
        let mut row = Bundle::new([("data", queries.get("data"))]);
        if let Some(shift) = self.own_shift("query", queries.get("data")) {
            row = row.with("data_shift", shift);
        }
        let row = row
            .with("scale", queries.get("scale"))
            .with("shift", queries.get("shift"))
            .with("last", queries.get("last"))
            .with("last_key", front.visible(queries) - 1);
        let rows = front.rows(queries, row);
        let shift = self.spec.row_normalise.then(|| rows.get("data_shift"));
        let word = self.word("query", rows.get("data"), shift);
        let others = ["scale", "shift", "last", "last_key"].map(|name| (name, rows.get(name)));
        let row = others
            .into_iter()
            .fold(Bundle::new([("word", word)]), |row, (name, signal)| row.with(name, signal));
        slice_stream(Cut::Forward, "short", &rows.with_payload(row))
    }

    /// Groups of logits, each as far as it lies below its row's largest: `fractions`, `halvings`,
    /// `live`, `last`.
    fn logits(
        &self,
        write: &Write<'m>,
        groups: &Stream<'m>,
        row: &Stream<'m>,
    ) -> (Stream<'m>, Issue<'m>) {
        let (m, spec) = (self.m, self.spec);
        let timing = cost::logit_pipe(spec);
        let pipe = Pipe::new(
            m,
            Places {
                prefix: "logit_",
                queue: "logit_queue",
                groups: timing.groups_in_flight,
                rows: timing.rows_in_flight,
            },
        );
        let issue = pipe.issue(groups, Some(row), None);
        let bank = key_bank::module(
            "sanger_key_bank",
            "Every key of one row in four bits an element.",
            "short",
            write.word.ty(),
            spec.shape().max_groups(),
        );
        let scores = Scores {
            shape: spec.shape(),
            bank: &bank,
            row: &row::module(spec),
            cycles: cost::score_cycles(spec),
        };
        let begins = issue.begins(m);
        let query = held(m, "query", row.get("word"), begins);
        // the row's scale goes beside its product sums
        let scale = ["scale", "shift"].map(|name| held(m, name, row.get(name), begins));
        let mut beside = quiet(delayed_flag(m, "scale_valid", begins, 1));
        let scale = (0..cost::product_cycles(spec))
            .fold(scale.to_vec(), |scale, _| beside.stage("scale", &scale));
        let shared = [("query", query), ("scale", scale[0]), ("shift", scale[1])];
        let scored = scores.of(m, write, groups, &issue, &shared);

        let lowest = s(LOGIT_BITS).min();
        let lanes = self.live(&scored, "scores", s(LOGIT_BITS), lowest);
        let largest = |a: Signal<'m>, b: Signal<'m>| b.gt(a).mux(b, a);
        let of_row = Groups { valid: scored.valid, last: scored.get("last") };
        let maximum = fold(m, "maximum", of_row, lanes, LOGIT_BITS, largest, largest);
        let limit = Bundle::new([("maximum", maximum.number)]);
        let limit = Stream::source(m, "maximum", maximum.valid, limit);
        let below = pipe.wait(&scored, &limit, |groups, limit, _| {
            let maximum = limit.get("maximum").extend(LOGIT_BITS + 1);
            let logits = unpack(groups.get("scores"), s(LOGIT_BITS), spec.rows);
            let (mut fractions, mut places) = (vec![], vec![]);
            for (key, logit) in logits.into_iter().enumerate() {
                let below = maximum - logit.extend(LOGIT_BITS + 1);
                let below = below.called(format!("signed_below_{key}")).as_unsigned();
                let below = below.named(format!("below_{key}"));
                fractions.push(below.truncate(LOGIT_FRACTION));
                let whole = below.slice(LOGIT_BITS - 1, LOGIT_FRACTION);
                places.push(halvings(spec.probability_bits, whole));
            }
            Bundle::new([
                ("fractions", pack(&fractions)),
                ("halvings", pack(&places)),
                ("live", groups.get("live")),
                ("last", groups.get("last")),
            ])
        });
        (below, issue)
    }

    /// The groups' survivors, `live`, and `last`.
    fn survivors(&self, below: &Stream<'m>) -> Stream<'m> {
        let (m, spec) = (self.m, self.spec);
        let timing = cost::weight_pipe(spec);
        let pipe = Pipe::new(
            m,
            Places {
                prefix: "weight_",
                queue: "weight_queue",
                groups: timing.groups_in_flight,
                rows: timing.rows_in_flight,
            },
        );
        let issue = pipe.issue(below, None, None);
        let weight = u(spec.probability_bits);
        let module = weight::module(spec);
        let fractions = unpack(below.get("fractions"), u(LOGIT_FRACTION), spec.rows);
        let halvings = unpack(below.get("halvings"), u(weight::halvings_bits(spec)), spec.rows);
        let (mut lives, mut weights) = (vec![], vec![]);
        for key in 0..spec.rows {
            let unit = m.instance(format!("weigh_{key}"), &module);
            unit.input("issue", issue.now & below.get("live").bit(key))
                .input("fraction", fractions[key as usize])
                .input("halvings", halvings[key as usize]);
            lives.push(unit.output("live_out"));
            weights.push(unit.output("weight"));
        }
        let valid = delayed_flag(m, "weighing", issue.now, cost::WEIGHT_CYCLES);
        let last = delayed(m, "weighed_last", below.get("last"), cost::WEIGHT_CYCLES);
        let weighed =
            Bundle::new([("weights", pack(&weights)), ("live", pack(&lives)), ("last", last)]);
        let weighed = Stream::source(m, "weighed", valid, weighed);

        let lanes = self.live(&weighed, "weights", weight, Int::ZERO);
        let pair = |a: Signal<'m>, b: Signal<'m>| a.extend(a.width() + 1) + b.extend(b.width() + 1);
        let of_row = Groups { valid, last };
        let sum = fold(m, "sum", of_row, lanes, spec.sum_bits(), pair, |row, group| row + group);
        let limit = self.limit(sum.valid, sum.number);
        pipe.wait(&weighed, &limit, |groups, limit, _| {
            let live = unpack(groups.get("live"), u(1), spec.rows);
            let weights = unpack(groups.get("weights"), weight, spec.rows);
            let limit = limit.get("limit");
            let survives = live.iter().zip(weights).map(|(live, weight)| *live & weight.gt(limit));
            let survives = pack(&numbered("survives", survives));
            Bundle::new([("live", survives), ("last", groups.get("last"))])
        })
    }

    /// What a weight must exceed, from a row's sum of weights.
    fn limit(&self, valid: Signal<'m>, sum: Signal<'m>) -> Stream<'m> {
        let (m, spec) = (self.m, self.spec);
        let mut pipeline = quiet(valid);
        // a part of the sum: no wider than the sum
        let part = times_constant(sum.to_signed(), spec.threshold65536 as i32).shr(16);
        let part = part.as_unsigned().resize(sum.width());
        let part = pipeline.stage("part", &[part])[0];
        let most = m.lit(part.ty(), spec.largest_limit());
        let limit = part.gt(most).mux(most, part).resize(spec.probability_bits);
        let limit = pipeline.stage("limit", &[limit])[0];
        assert_eq!(pipeline.latency(), cost::LIMIT_CYCLES);
        Stream::source(m, "limit", pipeline.valid(), Bundle::new([("limit", limit)]))
    }

    /// A number a key of the group, `neutral` for keys that are not live.
    fn live(
        &self,
        groups: &Stream<'m>,
        field: &str,
        ty: hwgen_hdl::Type,
        neutral: Int,
    ) -> Vec<Signal<'m>> {
        let live = unpack(groups.get("live"), u(1), self.spec.rows);
        let numbers = unpack(groups.get(field), ty, self.spec.rows);
        let masked = live.iter().zip(numbers);
        masked
            .map(|(live, number)| live.mux(number, neutral.clone()).called_in(number, "if_live"))
            .collect()
    }
}
