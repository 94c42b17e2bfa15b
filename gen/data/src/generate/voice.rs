//! Sounds like those of a voice: harmonics of a pitch, loud where a vowel has its formants.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
use std::f64::consts::PI;

/// Samples a second.
pub(super) const SAMPLE_HZ: f64 = 16_000.0;
/// Formants move in steps of so many samples.
const STEP: usize = 80;
/// The highest harmonic, in Hz: where the front end's bands end.
const HIGHEST_HZ: f64 = 4000.0;

/// A vowel: the middles of its three formants in Hz, as a man speaks it (after Peterson and Barney 1952).
pub(super) type Vowel = [f64; 3];
pub(super) const AH: Vowel = [730.0, 1090.0, 2440.0];
pub(super) const EE: Vowel = [270.0, 2290.0, 3010.0];
pub(super) const OO: Vowel = [300.0, 870.0, 2240.0];

/// How wide and how loud formants are.
const WIDTHS: [f64; 3] = [90.0, 120.0, 180.0];
const GAINS: [f64; 3] = [1.0, 0.6, 0.3];

/// Who speaks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Voice {
    pitch_hz: f64,
    /// Formants against those of a man: the shorter the throat, the higher.
    formants: f64,
    /// Words a time, against others.
    pace: f64,
}

/// What is said, as it goes from 0 to 1.
pub(super) struct Word {
    /// Vowels that it moves through, evenly.
    pub(super) vowels: &'static [Vowel],
    /// Whether it begins with a hiss.
    pub(super) hiss: bool,
    /// Whether it is said in two.
    pub(super) twice: bool,
}

impl Voice {
    pub(super) fn any(rng: &mut ChaCha8Rng) -> Voice {
        Voice {
            pitch_hz: rng.random_range(90.0..250.0),
            formants: rng.random_range(0.95..1.15),
            pace: rng.random_range(0.8..1.25),
        }
    }

    /// A second in which a word is said at some time, with noise behind it.
    pub(super) fn say(&self, word: &Word, noise_db: (f64, f64), rng: &mut ChaCha8Rng) -> Vec<i16> {
        let length = (SAMPLE_HZ * rng.random_range(0.4..0.6) / self.pace) as usize;
        let first = rng.random_range(0..SAMPLE_HZ as usize - length);
        let mut samples = vec![0.0; SAMPLE_HZ as usize];
        self.speak(word, &mut samples[first..first + length], rng);
        let power = samples.iter().map(|x| x * x).sum::<f64>() / length as f64;
        let decibels = rng.random_range(noise_db.0..noise_db.1);
        let noise = libm::sqrt(power) * libm::pow(10.0, decibels / 20.0);
        samples.iter_mut().for_each(|x| *x += noise * rng.sample::<f64, _>(StandardNormal));
        let largest = samples.iter().fold(f64::MIN_POSITIVE, |most, x| most.max(x.abs()));
        let level = rng.random_range(3_000.0..30_000.0) / largest;
        samples.iter().map(|x| (x * level).round() as i16).collect()
    }

    fn speak(&self, word: &Word, samples: &mut [f64], rng: &mut ChaCha8Rng) {
        let length = samples.len() as f64;
        let bend: f64 = rng.random_range(-0.2..0.2);
        let own: Vec<f64> = (0..3).map(|_| self.formants * rng.random_range(0.96..1.04)).collect();
        let (mut phase, mut before, mut at) = (0.0f64, 0.0, 0);
        for block in samples.chunks_mut(STEP) {
            let progress = at as f64 / length;
            let pitch = self.pitch_hz * (1.0 + bend * (progress - 0.5));
            let levels = levels(pitch, &formants(word.vowels, progress, &own));
            for sample in block {
                let progress = at as f64 / length;
                phase = (phase + pitch / SAMPLE_HZ).fract();
                let noise: f64 = rng.sample(StandardNormal);
                let hissing = word.hiss && progress < 0.35;
                // the difference of noise has its high frequencies
                let sound =
                    if hissing { 0.3 * (noise - before) } else { harmonics(phase, &levels) };
                before = noise;
                *sample = sound * loudness(progress, word.twice);
                at += 1;
            }
        }
    }
}

/// Where the formants are on the way through vowels.
fn formants(vowels: &[Vowel], progress: f64, own: &[f64]) -> Vowel {
    let way = progress * (vowels.len() - 1) as f64;
    let from = (way as usize).min(vowels.len() - 1);
    let to = (from + 1).min(vowels.len() - 1);
    [0, 1, 2].map(|n| {
        let (from_hz, to_hz) = (vowels[from][n], vowels[to][n]);
        own[n] * (from_hz + (to_hz - from_hz) * (way - from as f64))
    })
}

/// How loud each harmonic is.
fn levels(pitch: f64, formants: &Vowel) -> Vec<f64> {
    let level = |harmonic: usize| {
        let hz = pitch * harmonic as f64;
        let peak = |n: usize| {
            let away = (hz - formants[n]) / WIDTHS[n];
            GAINS[n] / (1.0 + away * away)
        };
        (0..3).map(peak).sum()
    };
    (1..=(HIGHEST_HZ / pitch) as usize).map(level).collect()
}

/// The sum of level * sin(2 pi n phase), n from 1, by Clenshaw's recurrence: one sine, whatever the harmonics.
fn harmonics(phase: f64, levels: &[f64]) -> f64 {
    let (sin, cos) = libm::sincos(2.0 * PI * phase);
    let (mut one, mut two) = (0.0, 0.0);
    for level in levels.iter().rev() {
        (one, two) = (level + 2.0 * cos * one - two, one);
    }
    one * sin
}

/// From silence to silence; in two, with silence between.
fn loudness(progress: f64, twice: bool) -> f64 {
    let progress = if twice { (2.0 * progress).fract() } else { progress };
    (10.0 * progress).min(6.0 * (1.0 - progress)).clamp(0.0, 1.0)
}
