//! Audio from files: folders of clips, and features that were computed before.

mod files;

use files::{clip, npy, problem, put, real, wav};
use hwgen_audio::{Extractor, Recipe};
use hwgen_data::{Data, Options, Source, Words, features};
use std::path::Path;
use std::time::Instant;

fn load(path: &Path, words: Words) -> Data {
    let options = Options { words, ..Options::default() };
    Source::open(path).unwrap().load(&options).unwrap()
}

#[test]
fn clips_become_features() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    wav(at("yes/0ab_nohash_0.wav"), 16_000, &clip(1));
    wav(at("yes/0ab_nohash_1.wav"), 16_000, &clip(2));
    wav(at("no/1cd_nohash_0.wav"), 16_000, &clip(3)[..9000]);
    wav(at("no/noname.wav"), 16_000, &clip(4));
    wav(at("_background_noise_/long.wav"), 16_000, &clip(5));
    let said = Source::open(folder.path()).unwrap().to_string();
    assert!(said.ends_with(": 4 files of 2 words, no test"), "{said}");
    let data = load(folder.path(), Words::Folders);
    let items = data.train.items();
    assert_eq!(
        (items.classes(), items.group_names()),
        (&["no", "yes"].map(String::from)[..], &["0ab", "1cd"].map(String::from)[..])
    );
    let groups: Vec<_> = data.train.iter().map(|item| item.group).collect();
    assert_eq!(groups, [Some(1), None, Some(0), Some(0)]);
    assert_eq!(data.train.get(3).name, "yes/0ab_nohash_1.wav");
    let extractor = Extractor::new(Recipe::KEYWORDS).unwrap();
    assert_eq!(data.train.get(3).values, extractor.quantized(&clip(2)).concat());
    assert_eq!(items.scale().real(83), 0.0);
    let options = Options { recipe: Recipe::CENET, most: Some(2), ..Options::default() };
    let data = Source::open(folder.path()).unwrap().load(&options).unwrap();
    let shape = data.train.items().shape();
    assert_eq!((shape.height, shape.width, data.train.histogram()), (101, 40, vec![1, 1]));
}

#[test]
fn lists_name_validation_and_test() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for n in 0..6 {
        wav(at(&format!("yes/{n}_nohash_0.wav")), 16_000, &clip(n));
    }
    put(at("testing_list.txt"), b"yes/1_nohash_0.wav\nyes/4_nohash_0.wav\n");
    put(at("validation_list.txt"), b"yes/2_nohash_0.flac\nyes/none.wav");
    let data = load(folder.path(), Words::Folders);
    let names = |part: Option<&hwgen_data::Subset>| {
        part.unwrap().iter().map(|item| item.name[4..5].to_owned()).collect::<String>()
    };
    assert_eq!(names(Some(&data.train)), "035");
    assert_eq!(
        (names(data.validation.as_ref()), names(data.test.as_ref())),
        ("2".into(), "14".into())
    );
    put(at("testing_list.txt"), b"yes\xff");
    assert!(problem(folder.path(), &Options::default()).ends_with("it is no UTF-8 text (byte 3)"));
}

#[test]
fn twelve_classes_of_any_words() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let keywords = ["down", "go", "left", "no", "off", "on", "right", "stop", "up", "yes"];
    for (word, n) in keywords.iter().flat_map(|word| (0..3).map(move |n| (word, n))) {
        wav(at(&format!("{word}/{n}_nohash_0.wav")), 16_000, &clip(n));
    }
    for (word, n) in ["bed", "cat"].iter().flat_map(|word| (0..20).map(move |n| (word, n))) {
        wav(at(&format!("{word}/{n}_nohash_0.wav")), 16_000, &clip(n));
    }
    let noise: Vec<i16> = (0..12).flat_map(clip).collect();
    wav(at("_background_noise_/long.wav"), 16_000, &noise);
    let one = load(folder.path(), Words::Twelve);
    println!("{:?} of {:?}", one.train.histogram(), one.train.items().classes());
    assert_eq!(one.train.histogram(), [3; 12]);
    assert_eq!(one.train.items(), load(folder.path(), Words::Twelve).train.items());
    let silence = one.train.filter(|item| item.label == 10);
    assert!(silence.iter().all(|item| item.group.is_none() && item.name.starts_with("noise from")));
    let other = one.train.filter(|item| item.label == 11);
    assert!(
        other.iter().all(|item| item.name.starts_with("bed/") || item.name.starts_with("cat/"))
    );
    // folders of these names are taken as they are
    wav(at("_silence_/1.wav"), 16_000, &[0; 16_000]);
    wav(at("_unknown_/tree_7_nohash_0.wav"), 16_000, &clip(9));
    assert_eq!(
        load(folder.path(), Words::Twelve).train.histogram(),
        [3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 1, 4]
    );
}

#[test]
fn clips_that_are_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("yes/a.wav");
    wav(&path, 8_000, &clip(1));
    let said = || problem(folder.path(), &Options::default());
    assert_eq!(
        said(),
        "DIR/yes/a.wav: not a clip that can be used: 8000 samples a second: must be 16000"
    );
    put(&path, b"RIFF\xff\xff\xff\x7fWAVEfmt ");
    assert!(said().starts_with("DIR/yes/a.wav: not a WAV file that can be read"), "{}", said());
    put(&path, b"hello");
    assert!(said().contains("begins neither as a WAV file"), "{}", said());
    let recipe = Recipe { frames: 0, ..Recipe::KEYWORDS };
    let options = Options { recipe, ..Options::default() };
    assert_eq!(
        problem(folder.path(), &options),
        "recipe: `frames` = 0 is out of range: must be 1..=65536"
    );
}

const MANIFEST: &str =
    "index,class,label,file,speaker\n0,no,0,a.wav,ann\n1,yes,1,b.wav,\n2,no,0,c.wav,bob\n";

#[test]
fn features_computed_before_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let values: Vec<u8> = (0..3 * 490).map(|n| n as u8).collect();
    put(at("mfcc_int8.npy"), &npy("|i1", "(3, 49, 10)", &values));
    assert_eq!(
        problem(folder.path(), &Options::default()),
        "DIR: labels_u8.npy is not there, which has the clips' labels"
    );
    put(at("labels_u8.npy"), &npy("|u1", "(3,)", &[0, 1, 0]));
    let data = load(folder.path(), Words::Folders);
    assert_eq!(
        (data.train.items().classes(), data.train.groups().len()),
        (&["0", "1"].map(String::from)[..], 0)
    );
    put(at("manifest.csv"), MANIFEST.as_bytes());
    for path in [folder.path().to_path_buf(), at("mfcc_int8.npy")] {
        let data = load(&path, Words::Folders);
        assert_eq!(data.train.items().classes(), ["no", "yes"]);
        let (one, two) = (data.train.get(1), data.train.get(2));
        assert_eq!((one.values[0], one.group, &one.name[..]), (490i32 as i8, None, "b.wav"));
        assert_eq!(data.train.items().group_names()[two.group.unwrap() as usize], "bob");
    }
}

#[test]
fn features_that_lie() {
    let good = (npy("|i1", "(3, 49, 10)", &[0; 1470]), npy("|u1", "(3,)", &[0, 1, 0]));
    let parse = |features: &[u8], labels: &[u8], manifest: Option<&str>| {
        let manifest = manifest.map(str::as_bytes);
        let read = features::parse(Path::new("D"), &features::Bytes { features, labels, manifest });
        read.unwrap_err().to_string()
    };
    let array = |features: &[u8]| {
        let text = parse(features, &good.1, None);
        text.strip_prefix("D/mfcc_int8.npy: not an array that can be used: ")
            .unwrap_or(&text)
            .to_owned()
    };
    assert_eq!(array(b"nothing"), "it has no header of a NumPy array");
    assert_eq!(
        array(&npy("|i1", "(3, 49)", &[0; 147])),
        "axes [3, 49]: must be clips, frames, coefficients"
    );
    assert_eq!(
        array(&npy("|i1", "(3, 50, 10)", &[0; 1500])),
        "50 frames of 10: must be 49 of 10 or 101 of 40"
    );
    assert_eq!(
        array(&npy("|i1", "(99999999, 49, 10)", &[0; 9])),
        "axes [99999999, 49, 10] are more than the 91 bytes of the file"
    );
    assert!(array(&npy("|i1", "(3, 9223372036854775807, 9)", &[0; 9])).contains("no header"));
    assert!(!array(&npy("<f4", "(3, 49, 10)", &[0; 1470 * 4])).is_empty());
    println!("{}", array(&good.0[..900]));
    let labels = parse(&good.0, &npy("|u1", "(2,)", &[0, 1]), None);
    assert_eq!(
        labels,
        "D/labels_u8.npy: not an array that can be used: axes [2]: mfcc_int8.npy has 3 clips"
    );
    let list = |manifest: &str| {
        let text = parse(&good.0, &good.1, Some(manifest));
        text.strip_prefix("D/manifest.csv: not a list of clips that can be used: ")
            .unwrap_or(&text)
            .to_owned()
    };
    assert_eq!(list("a,b\n1,2\n"), "it has no columns `class` and `label`");
    assert_eq!(list("class,label\nno,0\nyes,1\n"), "2 rows for 3 clips");
    assert_eq!(
        list("class,label\nno,1\n"),
        "row 0: its label is not labels_u8.npy's, which has 0 there"
    );
    assert_eq!(
        list(&format!("{MANIFEST}3,no,0,d.wav,ann\n")),
        "row 3: its label is not labels_u8.npy's, which has nothing there"
    );
    assert!(list("class,label\nno,0,7\n").contains("found record with 3 fields"));
}

#[test]
fn real_clips() {
    let Some(folder) = real("speech_commands") else { return };
    let began = Instant::now();
    let (source, data) = (Source::open(&folder).unwrap(), load(&folder, Words::Folders));
    println!("{source}: {:.2} s", began.elapsed().as_secs_f64());
    println!(
        "  {} of {} speakers: {:?}",
        data.train.len(),
        data.train.groups().len(),
        data.train.histogram()
    );
    assert_eq!((data.train.len(), &data.train.items().classes()[11][..]), (3179, "_unknown_"));
    let folds = data.train.folds(5, 0).unwrap();
    for fold in &folds {
        assert!(fold.train.groups().is_disjoint(&fold.test.groups()));
        println!(
            "  fold of {}, {} speakers: {:?}",
            fold.test.len(),
            fold.test.groups().len(),
            fold.test.histogram()
        );
    }
    let path = folder.join("flac");
    let began = Instant::now();
    let (source, clips) = (Source::open(&path).unwrap(), load(&path, Words::Twelve));
    println!("{source}: {:.2} s", began.elapsed().as_secs_f64());
    println!(
        "  {} of {} speakers: {:?}",
        clips.train.len(),
        clips.train.groups().len(),
        clips.train.histogram()
    );
    assert_eq!(clips.train.items().classes(), data.train.items().classes());
    // the same clip in both forms
    let stem = |name: &str| name.rsplit('/').next().unwrap().split('.').next().unwrap().to_owned();
    let kept: std::collections::BTreeMap<_, _> =
        data.train.iter().map(|item| ((item.label, stem(&item.name)), item)).collect();
    let (mut equal, mut values) = (0, 0);
    for clip in clips.train.iter() {
        let other = &kept[&(clip.label, stem(&clip.name))];
        let speaker = |subset: &hwgen_data::Subset, group: Option<u32>| {
            group.map(|group| subset.items().group_names()[group as usize].clone())
        };
        assert_eq!(speaker(&clips.train, clip.group), speaker(&data.train, other.group));
        assert!(clip.values.iter().zip(other.values).all(|(a, b)| a.abs_diff(*b) <= 1));
        equal += clip.values.iter().zip(other.values).filter(|(a, b)| a == b).count();
        values += clip.values.len();
    }
    println!("  {equal} of {values} features equal, all within a step");
    assert!(equal as f64 > 0.99 * values as f64);
}
