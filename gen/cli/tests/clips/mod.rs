//! Clips to classify: recorded ones where they are, else made ones.

use std::path::{Path, PathBuf};

/// A file or folder of the recorded data: of `HWGEN_DATA`, else of the data folder beside the workspace.
pub(crate) fn data(name: &str) -> Option<PathBuf> {
    let beside = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data"));
    let data = std::env::var_os("HWGEN_DATA").map_or_else(beside, PathBuf::from);
    Some(data.join(name)).filter(|path| path.exists())
}

/// So many clips.
#[allow(dead_code)] // not every test file needs them
pub(crate) fn clips(folder: &Path, count: usize) -> Vec<PathBuf> {
    match data("speech_commands/flac") {
        Some(recorded) => recorded_clips(&recorded, count),
        None => (0..count).map(|number| made(folder, number)).collect(),
    }
}

/// The first of every class in turn.
fn recorded_clips(folder: &Path, count: usize) -> Vec<PathBuf> {
    let list = |folder: &Path| {
        let entries = std::fs::read_dir(folder).unwrap();
        let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        paths
    };
    let classes: Vec<_> = list(folder).iter().map(|class| list(class)).collect();
    let most = classes.iter().map(Vec::len).max().unwrap_or(0);
    let turns = (0..most).flat_map(|turn| classes.iter().filter_map(move |class| class.get(turn)));
    turns.take(count).cloned().collect()
}

/// A second of a tone that rises or falls: WAV, 16 bits, 16,000 samples a second.
fn made(folder: &Path, number: usize) -> PathBuf {
    const SAMPLES: u32 = 16_000;
    let mut bytes = b"RIFF".to_vec();
    bytes.extend((36 + 2 * SAMPLES).to_le_bytes());
    bytes.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    bytes.extend(SAMPLES.to_le_bytes());
    bytes.extend((2 * SAMPLES).to_le_bytes());
    bytes.extend(b"\x02\0\x10\0data");
    bytes.extend((2 * SAMPLES).to_le_bytes());
    for at in 0..SAMPLES {
        let time = f64::from(at) / f64::from(SAMPLES);
        let (from, to) = (150.0 + 90.0 * number as f64, 300.0 + 37.0 * (number * 7 % 20) as f64);
        let phase = std::f64::consts::TAU * (from * time + to * time * time);
        let loud = 9000.0 * (1.0 + (number as f64 + 3.0 * time).sin());
        bytes.extend(((loud * phase.sin()) as i16).to_le_bytes());
    }
    let path = folder.join(format!("made_{number:02}.wav"));
    std::fs::write(&path, bytes).unwrap();
    path
}
