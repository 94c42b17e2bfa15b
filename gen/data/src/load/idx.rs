//! IDX files: MNIST and its relatives.
//!
//! Two bytes 0, the type (8: unsigned bytes), the number of axes, each axis in four bytes, the highest
//! first, then the bytes (yann.lecun.com/exdb/mnist). Images have three axes or, with channels, four;
//! labels have one. A file may be packed by gzip.

use crate::error::shown;
use crate::load::folder::names;
use crate::{Data, DataError, Head, Items, Kind, MAX_VALUES, Scale, Shape};
use flate2::read::MultiGzDecoder;
use hwgen_files::reason;
use std::collections::BTreeMap;
use std::fmt;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

/// The largest file.
const MOST_BYTES: u64 = MAX_VALUES as u64 + (1 << 10);
/// What a packed file unpacks to at most: so many bytes, or so many for each of its own. Images of
/// handwriting unpack to five times their size.
const UNPACKED_BYTES: u64 = 64 << 20;
const UNPACKED_BYTES_A_BYTE: u64 = 200;

const FORMAT: &str = "an IDX file";

/// Fashion-MNIST's classes (Xiao et al. 2017).
const FASHION: [&str; 10] = [
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
];

/// An array of unsigned bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Array {
    /// Its axes, the outermost first.
    pub axes: Vec<usize>,
    /// Its elements.
    pub bytes: Vec<u8>,
}

/// Reads the bytes of an IDX file, packed or not; the path is for errors alone.
///
/// # Errors
/// Another format, type or number of axes; more elements than may be; fewer or more bytes than the axes say.
pub fn parse(path: &Path, bytes: &[u8]) -> Result<Array, DataError> {
    let damaged = |problem: String| DataError::damaged(path, FORMAT, problem);
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return array(bytes, u64::MAX, &damaged);
    }
    let most = UNPACKED_BYTES.max(bytes.len() as u64 * UNPACKED_BYTES_A_BYTE);
    array(MultiGzDecoder::new(bytes), most, &damaged)
}

/// Reads an array of at most `most` bytes.
fn array(
    mut from: impl Read,
    most: u64,
    damaged: &dyn Fn(String) -> DataError,
) -> Result<Array, DataError> {
    let failed = |error: std::io::Error| match error.kind() {
        ErrorKind::UnexpectedEof => damaged("it ends too early".into()),
        _ => damaged(reason(&error)),
    };
    let mut magic = [0; 4];
    from.read_exact(&mut magic).map_err(failed)?;
    let count = match magic {
        [0, 0, 8, count @ 1..=4] => count,
        [0, 0, 8, count] => return Err(damaged(format!("{count} axes: must be 1 to 4"))),
        [0, 0, kind, _] => {
            return Err(damaged(format!("elements of type {kind:#04x}: must be bytes (0x08)")));
        }
        _ => return Err(damaged(format!("begins with {magic:02x?}, not with 00 00 08"))),
    };
    let mut axes = vec![];
    for _ in 0..count {
        let mut axis = [0; 4];
        from.read_exact(&mut axis).map_err(failed)?;
        axes.push(u32::from_be_bytes(axis) as usize);
    }
    let product = axes.iter().try_fold(1usize, |product, &axis| product.checked_mul(axis));
    let Some(elements) = product.filter(|&elements| elements <= MAX_VALUES) else {
        return Err(damaged(format!("axes {axes:?}: at most {MAX_VALUES} elements are read")));
    };
    if elements as u64 > most {
        return Err(damaged(format!("axes {axes:?}: it unpacks to more than {most} bytes")));
    }
    // room grows with what comes, not with what the header says; one more shows the end
    let mut bytes = vec![];
    from.take(elements as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    let follow = match bytes.len() {
        count if count == elements => return Ok(Array { axes, bytes }),
        count if count > elements => "more follow".to_owned(),
        count => format!("{count} follow"),
    };
    Err(damaged(format!("axes {axes:?} are {elements} bytes, but {follow}")))
}

/// Files of images with their labels: training, and the test where there is one.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    folder: PathBuf,
    train: String,
    test: Option<String>,
}

/// What a name says of images: what set they are of, and whether they are for its test.
fn role(name: &str) -> Option<(String, bool)> {
    let images = name.contains("images-idx") || name.contains("images.idx");
    if !images {
        return None;
    }
    let set = |word: &str| {
        // counts of a cut, as in `train6000`, tell no set apart
        let (before, after) = name.split_once(word)?;
        let after = after.trim_start_matches(|c: char| c.is_ascii_digit());
        Some(format!("{before}*{}", after.trim_end_matches(".gz")))
    };
    let test = set("t10k").or_else(|| set("test"));
    match (set("train"), test) {
        (Some(set), _) => Some((set, false)),
        (_, Some(set)) => Some((set, true)),
        _ => Some((name.to_owned(), false)),
    }
}

impl Found {
    /// The sets of a folder; of one, if a file of it is named.
    pub(crate) fn find(path: &Path) -> Result<Option<Found>, DataError> {
        let file = path.file_name().filter(|_| path.is_file()).map(|name| name.to_string_lossy());
        let folder = if file.is_some() { path.parent().unwrap_or(Path::new("")) } else { path };
        let mut sets = BTreeMap::<String, [Vec<String>; 2]>::new();
        for name in names(folder)? {
            if let Some((set, test)) = role(&name) {
                sets.entry(set).or_default()[usize::from(test)].push(name);
            }
        }
        if let Some(file) = &file {
            sets.retain(|_, files| files.iter().flatten().any(|name| name == file));
        }
        let folder = folder.to_path_buf();
        let several = |sets: Vec<String>| DataError::Several { path: folder.clone(), sets };
        let [mut train, mut test] = match sets.len() {
            0 => return Ok(None),
            1 => sets.into_values().next().unwrap_or_default(),
            _ => return Err(several(sets.into_keys().collect())),
        };
        // of several cuts of one set, the one that is named
        for files in [&mut train, &mut test] {
            if file.as_ref().is_some_and(|file| files.iter().any(|name| name == file)) {
                files.retain(|name| Some(name.as_str()) == file.as_deref());
            }
        }
        match (&train[..], &test[..]) {
            ([train], [test]) => {
                Ok(Some(Found { folder, train: train.clone(), test: Some(test.clone()) }))
            }
            ([only], []) | ([], [only]) => {
                Ok(Some(Found { folder, train: only.clone(), test: None }))
            }
            _ => Err(several([train, test].concat())),
        }
    }

    pub(crate) fn load(&self) -> Result<Data, DataError> {
        let train = self.pair(&self.train)?;
        let test = self.test.as_ref().map(|name| self.pair(name)).transpose()?;
        let labels = [Some(&train), test.as_ref()].into_iter().flatten();
        let largest = labels.flat_map(|pair| &pair.labels.bytes).max().copied();
        let classes = classes(&self.folder, usize::from(largest.unwrap_or_default()) + 1);
        let train = train.items(&classes)?.into();
        let test = test.map(|pair| pair.items(&classes)).transpose()?;
        Ok(Data { train, validation: None, test: test.map(Into::into) })
    }

    /// Images and their labels.
    fn pair(&self, images: &str) -> Result<Pair, DataError> {
        let read = |name: &str| {
            let path = self.folder.join(name);
            parse(&path, &hwgen_files::read(&path, MOST_BYTES)?)
        };
        let labels = images.replacen("images", "labels", 1).replacen("idx3", "idx1", 1);
        let labels = labels.replacen("idx4", "idx1", 1);
        // one of the two may be packed and the other not
        let plain = labels.trim_end_matches(".gz").to_owned();
        let packed = format!("{plain}.gz");
        let mut there = [labels.clone(), plain, packed].into_iter();
        let there = there.find(|name| self.folder.join(name).is_file());
        let Some(there) = there else {
            let (path, reason) = (self.folder.clone(), "has the images' labels");
            return Err(DataError::Missing { path, missing: labels, reason });
        };
        Ok(Pair { path: self.folder.join(images), images: read(images)?, labels: read(&there)? })
    }
}

/// Images and their labels as they were read.
struct Pair {
    path: PathBuf,
    images: Array,
    labels: Array,
}

impl Pair {
    fn items(self, classes: &[String]) -> Result<Items, DataError> {
        let damaged = |problem| Err(DataError::damaged(&self.path, FORMAT, problem));
        let (count, shape) = match self.images.axes[..] {
            [count, height, width] => (count, Shape { height, width, channels: 1 }),
            [count, height, width, channels] => (count, Shape { height, width, channels }),
            _ => return damaged(format!("{} axes: images have 3 or 4", self.images.axes.len())),
        };
        if self.labels.axes != [count] {
            let axes = &self.labels.axes;
            return damaged(format!("{count} images, but labels have the axes {axes:?}"));
        }
        let head = Head {
            name: shown(&self.path),
            kind: Kind::Image,
            shape,
            scale: Scale::PIXELS,
            classes: classes.to_vec(),
        };
        let labels = self.labels.bytes.into_iter().map(u16::from).collect();
        Items::new(head, pixels(self.images.bytes), labels)
    }
}

/// Names of so many classes: Fashion-MNIST's, if the folder's name says so, else numbers.
fn classes(folder: &Path, count: usize) -> Vec<String> {
    let folder = folder.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    match folder.contains("fashion") && count == FASHION.len() {
        true => FASHION.map(str::to_owned).to_vec(),
        false => (0..count).map(|n| n.to_string()).collect(),
    }
}

/// Pixels as integers of [`Scale::PIXELS`].
pub(crate) fn pixels(bytes: Vec<u8>) -> Vec<i8> {
    // less 128: the top bit turned
    bytes.into_iter().map(|pixel| (pixel ^ 0x80) as i8).collect()
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IDX images in {}: {}", shown(&self.folder), self.train)?;
        match &self.test {
            Some(test) => write!(f, ", test {test}"),
            None => write!(f, ", no test"),
        }
    }
}
