//! Folders of clips, one a word, as Speech Commands has them (Warden 2018, arXiv 1804.03209).
//!
//! The speaker stands in a file's name: `HASH_nohash_N.wav`. `testing_list.txt` and
//! `validation_list.txt`, if they are there, name the makers' test and validation.

use super::features::{groups, scale};
use super::folder::{File, Listing, Roles, limit};
use super::{parallel, twelve};
use crate::error::shown;
use crate::{Data, DataError, Head, Items, Kind, MAX_VALUES, Options, Shape, Words};
use hwgen_audio::{Extractor, Recipe};
use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const EXTENSIONS: [&str; 2] = ["flac", "wav"];
/// Long recordings of no word.
const NOISE: &str = "_background_noise_";
/// The makers' lists of what is not trained on.
const LISTS: [&str; 2] = ["validation_list.txt", "testing_list.txt"];
/// Samples of noise that are kept, at most: more than two hours.
const MOST_NOISE: usize = 1 << 27;
/// The longest such list.
const MOST_LIST: u64 = 64 << 20;

/// What features are made of.
pub(super) struct Sound {
    pub(super) class: usize,
    pub(super) samples: Samples,
}

/// Where samples are.
pub(super) enum Samples {
    /// In a file.
    File(PathBuf),
    /// Cut out of a recording that was read, this loud.
    Cut { recording: Arc<[i16]>, first: usize, gain: f64 },
}

/// Folders of clips.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    folder: PathBuf,
    roles: Roles,
    files: usize,
    words: usize,
    lists: bool,
}

impl Found {
    pub(crate) fn find(folder: &Path) -> Result<Option<Found>, DataError> {
        let roles = Roles::of(folder);
        let listing = Listing::of(&roles.train, &EXTENSIONS, &[NOISE])?;
        let (files, words) = (listing.files.len(), listing.classes.len());
        let lists = LISTS.iter().any(|list| roles.train.join(list).is_file());
        let folder = folder.to_path_buf();
        Ok((files > 0).then_some(Found { folder, roles, files, words, lists }))
    }

    pub(crate) fn load(&self, options: &Options) -> Result<Data, DataError> {
        let listing = Listing::of(&self.roles.train, &EXTENSIONS, &[NOISE])?;
        let part = |folder: &Option<PathBuf>| -> Result<Option<Vec<File>>, DataError> {
            let Some(folder) = folder else { return Ok(None) };
            let part = Listing::of(folder, &EXTENSIONS, &[NOISE])?;
            Ok(Some(part.relabeled(&listing.classes)?.files))
        };
        let (mut validation, mut test) = (part(&self.roles.validation)?, part(&self.roles.test)?);
        let mut train = listing.files;
        if self.lists {
            validation = validation.or(Some(listed(&self.roles.train, LISTS[0], &mut train)?));
            test = test.or(Some(listed(&self.roles.train, LISTS[1], &mut train)?));
        }
        let parts = [Some(train), validation, test];
        let (classes, parts) = match options.words {
            Words::Folders => (listing.classes, parts.map(|part| part.map(sounds))),
            Words::Twelve => {
                let noise = noise(&self.roles.train.join(NOISE), &options.recipe)?;
                let window = options.recipe.sample_hz as usize;
                twelve::relabel(parts, &listing.classes, &noise, window, options.seed)
            }
        };
        let [train, validation, test] = parts;
        let train = train.unwrap_or_default();
        let train = limit(train, |sound| sound.class, options.most, options.seed);
        let extractor = Extractor::new(options.recipe)?;
        let items = |sounds| self.items(sounds, &classes, &extractor).map(Into::into);
        Ok(Data {
            train: items(train)?,
            validation: validation.filter(|part| !part.is_empty()).map(items).transpose()?,
            test: test.filter(|part| !part.is_empty()).map(items).transpose()?,
        })
    }

    fn items(
        &self,
        sounds: Vec<Sound>,
        classes: &[String],
        extractor: &Extractor,
    ) -> Result<Items, DataError> {
        let recipe = extractor.recipe();
        let head = Head {
            name: shown(&self.folder),
            kind: Kind::Audio,
            shape: Shape { height: recipe.frames, width: recipe.coefficients, channels: 1 },
            scale: scale(recipe),
            classes: classes.to_vec(),
        };
        let value = sounds.len().saturating_mul(head.shape.elements());
        if value > MAX_VALUES {
            let (set, what, most) = (head.name, "integers", MAX_VALUES);
            return Err(DataError::Count { set, what, value, least: 0, most });
        }
        let values = parallel::map(&sounds, |sound| sound.features(extractor))?.concat();
        let labels = sounds.iter().map(|sound| sound.class as u16).collect();
        let names = sounds.iter().map(|sound| sound.name(&self.folder)).collect();
        let (groups, speakers) = groups(sounds.iter().map(Sound::speaker).collect());
        Items::new(head, values, labels)?.with_groups(groups, speakers)?.with_names(names)
    }
}

impl Sound {
    fn features(&self, extractor: &Extractor) -> Result<Vec<i8>, DataError> {
        match &self.samples {
            Samples::File(path) => {
                let samples = samples(path, extractor.recipe())?;
                Ok(extractor.quantized(&samples).concat())
            }
            Samples::Cut { recording, first, gain } => {
                let end = recording.len().min(first + extractor.recipe().sample_hz as usize);
                let quiet = |&x: &i16| (f64::from(x) * gain).round() as i16;
                let samples: Vec<i16> = recording[*first..end].iter().map(quiet).collect();
                Ok(extractor.quantized(&samples).concat())
            }
        }
    }

    fn name(&self, folder: &Path) -> String {
        match &self.samples {
            Samples::File(path) => shown(path.strip_prefix(folder).unwrap_or(path)),
            Samples::Cut { first, gain, .. } => format!("noise from sample {first}, x {gain:.2}"),
        }
    }

    fn speaker(&self) -> Option<String> {
        match &self.samples {
            Samples::File(path) => speaker(&path.file_name()?.to_string_lossy()),
            Samples::Cut { .. } => None,
        }
    }
}

/// Who speaks: what stands before `_nohash_`, behind the word that some names begin with.
fn speaker(name: &str) -> Option<String> {
    let (before, _) = name.split_once("_nohash_")?;
    let hash = before.rsplit('_').next().filter(|hash| !hash.is_empty())?;
    Some(hwgen_files::printable(hash))
}

/// A clip's samples, at the recipe's rate.
fn samples(path: &Path, recipe: &Recipe) -> Result<Vec<i16>, DataError> {
    let clip = hwgen_audio::read(path)?;
    match clip.sample_hz == recipe.sample_hz {
        true => Ok(clip.samples),
        false => {
            let problem =
                format!("{} samples a second: must be {}", clip.sample_hz, recipe.sample_hz);
            Err(DataError::damaged(path, "a clip", problem))
        }
    }
}

/// The recordings of a folder of noise, if there is one.
fn noise(folder: &Path, recipe: &Recipe) -> Result<Vec<Arc<[i16]>>, DataError> {
    let names = super::folder::names(folder)?.into_iter();
    let ours = names.filter(|name| super::folder::ends(name, &EXTENSIONS));
    let paths = ours.map(|name| folder.join(name)).filter(|path| path.is_file());
    let (mut recordings, mut value) = (vec![], 0);
    for path in paths {
        let recording: Arc<[i16]> = samples(&path, recipe)?.into();
        value += recording.len();
        if value > MOST_NOISE {
            let (set, what) = (shown(folder), "samples of noise");
            return Err(DataError::Count { set, what, value, least: 0, most: MOST_NOISE });
        }
        recordings.push(recording);
    }
    Ok(recordings)
}

/// Takes the files that a list names out of `files`.
fn listed(folder: &Path, list: &str, files: &mut Vec<File>) -> Result<Vec<File>, DataError> {
    let path = folder.join(list);
    if !path.is_file() {
        return Ok(vec![]);
    }
    let text = hwgen_files::read_text(&path, MOST_LIST)?;
    // without its extension: clips may have been packed since
    let listed: BTreeSet<PathBuf> =
        text.lines().map(|line| Path::new(line.trim()).with_extension("")).collect();
    let is_listed = |file: &mut File| {
        let name = file.path.strip_prefix(folder).unwrap_or(&file.path);
        listed.contains(&name.with_extension(""))
    };
    Ok(files.extract_if(.., is_listed).collect())
}

fn sounds(files: Vec<File>) -> Vec<Sound> {
    let sound = |file: File| Sound { class: file.class, samples: Samples::File(file.path) };
    files.into_iter().map(sound).collect()
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Found { folder, roles, files, words, lists } = self;
        write!(f, "clips in {}: {files} files of {words} words", shown(folder))?;
        match *lists || roles.test.is_some() {
            true => write!(f, ", test"),
            false => write!(f, ", no test"),
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn speakers_stand_in_names() {
        let speaker = |name| super::speaker(name);
        assert_eq!(speaker("0cb74144_nohash_1.wav").as_deref(), Some("0cb74144"));
        assert_eq!(speaker("backward_0cb74144_nohash_2.flac").as_deref(), Some("0cb74144"));
        assert_eq!((speaker("1024.wav"), speaker("_nohash_1.wav")), (None, None));
    }
}
