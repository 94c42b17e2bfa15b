//! Performance counters beside those of predictor and exact stage.

use super::LapaSpec;
use super::circuit::Attended;
use super::feed::Fed;
use super::job::Job;
use crate::attention::engine::counters::{count as count_exact, counter};
use hwgen_hdl::{ModuleBuilder, Signal, Stream};

/// What is made of tokens.
pub(super) struct Columns<'m> {
    /// A key and a value are kept at this edge.
    pub(super) made: Signal<'m>,
    /// A token waits for the layer that makes them.
    pub(super) waits: Signal<'m>,
    /// With predicted keys: a row is chosen before an older one.
    pub(super) overtakes: Option<Signal<'m>>,
}

/// What is counted.
pub(super) struct Counted<'m, 's> {
    pub(super) attended: &'s Attended<'m>,
    pub(super) job: &'s Job<'m>,
    /// Tokens on their way to the layers that make predicted keys and queries.
    pub(super) front: &'s Stream<'m>,
    /// With predicted keys: one is taken.
    pub(super) predicted: Option<Signal<'m>>,
    pub(super) feed: Option<&'s Fed<'m>>,
}

/// Those of the accelerator, and:
///
/// | counter | counts |
/// |---|---|
/// | `columns` | keys the predictor has taken |
/// | `columns_needed` | keys and values that were made |
/// | `filling` | cycles in which no key head is worked on: tokens are taken, or a job has to come |
/// | `predicting_keys` | cycles in which a token waits for the layer that predicts keys |
/// | `making_queries` | .. that makes queries |
/// | `making_columns` | .. that makes keys and values |
/// | `overtaking` | with predicted keys: rows attended to before an older one |
/// | `feed_tokens` | with a feed-forward block: tokens it has taken |
/// | `feed_precise` | those at eight bits |
/// | `feeding` | cycles in which a token waits for the block |
/// | `feed_starved` | cycles in which a token's precision is known, and the token is not there |
pub(super) fn count<'m>(m: &'m ModuleBuilder, spec: &LapaSpec, counted: &Counted<'m, '_>) {
    let Attended { exact, survivors, columns, .. } = counted.attended;
    let clear = count_exact(m, &spec.attend(), survivors, exact);
    let front = counted.front;
    let predicts = front.get("predicts");
    for (name, event) in [
        ("columns", counted.predicted.unwrap_or(columns.made)),
        ("columns_needed", columns.made),
        ("filling", !counted.job.running),
        ("predicting_keys", front.valid & predicts),
        ("making_queries", front.valid & !predicts),
        ("making_columns", columns.waits),
    ] {
        counter(m, name, event, clear);
    }
    if let Some(overtakes) = columns.overtakes {
        counter(m, "overtaking", overtakes, clear);
    }
    let Some(feed) = counted.feed else {
        return;
    };
    for (name, event) in [
        ("feed_tokens", feed.passes),
        ("feed_precise", feed.passes & feed.precise),
        ("feeding", feed.waits),
        ("feed_starved", feed.starved),
    ] {
        counter(m, name, event, clear);
    }
}
