//! Files that are clips, and files that are not.

use hwgen_audio::{Clip, read};
use std::{fs, path::Path};

fn wav(path: &Path, channels: u16, bits: u16, samples: &[i16]) {
    let sample_format = hound::SampleFormat::Int;
    let spec =
        hound::WavSpec { channels, sample_rate: 16_000, bits_per_sample: bits, sample_format };
    let mut writer = hound::WavWriter::create(path, spec).unwrap();
    samples.iter().for_each(|&x| writer.write_sample(i32::from(x)).unwrap());
    writer.finalize().unwrap();
}

/// What is said of a file, without its folder.
fn problem(path: &Path) -> String {
    let text = read(path).unwrap_err().to_string();
    text.split_once(".bin: ").map_or(text.clone(), |(_, problem)| problem.to_string())
}

/// A FLAC file by hand: its header, then one frame of eight equal samples.
fn flac() -> Vec<u8> {
    let mut bytes = b"fLaC\x80\x00\x00\x22".to_vec();
    // blocks of 16 samples, frame sizes unknown
    bytes.extend([0, 16, 0, 16, 0, 0, 0, 0, 0, 0]);
    // 16,000 Hz in 20 bits, 1 channel, 16 bits, 16 samples
    bytes.extend([0x03, 0xe8, 0x00, 0xf0, 0, 0, 0, 16]);
    bytes.extend([0; 16]);
    // a frame: block size in 8 bits, 16 kHz, 1 channel, 16 bits; number 0; 16 samples
    let mut frame = vec![0xff, 0xf8, 0x65, 0x08, 0x00, 15];
    frame.push(crc(&frame, 8, 0x07) as u8);
    // all samples are -2
    frame.extend([0x00, 0xff, 0xfe]);
    let check = crc(&frame, 16, 0x8005);
    frame.extend(check.to_be_bytes());
    bytes.extend(frame);
    bytes
}

/// A cyclic redundancy check of so many bits.
fn crc(bytes: &[u8], bits: u32, polynomial: u16) -> u16 {
    let top = 1 << (bits - 1);
    let mask = (u32::from(u16::MAX) >> (16 - bits)) as u16;
    let bit = |crc: u16, _| if crc & top == 0 { crc << 1 } else { (crc << 1) ^ polynomial };
    bytes
        .iter()
        .fold(0, |crc, &byte| (0..8).fold(crc ^ (u16::from(byte) << (bits - 8)), bit) & mask)
}

#[test]
fn wav_and_flac_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.bin");
    let samples = vec![0, 1, -1, i16::MAX, i16::MIN];
    wav(&path, 1, 16, &samples);
    assert_eq!(read(&path).unwrap(), Clip { sample_hz: 16_000, samples });
    fs::write(&path, flac()).unwrap();
    assert_eq!(read(&path).unwrap(), Clip { sample_hz: 16_000, samples: vec![-2; 16] });
}

#[test]
fn what_cannot_be_used_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.bin");
    assert_eq!(problem(&path), "No such file or directory");
    fs::write(&path, "ID3 ").unwrap();
    let text = "begins neither as a WAV file (RIFF) nor as a FLAC file (fLaC)";
    assert_eq!(problem(&path), text);
    fs::write(&path, "").unwrap();
    assert_eq!(problem(&path), text);
    fs::write(&path, "RIFF").unwrap();
    assert!(problem(&path).starts_with("not a WAV file that can be read: "), "{}", problem(&path));
    wav(&path, 2, 16, &[1, 2]);
    let text = "16-bit integers in 2 channel(s): must be 16-bit integers in one";
    assert_eq!(problem(&path), text);
    wav(&path, 1, 8, &[1, 2]);
    let text = "8-bit integers in 1 channel(s): must be 16-bit integers in one";
    assert_eq!(problem(&path), text);
}

/// Wherever a file is cut or changed, there is an answer.
#[test]
fn damage_is_no_panic() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.bin");
    wav(&path, 1, 16, &[5; 20]);
    for whole in [fs::read(&path).unwrap(), flac()] {
        for cut in 0..whole.len() {
            fs::write(&path, &whole[..cut]).unwrap();
            let _ = read(&path);
            for change in [0x01, 0x80, 0xff] {
                let mut changed = whole.clone();
                changed[cut] ^= change;
                fs::write(&path, &changed).unwrap();
                let _ = read(&path);
            }
        }
    }
    fs::write(&path, &flac()[..50]).unwrap();
    assert!(problem(&path).starts_with("not a FLAC file that can be read: "), "{}", problem(&path));
}
