//! The parameters of `importance`, and what follows from them.

use super::counters;
use crate::registry::Generate;
use crate::spec::{Parameter, Range, Spec, SpecError};
use hwgen_hdl::{Module, bits_for};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A unit that counts how many rows keep each token, sized.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ImportanceSpec {
    /// Tokens the unit counts for.
    pub max_keys: u32,
    /// Tokens in a group of the survivor stream.
    pub rows: u32,
    /// Query rows counted together, of all heads.
    pub max_queries: u32,
    /// Threshold over mean, in 1/256.
    pub factor256: u32,
}

impl Default for ImportanceSpec {
    fn default() -> Self {
        ImportanceSpec { max_keys: 512, rows: 16, max_queries: 8192, factor256: 128 }
    }
}

const fn parameter(name: &'static str, range: Range, meaning: &'static str) -> Parameter {
    Parameter { name, range, meaning }
}

const MAX_KEYS: Parameter =
    parameter("max_keys", Range::Integer(1, 4096), "tokens the unit counts for");
const ROWS: Parameter =
    parameter("rows", Range::PowerOfTwo(1, 64), "tokens in a group of the survivor stream");
const MAX_QUERIES: Parameter =
    parameter("max_queries", Range::Integer(1, 65535), "query rows counted together, of all heads");
const FACTOR256: Parameter =
    parameter("factor256", Range::Integer(0, 1024), "threshold over mean, in 1/256");

impl Spec for ImportanceSpec {
    const PARAMETERS: &'static [Parameter] = &[MAX_KEYS, ROWS, MAX_QUERIES, FACTOR256];

    fn validate(&self) -> Result<(), SpecError> {
        MAX_KEYS.check(self.max_keys)?;
        ROWS.check(self.rows)?;
        MAX_QUERIES.check(self.max_queries)?;
        FACTOR256.check(self.factor256)
    }
}

/// Cycles from a job's last group of survivors to the first group of its result.
pub const RESULT_CYCLES: u32 = 5;

impl ImportanceSpec {
    /// Groups that cover `keys` tokens.
    pub fn groups(&self, keys: u32) -> u32 {
        keys.div_ceil(self.rows)
    }

    /// Groups that cover all tokens.
    pub fn max_groups(&self) -> u32 {
        self.groups(self.max_keys)
    }

    /// Bits of a count.
    pub fn count_bits(&self) -> u32 {
        bits_for(self.max_queries.into())
    }

    /// The most the threshold can grow by with a group: no group has more survivors than tokens.
    pub(super) fn most_growth(&self) -> u32 {
        self.factor256.div_ceil(256)
    }

    /// The largest threshold: every row keeps every token.
    pub(super) fn threshold_bits(&self) -> u32 {
        let most = u64::from(self.max_queries) * u64::from(self.factor256) / 256;
        bits_for(most.max(self.most_growth().into()))
    }

    /// The circuit under another name than the design's: a design that has two sizes of it names them.
    pub fn build_as(&self, name: &str) -> Arc<Module> {
        counters::module(name, self)
    }

    /// The cycle at whose end each group of results passes when no stream stalls, for jobs of so
    /// many tokens and groups of survivors. Cycle 0 is the first after reset.
    pub fn result_cycles(&self, jobs: &[(u32, u64)]) -> Vec<u64> {
        let (mut job_at, mut results) = (u64::from(self.max_groups()), vec![]);
        for &(keys, survivors) in jobs {
            let first = job_at + survivors + u64::from(RESULT_CYCLES);
            let groups = u64::from(self.groups(keys));
            results.extend(first..first + groups);
            job_at = first + groups;
        }
        results
    }
}

impl Generate for ImportanceSpec {
    const NAME: &'static str = "importance";
    const SUMMARY: &'static str =
        "counts how many rows keep each token: which are needed, which precise";

    fn build(&self) -> Arc<Module> {
        self.build_as(Self::NAME)
    }

    fn latency(&self) -> String {
        format!(
            "a group of {} tokens a cycle; {RESULT_CYCLES} cycles after a job's last group its result, a group a cycle; \
             {} cycles to clear after reset",
            self.rows,
            self.max_groups(),
        )
    }

    fn diagram(&self) -> String {
        let (rows, groups, bits) = (self.rows, self.max_groups(), self.count_bits());
        let factor = self.factor256;
        format!(
            "\
jobs: keys, query rows ----> where rows, groups and the job end
survivors, {rows} tokens -+-> counters, {groups} words of {rows} x u{bits}, + 1 --+
                     |                                        +--> count, needed, precise
                     +-> how many -> threshold, {factor}/256 mean --+
"
        )
    }
}
