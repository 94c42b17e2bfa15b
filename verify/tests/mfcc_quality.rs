//! What the front end in integers loses against the one in floating point.
//!
//! `cargo test -p hwgen-verify --test mfcc_quality -- --nocapture` prints the figures of
//! `docs/mfcc.md`; with `--ignored` those of other widths.

use hwgen_audio::{Extractor, Recipe, read};
use hwgen_designs::speech::mfcc::MfccSpec;
use hwgen_designs::speech::mfcc::golden::{Mfcc, keyword_features, level};
use hwgen_network::interpret::Interpreter;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::path::{Path, PathBuf};

/// How far features are apart.
#[derive(Debug, Default)]
struct Distance {
    values: usize,
    equal: usize,
    near: usize,
    largest: u8,
}

impl Distance {
    fn note(&mut self, ours: &[Vec<i8>], theirs: &[Vec<i8>]) {
        assert_eq!(ours.len(), theirs.len());
        for (a, b) in ours.concat().into_iter().zip(theirs.concat()) {
            let away = a.abs_diff(b);
            self.values += 1;
            self.equal += usize::from(away == 0);
            self.near += usize::from(away <= 1);
            self.largest = self.largest.max(away);
        }
    }

    /// Prints the shares of values that are equal and within a step.
    fn shares(&self, what: &str) -> [f64; 2] {
        let Distance { values, equal, near, largest } = self;
        let share = |n: usize| n as f64 / *values as f64;
        let [equal, near] = [*equal, *near].map(share);
        println!(
            "{what}: {values} values, equal {equal:.4}, within 1 {near:.6}, largest {largest}"
        );
        [equal, near]
    }
}

fn host(recipe: Recipe) -> Extractor {
    Extractor::new(recipe).unwrap()
}

/// The recorded clips, every `every`th, if they are at hand.
fn recorded(every: usize) -> Option<Vec<Vec<i16>>> {
    let folder = hwgen_verify::attention::data::folder()?.join("speech_commands/flac");
    let files = |folder: &Path| -> Vec<PathBuf> {
        let mut files: Vec<_> = folder.read_dir().unwrap().map(|f| f.unwrap().path()).collect();
        files.sort();
        files
    };
    if !folder.is_dir() {
        println!("no recorded clips: HWGEN_DATA names their folder");
        return None;
    }
    let classes = files(&folder);
    let paths = classes.iter().flat_map(|class| files(class)).step_by(every);
    Some(paths.map(|path| read(&path).unwrap().samples).collect())
}

#[test]
fn keywords_of_recorded_clips() {
    let Some(clips) = recorded(1) else { return };
    let host = host(Recipe::KEYWORDS);
    let mut distance = Distance::default();
    for clip in &clips {
        let (ours, theirs) = (keyword_features(clip), host.quantized(clip));
        distance.note(&ours, &theirs);
        for (i, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
            // what is further away is in frames that are silent but for the last bit or two
            let far = ours.iter().zip(theirs).any(|(a, b)| a.abs_diff(*b) > 1);
            let largest = clip[320 * i..320 * i + 480].iter().map(|x| x.unsigned_abs()).max();
            assert!(!far || largest <= Some(2), "{ours:?} {theirs:?} {largest:?}");
        }
    }
    let [equal, near] = distance.shares(&format!("keywords, {} clips", clips.len()));
    assert!(equal > 0.99 && near > 0.9999 && distance.largest < 48);
}

/// The classes of MLPerf Tiny's keyword model, in its order; the folders of recorded clips have
/// these names.
const CLASSES: [&str; 12] = [
    "down",
    "go",
    "left",
    "no",
    "off",
    "on",
    "right",
    "stop",
    "up",
    "yes",
    "_silence_",
    "_unknown_",
];

/// What the integer features cost the trained keyword model.
#[test]
#[ignore = "half a minute: `cargo xtask bars keywords`"]
fn keywords_through_the_trained_model() {
    let folder = hwgen_verify::attention::data::folder().expect("HWGEN_DATA");
    let model = std::fs::read(folder.join("mlperf_tiny/kws_ref_model_int8.tflite")).unwrap();
    let network = hwgen_network::import::import("kws", &model).unwrap();
    let mut interpreter = Interpreter::new(&network).unwrap();
    let mut class_of = |features: Vec<Vec<i8>>| {
        let input: Vec<i16> = features.concat().into_iter().map(i16::from).collect();
        interpreter.run(&[&input]);
        let scores = interpreter.outputs().next().unwrap();
        let most = scores.iter().max().unwrap();
        scores.iter().position(|score| score == most).unwrap()
    };
    let host = host(Recipe::KEYWORDS);
    let (mut clips, mut right, mut same) = (0, [0, 0], 0);
    for (class, name) in CLASSES.iter().enumerate() {
        for file in folder.join("speech_commands/flac").join(name).read_dir().unwrap() {
            let clip = read(&file.unwrap().path()).unwrap().samples;
            let both = [class_of(host.quantized(&clip)), class_of(keyword_features(&clip))];
            for (right, found) in right.iter_mut().zip(both) {
                *right += usize::from(found == class);
            }
            same += usize::from(both[0] == both[1]);
            clips += 1;
        }
    }
    let percent = |n: usize| 100.0 * n as f64 / f64::from(clips);
    let [host, ours] = right.map(percent);
    println!(
        "{clips} clips: top-1 {host:.2} % with the host's features, {ours:.2} % with the circuit's"
    );
    println!("same answer: {:.2} %", percent(same));
    println!("keywords: {:.2}", host - ours);
    assert!(clips > 500);
}

#[test]
fn cenet_of_recorded_clips() {
    let Some(clips) = recorded(8) else { return };
    let (host, model) = (host(Recipe::CENET), Mfcc::new(&MfccSpec::cenet()));
    let mut distance = Distance::default();
    for clip in &clips {
        distance.note(&model.features(clip, 1 << 15), &host.quantized(clip));
    }
    let [equal, near] = distance.shares(&format!("cenet, {} clips", clips.len()));
    assert!(equal > 0.99 && near > 0.9999 && distance.largest < 8);
}

/// Tones, noise, and both of many sizes; the same bounds without a recording.
#[test]
fn made_clips() {
    let rng = &mut ChaCha8Rng::seed_from_u64(1);
    let (keywords, cenet_host) = (host(Recipe::KEYWORDS), host(Recipe::CENET));
    let (mut distance, mut cenets, model) =
        (Distance::default(), Distance::default(), Mfcc::new(&MfccSpec::cenet()));
    for n in 0..12 {
        let size = 30_000.0 / f64::from(1 << (n % 6));
        let noise = [0.02, 0.3, 1.0][n as usize % 3];
        let (start, speed) = (rng.random_range(0.01..1.0), rng.random_range(-1e-5..1e-4));
        let sample = |t: u32| {
            let t = f64::from(t);
            let tone = ((start + speed * t) * t).sin();
            (size * ((1.0 - noise) * tone + noise * rng.random_range(-1.0..1.0))) as i16
        };
        let clip: Vec<i16> = (0..16_000).map(sample).collect();
        distance.note(&keyword_features(&clip), &keywords.quantized(&clip));
        cenets.note(&model.features(&clip, 1 << 15), &cenet_host.quantized(&clip));
    }
    for (distance, what) in [(distance, "keywords, made clips"), (cenets, "cenet, made clips")] {
        let [equal, near] = distance.shares(what);
        assert!(equal > 0.98 && near == 1.0);
    }
}

/// A level that is only an estimate moves the first coefficient alone, as the page says.
#[test]
fn a_wrong_level_is_an_offset() {
    let rng = &mut ChaCha8Rng::seed_from_u64(2);
    let clip: Vec<i16> = (0..16_000).map(|_| rng.random_range(-3000..3000)).collect();
    let model = Mfcc::new(&MfccSpec { zero_point: 0, ..MfccSpec::default() });
    let (right, double) =
        (model.features(&clip, level(&clip)), model.features(&clip, 2 * level(&clip)));
    for (right, double) in right.iter().zip(&double) {
        // 40 ln 2 2 / sqrt(80) / 0.5847 = 10.6
        assert!([10, 11].contains(&(right[0] - double[0])), "{right:?} {double:?}");
        assert_eq!(right[1..], double[1..]);
    }
}

#[test]
#[ignore = "the table of widths in docs/mfcc.md"]
fn what_widths_cost() {
    let Some(clips) = recorded(4) else { return };
    let host = host(Recipe::KEYWORDS);
    let wanted: Vec<_> = clips.iter().map(|clip| host.quantized(clip)).collect();
    let default = MfccSpec::default();
    let mut specs = vec![default.clone()];
    specs.extend([0, 2, 6, 8].map(|fraction_bits| MfccSpec { fraction_bits, ..default.clone() }));
    specs.extend([4, 5, 8, 12].map(|rotations| MfccSpec { rotations, ..default.clone() }));
    specs.extend([6, 8, 12, 14].map(|weight_bits| MfccSpec { weight_bits, ..default.clone() }));
    specs.extend([4, 6, 7, 9, 10].map(|table_bits| MfccSpec { table_bits, ..default.clone() }));
    for spec in specs {
        let (model, mut distance) = (Mfcc::new(&spec), Distance::default());
        for (clip, wanted) in clips.iter().zip(&wanted) {
            distance.note(&model.features(clip, level(clip)), wanted);
        }
        let MfccSpec { fraction_bits, rotations, weight_bits, table_bits, .. } = spec;
        distance.shares(&format!(
            "fraction_bits={fraction_bits} rotations={rotations} weight_bits={weight_bits} table_bits={table_bits}"
        ));
    }
}
