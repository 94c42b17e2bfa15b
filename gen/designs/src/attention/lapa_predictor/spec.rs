//! The parameters of a LAPA predictor.

use crate::spec::{Choice, Parameter, Parameters, Range, Spec, SpecError};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A LAPA predictor, sized.
///
/// Number formats: a query element is `query_bits` wide, a key element [`key_bits`] wide, both
/// two's complement. Round `r` reads key slice `r`.
///
/// The derived numbers are methods; they assume a specification that [`Spec::validate`] accepts.
///
/// [`key_bits`]: LapaPredictorSpec::key_bits
#[derive(Debug, Clone, PartialEq, Eq, Parameters)]
pub struct LapaPredictorSpec {
    /// Elements d of a query or key.
    #[parameter(default = 64, range = 1..=256)]
    pub head_dim: u32,
    /// Keys the engine holds.
    #[parameter(default = 512, range = 1..=4096)]
    pub max_keys: u32,
    /// Keys scored in parallel, of all queries of a tile; keys of a group.
    #[parameter(default = 16, range = 1..=64, power_of_two)]
    pub rows: u32,
    /// Queries scored side by side, a part of `rows` each, for which a key is read once.
    #[parameter(default = 1, range = 1..=64, power_of_two)]
    pub tile: u32,
    /// Bits of a query element.
    #[parameter(default = 8, range = 2..=16)]
    pub query_bits: u32,
    /// Bits of each key slice, most significant first: 1 to 3 slices, together 2..=16 bits.
    ///
    /// Slice 0 is signed, the others are not.
    #[parameter(default = vec![4, 4], range = 1..=8)]
    pub key_slices: Vec<u32>,
    /// Low bits of a key element that no round reads.
    #[parameter(default = 0, range = 0..=14)]
    pub unread_bits: u32,
    /// Round a query element's leading one up when the bit below it is set.
    #[parameter(default = false)]
    pub round_leading_one: bool,
    /// Divide by the nearest power of two instead of the count.
    #[parameter(default = false)]
    pub approx_mean: bool,
    /// How keys are dropped after each round.
    #[parameter(default = Filter::default(), choice)]
    pub filter: Filter,
    /// Tell the survivors' scores.
    #[parameter(default = true)]
    pub scores: bool,
}

/// Data-feature dependent filter (DDF): the rule that drops keys after each round.
///
/// Each list has one entry per round, or one entry that serves every round. Over the live
/// scores A of a row, with mean mu and standard deviation sigma:
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "mode", rename_all = "snake_case", deny_unknown_fields)]
pub enum Filter {
    /// Keep `A >= mu + alpha (max - mu)`; for negative alpha, `A >= mu - |alpha| (mu - min)`.
    MeanMax {
        /// alpha in sixteenths.
        #[serde(default = "mean_max_alpha16")]
        alpha16: Vec<i32>,
    },
    /// Keep `A >= mu + c sigma`.
    Sigma {
        /// c in sixteenths.
        #[serde(default = "sigma_c16")]
        c16: Vec<i32>,
    },
    /// Keep `A >= max - alpha radius`; the radius comes with each query row.
    Radius {
        /// alpha in sixteenths.
        #[serde(default = "radius_alpha16")]
        alpha16: Vec<i32>,
    },
    /// Keep a fixed fraction of the row's visible keys: those with the largest scores.
    TopK {
        /// The fraction in 1/256.
        #[serde(default = "top_k_keep256")]
        keep256: Vec<u32>,
    },
    /// Keep the keys with the largest scores that hold a part of the estimated softmax mass; the
    /// scale of the scores comes with each query row.
    Mass {
        /// The part in 1/256.
        #[serde(default = "mass_mass256")]
        mass256: Vec<u32>,
    },
}

fn mean_max_alpha16() -> Vec<i32> {
    vec![0]
}

fn sigma_c16() -> Vec<i32> {
    vec![8]
}

fn radius_alpha16() -> Vec<i32> {
    vec![16]
}

fn top_k_keep256() -> Vec<u32> {
    vec![64]
}

fn mass_mass256() -> Vec<u32> {
    vec![208]
}

/// The mode, then its list: `mass 240 208`.
impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mode, list) = match self {
            Filter::MeanMax { alpha16 } => ("mean_max", format!("{alpha16:?}")),
            Filter::Sigma { c16 } => ("sigma", format!("{c16:?}")),
            Filter::Radius { alpha16 } => ("radius", format!("{alpha16:?}")),
            Filter::TopK { keep256 } => ("top_k", format!("{keep256:?}")),
            Filter::Mass { mass256 } => ("mass", format!("{mass256:?}")),
        };
        write!(f, "{mode} {}", list.replace(['[', ']', ','], ""))
    }
}

impl Default for Filter {
    fn default() -> Self {
        Filter::MeanMax { alpha16: mean_max_alpha16() }
    }
}

/// The filter of one round; fields as in [`Filter`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoundFilter {
    /// Between mean and maximum, or between minimum and mean.
    MeanMax {
        /// alpha in sixteenths.
        alpha16: i32,
    },
    /// So many standard deviations above the mean.
    Sigma {
        /// c in sixteenths.
        c16: i32,
    },
    /// So far below the maximum.
    Radius {
        /// alpha in sixteenths.
        alpha16: i32,
    },
    /// A fixed fraction.
    TopK {
        /// The fraction in 1/256.
        keep256: u32,
    },
    /// A part of the estimated softmax mass.
    Mass {
        /// The part in 1/256.
        mass256: u32,
    },
}

impl Filter {
    /// The filter of round `round`, counted from 0; `None` past the end of a per-round list.
    pub fn round(&self, round: usize) -> Option<RoundFilter> {
        fn entry<T: Copy>(list: &[T], round: usize) -> Option<T> {
            let round = if list.len() == 1 { 0 } else { round };
            list.get(round).copied()
        }
        Some(match self {
            Filter::MeanMax { alpha16 } => RoundFilter::MeanMax { alpha16: entry(alpha16, round)? },
            Filter::Sigma { c16 } => RoundFilter::Sigma { c16: entry(c16, round)? },
            Filter::Radius { alpha16 } => RoundFilter::Radius { alpha16: entry(alpha16, round)? },
            Filter::TopK { keep256 } => RoundFilter::TopK { keep256: entry(keep256, round)? },
            Filter::Mass { mass256 } => RoundFilter::Mass { mass256: entry(mass256, round)? },
        })
    }

    /// Checks the list's length against the rounds, and its entries.
    fn validate(&self, rounds: usize) -> Result<(), SpecError> {
        fn check<T: Copy + Into<i64>>(
            parameter: &Parameter,
            list: &[T],
            rounds: usize,
        ) -> Result<(), SpecError> {
            let length = list.len();
            if length != 1 && length != rounds {
                let expected = format!("1 (for every round) or {rounds} (one per key slice)");
                let field = parameter.name.to_owned();
                return Err(SpecError::WrongLength { field, length, expected });
            }
            parameter.check_entries(list)
        }
        match self {
            Filter::MeanMax { alpha16 } => check(&MEAN_MAX_ALPHA16, alpha16, rounds),
            Filter::Sigma { c16 } => check(&SIGMA_C16, c16, rounds),
            Filter::Radius { alpha16 } => check(&RADIUS_ALPHA16, alpha16, rounds),
            Filter::TopK { keep256 } => check(&TOP_K_KEEP256, keep256, rounds),
            Filter::Mass { mass256 } => check(&MASS_MASS256, mass256, rounds),
        }
    }
}

const fn parameter(name: &'static str, range: Range, meaning: &'static str) -> Parameter {
    Parameter { name, range, meaning }
}

const FILTER_MODE: Parameter = parameter(
    "filter.mode",
    Range::Choice(&["mean_max", "sigma", "radius", "top_k", "mass"]),
    "how keys are dropped after each round",
);
const MEAN_MAX_ALPHA16: Parameter = parameter(
    "filter.alpha16",
    Range::List(-16, 16),
    "mean_max: threshold between mean and maximum (minimum if negative), in sixteenths",
);
const RADIUS_ALPHA16: Parameter = parameter(
    "filter.alpha16",
    Range::List(0, 16),
    "radius: distance below the maximum, in sixteenths of the row's radius",
);
const SIGMA_C16: Parameter = parameter(
    "filter.c16",
    Range::List(-64, 64),
    "sigma: standard deviations above the mean, in sixteenths",
);
const TOP_K_KEEP256: Parameter = parameter(
    "filter.keep256",
    Range::List(1, 256),
    "top_k: fraction of the row's visible keys to keep, in 1/256",
);
const MASS_MASS256: Parameter = parameter(
    "filter.mass256",
    Range::List(1, 256),
    "mass: part of the estimated softmax mass to keep, in 1/256",
);

impl Choice for Filter {
    const TABLE: &'static [Parameter] =
        &[FILTER_MODE, MEAN_MAX_ALPHA16, RADIUS_ALPHA16, SIGMA_C16, TOP_K_KEEP256, MASS_MASS256];
}

impl Spec for LapaPredictorSpec {
    fn check_relations(&self) -> Result<(), SpecError> {
        let slices = &self.key_slices;
        if !(1..=3).contains(&slices.len()) {
            let expected = "1 to 3, one per round".to_owned();
            let (field, length) = ("key_slices".to_owned(), slices.len());
            return Err(SpecError::WrongLength { field, length, expected });
        }
        if !(2..=16).contains(&self.key_bits()) {
            let range = match self.unread_bits {
                0 => "slices that sum to 2..=16 bits".to_owned(),
                unread => format!("slices that sum to 2..=16 bits with {unread} unread ones"),
            };
            return Err(SpecError::out_of_range("key_slices", format!("{slices:?}"), range));
        }
        let most = if self.rounds() == 1 { self.rows } else { 1 };
        if self.tile > most {
            let range = match most {
                1 => "1 unless `key_slices` is one slice and `rows` more than 1".to_owned(),
                rows => format!("at most the {rows} `rows`"),
            };
            return Err(SpecError::out_of_range("tile", self.tile, range));
        }
        self.filter.validate(self.rounds())
    }
}
