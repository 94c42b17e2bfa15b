//! The parameters of LAPA whole: those of its predictor and those of the exact stage.

use super::compose::Buffers;
use crate::attention::Shape;
use crate::attention::attend::AttendSpec;
use crate::attention::attend::spec::ELEMENT_BITS;
use crate::attention::lapa_predictor::{Filter, LapaPredictorSpec};
use crate::spec::{Parameters, Spec, SpecError};

/// LAPA whole, sized.
#[derive(Debug, Clone, PartialEq, Eq, Parameters)]
pub struct LapaAttentionSpec {
    /// The predictor; its key slices have at most 8 bits together, and what is missing to 8 it never
    /// reads. Complete in [`predictor`](Self::predictor).
    #[part(fixed = [query_bits, unread_bits, scores], default = default_predictor())]
    pub lapa: LapaPredictorSpec,
    /// The exact stage; complete in [`attend`](Self::attend).
    #[part(fixed = [head_dim, max_keys, rows])]
    pub exact: AttendSpec,
    /// What stands between the two.
    #[part]
    pub buffers: Buffers,
}

fn default_predictor() -> LapaPredictorSpec {
    // closer than 1 % on every recorded model: `docs/attention.md`
    let filter = Filter::Mass { mass256: vec![200] };
    LapaPredictorSpec { rows: AttendSpec::default().rows, filter, ..LapaPredictorSpec::default() }
}

impl Spec for LapaAttentionSpec {
    fn check_relations(&self) -> Result<(), SpecError> {
        self.predictor().validate()?;
        let slices = &self.lapa.key_slices;
        if slices.iter().sum::<u32>() > ELEMENT_BITS {
            let range = "slices that sum to at most the exact stage's 8 bits";
            return Err(SpecError::out_of_range("key_slices", format!("{slices:?}"), range));
        }
        self.attend().validate()?;
        let (queries, tile) = (self.buffers.queries, self.lapa.tile);
        if queries < tile {
            let range = format!("at least the {tile} queries of a `tile`");
            return Err(SpecError::out_of_range("queries", queries, range));
        }
        Ok(())
    }
}

impl LapaAttentionSpec {
    /// Its predictor.
    pub fn predictor(&self) -> LapaPredictorSpec {
        LapaPredictorSpec {
            query_bits: ELEMENT_BITS,
            // more slices than bits are refused
            unread_bits: ELEMENT_BITS.saturating_sub(self.lapa.key_slices.iter().sum()),
            // the exact stage makes its own
            scores: false,
            ..self.lapa.clone()
        }
    }

    /// Its exact stage.
    pub fn attend(&self) -> AttendSpec {
        self.exact.of(self.shape())
    }

    /// Elements, keys, and keys of a group.
    pub fn shape(&self) -> Shape {
        self.lapa.shape()
    }
}
