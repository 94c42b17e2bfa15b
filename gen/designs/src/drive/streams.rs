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
#[derive(Debug, Clone, PartialEq, Eq)]
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
    (stall, seed): (f64, u64),
    beats: usize,
    patience: u64,
) -> Result<Run, SimError> {
    let mut bench = Bench::new(device);
    for (feed, seed) in feeds.iter().zip(seed + 1..) {
        let driver = bench.driver(feed.stream, feed.stall, seed);
        feed.beats.iter().for_each(|beat| bench.drivers[driver].push(beat.clone()));
    }
    let out = bench.monitor("out", stall, seed);
    let mut cycles = vec![];
    while cycles.len() < beats {
        bench.run_until(patience, "a beat of `out`", |bench| {
            bench.monitors[out].received.len() > cycles.len()
        })?;
        cycles.push(bench.cycle - 1);
    }
    let monitor = &bench.monitors[out];
    Ok(Run { beats: monitor.received.clone(), cycles, unknown: monitor.unknown })
}

/// Resets the device, feeds it for so many cycles and leaves it there.
pub fn run_for(device: &mut dyn Device, feeds: &[Feed], cycles: u64) -> Result<(), SimError> {
    let mut bench = Bench::new(device);
    for (feed, seed) in feeds.iter().zip(0..) {
        let driver = bench.driver(feed.stream, feed.stall, seed);
        feed.beats.iter().for_each(|beat| bench.drivers[driver].push(beat.clone()));
    }
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
