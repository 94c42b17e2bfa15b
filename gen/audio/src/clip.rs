//! Files of samples.

use hwgen_files::{FileError, printable};
use std::{
    io::Read,
    path::{Path, PathBuf},
};
use thiserror::Error;

/// The longest clip that is read, in samples: a bit more than 17 minutes at 16 kHz.
pub const MAX_SAMPLES: usize = 1 << 24;

/// The largest file that is read: the longest clip, and as much again beside its samples.
const MOST_BYTES: u64 = 4 * MAX_SAMPLES as u64;

/// One channel of sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clip {
    /// Samples a second.
    pub sample_hz: u32,
    /// The samples, full scale 32,768.
    pub samples: Vec<i16>,
}

/// A file that is no clip we can use.
#[derive(Debug, Error)]
pub enum AudioError {
    /// It cannot be opened or read.
    #[error(transparent)]
    File(#[from] FileError),
    /// It begins neither as WAV nor as FLAC.
    #[error("{path}: begins neither as a WAV file (RIFF) nor as a FLAC file (fLaC)")]
    UnknownFormat {
        /// The file.
        path: PathBuf,
    },
    /// It is damaged, or of a kind that its format's reader does not know.
    #[error("{path}: not a {format} file that can be read: {problem}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// `WAV` or `FLAC`.
        format: &'static str,
        /// What the reader said.
        problem: String,
    },
    /// It has not one channel of 16-bit integers.
    #[error("{path}: {bits}-bit {kind} in {channels} channel(s): must be 16-bit integers in one")]
    Layout {
        /// The file.
        path: PathBuf,
        /// Channels.
        channels: u32,
        /// Bits of a sample.
        bits: u32,
        /// `integers` or `floats`.
        kind: &'static str,
    },
    /// It is too long.
    #[error("{path}: has more than {MAX_SAMPLES} samples: cut it into shorter clips")]
    TooLong {
        /// The file.
        path: PathBuf,
    },
}

/// Reads a WAV or FLAC file of one channel of 16-bit samples; which of the two, its first bytes tell.
///
/// # Errors
/// [`AudioError`]: the file cannot be read, is damaged, of another layout, or longer than
/// [`MAX_SAMPLES`].
pub fn read(path: &Path) -> Result<Clip, AudioError> {
    decode(path, &hwgen_files::read(path, MOST_BYTES)?)
}

/// Reads the bytes of a file; the path is for errors alone.
///
/// # Errors
/// As [`read`].
pub fn decode(path: &Path, bytes: &[u8]) -> Result<Clip, AudioError> {
    match bytes.get(..4) {
        Some(b"RIFF") => wav(path, bytes),
        Some(b"fLaC") => flac(path, bytes),
        _ => Err(AudioError::UnknownFormat { path: path.to_owned() }),
    }
}

fn wav(path: &Path, file: impl Read) -> Result<Clip, AudioError> {
    let damaged = |error: hound::Error| damaged(path, "WAV", &error);
    let reader = hound::WavReader::new(file).map_err(damaged)?;
    let spec = reader.spec();
    let kind = match spec.sample_format {
        hound::SampleFormat::Int => "integers",
        hound::SampleFormat::Float => "floats",
    };
    layout(path, spec.channels.into(), spec.bits_per_sample.into(), kind)?;
    let samples = collect(path, reader.into_samples().map(|sample| sample.map_err(damaged)))?;
    Ok(Clip { sample_hz: spec.sample_rate, samples })
}

fn flac(path: &Path, file: impl Read) -> Result<Clip, AudioError> {
    let damaged = |error: claxon::Error| damaged(path, "FLAC", &error);
    // tags and pictures are of no use here, and of any size
    let options = claxon::FlacReaderOptions { metadata_only: false, read_vorbis_comment: false };
    let mut reader = claxon::FlacReader::new_ext(file, options).map_err(damaged)?;
    let info = reader.streaminfo();
    layout(path, info.channels, info.bits_per_sample, "integers")?;
    let sample = |sample: Result<i32, _>| {
        // a damaged frame may hold what 16 bits do not
        sample.map(|x| x.clamp(i16::MIN.into(), i16::MAX.into()) as i16).map_err(damaged)
    };
    let samples = collect(path, reader.samples().map(sample))?;
    Ok(Clip { sample_hz: info.sample_rate, samples })
}

fn damaged(path: &Path, format: &'static str, error: &dyn std::error::Error) -> AudioError {
    AudioError::Damaged { path: path.to_owned(), format, problem: printable(&error.to_string()) }
}

fn layout(path: &Path, channels: u32, bits: u32, kind: &'static str) -> Result<(), AudioError> {
    match (channels, bits, kind) {
        (1, 16, "integers") => Ok(()),
        _ => Err(AudioError::Layout { path: path.to_owned(), channels, bits, kind }),
    }
}

/// The samples, unless there are too many.
fn collect(
    path: &Path,
    samples: impl Iterator<Item = Result<i16, AudioError>>,
) -> Result<Vec<i16>, AudioError> {
    let samples: Vec<i16> = samples.take(MAX_SAMPLES + 1).collect::<Result<_, _>>()?;
    match samples.len() > MAX_SAMPLES {
        true => Err(AudioError::TooLong { path: path.to_owned() }),
        false => Ok(samples),
    }
}
