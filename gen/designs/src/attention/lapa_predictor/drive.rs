//! A LAPA predictor between stream drivers and its golden model.

pub use crate::attention::predictor::drive::{Group, Head, Row};

use crate::attention::Shape;
use crate::attention::attend::golden::Query;
use crate::attention::lapa_predictor::LapaPredictorSpec;
use crate::attention::lapa_predictor::golden::{Predictor, QueryRow, RowPrediction};
use crate::attention::predictor::check::Heads;
use crate::attention::predictor::drive::{Predict, group, head_feeds, row_groups};
use crate::attention::predictor::golden::InputError;
use crate::drive::Feed;
use bitvec::vec::BitVec;
use hwgen_hdl::{Int, s};

impl LapaPredictorSpec {
    /// What the model says of each row.
    fn predictions(
        &self,
        keys: &[Vec<i32>],
        rows: &[Row],
    ) -> Result<Vec<RowPrediction>, InputError> {
        let predictor = Predictor::new(self, keys)?;
        let query = |row: &Row| {
            let Query { elements, scale, shift } = row.query.clone();
            let radius = row.radius.unwrap_or_default();
            QueryRow { elements, visible: row.visible, radius, scale, shift }
        };
        rows.iter().map(|row| predictor.predict(&query(row))).collect()
    }

    /// A row's beats, with scores if the predictor tells them.
    fn row_beats(&self, prediction: &RowPrediction) -> Vec<Group> {
        let lanes = self.rows as usize;
        let mut groups: Vec<_> = row_groups(prediction.survivors(), self.rows).collect();
        for (group, scores) in groups.iter_mut().zip(prediction.scores.chunks(lanes)) {
            if self.scores {
                group.scores = scores.to_vec();
                group.scores.resize(lanes, 0);
            }
        }
        groups
    }
}

impl Predict for LapaPredictorSpec {
    fn size(&self) -> Shape {
        self.shape()
    }

    fn bits(&self) -> [u32; 2] {
        [self.key_bits(), self.query_bits]
    }

    fn radius_bits(&self) -> Option<u32> {
        self.has_radius().then(|| LapaPredictorSpec::radius_bits(self))
    }

    fn survivors(&self, keys: &[Vec<i32>], rows: &[Row]) -> Result<Vec<BitVec>, InputError> {
        let predictions = self.predictions(keys, rows)?;
        Ok(predictions.iter().map(|prediction| prediction.survivors().clone()).collect())
    }
}

impl Heads for LapaPredictorSpec {
    type Out = Group;

    fn feeds(&self, heads: &[Head]) -> Vec<Feed> {
        head_feeds(self, heads, self.has_scale())
    }

    fn expected(&self, heads: &[Head]) -> Result<Vec<Group>, String> {
        let mut groups = vec![];
        for head in heads {
            let predictions = self.predictions(&head.keys, &head.rows);
            let predictions = predictions.map_err(|error| error.to_string())?;
            groups.extend(predictions.iter().flat_map(|row| self.row_beats(row)));
        }
        Ok(groups)
    }

    /// Fields `survivors`, `scores` if the predictor tells them, `row_last`.
    fn read(&self, beat: &[Int]) -> Group {
        let score = s(self.final_score_bits());
        let scores = (0..if self.scores { self.rows } else { 0 }).map(|i| {
            let score = score.wrap(beat[1].clone() >> (i * score.width));
            i64::try_from(score).unwrap_or_default()
        });
        Group { scores: scores.collect(), ..group(beat) }
    }

    /// Survivors, `row_last` and the scores.
    fn values(&self) -> u32 {
        self.rows + 2
    }
}
