//! CIFAR-10's binary format: records of a label and 32 x 32 bytes each of red, green and blue
//! (Krizhevsky 2009, cs.toronto.edu/~kriz/cifar.html).

use crate::error::shown;
use crate::load::folder::names;
use crate::load::idx::pixels;
use crate::{Data, DataError, Head, Items, Kind, MAX_VALUES, Scale, Shape};
use std::fmt;
use std::path::{Path, PathBuf};

/// Bytes of a record.
const RECORD: usize = 1 + 3 * PLANE;
/// Bytes of a color.
const PLANE: usize = 32 * 32;

/// The classes in their order.
const CLASSES: [&str; 10] =
    ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

const FORMAT: &str = "a CIFAR-10 file";

/// Reads the bytes of a file; the path is for errors and for the set's name.
///
/// # Errors
/// No records, bytes beyond whole ones, a label above 9.
pub fn parse(path: &Path, bytes: &[u8]) -> Result<Items, DataError> {
    items(path, [(path.to_path_buf(), bytes.to_vec())])
}

/// The items of several files.
fn items(
    path: &Path,
    files: impl IntoIterator<Item = (PathBuf, Vec<u8>)>,
) -> Result<Items, DataError> {
    let (mut values, mut labels) = (vec![], vec![]);
    for (file, bytes) in files {
        let records = records(&file, &bytes)?;
        for record in records {
            labels.push(record[0].into());
            let planes: Vec<&[u8]> = record[1..].chunks_exact(PLANE).collect();
            values.extend((0..PLANE).flat_map(|at| planes.iter().map(move |plane| plane[at])));
        }
    }
    let head = Head {
        name: shown(path),
        kind: Kind::Image,
        shape: Shape { height: 32, width: 32, channels: 3 },
        scale: Scale::PIXELS,
        classes: CLASSES.map(str::to_owned).to_vec(),
    };
    Items::new(head, pixels(values), labels)
}

/// A file's records.
fn records<'a>(
    file: &Path,
    bytes: &'a [u8],
) -> Result<impl Iterator<Item = &'a [u8]> + use<'a>, DataError> {
    let records = bytes.chunks_exact(RECORD);
    if bytes.is_empty() || !records.remainder().is_empty() {
        let problem = format!("{} bytes are not one or more records of {RECORD}", bytes.len());
        return Err(DataError::damaged(file, FORMAT, problem));
    }
    if let Some((at, record)) = records.clone().enumerate().find(|(_, record)| record[0] > 9) {
        let problem = format!("record {at} has label {}: must be 0 to 9", record[0]);
        return Err(DataError::damaged(file, FORMAT, problem));
    }
    Ok(records)
}

/// Files of records: training, and the test where there is one.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    path: PathBuf,
    train: Vec<PathBuf>,
    test: Option<PathBuf>,
}

impl Found {
    /// Files `data_batch_*.bin` and `train*.bin`, `test*.bin` of a folder; one file alone.
    pub(crate) fn find(path: &Path) -> Result<Option<Found>, DataError> {
        if path.is_file() {
            let ours = is_records(path);
            let train = vec![path.to_path_buf()];
            return Ok(ours.then(|| Found { path: path.into(), train, test: None }));
        }
        let names = names(path)?;
        let named = |begin: &'static [&'static str]| {
            let named = names.iter().filter(move |name| {
                name.ends_with(".bin") && begin.iter().any(|begin| name.starts_with(begin))
            });
            named.map(|name| path.join(name)).filter(|file| is_records(file)).collect::<Vec<_>>()
        };
        let (train, mut test) = (named(&["data_batch", "train"]), named(&["test"]));
        if test.len() > 1 {
            let sets = test.iter().map(|file| shown(file)).collect();
            return Err(DataError::Several { path: path.into(), sets });
        }
        let path = path.to_path_buf();
        Ok((!train.is_empty()).then(|| Found { path, train, test: test.pop() }))
    }

    pub(crate) fn load(&self) -> Result<Data, DataError> {
        let mut files = vec![];
        // a record's label is read over
        let mut left = (MAX_VALUES / (RECORD - 1) * RECORD) as u64;
        for file in &self.train {
            let bytes = hwgen_files::read(file, left)?;
            left -= bytes.len() as u64;
            files.push((file.clone(), bytes));
        }
        let test = self.test.as_ref().map(|file| {
            let bytes = hwgen_files::read(file, MAX_VALUES as u64)?;
            Ok::<_, DataError>(items(file, [(file.clone(), bytes)])?.into())
        });
        let train = items(&self.path, files)?.into();
        Ok(Data { train, validation: None, test: test.transpose()? })
    }
}

/// Whether a file has the length of records, and its name says that it is data.
fn is_records(file: &Path) -> bool {
    let length = file.metadata().map_or(0, |data| data.len());
    let named = file.extension().is_some_and(|extension| extension == "bin");
    named && length > 0 && length.is_multiple_of(RECORD as u64)
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |file: &PathBuf| {
            file.file_name().map_or_else(|| shown(file), |name| shown(Path::new(name)))
        };
        let train: Vec<_> = self.train.iter().map(name).collect();
        write!(f, "CIFAR-10 records in {}: {}", shown(&self.path), train.join(", "))?;
        match &self.test {
            Some(test) => write!(f, ", test {}", name(test)),
            None => write!(f, ", no test"),
        }
    }
}
