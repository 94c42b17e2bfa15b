//! The parameters of `importance`, and what follows from them.

use super::counters;
use crate::cost::Cost;
use crate::generate::Generate;
use crate::spec::{Parameters, Spec};
use hwgen_hdl::{Module, bits_for};
use std::sync::Arc;

/// A unit that counts how many rows keep each token, sized.
#[derive(Debug, Clone, PartialEq, Eq, Parameters)]
pub struct ImportanceSpec {
    /// Tokens the unit counts for.
    #[parameter(default = 512, range = 1..=4096)]
    pub max_keys: u32,
    /// Tokens in a group of the survivor stream.
    #[parameter(default = 16, range = 1..=64, power_of_two)]
    pub rows: u32,
    /// Query rows counted together, of all heads.
    #[parameter(default = 8192, range = 1..=65535)]
    pub max_queries: u32,
    /// Threshold over mean, in 1/256.
    #[parameter(default = 128, range = 0..=1024)]
    pub factor256: u32,
}

impl Spec for ImportanceSpec {}

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
}

impl Generate for ImportanceSpec {
    const NAME: &'static str = "importance";
    const SUMMARY: &'static str =
        "counts how many rows keep each token: which are needed, which precise";
    const PAGE: &'static str = "docs/linear.md";

    const SIZES: &'static [&'static str] = &[
        "max_keys=1 rows=1 max_queries=1",
        "max_keys=11 rows=4 max_queries=20 factor256=300",
        "max_keys=8 rows=8 max_queries=100 factor256=0",
    ];

    fn circuit(&self) -> Arc<Module> {
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

impl Cost for ImportanceSpec {
    type Workload = [(u32, u64)];

    /// The cycle at whose end each group of results passes when no stream stalls, for jobs of so
    /// many tokens and groups of survivors. Cycle 0 is the first after reset.
    fn result_cycles(&self, jobs: &[(u32, u64)]) -> Vec<u64> {
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
