//! Features of clips that were computed before: `mfcc_int8.npy`, `labels_u8.npy` and, for classes,
//! speakers and names, `manifest.csv`.
//!
//! The features are `[clips, frames, coefficients]` of int8, 49 x 10 or 101 x 40: the shapes, and the int8
//! form, of hwgen-audio's recipes. The labels are `[clips]` of uint8. The manifest has a row a clip, in order,
//! with the columns `class` and `label`, and, if known, `speaker` and `file`.

use crate::error::shown;
use crate::{Data, DataError, Head, Items, Kind, MAX_VALUES, Scale, Shape};
use hwgen_audio::Recipe;
use hwgen_files::{has_plain_npy_header, printable};
use npyz::{Deserialize, NpyFile, Order};
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

const FEATURES: &str = "mfcc_int8.npy";
const LABELS: &str = "labels_u8.npy";
const MANIFEST: &str = "manifest.csv";

const ARRAY: &str = "an array";
const LIST: &str = "a list of clips";

/// The largest array.
const MOST_BYTES: u64 = MAX_VALUES as u64 + (1 << 16);
/// The largest list.
const MOST_LIST: u64 = 256 << 20;

/// Files as they were read; the manifest may be missing.
#[derive(Debug, Clone, Copy)]
pub struct Bytes<'a> {
    /// `mfcc_int8.npy`.
    pub features: &'a [u8],
    /// `labels_u8.npy`.
    pub labels: &'a [u8],
    /// `manifest.csv`.
    pub manifest: Option<&'a [u8]>,
}

/// A row of the manifest.
struct Row {
    class: String,
    label: u8,
    speaker: Option<String>,
    file: Option<String>,
}

/// Reads the bytes of the files in a folder; its path is for errors and for the set's name.
///
/// # Errors
/// Another type, order or shape; lengths that differ; a manifest that says other labels.
pub fn parse(folder: &Path, bytes: &Bytes<'_>) -> Result<Items, DataError> {
    let path = folder.join(FEATURES);
    let (axes, values) = array::<i8>(&path, bytes.features)?;
    let [clips, height, width] = axes[..] else {
        let problem = format!("axes {axes:?}: must be clips, frames, coefficients");
        return Err(DataError::damaged(&path, ARRAY, problem));
    };
    let known = [Recipe::KEYWORDS, Recipe::CENET];
    let recipe =
        known.iter().find(|recipe| (recipe.frames, recipe.coefficients) == (height, width));
    let Some(recipe) = recipe else {
        let problem = format!("{height} frames of {width}: must be 49 of 10 or 101 of 40");
        return Err(DataError::damaged(&path, ARRAY, problem));
    };
    let path = folder.join(LABELS);
    let (axes, labels) = array::<u8>(&path, bytes.labels)?;
    if axes != [clips] {
        let problem = format!("axes {axes:?}: {FEATURES} has {clips} clips");
        return Err(DataError::damaged(&path, ARRAY, problem));
    }
    let path = folder.join(MANIFEST);
    let rows = bytes.manifest.map(|bytes| rows(&path, bytes, &labels)).transpose()?;
    let head = Head {
        name: shown(folder),
        kind: Kind::Audio,
        shape: Shape { height, width, channels: 1 },
        scale: scale(recipe),
        classes: classes(&labels, rows.as_deref().unwrap_or_default()),
    };
    let items = Items::new(head, values, labels.into_iter().map(u16::from).collect())?;
    rows.map_or(Ok(items.clone()), |rows| with_rows(items, rows))
}

/// What a recipe's integers stand for.
pub(crate) fn scale(recipe: &Recipe) -> Scale {
    Scale { scale: recipe.step as f32, zero_point: recipe.zero_point }
}

/// An array's axes and elements.
fn array<T: Deserialize>(path: &Path, bytes: &[u8]) -> Result<(Vec<usize>, Vec<T>), DataError> {
    let damaged = |problem: String| DataError::damaged(path, ARRAY, problem);
    if !has_plain_npy_header(bytes) {
        return Err(damaged("it has no header of a NumPy array".into()));
    }
    let file = NpyFile::new(bytes).map_err(|error| damaged(error.to_string()))?;
    let axes: Vec<usize> = file.shape().iter().map(|&axis| axis as usize).collect();
    let elements = axes.iter().try_fold(1usize, |product, &axis| product.checked_mul(axis));
    // asked before room is made; elements are bytes
    if elements.is_none_or(|elements| elements > bytes.len()) {
        let problem = format!("axes {axes:?} are more than the {} bytes of the file", bytes.len());
        return Err(damaged(problem));
    }
    if file.order() != Order::C {
        return Err(damaged("its elements lie in Fortran's order: must be C's".into()));
    }
    let values = file.into_vec().map_err(|error| damaged(error.to_string()))?;
    Ok((axes, values))
}

/// The manifest's rows, a label each.
fn rows(path: &Path, bytes: &[u8], labels: &[u8]) -> Result<Vec<Row>, DataError> {
    let damaged = |problem: String| DataError::damaged(path, LIST, problem);
    let mut reader = csv::Reader::from_reader(bytes);
    let header = reader.headers().map_err(|error| damaged(error.to_string()))?.clone();
    let column = |name: &str| header.iter().position(|column| column == name);
    let (Some(class), Some(label)) = (column("class"), column("label")) else {
        return Err(damaged("it has no columns `class` and `label`".into()));
    };
    let (speaker, file) = (column("speaker"), column("file"));
    let mut rows = vec![];
    for (at, record) in reader.records().enumerate() {
        let record = record.map_err(|error| damaged(error.to_string()))?;
        let field = |column: Option<usize>| {
            let field = column.and_then(|column| record.get(column)).unwrap_or_default();
            (!field.is_empty()).then(|| printable(field))
        };
        let told = field(Some(label)).and_then(|label| label.parse().ok());
        let label = labels.get(at).copied().filter(|&label| told == Some(label));
        let label = label.ok_or_else(|| {
            let has = labels.get(at).map_or("nothing".into(), u8::to_string);
            damaged(format!("row {at}: its label is not {LABELS}'s, which has {has} there"))
        })?;
        let class = field(Some(class)).unwrap_or_else(|| label.to_string());
        rows.push(Row { class, label, speaker: field(speaker), file: field(file) });
    }
    match rows.len() == labels.len() {
        true => Ok(rows),
        false => Err(damaged(format!("{} rows for {} clips", rows.len(), labels.len()))),
    }
}

/// Names of the classes: as rows say, else numbers.
fn classes(labels: &[u8], rows: &[Row]) -> Vec<String> {
    let named: BTreeMap<u8, &str> =
        rows.iter().map(|row| (row.label, row.class.as_str())).collect();
    let last = labels.iter().max().copied().unwrap_or_default();
    let name = |label| named.get(&label).map_or_else(|| label.to_string(), |name| (*name).into());
    (0..=last).map(name).collect()
}

fn with_rows(items: Items, rows: Vec<Row>) -> Result<Items, DataError> {
    let speakers = rows.iter().map(|row| row.speaker.clone()).collect();
    let (groups, speakers) = groups(speakers);
    let name = |(at, row): (usize, Row)| row.file.unwrap_or_else(|| at.to_string());
    let names = rows.into_iter().enumerate().map(name).collect();
    items.with_groups(groups, speakers)?.with_names(names)
}

/// Groups by name, in the order of their names.
pub(crate) fn groups(of: Vec<Option<String>>) -> (Vec<Option<u32>>, Vec<String>) {
    let mut names: Vec<String> = of.iter().flatten().cloned().collect();
    names.sort_unstable();
    names.dedup();
    let place = |name: String| names.binary_search(&name).ok().map(|place| place as u32);
    (of.into_iter().map(|name| name.and_then(place)).collect(), names)
}

/// A folder of features.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    folder: PathBuf,
    manifest: bool,
}

impl Found {
    /// The files in a folder; or beside one of them, if that is named.
    pub(crate) fn find(path: &Path) -> Result<Option<Found>, DataError> {
        let named = path.file_name().is_some_and(|name| name == FEATURES || name == LABELS);
        let folder = if named { path.parent().unwrap_or(path) } else { path };
        let has = |name: &str| folder.join(name).is_file();
        match (has(FEATURES), has(LABELS)) {
            (true, true) => Ok(Some(Found { folder: folder.into(), manifest: has(MANIFEST) })),
            (true, false) => {
                let (path, missing, reason) =
                    (folder.into(), LABELS.into(), "has the clips' labels");
                Err(DataError::Missing { path, missing, reason })
            }
            _ => Ok(None),
        }
    }

    pub(crate) fn load(&self) -> Result<Data, DataError> {
        let read = |name: &str, most| hwgen_files::read(&self.folder.join(name), most);
        let (features, labels) = (read(FEATURES, MOST_BYTES)?, read(LABELS, MOST_BYTES)?);
        let manifest = self.manifest.then(|| read(MANIFEST, MOST_LIST)).transpose()?;
        let manifest = manifest.as_deref();
        let bytes = Bytes { features: &features, labels: &labels, manifest };
        Ok(Data::from(crate::Subset::from(parse(&self.folder, &bytes)?)))
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let manifest = if self.manifest { ", " } else { ", no " };
        let folder = shown(&self.folder);
        write!(f, "features in {folder}: {FEATURES}, {LABELS}{manifest}{MANIFEST}, no test")
    }
}
