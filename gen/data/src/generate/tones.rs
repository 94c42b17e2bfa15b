//! Words of a made-up language, through the front end: eight classes, many speakers, noise.

use super::check;
use super::voice::{AH, EE, OO, SAMPLE_HZ, Voice, Word};
use crate::load::features::scale;
use crate::random::{Purpose, stream};
use crate::{Data, DataError, Head, Items, Kind, Shape, Subset};
use hwgen_audio::{Extractor, Recipe};
use std::fmt;

const WORDS: [(&str, Word); 8] = [
    ("ah", Word { vowels: &[AH], hiss: false, twice: false }),
    ("ee", Word { vowels: &[EE], hiss: false, twice: false }),
    ("oo", Word { vowels: &[OO], hiss: false, twice: false }),
    ("wee", Word { vowels: &[OO, EE], hiss: false, twice: false }),
    ("you", Word { vowels: &[EE, OO], hiss: false, twice: false }),
    ("aya", Word { vowels: &[AH, EE, AH], hiss: false, twice: false }),
    ("papa", Word { vowels: &[AH], hiss: false, twice: true }),
    ("sah", Word { vowels: &[AH], hiss: true, twice: false }),
];

/// Of how many speakers one is heard in the test alone.
const TEST_EVERY: usize = 5;

/// A set of spoken words; both parts have of each class alike, and no speaker is in both.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tones {
    /// Clips to train with.
    pub train: usize,
    /// Clips to test with.
    pub test: usize,
    /// Speakers; every fifth is in the test.
    pub speakers: usize,
    /// How clips become features.
    pub recipe: Recipe,
    /// Noise against the word, in decibels, from and to.
    pub noise_db: (f64, f64),
    /// What all is drawn by.
    pub seed: u64,
}

impl Default for Tones {
    /// 3,200 and 800 clips of 80 speakers, 49 x 10 features, noise at -28 to -6 dB, seed 0: a small network
    /// gets some 92 % of them.
    fn default() -> Tones {
        let (recipe, noise_db) = (Recipe::KEYWORDS, (-28.0, -6.0));
        Tones { train: 3200, test: 800, speakers: 80, recipe, noise_db, seed: 0 }
    }
}

impl Tones {
    /// Speaks the set.
    ///
    /// # Errors
    /// Too many items, fewer than five speakers, a recipe of another rate than 16 kHz, noise out of range.
    pub fn data(&self) -> Result<Data, DataError> {
        check(self.train, self.test)?;
        let (low, high) = self.noise_db;
        if !(-100.0 <= low && low < high && high <= 100.0) {
            let value = format!("{low} .. {high}");
            return Err(DataError::number("noise_db", value, "rising, in -100..=100"));
        }
        if !(TEST_EVERY..=1 << 16).contains(&self.speakers) {
            return Err(DataError::number("speakers", self.speakers, "5..=65536"));
        }
        if f64::from(self.recipe.sample_hz) != SAMPLE_HZ {
            return Err(DataError::number("sample_hz", self.recipe.sample_hz, "16000"));
        }
        let extractor = Extractor::new(self.recipe)?;
        let (test, train): (Vec<usize>, Vec<usize>) =
            (0..self.speakers).partition(|speaker| speaker % TEST_EVERY == TEST_EVERY - 1);
        Ok(Data {
            train: self.part("train", self.train, &train, &extractor)?,
            validation: None,
            test: Some(self.part("test", self.test, &test, &extractor)?),
        })
    }

    fn part(
        &self,
        part: &str,
        count: usize,
        speakers: &[usize],
        extractor: &Extractor,
    ) -> Result<Subset, DataError> {
        let head = Head {
            name: format!("tones, {part}"),
            kind: Kind::Audio,
            shape: Shape {
                height: self.recipe.frames,
                width: self.recipe.coefficients,
                channels: 1,
            },
            scale: scale(&self.recipe),
            classes: WORDS.iter().map(|(name, _)| (*name).to_owned()).collect(),
        };
        // every speaker says every word
        let speaker = |item: usize| speakers[item / WORDS.len() % speakers.len()];
        let said: Vec<(usize, usize)> = (0..count).map(|item| (item, speaker(item))).collect();
        let clip = |&(item, speaker): &(usize, usize)| {
            let voice = Voice::any(&mut stream(self.seed, Purpose::Speakers, speaker as u64));
            let number = (speaker as u64) << 32 | item as u64;
            let mut rng = stream(self.seed, Purpose::Tones, number);
            let samples = voice.say(&WORDS[item % WORDS.len()].1, self.noise_db, &mut rng);
            Ok::<_, DataError>(extractor.quantized(&samples).concat())
        };
        let values = crate::load::parallel::map(&said, clip)?.concat();
        let labels = (0..count).map(|item| (item % WORDS.len()) as u16).collect();
        let groups = said.iter().map(|&(_, speaker)| Some(speaker as u32)).collect();
        let names = (0..self.speakers).map(|speaker| format!("speaker {speaker}")).collect();
        Ok(Items::new(head, values, labels)?.with_groups(groups, names)?.into())
    }
}

impl fmt::Display for Tones {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tones { train, test, speakers, recipe, .. } = self;
        let (frames, coefficients) = (recipe.frames, recipe.coefficients);
        write!(f, "generated tones: {train} clips as {frames} x {coefficients} features, ")?;
        write!(f, "{} words of {speakers} speakers, test of {test}", WORDS.len())
    }
}
