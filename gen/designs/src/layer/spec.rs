//! The parameters of attention whole: those of its parts.

use crate::accelerator::AcceleratorSpec;
use crate::attend::AttendSpec;
use crate::lapa::{Filter, LapaSpec};
use crate::linear::{FeedForwardSpec, ImportanceSpec, LinearSpec, LogLinearSpec};
use crate::spec::{Parameter, Range, Spec, SpecError};
use hwgen_hdl::bits_for;
use serde::{Deserialize, Serialize};

/// Attention from tokens to its output, sized.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LayerSpec {
    /// Elements of a token.
    pub inputs: u32,
    /// Elements of a query, key or value.
    pub head_dim: u32,
    /// Tokens the engine holds.
    pub max_keys: u32,
    /// Keys predicted in parallel.
    pub rows: u32,
    /// Bits of each key slice, most significant first: 8 together.
    pub key_slices: Vec<u32>,
    /// Round a query element's leading one up when the bit below it is set.
    pub round_leading_one: bool,
    /// Divide by the count's nearest power of two instead of the count.
    pub approx_mean: bool,
    /// How keys are dropped after each round.
    pub filter: Filter,
    /// Multipliers for the exact scores, and as many for the values.
    pub lanes: u32,
    /// Bits of a weight before division.
    pub probability_bits: u32,
    /// Rows between the survivors and the result.
    pub window: u32,
    /// Inputs taken at once when keys are predicted.
    pub log_lanes: u32,
    /// Inputs taken at once when queries are made.
    pub query_lanes: u32,
    /// Inputs taken at once when keys and values are made.
    pub key_value_lanes: u32,
    /// Query heads that share keys and values.
    pub queries_per_key: u32,
    /// Key heads of a job.
    pub max_heads: u32,
    /// Row i sees the keys 0..=i; else all.
    pub causal: bool,
    /// Predict keys from tokens, make keys and values for kept columns only; else make all first.
    pub predict_keys: bool,
    /// Threshold of a precise token over the mean, in 1/256.
    pub factor256: u32,
    /// Key heads whose rows fit between predictor and exact stage.
    pub buffered_heads: u32,
    /// Rows of which the oldest one whose columns are made is attended to next.
    pub row_window: u32,
    /// Elements between the layers of the feed-forward block; 0: there is no block.
    pub hidden: u32,
    /// Inputs its first layer takes at once.
    pub first_lanes: u32,
    /// Hidden elements its second layer takes at once.
    pub second_lanes: u32,
    /// Count what the engine does and waits for.
    pub counters: bool,
}

impl Default for LayerSpec {
    fn default() -> Self {
        let lapa = AcceleratorSpec::default();
        let feed = FeedForwardSpec::default();
        LayerSpec {
            inputs: 64,
            head_dim: lapa.head_dim,
            max_keys: 128,
            rows: lapa.rows,
            key_slices: lapa.key_slices,
            round_leading_one: lapa.round_leading_one,
            approx_mean: lapa.approx_mean,
            filter: lapa.filter,
            lanes: lapa.lanes,
            probability_bits: lapa.probability_bits,
            window: lapa.window,
            log_lanes: 64,
            query_lanes: 16,
            key_value_lanes: 32,
            queries_per_key: 1,
            max_heads: 8,
            causal: false,
            predict_keys: true,
            factor256: ImportanceSpec::default().factor256,
            buffered_heads: 1,
            row_window: 8,
            hidden: feed.hidden,
            first_lanes: feed.first_lanes,
            second_lanes: feed.second_lanes,
            counters: true,
        }
    }
}

const fn parameter(name: &'static str, range: Range, meaning: &'static str) -> Parameter {
    Parameter { name, range, meaning }
}

const LOG_LANES: Parameter = parameter(
    "log_lanes",
    Range::PowerOfTwo(1, 256),
    "inputs taken at once when keys are predicted",
);
const QUERY_LANES: Parameter = parameter(
    "query_lanes",
    Range::PowerOfTwo(1, 256),
    "inputs taken at once when queries are made",
);
const KEY_VALUE_LANES: Parameter = parameter(
    "key_value_lanes",
    Range::PowerOfTwo(1, 256),
    "inputs taken at once when keys and values are made",
);
const QUERIES_PER_KEY: Parameter =
    parameter("queries_per_key", Range::Integer(1, 16), "query heads that share keys and values");
const MAX_HEADS: Parameter = parameter(
    "max_heads",
    Range::Integer(1, 64),
    "key heads of a job; with queries_per_key and max_keys at most 65535 rows",
);
const CAUSAL: Parameter =
    parameter("causal", Range::Flag, "row i sees the keys 0..=i instead of all");
const PREDICT_KEYS: Parameter = parameter(
    "predict_keys",
    Range::Flag,
    "predict keys from tokens, make keys and values for kept columns only; else make all first",
);
const FACTOR256: Parameter = parameter(
    "factor256",
    Range::Integer(0, 1024),
    "threshold of a precise token over the mean, in 1/256",
);
const BUFFERED_HEADS: Parameter = parameter(
    "buffered_heads",
    Range::Integer(1, 2),
    "key heads whose rows fit between predictor and exact stage",
);
const ROW_WINDOW: Parameter = parameter(
    "row_window",
    Range::Integer(1, 8),
    "with predict_keys: rows of which the oldest one whose columns are made is attended to next",
);
const HIDDEN: Parameter = parameter(
    "hidden",
    Range::Integer(0, 4096),
    "elements between the layers of the feed-forward block, 0: none; times inputs at most 4194304",
);
const FIRST_LANES: Parameter = parameter(
    "first_lanes",
    Range::PowerOfTwo(1, 256),
    "inputs the block's first layer takes at once",
);
const SECOND_LANES: Parameter = parameter(
    "second_lanes",
    Range::PowerOfTwo(1, 256),
    "hidden elements the block's second layer takes at once",
);
const INPUTS: Parameter = parameter("inputs", Range::Integer(1, 4096), "elements of a token");

const OURS: [Parameter; 14] = [
    INPUTS,
    LOG_LANES,
    QUERY_LANES,
    KEY_VALUE_LANES,
    QUERIES_PER_KEY,
    MAX_HEADS,
    CAUSAL,
    PREDICT_KEYS,
    FACTOR256,
    BUFFERED_HEADS,
    ROW_WINDOW,
    HIDDEN,
    FIRST_LANES,
    SECOND_LANES,
];

/// The accelerator's table with ours in place of `queries`, which stands before its last, and without
/// `tile`: queries are made one by one.
const TABLE: [Parameter; AcceleratorSpec::PARAMETERS.len() - 2 + OURS.len()] = {
    let theirs = AcceleratorSpec::PARAMETERS;
    let mut table = [theirs[theirs.len() - 1]; AcceleratorSpec::PARAMETERS.len() - 2 + OURS.len()];
    let (mut from, mut at) = (0, 0);
    while from < theirs.len() - 2 {
        // no string comparison in constants: no other name starts so
        if theirs[from].name.as_bytes()[0] != b't' {
            table[at] = theirs[from];
            at += 1;
        }
        from += 1;
    }
    let mut ours = 0;
    while ours < OURS.len() {
        table[at + ours] = OURS[ours];
        ours += 1;
    }
    table
};

/// Most rows of a job, of all heads.
const MOST_ROWS: u64 = 65535;
/// Most groups of survivors that wait for keys and values.
const MOST_GROUPS: u64 = 1 << 20;

impl Spec for LayerSpec {
    const PARAMETERS: &'static [Parameter] = &TABLE;

    fn validate(&self) -> Result<(), SpecError> {
        self.accelerator().validate()?;
        QUERIES_PER_KEY.check(self.queries_per_key)?;
        MAX_HEADS.check(self.max_heads)?;
        LOG_LANES.check(self.log_lanes)?;
        QUERY_LANES.check(self.query_lanes)?;
        KEY_VALUE_LANES.check(self.key_value_lanes)?;
        self.log_layer().validate()?;
        self.key_value_layer().validate()?;
        FACTOR256.check(self.factor256)?;
        BUFFERED_HEADS.check(self.buffered_heads)?;
        ROW_WINDOW.check(self.row_window)?;
        HIDDEN.check(self.hidden)?;
        FIRST_LANES.check(self.first_lanes)?;
        SECOND_LANES.check(self.second_lanes)?;
        if let Some(feed) = self.feed_forward() {
            feed.validate()?;
        }
        let rows = u64::from(self.max_heads) * self.most_rows();
        if rows > MOST_ROWS {
            return Err(SpecError::OutOfRange {
                field: MAX_HEADS.name.to_owned(),
                value: self.max_heads.to_string(),
                range: format!(
                    "at most {} with {} rows a key head",
                    MOST_ROWS / self.most_rows(),
                    self.most_rows()
                ),
            });
        }
        if self.survivor_places() > MOST_GROUPS {
            return Err(SpecError::OutOfRange {
                field: "rows".to_owned(),
                value: self.rows.to_string(),
                range: format!(
                    "large enough for {} rows of {} keys to be at most {MOST_GROUPS} groups",
                    self.most_rows() * u64::from(self.buffered_heads),
                    self.max_keys,
                ),
            });
        }
        Ok(())
    }
}

impl LayerSpec {
    /// Predictor and exact stage.
    pub fn accelerator(&self) -> AcceleratorSpec {
        AcceleratorSpec {
            head_dim: self.head_dim,
            max_keys: self.max_keys,
            rows: self.rows,
            key_slices: self.key_slices.clone(),
            round_leading_one: self.round_leading_one,
            approx_mean: self.approx_mean,
            filter: self.filter.clone(),
            lanes: self.lanes,
            probability_bits: self.probability_bits,
            window: self.window,
            ..AcceleratorSpec::default()
        }
    }

    /// The predictor.
    pub fn predictor(&self) -> LapaSpec {
        self.accelerator().predictor()
    }

    /// The exact stage.
    pub fn attend(&self) -> AttendSpec {
        self.accelerator().attend()
    }

    /// The layer that predicts keys.
    pub fn log_layer(&self) -> LogLinearSpec {
        LogLinearSpec { inputs: self.inputs, outputs: self.head_dim, lanes: self.log_lanes }
    }

    /// The layer that makes queries.
    pub fn query_layer(&self) -> LinearSpec {
        LinearSpec { inputs: self.inputs, outputs: self.head_dim, lanes: self.query_lanes }
    }

    /// The layer that makes keys (its first outputs) and values.
    pub fn key_value_layer(&self) -> LinearSpec {
        LinearSpec { inputs: self.inputs, outputs: 2 * self.head_dim, lanes: self.key_value_lanes }
    }

    /// The unit that counts how many rows of a job keep each token.
    pub fn importance(&self) -> ImportanceSpec {
        let max_queries = self.max_heads * self.most_rows() as u32;
        let LayerSpec { max_keys, rows, factor256, .. } = *self;
        ImportanceSpec { max_keys, rows, max_queries, factor256 }
    }

    /// The feed-forward block, if there is one: from a token to as many elements.
    pub fn feed_forward(&self) -> Option<FeedForwardSpec> {
        let LayerSpec { inputs, hidden, first_lanes, second_lanes, .. } = *self;
        let block = FeedForwardSpec { inputs, hidden, outputs: inputs, first_lanes, second_lanes };
        (hidden > 0).then_some(block)
    }

    /// Rows of a key head, at most.
    pub(super) fn most_rows(&self) -> u64 {
        u64::from(self.queries_per_key) * u64::from(self.max_keys)
    }

    /// Rows that fit between predictor and exact stage: without predicted keys those in flight, else
    /// all of a key head, since it makes its keys when the last one has been predicted.
    pub(super) fn query_places(&self) -> u64 {
        match self.predict_keys {
            true => self.most_rows() * u64::from(self.buffered_heads),
            false => 16,
        }
    }

    /// Groups of their survivors.
    pub(super) fn survivor_places(&self) -> u64 {
        self.query_places() * u64::from(self.importance().max_groups())
    }

    /// Bits of a number of tokens, and of a number of key heads.
    pub(super) fn count_bits(&self) -> u32 {
        bits_for(self.max_keys.into())
    }
    pub(super) fn head_bits(&self) -> u32 {
        bits_for(self.max_heads.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_lists_every_field_once() {
        let spec = serde_json::to_value(LayerSpec::default()).unwrap();
        let mut fields: Vec<_> = spec.as_object().unwrap().keys().map(String::as_str).collect();
        let mut listed: Vec<_> =
            LayerSpec::PARAMETERS.iter().map(|p| p.name.split('.').next().unwrap()).collect();
        fields.sort_unstable();
        listed.sort_unstable();
        listed.dedup();
        assert_eq!(listed, fields);
        let plain = LayerSpec::PARAMETERS.iter().filter(|p| !p.name.contains('.'));
        assert_eq!(plain.count(), fields.len() - 1);
    }

    #[test]
    fn what_does_not_fit_is_refused_in_words() {
        let error = |spec: LayerSpec| spec.validate().unwrap_err().to_string();
        let many = LayerSpec { max_heads: 64, max_keys: 2048, ..LayerSpec::default() };
        assert_eq!(
            error(many),
            "`max_heads` = 64 is out of range: must be at most 31 with 2048 rows a key head"
        );
        let narrow = LayerSpec { max_keys: 2048, rows: 1, ..LayerSpec::default() };
        assert_eq!(
            error(narrow),
            "`rows` = 1 is out of range: must be large enough for 2048 rows of 2048 keys to be at most 1048576 groups"
        );
        let wide = LayerSpec { inputs: 4096, head_dim: 256, ..LayerSpec::default() };
        assert!(wide.validate().is_ok());
        let deep = LayerSpec { inputs: 4096, head_dim: 1, hidden: 1025, ..LayerSpec::default() };
        assert_eq!(
            error(deep),
            "`hidden` = 1025 is out of range: must be at most 1024 with 4096 inputs"
        );
    }
}
