//! Performance counters beside those of predictor and exact stage.

use super::LayerSpec;
use super::feed::Fed;
use super::job::Job;
use crate::accelerator::counters::{count as count_exact, counter};
use hwgen_hdl::{InstanceBuilder, ModuleBuilder, Signal, Stream};

/// Columns on their way to the exact stage.
pub(super) struct Columns<'m> {
    /// One passes at this edge.
    pub(super) passes: Signal<'m>,
    /// Its key and value were made.
    pub(super) needed: Signal<'m>,
    /// A token waits for the layer that makes them.
    pub(super) waits: Signal<'m>,
}

/// What is counted.
pub(super) struct Counted<'m, 's> {
    pub(super) survivors: &'s Stream<'m>,
    pub(super) exact: &'s InstanceBuilder<'m>,
    pub(super) job: &'s Job<'m>,
    /// Tokens on their way to the layers that make predicted keys and queries.
    pub(super) front: &'s Stream<'m>,
    pub(super) columns: &'s Columns<'m>,
    pub(super) feed: Option<&'s Fed<'m>>,
}

/// Those of the accelerator, and:
///
/// | counter | counts |
/// |---|---|
/// | `columns` | keys and values the exact stage has taken, made or not |
/// | `columns_needed` | those that were made |
/// | `filling` | cycles in which no key head is worked on: tokens are taken, or a job has to come |
/// | `predicting_keys` | cycles in which a token waits for the layer that predicts keys |
/// | `making_queries` | .. that makes queries |
/// | `making_columns` | .. that makes keys and values |
/// | `feed_tokens` | with a feed-forward block: tokens it has taken |
/// | `feed_precise` | those at eight bits |
/// | `feeding` | cycles in which a token waits for the block |
/// | `feed_starved` | cycles in which a token's precision is known, and the token is not there |
pub(super) fn count<'m>(m: &'m ModuleBuilder, spec: &LayerSpec, counted: &Counted<'m, '_>) {
    let clear = count_exact(m, &spec.attend(), counted.survivors, counted.exact);
    let (columns, front) = (counted.columns, counted.front);
    let predicts = front.get("predicts");
    for (name, event) in [
        ("columns", columns.passes),
        ("columns_needed", columns.passes & columns.needed),
        ("filling", !counted.job.running),
        ("predicting_keys", front.valid & predicts),
        ("making_queries", front.valid & !predicts),
        ("making_columns", columns.waits),
    ] {
        counter(m, name, event, clear);
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
