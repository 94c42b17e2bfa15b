//! Window, transform, magnitudes.

use super::{fixed, round_shift};
use crate::speech::mfcc::MfccSpec;
use std::f64::consts::TAU;

/// Fraction bits of the window and of the factors of turns.
const TURN_BITS: u32 = 15;

/// A complex number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Complex {
    /// Its real part.
    pub re: i64,
    /// Its imaginary part.
    pub im: i64,
}

impl Complex {
    fn conjugate(self) -> Complex {
        Complex { re: self.re, im: -self.im }
    }

    fn plus(self, other: Complex) -> Complex {
        Complex { re: self.re + other.re, im: self.im + other.im }
    }

    fn minus(self, other: Complex) -> Complex {
        Complex { re: self.re - other.re, im: self.im - other.im }
    }
}

/// From samples to magnitudes.
#[derive(Debug, Clone)]
pub struct Spectrum {
    points: usize,
    fraction_bits: u32,
    rotations: u32,
    window: Vec<i64>,
    /// Cosine and sine of each of the transform's angles.
    turns: Vec<(i64, i64)>,
}

impl Spectrum {
    /// Of a size.
    pub fn new(spec: &MfccSpec) -> Spectrum {
        let window = (0..spec.window).map(|n| {
            let turn = TAU * f64::from(n) / f64::from(spec.window);
            fixed((1.0 - turn.cos()) / 2.0, TURN_BITS)
        });
        let turns = (0..spec.fft).map(|k| {
            let turn = TAU * f64::from(k) / f64::from(spec.fft);
            (fixed(turn.cos(), TURN_BITS), fixed(turn.sin(), TURN_BITS))
        });
        Spectrum {
            points: spec.fft as usize,
            fraction_bits: spec.fraction_bits,
            rotations: spec.rotations,
            window: window.collect(),
            turns: turns.collect(),
        }
    }

    /// The magnitudes of bins 0 ..= N/2, in units of 1/(2^(F+1) K).
    pub fn magnitudes(&self, samples: &[i16]) -> Vec<i64> {
        self.bins(samples).into_iter().map(|x| magnitude(x, self.rotations)).collect()
    }

    /// Twice the bins 0 ..= N/2, in units of 2^-F.
    pub fn bins(&self, samples: &[i16]) -> Vec<Complex> {
        let mut weighted: Vec<i64> = (samples.iter().zip(&self.window))
            .map(|(&x, w)| round_shift(i64::from(x) * w, TURN_BITS - self.fraction_bits))
            .collect();
        weighted.resize(self.points, 0);
        let points: Vec<_> =
            weighted.chunks(2).map(|pair| Complex { re: pair[0], im: pair[1] }).collect();
        let z = self.transform(&points);
        let half = z.len();
        let bin = |k: usize| {
            let (here, mirror) = (z[k % half], z[(half - k) % half].conjugate());
            let difference = here.minus(mirror);
            // times -i
            let q = Complex { re: difference.im, im: -difference.re };
            here.plus(mirror).plus(self.turn(q, k))
        };
        (0..=half).map(bin).collect()
    }

    /// The complex transform, decimated in time.
    fn transform(&self, points: &[Complex]) -> Vec<Complex> {
        let length = points.len();
        if length == 1 {
            return points.to_vec();
        }
        let part = |first: usize| {
            let points: Vec<_> = points[first..].iter().step_by(2).copied().collect();
            self.transform(&points)
        };
        let (even, odd) = (part(0), part(1));
        let turned: Vec<_> = (odd.iter().enumerate())
            .map(|(k, &odd)| self.turn(odd, k * self.points / length))
            .collect();
        let pairs = even.iter().zip(&turned);
        let low = pairs.clone().map(|(&e, &t)| e.plus(t));
        low.chain(pairs.map(|(&e, &t)| e.minus(t))).collect()
    }

    /// `q` turned by -2 pi k / N.
    fn turn(&self, q: Complex, k: usize) -> Complex {
        let (cos, sin) = self.turns[k];
        Complex {
            re: round_shift(q.re * cos + q.im * sin, TURN_BITS),
            im: round_shift(q.im * cos - q.re * sin, TURN_BITS),
        }
    }
}

/// The magnitude times K, by rotations onto the real axis.
pub fn magnitude(x: Complex, rotations: u32) -> i64 {
    let (mut re, mut im) = (x.re.abs(), x.im.abs());
    for r in 0..rotations {
        (re, im) = match im >= 0 {
            true => (re + (im >> r), im - (re >> r)),
            false => (re - (im >> r), im + (re >> r)),
        };
    }
    re
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wave(points: u32, sample: impl Fn(f64) -> f64) -> Vec<i16> {
        (0..points).map(|n| sample(TAU * f64::from(n) / f64::from(points)) as i16).collect()
    }

    #[test]
    fn a_rotated_vector_keeps_its_length() {
        let gain: f64 = (0..8).map(|r| (1.0 + 0.25f64.powi(r)).sqrt()).product();
        for (re, im) in [(30_000, 40_000), (-50_000, 0), (0, -70_000), (123, -123_456)] {
            let length = f64::from(re).hypot(f64::from(im));
            let found = magnitude(Complex { re: re.into(), im: im.into() }, 8) as f64 / gain;
            assert!((found - length).abs() < length / 8192.0 + 8.0, "{re} {im}: {found} {length}");
        }
        assert_eq!(magnitude(Complex { re: 0, im: 0 }, 8), 0);
    }

    /// A cosine of 3 turns under a Hann window: bins 2, 3, 4 have a quarter, a half, a quarter.
    #[test]
    fn by_hand() {
        let spec = MfccSpec { window: 64, fft: 64, ..MfccSpec::default() };
        let samples = wave(64, |turn| 16_000.0 * (3.0 * turn).cos());
        let bins = Spectrum::new(&spec).bins(&samples);
        // half of 64 samples of amplitude 16,000, and the bins are doubled and have 4 fraction bits
        let whole = 16_000 * 32 * 2 * 16;
        for (k, share) in
            [(1, 0), (2, -whole / 4), (3, whole / 2), (4, -whole / 4), (5, 0), (32, 0)]
        {
            assert!((bins[k].re - share).abs() < 2000, "{k}: {:?}, not {share}", bins[k]);
            assert!(bins[k].im.abs() < 2000, "{k}: {:?}", bins[k]);
        }
    }
}
