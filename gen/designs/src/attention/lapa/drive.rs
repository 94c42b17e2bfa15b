//! Attention from tokens to its output between stream drivers and its golden model.

use crate::attention::attend::spec::OUT_BITS;
use crate::attention::lapa::LapaSpec;
use crate::attention::lapa::cost::{FeedShape, HeadShape, JobShape};
use crate::attention::lapa::golden::{Feed as FeedJob, Job, JobResult, KeyHead, QueryHead};
use crate::attention::predictor::golden::leading_one::LeadingOne;
use crate::drive::{Feed, Stalls, Values, pack, run_streams, unpack};
use crate::golden::compare_lists;
use crate::linear::drive::importance::{Group, group_beat, groups};
use crate::linear::drive::{exact, feed_forward, log};
use crate::linear::golden::exact::{Load, Scale, Token};
use crate::linear::golden::importance::Importance;
use crate::linear::golden::log::{Load as Codes, shift_for};
use hwgen_hdl::Int;
use hwgen_hdl::sim::{Bench, Device, SimError};
use rand::Rng;

/// A random job of so many tokens and key heads.
pub fn random_job(spec: &LapaSpec, rng: &mut impl Rng, tokens: usize, heads: usize) -> Job {
    let values = Values::any(rng);
    let mut vector = |values: Values, count: u32| -> Vec<i32> {
        (0..count).map(|_| values.draw(rng, 8)).collect()
    };
    let tokens: Vec<_> = (0..tokens).map(|_| vector(values, spec.inputs)).collect();
    let mut matrix = |outputs: u32| -> Vec<Vec<i32>> {
        (0..outputs).map(|_| vector(Values::Uniform, spec.inputs)).collect()
    };
    let heads: Vec<_> = (0..heads)
        .map(|_| {
            let queries: Vec<_> =
                (0..spec.queries_per_key).map(|_| matrix(spec.shape().head_dim)).collect();
            (matrix(2 * spec.shape().head_dim), queries)
        })
        .collect();
    let heads = heads.into_iter().map(|(key_value, queries)| {
        let encode = |&w: &i32| LeadingOne::encode(w, 8, false);
        // what the keys would be, most often; else other keys
        let alike = rng.random_bool(0.7);
        let of_keys =
            if alike { &key_value[..spec.shape().head_dim as usize] } else { &queries[0] };
        let weights = of_keys.iter().map(|row| row.iter().map(encode).collect()).collect();
        let mut codes = Codes { weights, shift: 0 };
        let sums = tokens.iter().flat_map(|token| codes.sums(token));
        codes.shift = shift_for(sums.map(i64::abs).max().unwrap_or_default());
        let queries = queries.into_iter().map(|weights| QueryHead {
            load: fitted(weights, &tokens, rng),
            scale: rng.random(),
            shift: rng.random_range(0..32),
            radius: rng.random_range(0..1 << spec.predictor().radius_bits()),
        });
        let queries = queries.collect();
        KeyHead { codes, key_value: fitted(key_value, &tokens, rng), queries }
    });
    let heads = heads.collect();
    let feed = spec.feed_forward().map(|block| {
        let corners = rng.random();
        let batch = feed_forward::Batch::random(&block, rng, tokens.len(), corners);
        let tokens = batch.tokens.into_iter().map(|token| token.elements).collect();
        FeedJob { layers: batch.layers, tokens }
    });
    Job { tokens, heads, feed }
}

fn fitted(weights: Vec<Vec<i32>>, tokens: &[Vec<i32>], rng: &mut impl Rng) -> Load {
    let scales = vec![Scale { bias: 0, multiplier: 1, shift: 0 }; weights.len()];
    let mut load = Load { weights, scales, table: None };
    let token = |elements: &Vec<i32>| Token { elements: elements.clone(), precise: true };
    exact::fit(&mut load, &tokens.iter().map(token).collect::<Vec<_>>(), rng);
    load
}

/// The job as the timing sees it.
pub fn shape(spec: &LapaSpec, job: &Job, result: &JobResult) -> JobShape {
    let head = |head: &crate::attention::lapa::golden::HeadResult| HeadShape {
        made: head.made.clone(),
        rows: (head.survivors.iter())
            .map(|row| {
                let groups = row.chunks(spec.shape().rows as usize);
                groups.map(|group| group.count_ones() as u32).collect()
            })
            .collect(),
        kept: head.survivors.iter().map(|row| row.iter_ones().collect()).collect(),
    };
    let feed = job.feed.as_ref().map(|feed| FeedShape {
        table_beats: feed.layers.first.table.as_ref().map_or(1, Vec::len) as u32,
        precise: (0..feed.tokens.len()).map(|j| result.importance.precise(j)).collect(),
    });
    JobShape { heads: result.heads.iter().map(head).collect(), feed }
}

/// What came out, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The rows, as they came.
    pub rows: Vec<Row>,
    /// The cycle at whose end each row passed, counted from 0.
    pub cycles: Vec<u64>,
    /// The jobs' importance, as far as it was there with the last row taken.
    pub importance: Vec<Group>,
    /// What the feed-forward block made of its tokens, whether it was the job's last, and the cycle at
    /// whose end it passed.
    pub feed: Vec<Vec<i32>>,
    /// The same.
    pub feed_last: Vec<bool>,
    /// The same.
    pub feed_cycles: Vec<u64>,
    /// Fields with unknown bits, on an engine that knows such; they read as 0.
    pub unknown: u64,
}

/// The groups in which a job's importance comes out.
pub fn importance(spec: &LapaSpec, result: &Importance) -> Vec<Group> {
    groups(&spec.importance(), result)
}

/// Resets the device, sends it all jobs, one after the other, and takes `rows` rows and the
/// importance and feed-forward results of `jobs_done` jobs, or gives up.
///
/// # Errors
/// [`SimError::TimedOut`] if there is no row for long.
pub fn run(
    device: &mut dyn Device,
    spec: &LapaSpec,
    jobs: &[Job],
    stalls: Stalls,
    rows: usize,
    jobs_done: usize,
) -> Result<Run, SimError> {
    let unit = spec.importance();
    let done = || jobs.iter().take(jobs_done);
    let groups = done().map(|job| unit.groups(job.tokens.len() as u32)).sum::<u32>() as usize;
    let fed = done().filter_map(|job| job.feed.as_ref()).map(|feed| feed.tokens.len()).sum();
    let counts = Counts { rows, groups, fed };
    run_feeds(device, spec, feeds(spec, jobs, stalls.ins), stalls, counts)
}

/// How much of what is awaited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Rows.
    pub rows: usize,
    /// Groups of importance.
    pub groups: usize,
    /// Feed-forward results.
    pub fed: usize,
}

/// [`run`] for whatever comes, until so much is there.
///
/// # Errors
/// [`SimError::TimedOut`] if there is none for long.
pub fn run_feeds(
    device: &mut dyn Device,
    spec: &LapaSpec,
    feeds: Vec<Feed>,
    stalls: Stalls,
    Counts { rows, groups, fed }: Counts,
) -> Result<Run, SimError> {
    let mut outs = vec![("out", rows), ("importance", groups)];
    outs.extend(spec.feed_forward().map(|_| ("feed_out", fed)));
    let mut bench = Bench::new(device);
    let runs = run_streams(&mut bench, &feeds, (stalls.out, stalls.seed), &outs, 1_000_000)?;
    let unknown = runs.iter().map(|run| run.unknown).sum();
    let mut runs = runs.into_iter();
    let mut next = || runs.next().unwrap_or_default();
    let (out, important, fed) = (next(), next(), next());
    let (feed, feed_last) = fed.beats.iter().map(|beat| feed_beat(spec, beat)).unzip();
    let unit = spec.importance();
    Ok(Run {
        rows: out.beats.iter().map(|beat| row_beat(spec, beat)).collect(),
        cycles: out.cycles,
        importance: important.beats.iter().map(|beat| group_beat(&unit, beat)).collect(),
        feed,
        feed_last,
        feed_cycles: fed.cycles,
        unknown,
    })
}

/// Runs the jobs, without a reset between them, and compares all that comes out.
///
/// # Errors
/// A job that does not fit, silence, or the first that differs, in words.
pub fn check(
    device: &mut dyn Device,
    spec: &LapaSpec,
    jobs: &[Job],
    stalls: Stalls,
) -> Result<Run, String> {
    let results: Result<Vec<_>, _> = jobs.iter().map(|job| job.results(spec)).collect();
    let results = results.map_err(|error| error.to_string())?;
    let heads = results.iter().flat_map(|job| &job.heads);
    let rows: Vec<_> = heads.flat_map(|head| &head.rows).cloned().collect();
    let run = run(device, spec, jobs, stalls, rows.len(), jobs.len());
    let run = run.map_err(|error| error.to_string())?;
    compare_lists("row", &in_order(&run.rows)?, &rows)?;
    if spec.row_window == 1 || !spec.predict_keys {
        let as_they_came: Vec<_> = run.rows.iter().map(|row| row.elements.clone()).collect();
        compare_lists("row in order", &as_they_came, &rows)?;
    }
    let groups = results.iter().flat_map(|result| importance(spec, &result.importance));
    compare_lists("group of importance", &run.importance, &groups.collect::<Vec<_>>())?;
    let fed: Vec<_> = results.iter().flat_map(|job| &job.feed).cloned().collect();
    compare_lists("feed-forward result", &run.feed, &fed)?;
    let counts = results.iter().map(|job| job.feed.len());
    let last = counts.flat_map(|count| (1..=count).map(move |token| token == count));
    compare_lists("end of a job", &run.feed_last, &last.collect::<Vec<_>>())?;
    Ok(run)
}

/// A row as it came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its elements.
    pub elements: Vec<i32>,
    /// Its number in its key head.
    pub number: usize,
    /// Whether it was its key head's last.
    pub last: bool,
}

pub(crate) fn row_beat(spec: &LapaSpec, beat: &[Int]) -> Row {
    let elements = unpack(&beat[0], OUT_BITS, spec.shape().head_dim);
    Row {
        elements,
        number: usize::try_from(&beat[1]).unwrap_or(usize::MAX),
        last: beat[2] == Int::from(1),
    }
}

/// Puts rows that came out into the order of their numbers, key head by key head, so that the order
/// of a row is its place again.
///
/// # Errors
/// Says which key head's numbers are not those of its rows, each once, or that its last row is missing.
pub fn in_order(rows: &[Row]) -> Result<Vec<Vec<i32>>, String> {
    if rows.last().is_some_and(|row| !row.last) {
        return Err("the last key head has no last row".to_owned());
    }
    let mut ordered = vec![];
    for (head, rows) in rows.split_inclusive(|row| row.last).enumerate() {
        let mut rows = rows.to_vec();
        rows.sort_by_key(|row| row.number);
        let numbers: Vec<_> = rows.iter().map(|row| row.number).collect();
        if numbers.iter().enumerate().any(|(place, number)| place != *number) {
            return Err(format!("key head {head} has rows {numbers:?}"));
        }
        ordered.extend(rows.into_iter().map(|row| row.elements));
    }
    Ok(ordered)
}

/// A feed-forward result as it came out: its elements, and whether it was its job's last.
pub(crate) fn feed_beat(spec: &LapaSpec, beat: &[Int]) -> (Vec<i32>, bool) {
    (unpack(&beat[0], 8, spec.inputs), beat[1] == Int::from(1))
}

/// What jobs are to the streams, which stall with that probability.
pub fn feeds(spec: &LapaSpec, jobs: &[Job], stall: f64) -> Vec<Feed> {
    let mut streams = Streams::default();
    for job in jobs {
        let token = |(i, token): (usize, &Vec<i32>)| {
            let last = i + 1 == job.tokens.len();
            vec![pack(token.iter().copied(), 8), u8::from(last).into()]
        };
        streams.jobs.push(vec![job.heads.len().into()]);
        streams.tokens.extend(job.tokens.iter().enumerate().map(token));
        for head in &job.heads {
            streams.head(spec, head);
        }
        if let Some(feed) = &job.feed {
            streams.feed(spec, feed);
        }
    }
    streams.feeds(spec, stall)
}

/// The feed-forward block's streams.
const FEED_STREAMS: [&str; 6] = [
    "feed_first_weights",
    "feed_first_scales",
    "feed_first_table",
    "feed_second_weights",
    "feed_second_scales",
    "feed_tokens",
];

#[derive(Default)]
struct Streams {
    jobs: Vec<Vec<Int>>,
    tokens: Vec<Vec<Int>>,
    heads: Vec<Vec<Int>>,
    codes: Vec<Vec<Int>>,
    queries: [Vec<Vec<Int>>; 2],
    key_values: [Vec<Vec<Int>>; 2],
    /// The feed-forward block's loads, and its tokens.
    feed: [Vec<Vec<Int>>; 6],
}

impl Streams {
    fn head(&mut self, spec: &LapaSpec, head: &KeyHead) {
        let noise = &mut || 0x55;
        self.codes.extend(log::load_beats(&spec.log_layer(), &head.codes, &mut || 0b10110));
        let [weights, scales, _] =
            exact::load_beats(&spec.key_value_layer(), &head.key_value, noise);
        self.key_values[0].extend(weights);
        self.key_values[1].extend(scales);
        for query in &head.queries {
            let [weights, scales, _] = exact::load_beats(&spec.query_layer(), &query.load, noise);
            self.queries[0].extend(weights);
            self.queries[1].extend(scales);
            let mut beat = vec![];
            if spec.predictor().has_radius() {
                beat.push(query.radius.into());
            }
            beat.extend([query.scale.into(), query.shift.into()]);
            self.heads.push(beat);
        }
    }

    fn feed(&mut self, spec: &LapaSpec, feed: &FeedJob) {
        let Some(block) = spec.feed_forward() else {
            return;
        };
        let [a, b, c, d, e] = feed_forward::loads_beats(&block, &feed.layers, &mut || 0x33);
        let tokens = feed.tokens.iter().map(|token| vec![pack(token.iter().copied(), 8)]).collect();
        let beats = [a, b, c, d, e, tokens];
        self.feed.iter_mut().zip(beats).for_each(|(all, beats)| all.extend(beats));
    }

    fn feeds(self, spec: &LapaSpec, stall: f64) -> Vec<Feed> {
        let [query_weights, query_scales] = self.queries;
        let [key_value_weights, key_value_scales] = self.key_values;
        let mut streams = vec![
            ("jobs", self.jobs),
            ("tokens", self.tokens),
            ("heads", self.heads),
            ("query_weights", query_weights),
            ("query_scales", query_scales),
            ("key_value_weights", key_value_weights),
            ("key_value_scales", key_value_scales),
        ];
        if spec.predict_keys {
            streams.push(("key_codes", self.codes));
        }
        if spec.feed_forward().is_some() {
            streams.extend(FEED_STREAMS.into_iter().zip(self.feed));
        }
        let feed = |(stream, beats)| Feed { stream, beats, stall };
        streams.into_iter().map(feed).collect()
    }
}
