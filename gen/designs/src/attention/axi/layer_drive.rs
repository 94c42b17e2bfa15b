//! Jobs for attention whole behind AXI.

use crate::attention::axi::LapaAxiSpec;
use crate::attention::axi::spec::Engine;
use crate::attention::lapa::drive::{feed_beat, feeds, in_order, row_beat};
use crate::attention::lapa::golden::Job;
use crate::axi::drive::{Host, cut, join};
use crate::linear::drive::importance::{Group, group_beat};
use crate::wiring::stream_fields;
use hwgen_hdl::sim::SimError;
use hwgen_hdl::{Fields, Int, Module};
use std::sync::Arc;

/// The engine's streams on their buses.
pub struct Buses {
    core: Arc<Module>,
    bus_bits: u32,
}

impl Buses {
    /// Those of a size.
    pub fn new(spec: &LapaAxiSpec) -> Buses {
        Buses { core: spec.engine.core(), bus_bits: spec.bus_bits }
    }

    /// The fields of a payload, without `last`, their bits together, and whether there is a `last`.
    fn payload(&self, stream: &str) -> (Fields, u32, bool) {
        let mut fields = stream_fields(&self.core, stream);
        let all = fields.len();
        fields.retain(|(name, _)| name != "last");
        let bits = fields.iter().map(|(_, ty)| ty.width).sum();
        let last = fields.len() < all;
        (fields, bits, last)
    }

    /// Transfers of a payload.
    pub fn transfers(&self, stream: &str) -> usize {
        self.payload(stream).1.div_ceil(self.bus_bits) as usize
    }

    /// The transfers that beats of the engine's stream are; `last` is their last field, if there is one.
    pub fn cut(&self, stream: &str, beats: &[Vec<Int>]) -> Vec<Vec<Int>> {
        let (fields, bits, has_last) = self.payload(stream);
        let whole = |beat: &Vec<Int>| {
            let values = fields.iter().zip(beat).rev();
            let data = values.fold(Int::ZERO, |joined, ((_, ty), value)| {
                (joined << ty.width) | ty.to_bits(value)
            });
            let last = has_last && beat.last() == Some(&Int::from(1));
            let mut transfers = cut(&data, bits, self.bus_bits, last);
            transfers.iter_mut().filter(|_| !has_last).for_each(|beat| beat.truncate(1));
            transfers
        };
        beats.iter().flat_map(whole).collect()
    }

    /// The beats of the engine's stream that transfers are, with `last`; none if one is cut wrongly.
    pub fn join(&self, stream: &str, transfers: &[Vec<Int>]) -> Option<Vec<Vec<Int>>> {
        let (fields, bits, _) = self.payload(stream);
        let beat = |(data, last): (Int, bool)| {
            let mut low = 0;
            let mut values: Vec<_> = (fields.iter())
                .map(|(_, ty)| {
                    low += ty.width;
                    ty.wrap(data.clone() >> (low - ty.width))
                })
                .collect();
            values.push(u8::from(last).into());
            values
        };
        Some(join(transfers, bits, self.bus_bits)?.into_iter().map(beat).collect())
    }

    /// Queues the beats of jobs, all streams side by side.
    pub fn send(&self, host: &mut Host<'_>, spec: &LapaAxiSpec, jobs: &[Job]) {
        for feed in feeds(&spec.engine, jobs, 0.0) {
            host.send(feed.stream, self.cut(feed.stream, &feed.beats));
        }
    }
}

/// What came out of jobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Results {
    /// The rows' outputs, in the order of their numbers.
    pub rows: Vec<Vec<i32>>,
    /// The jobs' importance.
    pub importance: Vec<Group>,
    /// What the feed-forward block made of a token, and whether it was its job's last.
    pub feed: Vec<(Vec<i32>, bool)>,
}

/// Runs jobs one behind the other, without a pause.
///
/// # Errors
/// [`SimError::TimedOut`] if nothing comes out for long.
///
/// # Panics
/// If transfers do not form results.
pub fn run_jobs(
    host: &mut Host<'_>,
    spec: &LapaAxiSpec,
    jobs: &[Job],
) -> Result<Results, SimError> {
    let (buses, engine) = (Buses::new(spec), &spec.engine);
    let feeds = engine.feed_forward().is_some();
    let before = ["out", "importance"].map(|stream| host.received(stream).len());
    let feed_before = if feeds { host.received("feed_out").len() } else { 0 };
    buses.send(host, spec, jobs);
    let rows = |job: &Job| {
        job.heads.iter().map(|head| head.queries.len()).sum::<usize>() * job.tokens.len()
    };
    let groups = |job: &Job| engine.importance().groups(job.tokens.len() as u32) as usize;
    let rows: usize = jobs.iter().map(rows).sum();
    let mut receive = |stream: &str, before: usize, payloads: usize| {
        host.await_transfers(stream, before + payloads * buses.transfers(stream))?;
        let transfers = &host.received(stream)[before..];
        Ok(buses.join(stream, transfers).expect("whole results"))
    };
    let out = receive("out", before[0], rows)?;
    let importance = receive("importance", before[1], jobs.iter().map(groups).sum())?;
    let rows: Vec<_> = out.iter().map(|beat| row_beat(engine, beat)).collect();
    let fed = match feeds {
        true => receive("feed_out", feed_before, jobs.iter().map(|job| job.tokens.len()).sum())?,
        false => vec![],
    };
    Ok(Results {
        rows: in_order(&rows).expect("each row of each key head, once"),
        importance: importance.iter().map(|b| group_beat(&engine.importance(), b)).collect(),
        feed: fed.iter().map(|beat| feed_beat(engine, beat)).collect(),
    })
}

/// What must come out of jobs.
///
/// # Errors
/// The text of the golden model's error.
pub fn expected(spec: &LapaAxiSpec, jobs: &[Job]) -> Result<Results, String> {
    let (mut rows, mut importance, mut feed) = (vec![], vec![], vec![]);
    for job in jobs {
        let result = job.results(&spec.engine).map_err(|error| error.to_string())?;
        for head in result.heads {
            rows.extend(head.rows);
        }
        let count = result.feed.len();
        feed.extend(result.feed.into_iter().zip((1..=count).map(|token| token == count)));
        importance
            .extend(crate::attention::lapa::drive::importance(&spec.engine, &result.importance));
    }
    Ok(Results { rows, importance, feed })
}
