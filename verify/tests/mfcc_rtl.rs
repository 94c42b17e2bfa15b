//! The MFCC front end's circuit against its golden model, feature by feature, and its cycles.

use hwgen_audio::read;
use hwgen_designs::drive::{Stalls, Values};
use hwgen_designs::generate::Generate;
use hwgen_designs::speech::mfcc::MfccSpec;
use hwgen_designs::speech::mfcc::drive::Clip;
use hwgen_designs::speech::mfcc::golden::level;
use hwgen_designs::speech::mfcc::golden::spectrum::Spectrum;
use hwgen_verify::suite::{self, GATES, PRINTED, check, check_cycles, pick, simulator};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::f64::consts::TAU;
use std::path::Path;

fn random_spec(rng: &mut impl Rng) -> MfccSpec {
    let fft = pick(rng, &[16, 32, 64, 128]);
    let window = rng.random_range(2..=fft);
    let mels = rng.random_range(1..=20);
    MfccSpec {
        sample_hz: 16_000,
        fft,
        window,
        hop: rng.random_range(1..=window),
        mels,
        low_hz: pick(rng, &[0, 20, 300]),
        high_hz: pick(rng, &[3000, 4000, 7777, 8000]),
        coefficients: rng.random_range(1..=mels),
        frames: rng.random_range(1..=4),
        lead: pick(rng, &[0, 0, 1, window / 2, 2 * window]),
        step65536: pick(rng, &[38_319, 1024, 65_536, 1 << 20]),
        zero_point: rng.random_range(-128..=127),
        fraction_bits: rng.random_range(0..=8),
        rotations: rng.random_range(2..=16),
        weight_bits: rng.random_range(4..=14),
        table_bits: rng.random_range(2..=10),
        multipliers: pick(rng, &[1, 2]),
    }
}

fn small() -> MfccSpec {
    suite::spec("window=24 hop=10 fft=32 mels=6 coefficients=4 frames=3 lead=5")
}

#[test]
fn random_sizes_stalls_and_clips() {
    suite::random(0..40, random_spec, (3, 4));
}

#[test]
fn every_feature_passes_in_the_cycle_the_cost_model_says() {
    suite::cycles(0..30, random_spec, (3, 4));
}

/// Wherever a reset falls, the next clip is a new one.
#[test]
fn a_reset_in_the_middle_leaves_nothing_behind() {
    suite::resets(&small(), (2, 3));
}

/// The largest frames there are: every part of every word is used.
#[test]
fn extremes() {
    let extreme = |up: bool| if up { i16::MAX } else { i16::MIN };
    for multipliers in [1, 2] {
        let spec = MfccSpec { frames: 2, multipliers, ..MfccSpec::default() };
        let mut simulator = simulator(&spec.build(), 1);
        let clip =
            |wave: &dyn Fn(usize) -> i16| Clip { level: 1, samples: (0..800).map(wave).collect() };
        let mut clips = vec![clip(&|_| i16::MIN), clip(&|_| 0)];
        clips.extend([1, 2, 3, 40].map(|half| clip(&|n| extreme((n / half).is_multiple_of(2)))));
        // what makes a part of point k of the complex transform largest, with either sign
        clips.extend([1, 5, 37, 128, 219].map(|k| {
            clip(&|n| {
                let (sin, cos) = (TAU * (k * (n / 2)) as f64 / 256.0).sin_cos();
                extreme((if n.is_multiple_of(2) { cos } else { sin } >= 0.0) != (k > 30))
            })
        }));
        clips.push(Clip { level: u16::MAX, ..clip(&|n| extreme((n / 7).is_multiple_of(2))) });
        check(&mut simulator, &spec, &clips, Stalls::default());
    }
}

/// What int8 features hide: every bin and every magnitude, to the last bit.
#[test]
fn bins_and_magnitudes() {
    for multipliers in [1, 2] {
        let rng = &mut ChaCha8Rng::seed_from_u64(20 + u64::from(multipliers));
        let spec = MfccSpec {
            window: 256,
            hop: 256,
            fft: 256,
            mels: 8,
            coefficients: 1,
            low_hz: 0,
            high_hz: 8000,
            frames: 40,
            multipliers,
            ..MfccSpec::default()
        };
        let clip = Clip::random(rng, 256 * 40, Values::Uniform);
        let golden = Spectrum::new(&spec);
        let mut simulator = simulator(&spec.build(), 1);
        simulator.reset();
        for name in ["levels_value", "levels_valid", "out_ready", "samples_valid"] {
            simulator.poke(name, 1);
        }
        simulator.poke("samples_last", 0);
        let (mut taken, mut frame) = (0, 0);
        // 8 kHz, bin 128, is where the last band ends
        let last = 127;
        let (mut bins, mut magnitudes) = (vec![], vec![]);
        while frame < 40 {
            simulator.poke("samples_data", clip.samples.get(taken).copied().unwrap_or_default());
            taken += simulator.peek_u64("samples_ready") as usize;
            if simulator.peek_u64("bin_valid") == 1 {
                bins.push(["turned_sum_re", "turned_sum_im"].map(|name| simulator.peek_i64(name)));
            }
            if simulator.peek_u64("magnitude_found") == 1 {
                magnitudes.push(simulator.peek_i64("rotated_x"));
            }
            simulator.step();
            if magnitudes.len() == last {
                let samples = &clip.samples[256 * frame..256 * (frame + 1)];
                let wanted: Vec<_> =
                    golden.bins(samples).iter().map(|bin| [bin.re, bin.im]).collect();
                assert_eq!(bins, wanted[1..=last], "frame {frame}");
                assert_eq!(magnitudes, golden.magnitudes(samples)[1..=last], "frame {frame}");
                (bins, magnitudes, frame) = (vec![], vec![], frame + 1);
            }
        }
    }
}

/// A second of noise through the default size, and frames of the other recipe.
#[test]
fn whole_clips() {
    let cenet = MfccSpec { frames: 5, multipliers: 2, ..MfccSpec::cenet() };
    for (spec, samples) in [(MfccSpec::default(), 16_000), (cenet, 1200)] {
        let rng = &mut ChaCha8Rng::seed_from_u64(9);
        let clip = Clip::random(rng, samples, Values::Uniform);
        let mut simulator = simulator(&spec.build(), 2);
        check_cycles(&mut simulator, &spec, &[clip]);
    }
    let frame = |multipliers| MfccSpec { multipliers, ..MfccSpec::default() }.frame_cycles();
    assert_eq!([frame(1), frame(2)], [7565, 5263]); // as docs/mfcc.md says
}

/// A recorded clip of each class, one after the other.
#[test]
fn recorded_clips() {
    let folder = hwgen_verify::attention::data::folder();
    let Some(folder) = folder.map(|f| f.join("speech_commands/flac")).filter(|f| f.is_dir()) else {
        println!("no recorded clips: HWGEN_DATA names their folder");
        return;
    };
    let first = |folder: &Path| folder.read_dir().unwrap().map(|file| file.unwrap().path()).min();
    let classes = folder.read_dir().unwrap().map(|class| class.unwrap().path());
    let samples = classes.map(|class| read(&first(&class).unwrap()).unwrap().samples);
    let clips: Vec<_> = samples.map(|samples| Clip { level: level(&samples), samples }).collect();
    let spec = MfccSpec::default();
    let mut simulator = simulator(&spec.build(), 3);
    let run =
        check(&mut simulator, &spec, &clips, Stalls { out: 0.1, seed: 5, ..Stalls::default() });
    println!("{} clips, {} features equal", clips.len(), run.beats.len());
}

/// At the clock that `hwgen describe mfcc` names, a source that cannot wait loses no sample, with
/// one register behind it.
#[test]
fn samples_that_come_at_their_rate_are_taken() {
    for spec in [small(), MfccSpec { hop: 24, multipliers: 2, ..small() }] {
        let spec = MfccSpec { frames: 40, lead: 0, ..spec };
        let mut simulator = simulator(&spec.build(), 1);
        simulator.reset();
        for (name, value) in [("levels_value", 1), ("levels_valid", 1), ("out_ready", 1)] {
            simulator.poke(name, value);
        }
        // the n-th sample comes in cycle n period / hop
        let period = u64::from(spec.frame_cycles());
        let (mut came, mut taken, mut frames) = (0, 0, 0);
        for cycle in 0..39 * period {
            came += u64::from(came * period <= cycle * u64::from(spec.hop));
            assert!(came - taken <= 2, "{spec:?}, cycle {cycle}: {came} came, {taken} taken");
            simulator.poke("samples_valid", u8::from(came > taken));
            taken += u64::from(came > taken && simulator.peek_u64("samples_ready") == 1);
            frames += simulator.peek_u64("out_valid") & simulator.peek_u64("out_frame_last");
            simulator.step();
        }
        let expected = (39 * spec.hop - spec.window) / spec.hop;
        assert!(frames >= expected.into(), "{frames} of {expected} frames");
    }
}

/// The printed text in engines that are not ours; nothing unknown comes out of a four-state one.
#[test]
fn the_printed_verilog() {
    suite::elsewhere(&PRINTED, &[small()], (3, 3));
    suite::elsewhere(&PRINTED[1..], &[MfccSpec { multipliers: 2, ..small() }], (3, 3));
}

#[test]
#[ignore = "a minute of synthesis"]
fn the_synthesized_gates() {
    suite::elsewhere(&GATES, &[small(), MfccSpec { multipliers: 2, ..small() }], (3, 3));
}
