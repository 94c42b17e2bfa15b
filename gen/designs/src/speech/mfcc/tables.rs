//! The words of the front end's tables, as `docs/mfcc.md` defines them.

use super::MfccSpec;
use super::spec::{COSINE_BITS, LOG_BITS, TURN_BITS};
use std::f64::consts::{LN_2, PI};

/// `2^bits x`, to the nearest.
fn fixed(x: f64, bits: u32) -> i64 {
    (x * f64::from(bits).exp2()).round() as i64
}

/// The window's weights, 0..=2^15.
pub(super) fn window(spec: &MfccSpec) -> Vec<i64> {
    let weight = |n| 0.5 - 0.5 * (2.0 * PI * f64::from(n) / f64::from(spec.window)).cos();
    (0..spec.window).map(|n| fixed(weight(n), TURN_BITS)).collect()
}

/// The sines of a quarter turn in `fft / 4` steps, both ends with it; 0..=2^15.
pub(super) fn sines(spec: &MfccSpec) -> Vec<i64> {
    let sine = |n| (2.0 * PI * f64::from(n) / f64::from(spec.fft)).sin();
    (0..=spec.fft / 4).map(|n| fixed(sine(n), TURN_BITS)).collect()
}

/// A bin that bands look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bin {
    /// Its number in the transform.
    pub(super) bin: u32,
    /// The band it rises in; it falls in the one before.
    pub(super) segment: u32,
    /// Its weight in the band it rises in, 0..=2^W.
    pub(super) weight: i64,
}

/// The bins that bands look at; without a gap between them.
pub(super) fn bins(spec: &MfccSpec) -> Vec<Bin> {
    let mel = |hz: f64| 1127.0 * (hz / 700.0).ln_1p();
    let (low, high) = (mel(spec.low_hz.into()), mel(spec.high_hz.into()));
    let spacing = (high - low) / f64::from(spec.mels + 1);
    let bin = |bin: u32| {
        let hz = f64::from(bin) * f64::from(spec.sample_hz) / f64::from(spec.fft);
        let place = (mel(hz) - low) / spacing;
        let segment = place.floor();
        let inside = (0.0..f64::from(spec.mels + 1)).contains(&place);
        let weight = fixed(place - segment, spec.weight_bits);
        inside.then_some(Bin { bin, segment: segment as u32, weight })
    };
    (1..=spec.fft / 2).filter_map(bin).collect()
}

/// The fractions of logarithms.
pub(super) fn logarithms(spec: &MfccSpec) -> Vec<i64> {
    let entries = 1 << spec.table_bits;
    let log = |n: u32| (1.0 + (f64::from(n) + 0.5) / f64::from(entries)).log2();
    (0..entries).map(|n| fixed(log(n), LOG_BITS)).collect()
}

/// What rotations make of a magnitude.
fn gain(spec: &MfccSpec) -> f64 {
    (0..spec.rotations).map(|r| (1.0 + 0.25_f64.powi(r as i32)).sqrt()).product()
}

/// Fraction bits of the floor's factor.
pub(super) const FLOOR_BITS: u32 = 20;

/// The floor a level makes: the factor m.
pub(super) fn floor_factor(spec: &MfccSpec) -> i64 {
    let bits = FLOOR_BITS + spec.weight_bits + spec.fraction_bits + 1;
    fixed(1e-6 * gain(spec), bits)
}

/// The logarithm of the unit that sums of magnitudes have: b.
pub(super) fn unit_logarithm(spec: &MfccSpec) -> i64 {
    let bits = spec.weight_bits + spec.fraction_bits + 1;
    fixed(f64::from(bits) + gain(spec).log2(), LOG_BITS)
}

/// A whole turn of cosines in `4 mels` steps, in features a logarithm.
pub(super) fn cosines(spec: &MfccSpec) -> Vec<i64> {
    let mels = f64::from(spec.mels);
    let scale = 65536.0 / f64::from(spec.step65536) * LN_2 * (2.0 / (2.0 * mels).sqrt());
    let cosine = |n| (2.0 * PI * f64::from(n) / (4.0 * mels)).cos();
    (0..4 * spec.mels).map(|n| fixed(scale * cosine(n), COSINE_BITS)).collect()
}
