//! Files made for tests, and where real data is.
#![allow(dead_code)] // each test has its own part

use flate2::Compression;
use flate2::write::GzEncoder;
use hwgen_data::{DataError, Options, Source};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// A file or folder of real data: of `HWGEN_DATA`, else of the data folder beside the workspace.
pub(crate) fn real(name: &str) -> Option<PathBuf> {
    let beside = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data"));
    let data = std::env::var_os("HWGEN_DATA").map_or_else(beside, PathBuf::from);
    let path = Some(data.join(name)).filter(|path| path.exists());
    if path.is_none() {
        println!("no {name}: HWGEN_DATA names the folder of real data");
    }
    path
}

/// Writes a file, its folders too.
pub(crate) fn put(path: impl AsRef<Path>, bytes: &[u8]) {
    fs::create_dir_all(path.as_ref().parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// An IDX file.
pub(crate) fn idx(axes: &[u32], bytes: &[u8]) -> Vec<u8> {
    let axes_bytes: Vec<u8> = axes.iter().flat_map(|axis| axis.to_be_bytes()).collect();
    [&[0, 0, 8, axes.len() as u8], &axes_bytes[..], bytes].concat()
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(vec![], Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A WAV file of 16-bit samples in one channel.
pub(crate) fn wav(path: impl AsRef<Path>, sample_hz: u32, samples: &[i16]) {
    fs::create_dir_all(path.as_ref().parent().unwrap()).unwrap();
    let (channels, bits_per_sample) = (1, 16);
    let sample_format = hound::SampleFormat::Int;
    let spec = hound::WavSpec { channels, sample_rate: sample_hz, bits_per_sample, sample_format };
    let mut writer = hound::WavWriter::create(path, spec).unwrap();
    samples.iter().for_each(|&x| writer.write_sample(i32::from(x)).unwrap());
    writer.finalize().unwrap();
}

/// A clip of a second that sounds different for each number.
pub(crate) fn clip(number: usize) -> Vec<i16> {
    let period = 20 + number as i16 % 90;
    (0..16_000).map(|n| (n as i16 % period - period / 2) * 100).collect()
}

/// A NumPy array of this type and shape.
pub(crate) fn npy(kind: &str, shape: &str, bytes: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}\n");
    let length = (header.len() as u16).to_le_bytes();
    [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), bytes].concat()
}

/// What is said of a path that cannot be opened or loaded, without the temporary folder's name.
pub(crate) fn problem(path: &Path, options: &Options) -> String {
    let read = || -> Result<(), DataError> { Source::open(path)?.load(options).map(|_| ()) };
    let text = read().expect_err("it was read").to_string();
    let folder = path.ancestors().find(|path| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(".tmp"))
    });
    folder.map_or(text.clone(), |folder| text.replace(&folder.display().to_string(), "DIR"))
}
