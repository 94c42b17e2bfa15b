//! Twelve classes of any folder of words: ten keywords, silence, all other words.
//!
//! Of other words as many clips are drawn as a keyword has on average; as many cuts of noise are silence,
//! at a volume drawn from 0 to 1. Training hears the first four fifths of a recording of noise, validation
//! the next tenth, the test the last. All of this is our definition, after that of the set's makers, who
//! have a tenth of each (Warden 2018). Folders `_silence_` and `_unknown_` are taken as they are.

use super::clips::{Samples, Sound};
use super::folder::File;
use crate::random::{Purpose, stream};
use rand::Rng;
use rand::seq::SliceRandom;
use std::sync::Arc;

/// The classes, in MLPerf Tiny's order.
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
const KEYWORDS: usize = 10;
const SILENCE: usize = 10;
const UNKNOWN: usize = 11;

/// Where each part's stretch of a recording of noise begins and ends, in tenths.
const STRETCHES: [(usize, usize); 3] = [(0, 8), (8, 9), (9, 10)];

type Parts = [Option<Vec<Sound>>; 3];

/// The parts' files as sounds of twelve classes, with silence `window` samples long.
pub(super) fn relabel(
    parts: [Option<Vec<File>>; 3],
    words: &[String],
    noise: &[Arc<[i16]>],
    window: usize,
    seed: u64,
) -> (Vec<String>, Parts) {
    let mut number = 0;
    let relabeled = parts.map(|files| {
        let part = number;
        number += 1;
        let mut sounds = twelve(files?, words, seed, part as u64);
        let has_silence = sounds.iter().any(|sound| sound.class == SILENCE);
        if !has_silence {
            let count = mean(&sounds);
            let mut cut =
                |n| cut(noise, STRETCHES[part], window, seed, (part as u64) << 32 | n as u64);
            sounds.extend((0..count).filter_map(&mut cut));
        }
        Some(sounds)
    });
    (CLASSES.map(str::to_owned).to_vec(), relabeled)
}

/// Clips that a keyword has on average.
fn mean(sounds: &[Sound]) -> usize {
    sounds.iter().filter(|sound| sound.class < KEYWORDS).count() / KEYWORDS
}

/// Files of keywords and of as many other words as are wanted, in their old order.
fn twelve(files: Vec<File>, words: &[String], seed: u64, part: u64) -> Vec<Sound> {
    let known = |class: usize| CLASSES.iter().position(|name| *name == words[class]);
    let keywords = files.iter().filter(|file| known(file.class).is_some_and(|c| c < KEYWORDS));
    let wanted = keywords.count() / KEYWORDS;
    let other = |at: &usize| known(files[*at].class).is_none();
    let mut others: Vec<usize> = (0..files.len()).filter(other).collect();
    others.shuffle(&mut stream(seed, Purpose::Choose, 3 + part));
    let mut stays: Vec<bool> = files.iter().map(|file| known(file.class).is_some()).collect();
    others.into_iter().take(wanted).for_each(|at| stays[at] = true);
    let sound = |(file, stays): (File, bool)| {
        let class = known(file.class).unwrap_or(UNKNOWN);
        stays.then_some(Sound { class, samples: Samples::File(file.path) })
    };
    files.into_iter().zip(stays).filter_map(sound).collect()
}

/// A piece of noise, if a recording's stretch is as long.
fn cut(
    noise: &[Arc<[i16]>],
    (begin, end): (usize, usize),
    window: usize,
    seed: u64,
    number: u64,
) -> Option<Sound> {
    let stretch = |length: usize| (length * begin / 10, length * end / 10);
    let fits = |recording: &&Arc<[i16]>| {
        let (begin, end) = stretch(recording.len());
        end - begin >= window
    };
    let long: Vec<_> = noise.iter().filter(fits).collect();
    if long.is_empty() {
        return None;
    }
    let mut rng = stream(seed, Purpose::Silence, number);
    let recording = long[rng.random_range(0..long.len())].clone();
    let (begin, end) = stretch(recording.len());
    let first = rng.random_range(begin..=end - window);
    let gain = rng.random::<f64>();
    Some(Sound { class: SILENCE, samples: Samples::Cut { recording, first, gain } })
}
