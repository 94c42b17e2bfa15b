//! The features of recorded clips against those that were published with them.

use csv::ReaderBuilder;
use hwgen_audio::{Extractor, Recipe, read};
use std::{fs::File, io::BufReader, path::PathBuf};

/// The folder of recorded clips: `speech_commands` of `HWGEN_DATA`, else of the data folder beside
/// the workspace.
fn folder() -> Option<PathBuf> {
    let beside = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data"));
    let data = std::env::var_os("HWGEN_DATA").map_or_else(beside, PathBuf::from);
    Some(data.join("speech_commands")).filter(|folder| folder.is_dir())
}

#[test]
fn features_equal_the_published_ones() {
    let Some(folder) = folder() else {
        println!("no recorded clips: HWGEN_DATA names their folder");
        return;
    };
    let file = BufReader::new(File::open(folder.join("mfcc_int8.npy")).unwrap());
    let published: Vec<i8> = npyz::NpyFile::new(file).unwrap().into_vec().unwrap();
    let extractor = Extractor::new(Recipe::KEYWORDS).unwrap();
    let (mut clips, mut equal, mut near, mut values) = (0, 0, 0, 0);
    let mut manifest = ReaderBuilder::new().from_path(folder.join("manifest.csv")).unwrap();
    for row in manifest.records() {
        let row = row.unwrap();
        let [index, class, _, file, _, _, has_flac] = row.iter().collect::<Vec<_>>()[..] else {
            panic!("{row:?}");
        };
        if has_flac != "1" {
            continue;
        }
        // some names in the list have `.wav` twice
        let name = file.split('.').next().unwrap_or(file);
        let path = folder.join("flac").join(class).join(name).with_extension("flac");
        let clip = read(&path).unwrap();
        assert_eq!((clip.sample_hz, clip.samples.len()), (16_000, 16_000), "{}", path.display());
        let ours = extractor.quantized(&clip.samples).concat();
        let first = index.parse::<usize>().unwrap() * ours.len();
        let theirs = &published[first..first + ours.len()];
        let away = ours.iter().zip(theirs).map(|(a, b)| a.abs_diff(*b));
        equal += away.clone().filter(|&d| d == 0).count();
        near += away.filter(|&d| d <= 1).count();
        values += ours.len();
        clips += 1;
    }
    let share = equal as f64 / values as f64;
    println!("{clips} clips: {equal} of {values} values equal ({share:.6}), {near} within a step");
    assert_eq!((clips, near), (924, values));
    assert!(share >= 0.99, "{share}");
}
