//! The features of a made clip against a slow and plain computation of the same.

use hwgen_audio::{Extractor, Recipe, RecipeError};
use std::f64::consts::PI;

/// A whole second of two moving tones and noise, then silence. In integers alone, so that it is the
/// same everywhere.
fn clip() -> Vec<i16> {
    let mut noise = 1u32;
    let mut phases = [0u32; 2];
    let sample = |n: u32| {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        for (phase, step) in phases.iter_mut().zip([2_000_000 + 8000 * n, 90_000_000 - 4000 * n]) {
            *phase = phase.wrapping_add(step);
        }
        // triangles
        let tone = |phase: u32| (i64::from((phase as i32).unsigned_abs()) >> 17) - 8192;
        let noise = i64::from(noise as i32) >> 22;
        if n < 12_000 { (tone(phases[0]) + tone(phases[1]) / 4 + noise) as i16 } else { 0 }
    };
    (0..16_000).map(sample).collect()
}

/// A frame's features term by term, as the recipe's description has them: no fast transform, no
/// table.
fn slow(recipe: &Recipe, samples: &[i16], frame: usize) -> Vec<f64> {
    let largest = f64::from(*samples.iter().max().unwrap());
    let level = if recipe.normalize { largest } else { 32_768.0 };
    let mel = |hz: f64| 2595.0 * (1.0 + hz / 700.0).log10();
    let (low, high) = (mel(recipe.low_hz.into()), mel(recipe.high_hz.into()));
    let edge = |n: usize| low + (high - low) * n as f64 / (recipe.mels + 1) as f64;
    let sample = |n: usize| {
        let place = frame * recipe.hop + n;
        let inside = place >= recipe.lead && place - recipe.lead < samples.len();
        if inside { f64::from(samples[place - recipe.lead]) / level } else { 0.0 }
    };
    let hann = |n: usize| (PI * n as f64 / recipe.window as f64).sin().powi(2);
    let weighted: Vec<_> = (0..recipe.window).map(|n| sample(n) * hann(n)).collect();
    let magnitude = |bin: usize| {
        let angle = |n: usize| 2.0 * PI * (bin * n % recipe.fft) as f64 / recipe.fft as f64;
        let terms = || weighted.iter().enumerate();
        let re: f64 = terms().map(|(n, x)| x * angle(n).cos()).sum();
        let im: f64 = terms().map(|(n, x)| x * angle(n).sin()).sum();
        re.hypot(im)
    };
    let bins: Vec<_> = (0..=recipe.fft / 2).map(magnitude).collect();
    let log = |band: usize| {
        let (left, center, right) = (edge(band), edge(band + 1), edge(band + 2));
        let weight = |bin: usize| {
            let here = mel(bin as f64 * f64::from(recipe.sample_hz) / recipe.fft as f64);
            ((here - left) / (center - left)).min((right - here) / (right - center)).max(0.0)
        };
        let sum: f64 = (1..bins.len()).map(|bin| weight(bin) * bins[bin]).sum();
        (sum + recipe.floor).ln()
    };
    let logs: Vec<_> = (0..recipe.mels).map(log).collect();
    let mels = recipe.mels as f64;
    let coefficient = |k: usize| {
        let cosine = |n: usize| (PI / mels * (n as f64 + 0.5) * k as f64).cos();
        let sum: f64 = (0..recipe.mels).map(|n| 2.0 * logs[n] * cosine(n)).sum();
        sum / (2.0 * mels).sqrt()
    };
    (0..recipe.coefficients).map(coefficient).collect()
}

/// Frames of the clip: a recipe, a frame, its features, a line each.
const GOLDEN: &str = include_str!("golden/synthetic.txt");

/// The first frame, one in the middle, one of silence.
const FRAMES: [(&str, Recipe, [usize; 3]); 2] =
    [("keywords", Recipe::KEYWORDS, [0, 20, 45]), ("cenet", Recipe::CENET, [0, 40, 100])];

/// `UPDATE_GOLDEN=1` writes the file anew from the slow computation.
#[test]
fn the_file_is_what_the_slow_computation_says() {
    let samples = clip();
    let mut text = String::new();
    // no negative zeros
    let tidy = |v: f64| (v * 1e6).round() / 1e6 + 0.0;
    for (name, recipe, frames) in FRAMES {
        for frame in frames {
            let row = slow(&recipe, &samples, frame);
            let row: Vec<_> = row.iter().map(|v| format!("{:.6}", tidy(*v))).collect();
            text += &format!("{name} {frame} {}\n", row.join(" "));
        }
    }
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/synthetic.txt");
        std::fs::write(path, &text).unwrap();
        return;
    }
    assert_eq!(text, GOLDEN);
}

#[test]
fn features_equal_the_golden_ones() {
    let samples = clip();
    for (name, recipe, _) in FRAMES {
        let features = Extractor::new(recipe).unwrap().features(&samples);
        assert_eq!((features.len(), features[0].len()), (recipe.frames, recipe.coefficients));
        let lines = GOLDEN.lines().filter_map(|line| line.strip_prefix(name)).collect::<Vec<_>>();
        assert_eq!(lines.len(), 3);
        for line in lines {
            let mut numbers = line.split_whitespace();
            let frame: usize = numbers.next().unwrap().parse().unwrap();
            let golden: Vec<f64> = numbers.map(|number| number.parse().unwrap()).collect();
            assert_eq!(golden.len(), recipe.coefficients);
            for (k, (is, must)) in features[frame].iter().zip(golden).enumerate() {
                assert!((is - must).abs() < 2e-6, "{name}, frame {frame}, {k}: {is}, not {must}");
            }
        }
    }
}

#[test]
fn int8_is_cut_towards_zero_and_clipped() {
    let recipe = Recipe { step: 0.5, zero_point: 3, ..Recipe::KEYWORDS };
    let int8 = [0.0, 0.24, 0.25, -1.74, -1.76, -1.99, -2.01, 1e9, -1e9].map(|v| recipe.quantize(v));
    assert_eq!(int8, [3, 3, 3, 0, 0, 0, -1, 127, -128]);
    assert_eq!(recipe.dequantize(-1), -2.0);
}

#[test]
fn a_level_is_the_largest_sample_never_zero() {
    let level = |samples: &[i16]| Recipe::KEYWORDS.level(samples);
    assert_eq!([level(&[1, -9, 5]), level(&[-9, -5]), level(&[0]), level(&[])], [5, 5, 1, 1]);
    assert_eq!(Recipe::CENET.level(&[5]), 1 << 15);
}

#[test]
fn clips_of_any_length_have_features() {
    let extractor = Extractor::new(Recipe::KEYWORDS).unwrap();
    let whole = clip();
    let mut padded = whole[..5000].to_vec();
    let short = extractor.quantized(&padded);
    padded.resize(20_000, 0);
    assert_eq!(short, extractor.quantized(&padded));
    // all silence: 40 ln(10^-6) 2 / sqrt(80) = -123.6
    let silence = extractor.features(&[]);
    assert!((silence[0][0] + 123.57).abs() < 0.01 && silence[48][9].abs() < 1e-9, "{silence:?}");
}

#[test]
fn recipes_that_cannot_be() {
    let problem = |recipe: Recipe| Extractor::new(recipe).err().map(|e: RecipeError| e.to_string());
    assert_eq!(problem(Recipe::CENET), None);
    let texts = [
        (Recipe { fft: 500, ..Recipe::CENET }, "recipe: `fft` = 500 is no power of two"),
        (
            Recipe { window: 1000, ..Recipe::CENET },
            "recipe: `fft` = 512 is out of range: must be 1000..=65536",
        ),
        (
            Recipe { coefficients: 41, ..Recipe::CENET },
            "recipe: `coefficients` = 41 is out of range: must be 1..=40",
        ),
        (Recipe { step: 0.0, ..Recipe::CENET }, "recipe: `step` = 0 must be positive and finite"),
    ];
    for (recipe, text) in texts {
        assert_eq!(problem(recipe).as_deref(), Some(text));
    }
}
