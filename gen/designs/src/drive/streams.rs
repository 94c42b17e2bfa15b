//! Beats into some streams, beats out of one.

use hwgen_hdl::sim::{Bench, Device, SimError};
use hwgen_hdl::{Int, s};

/// What a stream is fed.
#[derive(Debug, Clone, PartialEq)]
pub struct Feed {
    /// The stream.
    pub stream: &'static str,
    /// Its beats, each a value a field.
    pub beats: Vec<Vec<Int>>,
    /// The probability that a cycle stalls.
    pub stall: f64,
}

/// What streams are fed, none of which stalls.
pub(crate) fn feeds(streams: impl IntoIterator<Item = (&'static str, Vec<Vec<Int>>)>) -> Vec<Feed> {
    streams.into_iter().map(|(stream, beats)| Feed { stream, beats, stall: 0.0 }).collect()
}

/// How streams stall: the probability that a cycle is one.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Stalls {
    /// Of each stream that comes in.
    pub ins: f64,
    /// Of each stream that goes out.
    pub out: f64,
    /// Where the random numbers start.
    pub seed: u64,
}

/// What came out of `out`, and when.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Run<Beat = Vec<Int>> {
    /// The beats; as they came, each a value a field.
    pub beats: Vec<Beat>,
    /// The cycle at whose end each passed, counted from 0.
    pub cycles: Vec<u64>,
    /// Fields with unknown bits, on an engine that knows such; they read as 0.
    pub unknown: u64,
}

/// Resets the device, feeds it, and takes `beats` beats of its stream `out`, which stalls with
/// probability `stall`, or gives up.
///
/// # Errors
/// [`SimError::TimedOut`] if there is no beat for long.
pub fn run(
    device: &mut dyn Device,
    feeds: &[Feed],
    stall: f64,
    seed: u64,
    beats: usize,
) -> Result<Run, SimError> {
    run_patiently(device, feeds, (stall, seed), beats, 1_000_000)
}

/// [`run`] that gives up after so many cycles without a beat.
pub fn run_patiently(
    device: &mut dyn Device,
    feeds: &[Feed],
    stalls: (f64, u64),
    beats: usize,
    patience: u64,
) -> Result<Run, SimError> {
    let mut bench = Bench::new(device);
    let runs = run_streams(&mut bench, feeds, stalls, &[("out", beats)], patience)?;
    Ok(runs.into_iter().next().unwrap_or_default())
}

/// Feeds a device that was reset and takes what comes out of several streams, all of which stall with
/// that probability, until each has so many beats; what came out of each, in the order of `outs`.
///
/// # Errors
/// [`SimError::TimedOut`] if there is no beat for `patience` cycles.
pub(crate) fn run_streams(
    bench: &mut Bench<'_>,
    feeds: &[Feed],
    (stall, seed): (f64, u64),
    outs: &[(&str, usize)],
    patience: u64,
) -> Result<Vec<Run>, SimError> {
    drive(bench, feeds, seed + outs.len() as u64);
    let monitors: Vec<_> =
        outs.iter().zip(seed..).map(|((name, _), seed)| bench.monitor(name, stall, seed)).collect();
    let names: Vec<_> = outs.iter().map(|(name, _)| format!("`{name}`")).collect();
    let what = format!("a beat of {}", names.join(" or "));
    let mut cycles = vec![vec![]; outs.len()];
    while cycles.iter().zip(outs).any(|(cycles, (_, beats))| cycles.len() < *beats) {
        let comes = |bench: &Bench<'_>, out: usize| {
            bench.monitors[monitors[out]].received.len() > cycles[out].len()
        };
        bench.run_until(patience, &what, |bench| (0..outs.len()).any(|out| comes(bench, out)))?;
        let came: Vec<_> = (0..outs.len()).filter(|&out| comes(bench, out)).collect();
        came.into_iter().for_each(|out| cycles[out].push(bench.cycle - 1));
    }
    let run = |(monitor, cycles): (usize, Vec<u64>)| {
        let monitor = &bench.monitors[monitor];
        Run { beats: monitor.received.clone(), cycles, unknown: monitor.unknown }
    };
    Ok(monitors.into_iter().zip(cycles).map(run).collect())
}

/// Queues what streams are fed; their stalls start from `seed` on.
fn drive(bench: &mut Bench<'_>, feeds: &[Feed], seed: u64) {
    for (feed, seed) in feeds.iter().zip(seed..) {
        let driver = bench.driver(feed.stream, feed.stall, seed);
        feed.beats.iter().for_each(|beat| bench.drivers[driver].push(beat.clone()));
    }
}

/// Resets the device, feeds it for so many cycles and leaves it there.
pub fn run_for(device: &mut dyn Device, feeds: &[Feed], cycles: u64) -> Result<(), SimError> {
    let mut bench = Bench::new(device);
    drive(&mut bench, feeds, 0);
    bench.monitor("out", 0.0, 0);
    let from = bench.cycle;
    bench.run_until(cycles + 1, "so many cycles", |bench| bench.cycle >= from + cycles)?;
    Ok(())
}

/// Numbers side by side, the first lowest.
pub(crate) fn pack(elements: impl DoubleEndedIterator<Item = i32>, bits: u32) -> Int {
    let number = |x: i32| s(bits).to_bits(&Int::from(x));
    elements.rev().fold(Int::ZERO, |joined, x| (joined << bits) | number(x))
}

/// The inverse of [`pack`].
pub(crate) fn unpack(packed: &Int, bits: u32, count: u32) -> Vec<i32> {
    let number = |i| s(bits).wrap(packed.clone() >> (i * bits));
    (0..count).map(|i| i32::try_from(number(i)).unwrap_or_default()).collect()
}
