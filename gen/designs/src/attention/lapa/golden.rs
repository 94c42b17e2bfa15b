//! Attention from tokens to its output, in integers, from the definition in `docs/lapa.md`: the
//! golden models of its parts put together.

use crate::attention::attend::golden::{Attend, AttendError, Memory, Query};
use crate::attention::lapa::LapaSpec;
use crate::attention::lapa_predictor::golden::{Predictor, QueryRow};
use crate::attention::predictor::golden::InputError;
use crate::linear::golden::feed_forward::FeedForward;
use crate::linear::golden::importance::Importance;
use crate::linear::golden::{exact, log};
use bitvec::vec::BitVec;
use thiserror::Error;

/// A query head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryHead {
    /// Makes its queries; no table.
    pub load: exact::Load,
    /// Factor of a score.
    pub scale: u16,
    /// Bits a scaled score is shifted down by, 0..=31.
    pub shift: u8,
    /// For the radius filter.
    pub radius: u64,
}

/// A key head and the query heads that share it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyHead {
    /// Predicts its keys.
    pub codes: log::Load,
    /// Makes keys, then values: twice `head_dim` outputs; no table.
    pub key_value: exact::Load,
    /// `queries_per_key` of them.
    pub queries: Vec<QueryHead>,
}

/// A job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Each `inputs` int8 elements; 1..=`max_keys` of them.
    pub tokens: Vec<Vec<i32>>,
    /// At least one.
    pub heads: Vec<KeyHead>,
    /// For the feed-forward block, where there is one.
    pub feed: Option<Feed>,
}

/// What the feed-forward block is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feed {
    /// Its loads.
    pub layers: FeedForward,
    /// As many as the job has tokens, each `inputs` int8 elements.
    pub tokens: Vec<Vec<i32>>,
}

/// What becomes of a key head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeadResult {
    /// Of each row, in order: a bit a visible key.
    pub survivors: Vec<BitVec>,
    /// Of each column: whether its key and value are made.
    pub made: Vec<bool>,
    /// The output of each row, `s16`.
    pub rows: Vec<Vec<i32>>,
}

/// What becomes of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobResult {
    /// Of each key head.
    pub heads: Vec<HeadResult>,
    /// Of the tokens.
    pub importance: Importance,
    /// What the feed-forward block makes of each of its tokens.
    pub feed: Vec<Vec<i32>>,
}

/// A job that does not fit the specification.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LayerError {
    /// The predictor says why.
    #[error(transparent)]
    Predictor(#[from] InputError),
    /// The exact stage says why.
    #[error(transparent)]
    Attend(#[from] AttendError),
}

impl Job {
    /// The job's results.
    ///
    /// # Errors
    /// Sizes that do not fit the specification.
    pub fn results(&self, spec: &LapaSpec) -> Result<JobResult, LayerError> {
        let heads = self.heads.iter().map(|head| self.head(spec, head));
        let heads = heads.collect::<Result<Vec<_>, _>>()?;
        let rows = heads.iter().flat_map(|head| &head.survivors);
        let rows: Vec<Vec<bool>> = rows.map(|row| row.iter().by_vals().collect()).collect();
        let importance = Importance::of(&rows, self.tokens.len(), spec.counts.factor256);
        let feed = self.feed.as_ref().map(|feed| feed.results(&importance)).unwrap_or_default();
        Ok(JobResult { heads, importance, feed })
    }

    fn head(&self, spec: &LapaSpec, head: &KeyHead) -> Result<HeadResult, LayerError> {
        let dim = spec.shape().head_dim as usize;
        let columns = self.apply(&head.key_value);
        let (keys, values): (Vec<_>, Vec<_>) =
            columns.iter().map(|column| (column[..dim].to_vec(), column[dim..].to_vec())).unzip();
        let seen = match spec.predict_keys {
            true => self.tokens.iter().map(|token| head.codes.apply(token)).collect(),
            false => keys.clone(),
        };
        let predictor_spec = spec.predictor();
        let predictor = Predictor::new(&predictor_spec, &seen)?;
        let (mut queries, mut survivors) = (vec![], vec![]);
        for query_head in &head.queries {
            for (i, elements) in self.apply(&query_head.load).into_iter().enumerate() {
                let visible = if spec.causal { i + 1 } else { self.tokens.len() };
                let (scale, shift) = (query_head.scale, query_head.shift);
                queries.push(Query { elements: elements.clone(), scale, shift });
                let row = QueryRow { elements, visible, radius: query_head.radius, scale, shift };
                survivors.push(predictor.predict(&row)?.survivors().clone());
            }
        }

        let kept = |j: usize| survivors.iter().any(|row| row.get(j).is_some_and(|bit| *bit));
        let made: Vec<bool> =
            (0..self.tokens.len()).map(|j| !spec.predict_keys || kept(j)).collect();
        // what is not made is not there to be read
        let only_made = |vectors: Vec<Vec<i32>>| -> Vec<Vec<i32>> {
            let vectors = vectors.into_iter().zip(&made);
            vectors.map(|(vector, made)| if *made { vector } else { vec![] }).collect()
        };
        let (keys, values) = (only_made(keys), only_made(values));
        let attend = Attend::new(spec.attention.exact.probability_bits);
        let memory = Memory { keys: &keys, values: &values };
        let rows = queries.iter().zip(&survivors);
        let rows = rows.map(|(query, survivors)| Ok(attend.row(query, memory, survivors)?.out));
        let rows = rows.collect::<Result<_, AttendError>>()?;
        Ok(HeadResult { survivors, made, rows })
    }

    /// What a layer makes of all tokens, at eight bits.
    fn apply(&self, load: &exact::Load) -> Vec<Vec<i32>> {
        let token =
            |elements: &Vec<i32>| exact::Token { elements: elements.clone(), precise: true };
        self.tokens.iter().map(|elements| load.apply(&token(elements))).collect()
    }
}

impl Feed {
    /// Each token at the precision of its importance.
    fn results(&self, importance: &Importance) -> Vec<Vec<i32>> {
        let token = |(j, elements): (usize, &Vec<i32>)| exact::Token {
            elements: elements.clone(),
            precise: importance.precise(j),
        };
        let tokens = self.tokens.iter().enumerate().map(token);
        tokens.map(|token| self.layers.apply(&token)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linear::golden::exact::Scale;

    /// Two tokens that point at themselves: each row keeps its own key, and its output is its value.
    #[test]
    fn by_hand() {
        let mut spec = LapaSpec { inputs: 2, ..LapaSpec::default() };
        (spec.attention.lapa.head_dim, spec.attention.lapa.max_keys) = (2, 4);
        let load = |weights: &[[i32; 2]]| exact::Load {
            weights: weights.iter().map(|row| row.to_vec()).collect(),
            scales: vec![Scale { bias: 0, multiplier: 1, shift: 6 }; weights.len()],
            table: None,
        };
        let (identity, swapped) = ([[64, 0], [0, 64]], [[0, 64], [64, 0]]);
        let key_value = load(&[identity, swapped].concat());
        let codes = log::Load::encode(&identity.map(Vec::from), 6);
        let query = QueryHead { load: load(&identity), scale: 1, shift: 0, radius: 0 };
        let head = KeyHead { codes, key_value, queries: vec![query] };
        let tokens = vec![vec![100, -100], vec![-90, 80]];
        // 37 is 2 at four bits, which stands for 32
        let layers = FeedForward { first: load(&identity), second: load(&swapped) };
        let feed = Feed { layers, tokens: vec![vec![37, 0], vec![0, 37]] };
        let job = Job { tokens, heads: vec![head], feed: Some(feed) };
        let result = job.results(&spec).unwrap();
        let kept: Vec<_> = result.heads[0]
            .survivors
            .iter()
            .map(|row| row.iter_ones().collect::<Vec<_>>())
            .collect();
        assert_eq!(kept, [[0], [1]]);
        assert_eq!(result.heads[0].made, [true, true]);
        assert_eq!(result.heads[0].rows, [[-100 << 8, 100 << 8], [80 << 8, -90 << 8]]);
        assert_eq!(result.importance.counts, [1, 1]);
        assert_eq!(result.feed, [[0, 37], [37, 0]]);
        let none = Importance { counts: vec![0, 0], threshold: 1 };
        assert_eq!(job.feed.unwrap().results(&none), [[0, 32], [32, 0]]);
    }
}
