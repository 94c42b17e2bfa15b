//! Mutants of files through every loader: items or a line why not, never a panic, in little time.

mod files;
#[allow(unreachable_pub)] // it is another crate's
#[path = "../../../verify/readers/src/mutate.rs"]
mod mutate;

use files::{gzip, idx, npy, put};
use hwgen_data::features::Bytes;
use hwgen_data::{DataError, Options, Source};
use image::{ImageFormat, RgbImage};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::io::Cursor;
use std::path::Path;
use std::time::Instant;

const EACH: usize = 300;

fn picture(format: ImageFormat) -> Vec<u8> {
    let color = |x: u32, y: u32| image::Rgb([x as u8 * 30, y as u8 * 30, 99]);
    let mut bytes = Cursor::new(vec![]);
    RgbImage::from_fn(8, 6, color).write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// Reads mutants of a file that is taken as it is.
fn survive(name: &str, seed: &[u8], read: impl Fn(&[u8]) -> Result<(), DataError>) {
    read(seed).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let (mut taken, mut slowest) = (0, 0.0f64);
    for _ in 0..EACH {
        let mutant = mutate::mutate(seed, &mut rng);
        let began = Instant::now();
        taken += usize::from(read(&mutant).is_ok());
        slowest = slowest.max(began.elapsed().as_secs_f64());
    }
    println!("{name}: {taken} of {EACH} taken, the slowest in {slowest:.3} s");
    assert!(taken < EACH && slowest < 5.0);
}

#[test]
fn mutants_are_answered() {
    let path = Path::new("mutant");
    let images = idx(&[2, 3, 3], &[7; 18]);
    survive("idx", &images, |bytes| hwgen_data::idx::parse(path, bytes).map(drop));
    survive("idx_gz", &gzip(&images), |bytes| hwgen_data::idx::parse(path, bytes).map(drop));
    let records = [vec![3], vec![7; 3072], vec![9], vec![200; 3072]].concat();
    survive("cifar10", &records, |bytes| hwgen_data::cifar10::parse(path, bytes).map(drop));
    let (clips, labels) = (npy("|i1", "(2, 49, 10)", &[1; 980]), npy("|u1", "(2,)", &[0, 1]));
    let parse = |features: &[u8], manifest: Option<&[u8]>| {
        let bytes = Bytes { features, labels: &labels, manifest };
        hwgen_data::features::parse(path, &bytes).map(drop)
    };
    survive("features", &clips, |bytes| parse(bytes, None));
    let list = b"class,label,file,speaker\nno,0,a.wav,ann\nyes,1,b.wav,\n";
    survive("manifest", list, |bytes| parse(&clips, Some(bytes)));
    let folder = tempfile::tempdir().unwrap();
    for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Bmp, ImageFormat::Pnm] {
        survive(&format!("{format:?}"), &picture(format), |bytes| {
            put(folder.path().join("class/mutant.png"), bytes);
            Source::open(folder.path())?.load(&Options::default()).map(drop)
        });
    }
}
