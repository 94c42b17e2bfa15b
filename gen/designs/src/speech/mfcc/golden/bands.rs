//! Mel bands, logarithms, cosines, int8.

use super::{fixed, round_shift};
use crate::speech::mfcc::MfccSpec;
use std::f64::consts::{LN_2, TAU};

/// Fraction bits of a logarithm.
const LOG_BITS: u32 = 12;
/// Fraction bits of a cosine.
const COSINE_BITS: u32 = 16;
/// Fraction bits of the floor's factor.
const FLOOR_BITS: u32 = 20;

/// From magnitudes to features.
#[derive(Debug, Clone)]
pub struct Bands {
    /// For each band, the bins it looks at and their weights.
    weights: Vec<Vec<(usize, i64)>>,
    table_bits: u32,
    /// The fractions of logarithms.
    table: Vec<i64>,
    /// The factor of the floor, and the logarithm of the unit of sums.
    floor_factor: i64,
    unit: i64,
    /// Rows of coefficients.
    cosines: Vec<Vec<i64>>,
    zero_point: i64,
}

/// Hertz on the mel scale.
fn mel(hz: f64) -> f64 {
    1127.0 * (1.0 + hz / 700.0).ln()
}

impl Bands {
    /// Of a size.
    pub fn new(spec: &MfccSpec) -> Bands {
        let gain: f64 =
            (0..spec.rotations).map(|r| (1.0 + 4f64.powi(-(r as i32))).sqrt()).product();
        let unit_bits = spec.weight_bits + spec.fraction_bits + 1;
        let places = 2f64.powi(spec.table_bits as i32);
        let logarithm = |f: u32| fixed((1.0 + (f64::from(f) + 0.5) / places).log2(), LOG_BITS);
        Bands {
            weights: weights(spec),
            table_bits: spec.table_bits,
            table: (0..1 << spec.table_bits).map(logarithm).collect(),
            floor_factor: fixed(1e-6 * gain, FLOOR_BITS + unit_bits),
            unit: fixed(f64::from(unit_bits) + gain.log2(), LOG_BITS),
            cosines: cosines(spec),
            zero_point: spec.zero_point.into(),
        }
    }

    /// The features of a frame whose bins 0 .. have these magnitudes.
    pub fn features(&self, magnitudes: &[i64], level: u16) -> Vec<i8> {
        let level = i64::from(level);
        let floor = round_shift(level * self.floor_factor, FLOOR_BITS);
        let base = self.logarithm(level) + self.unit;
        let log = |weights: &Vec<(usize, i64)>| {
            let sum: i64 = weights.iter().map(|&(bin, weight)| magnitudes[bin] * weight).sum();
            self.logarithm(sum + floor) - base
        };
        let logs: Vec<i64> = self.weights.iter().map(log).collect();
        let feature = |row: &Vec<i64>| {
            let sum: i64 = row.iter().zip(&logs).map(|(cosine, log)| cosine * log).sum();
            let one = 1 << (LOG_BITS + COSINE_BITS);
            // Rust's division cuts towards 0
            ((sum + self.zero_point * one) / one).clamp(-128, 127) as i8
        };
        self.cosines.iter().map(feature).collect()
    }

    /// The logarithm of `v` to base 2, of 1 if `v` is less.
    pub fn logarithm(&self, v: i64) -> i64 {
        let v = v.max(1);
        let e = v.ilog2();
        let below = v - (1 << e);
        let fraction = match e.checked_sub(self.table_bits) {
            Some(surplus) => below >> surplus,
            None => below << (self.table_bits - e),
        };
        (i64::from(e) << LOG_BITS) + self.table[fraction as usize]
    }
}

/// For each band, its bins and their weights.
fn weights(spec: &MfccSpec) -> Vec<Vec<(usize, i64)>> {
    let (low, high) = (mel(spec.low_hz.into()), mel(spec.high_hz.into()));
    let spacing = (high - low) / f64::from(spec.mels + 1);
    let one = 1 << spec.weight_bits;
    let mut bands = vec![vec![]; spec.mels as usize];
    for bin in 1..=spec.fft as usize / 2 {
        let hz = bin as f64 * f64::from(spec.sample_hz) / f64::from(spec.fft);
        let place = (mel(hz) - low) / spacing;
        if place < 0.0 || place >= f64::from(spec.mels + 1) {
            continue;
        }
        let segment = place.floor() as usize;
        let weight = fixed(place.fract(), spec.weight_bits);
        if let Some(band) = bands.get_mut(segment) {
            band.push((bin, weight));
        }
        if let Some(band) = segment.checked_sub(1).and_then(|band| bands.get_mut(band)) {
            band.push((bin, one - weight));
        }
    }
    bands
}

/// Rows of the last transform, in features a logarithm.
fn cosines(spec: &MfccSpec) -> Vec<Vec<i64>> {
    let turn = 4 * spec.mels;
    let per_step = 65536.0 / f64::from(spec.step65536);
    let scale = per_step * LN_2 * (2.0 / (2.0 * f64::from(spec.mels)).sqrt());
    let cosine = |k: u32, band: u32| {
        let angle = TAU * f64::from(k * (2 * band + 1) % turn) / f64::from(turn);
        fixed(scale * angle.cos(), COSINE_BITS)
    };
    (0..spec.coefficients).map(|k| (0..spec.mels).map(|band| cosine(k, band)).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithms_by_hand() {
        let bands = Bands::new(&MfccSpec { table_bits: 2, ..MfccSpec::default() });
        // log2 of 1.125, 1.375, 1.625, 1.875 in 1/4096
        assert_eq!(bands.table, [696, 1882, 2869, 3715]);
        let logs = [0, 1, 2, 3, 4, 7, 8, 9, 255].map(|v| bands.logarithm(v));
        let exponents = [0, 0, 1, 1, 2, 2, 3, 3, 7].map(|e| e * 4096);
        let places = [0, 0, 0, 2, 0, 3, 0, 0, 3].map(|place| bands.table[place]);
        assert_eq!(logs.map(|log| log & 4095), places);
        assert_eq!(logs.map(|log| log & !4095), exponents);
    }

    /// Neighboring triangles add up to 1.
    #[test]
    fn every_bin_between_the_first_and_the_last_center_counts_once() {
        let spec = MfccSpec::default();
        let mut sums = vec![0; 257];
        weights(&spec).iter().flatten().for_each(|&(bin, weight)| sums[bin] += weight);
        // the last center is at 3.8 kHz, bin 121; 4 kHz is bin 128
        assert!(sums[2..=121].iter().all(|&sum| sum == 1024), "{sums:?}");
        assert!(sums[128..].iter().all(|&sum| sum == 0) && sums[0] == 0, "{sums:?}");
    }

    #[test]
    fn silence_and_a_level_twice_as_high() {
        let bands = Bands::new(&MfccSpec::default());
        let silence = bands.features(&[0; 257], 20_000);
        // 40 ln(10^-6) 2 / sqrt(80) / 0.5847 + 83 = -128.2; cosines cancel elsewhere
        assert_eq!((silence[0], &silence[1..]), (-128, &[83, 83, 83, 83, 83, 83, 83, 83, 83][..]));
        let flat: Vec<i64> = vec![1 << 20; 257];
        let (once, twice) = (bands.features(&flat, 5000), bands.features(&flat, 10_000));
        // 40 ln 2 2 / sqrt(80) / 0.5847 = 10.6
        assert!([10, 11].contains(&(once[0] - twice[0])), "{once:?} {twice:?}");
        assert_eq!(once[1..], twice[1..]);
    }
}
