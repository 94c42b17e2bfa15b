//! The parameters of attention whole: those of its parts.

use crate::attention::Shape;
use crate::attention::attend::AttendSpec;
use crate::attention::engine::LapaAttentionSpec;
use crate::attention::engine::compose::Buffers;
use crate::attention::lapa_predictor::LapaPredictorSpec;
use crate::linear::{FeedForwardSpec, ImportanceSpec, LinearSpec, LogLinearSpec};
use crate::spec::{Parameters, Spec, SpecError};
use hwgen_hdl::bits_for;

/// Attention from tokens to its output, sized.
#[derive(Debug, Clone, PartialEq, Eq, Parameters)]
pub struct LapaSpec {
    /// Elements of a token.
    #[parameter(default = 64, range = 1..=4096)]
    pub inputs: u32,
    /// Predictor and exact stage; queries are made one by one. Complete in
    /// [`accelerator`](Self::accelerator).
    #[part(fixed = [tile, queries], default = default_attention())]
    pub attention: LapaAttentionSpec,
    /// Inputs taken at once when keys are predicted.
    #[parameter(default = 64, range = 1..=256, power_of_two)]
    pub log_lanes: u32,
    /// Inputs taken at once when queries are made.
    #[parameter(default = 16, range = 1..=256, power_of_two)]
    pub query_lanes: u32,
    /// Inputs taken at once when keys and values are made.
    #[parameter(default = 32, range = 1..=256, power_of_two)]
    pub key_value_lanes: u32,
    /// Query heads that share keys and values.
    #[parameter(default = 1, range = 1..=16)]
    pub queries_per_key: u32,
    /// Key heads of a job; with queries_per_key and max_keys at most 65535 rows.
    #[parameter(default = 8, range = 1..=64)]
    pub max_heads: u32,
    /// Row i sees the keys 0..=i instead of all.
    #[parameter(default = false)]
    pub causal: bool,
    /// Predict keys from tokens, make keys and values for kept columns only; else make all first.
    #[parameter(default = true)]
    pub predict_keys: bool,
    /// What counts how many rows keep a token; complete in [`importance`](Self::importance).
    #[part(fixed = [max_keys, rows, max_queries])]
    pub counts: ImportanceSpec,
    /// Key heads whose rows fit between predictor and exact stage.
    #[parameter(default = 1, range = 1..=2)]
    pub buffered_heads: u32,
    /// With predict_keys: rows of which the oldest one whose columns are made is attended to next.
    #[parameter(default = 8, range = 1..=8)]
    pub row_window: u32,
    /// Elements between the layers of the feed-forward block, 0: none; times inputs at most 4194304.
    #[parameter(default = 256, range = 0..=4096)]
    pub hidden: u32,
    /// The feed-forward block; complete in [`feed_forward`](Self::feed_forward).
    #[part(fixed = [inputs, hidden, outputs])]
    pub feed: FeedForwardSpec,
}

fn default_attention() -> LapaAttentionSpec {
    let mut attention = LapaAttentionSpec::default();
    attention.lapa.max_keys = 128;
    attention
}

/// Most rows of a job, of all heads.
const MOST_ROWS: u64 = 65535;
/// Most groups of survivors that wait for keys and values.
const MOST_GROUPS: u64 = 1 << 20;

impl Spec for LapaSpec {
    fn check_relations(&self) -> Result<(), SpecError> {
        self.accelerator().validate()?;
        self.log_layer().validate()?;
        self.key_value_layer().validate()?;
        if let Some(feed) = self.feed_forward() {
            feed.validate()?;
        }
        let (rows_of_head, shape) = (self.most_rows(), self.attention.shape());
        if u64::from(self.max_heads) * rows_of_head > MOST_ROWS {
            let most = MOST_ROWS / rows_of_head;
            let range = format!("at most {most} with {rows_of_head} rows a key head");
            return Err(SpecError::out_of_range("max_heads", self.max_heads, range));
        }
        if self.survivor_places() > MOST_GROUPS {
            let range = format!(
                "large enough for {} rows of {} keys to be at most {MOST_GROUPS} groups",
                rows_of_head * u64::from(self.buffered_heads),
                shape.max_keys,
            );
            return Err(SpecError::out_of_range("rows", shape.rows, range));
        }
        Ok(())
    }
}

impl LapaSpec {
    /// Predictor and exact stage.
    pub fn accelerator(&self) -> LapaAttentionSpec {
        let LapaAttentionSpec { lapa, exact, buffers } = self.attention.clone();
        let lapa = LapaPredictorSpec { tile: 1, ..lapa };
        let buffers = Buffers { queries: Buffers::default().queries, ..buffers };
        LapaAttentionSpec { lapa, exact, buffers }
    }

    /// Elements, tokens, and keys of a group.
    pub fn shape(&self) -> Shape {
        self.attention.shape()
    }

    /// The predictor.
    pub fn predictor(&self) -> LapaPredictorSpec {
        self.accelerator().predictor()
    }

    /// The exact stage.
    pub fn attend(&self) -> AttendSpec {
        self.accelerator().attend()
    }

    /// The layer that predicts keys.
    pub fn log_layer(&self) -> LogLinearSpec {
        LogLinearSpec { inputs: self.inputs, outputs: self.shape().head_dim, lanes: self.log_lanes }
    }

    /// The layer that makes queries.
    pub fn query_layer(&self) -> LinearSpec {
        LinearSpec { inputs: self.inputs, outputs: self.shape().head_dim, lanes: self.query_lanes }
    }

    /// The layer that makes keys (its first outputs) and values.
    pub fn key_value_layer(&self) -> LinearSpec {
        LinearSpec {
            inputs: self.inputs,
            outputs: 2 * self.shape().head_dim,
            lanes: self.key_value_lanes,
        }
    }

    /// The unit that counts how many rows of a job keep each token.
    pub fn importance(&self) -> ImportanceSpec {
        let max_queries = self.max_heads * self.most_rows() as u32;
        let Shape { max_keys, rows, .. } = self.shape();
        ImportanceSpec { max_keys, rows, max_queries, ..self.counts.clone() }
    }

    /// The feed-forward block, if there is one: from a token to as many elements.
    pub fn feed_forward(&self) -> Option<FeedForwardSpec> {
        let LapaSpec { inputs, hidden, .. } = *self;
        let block = FeedForwardSpec { inputs, hidden, outputs: inputs, ..self.feed.clone() };
        (hidden > 0).then_some(block)
    }

    /// Rows of a key head, at most.
    pub(super) fn most_rows(&self) -> u64 {
        u64::from(self.queries_per_key) * u64::from(self.shape().max_keys)
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
        bits_for(self.shape().max_keys.into())
    }
    pub(super) fn head_bits(&self) -> u32 {
        bits_for(self.max_heads.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::load;

    #[test]
    fn what_does_not_fit_is_refused_in_words() {
        let with = |sets: &[&str]| {
            let sets: Vec<String> = sets.iter().map(|set| set.to_string()).collect();
            load::<LapaSpec>(None, &sets).map_err(|error| error.problem.to_string())
        };
        let error = |sets: &[&str]| with(sets).unwrap_err();
        assert_eq!(
            error(&["max_heads=64", "max_keys=2048"]),
            "`max_heads` = 64 is out of range: must be at most 31 with 2048 rows a key head"
        );
        assert_eq!(
            error(&["max_keys=2048", "rows=1"]),
            "`rows` = 1 is out of range: must be large enough for 2048 rows of 2048 keys to be at most 1048576 groups"
        );
        assert!(with(&["inputs=4096", "head_dim=256"]).is_ok());
        assert_eq!(
            error(&["inputs=4096", "head_dim=1", "hidden=1025"]),
            "`hidden` = 1025 is out of range: must be at most 1024 with 4096 inputs"
        );
    }
}
