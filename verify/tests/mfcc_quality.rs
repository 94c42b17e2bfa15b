//! What the front end in integers loses against the one in floating point.

use hwgen_audio::{Extractor, Recipe, read};
use hwgen_designs::mfcc::MfccSpec;
use hwgen_verify::golden::mfcc::{Mfcc, keyword_features, level};
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

    fn shares(&self) -> (f64, f64) {
        let share = |n: usize| n as f64 / self.values as f64;
        (share(self.equal), share(self.near))
    }

    fn print(&self, what: &str) {
        let (equal, near) = self.shares();
        let Distance { values, largest, .. } = self;
        println!(
            "{what}: {values} values, equal {equal:.4}, within 1 {near:.6}, largest {largest}"
        );
    }
}

fn cenet() -> MfccSpec {
    MfccSpec { hop: 160, coefficients: 40, frames: 101, lead: 240, ..MfccSpec::default() }
}

/// Every recorded clip, both recipes.
#[test]
fn recorded_clips() {
    let folder = hwgen_verify::attention::data::folder();
    let Some(folder) = folder.map(|f| f.join("speech_commands/flac")).filter(|f| f.is_dir()) else {
        println!("no recorded clips: HWGEN_DATA names their folder");
        return;
    };
    let files = |folder: &Path| -> Vec<PathBuf> {
        let mut files: Vec<_> = folder.read_dir().unwrap().map(|f| f.unwrap().path()).collect();
        files.sort();
        files
    };
    let host = Extractor::new(Recipe::KEYWORDS).unwrap();
    let (cenet_host, cenet) = (Extractor::new(Recipe::CENET).unwrap(), Mfcc::new(&cenet()));
    let (mut keywords, mut cenets) = (Distance::default(), Distance::default());
    let mut clips = 0;
    for path in files(&folder).iter().flat_map(|class| files(class)) {
        let samples = read(&path).unwrap().samples;
        keywords.note(&keyword_features(&samples), &host.quantised(&samples));
        if clips % 8 == 0 {
            cenets.note(&cenet.features(&samples, 1 << 15), &cenet_host.quantised(&samples));
        }
        clips += 1;
    }
    println!("{clips} clips");
    keywords.print("keywords");
    cenets.print("cenet, every eighth clip");
}
