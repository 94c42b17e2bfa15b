//! Folders of images, one a class, decoded by the `image` crate.

use super::folder::{File, Listing, Roles, limit};
use super::idx::pixels;
use super::parallel;
use crate::error::shown;
use crate::{Color, Data, DataError, Head, Items, Kind, MAX_VALUES, Options, Scale, Shape, Subset};
use image::imageops::FilterType;
use image::{DynamicImage, ImageDecoder, ImageReader, Limits};
use std::collections::BTreeMap;
use std::fmt;
use std::io::Cursor;
use std::path::{Path, PathBuf};

/// What names of images end in.
const EXTENSIONS: [&str; 8] = ["bmp", "jpeg", "jpg", "pbm", "pgm", "png", "pnm", "ppm"];
/// The largest file.
const MOST_BYTES: u64 = 64 << 20;
/// Rows and columns at most.
const MOST_SIDE: u32 = 1 << 13;
/// Memory that decoding an image takes at most.
const MOST_MEMORY: u64 = 192 << 20;

const FORMAT: &str = "an image";

/// Folders of images.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    folder: PathBuf,
    roles: Roles,
    files: usize,
    classes: usize,
}

/// What all images of a set become.
#[derive(Clone, Copy)]
struct Target {
    height: u32,
    width: u32,
    color: Color,
}

impl Found {
    pub(crate) fn find(folder: &Path) -> Result<Option<Found>, DataError> {
        let roles = Roles::of(folder);
        let listing = Listing::of(&roles.train, &EXTENSIONS, &[])?;
        let (files, classes) = (listing.files.len(), listing.classes.len());
        Ok((files > 0).then(|| Found { folder: folder.into(), roles, files, classes }))
    }

    pub(crate) fn load(&self, options: &Options) -> Result<Data, DataError> {
        let listing = Listing::of(&self.roles.train, &EXTENSIONS, &[])?;
        let files = limit(listing.files, |file| file.class, options.most, options.seed);
        let target = target(&files, options)?;
        let items =
            |folder: &Path, files: Vec<File>| items(folder, files, &listing.classes, target);
        let part = |folder: &Option<PathBuf>| -> Result<Option<Subset>, DataError> {
            let Some(folder) = folder else { return Ok(None) };
            let part = Listing::of(folder, &EXTENSIONS, &[])?.relabeled(&listing.classes)?;
            Ok(Some(items(folder, part.files)?.into()))
        };
        let (validation, test) = (part(&self.roles.validation)?, part(&self.roles.test)?);
        Ok(Data { train: items(&self.roles.train, files)?.into(), validation, test })
    }
}

/// The size asked for, else the one that most images have, the smaller of two; gray if all are.
fn target(files: &[File], options: &Options) -> Result<Target, DataError> {
    if let (Some((height, width)), Some(color)) = (options.size, options.color) {
        return sized(height, width, color);
    }
    let mut sizes = BTreeMap::<(u64, u32, u32), usize>::new();
    let mut all_gray = true;
    for ((width, height), gray) in parallel::map(files, |file| look(&file.path))? {
        let area = u64::from(width) * u64::from(height);
        *sizes.entry((area, height, width)).or_default() += 1;
        all_gray &= gray;
    }
    let most = sizes.values().max();
    let common = sizes.iter().find(|(_, count)| Some(*count) == most);
    let common =
        common.map_or((1, 1), |(&(_, height, width), _)| (height as usize, width as usize));
    let (height, width) = options.size.unwrap_or(common);
    let color = options.color.unwrap_or(if all_gray { Color::Gray } else { Color::Rgb });
    sized(height, width, color)
}

fn sized(height: usize, width: usize, color: Color) -> Result<Target, DataError> {
    let side = |side: usize| u32::try_from(side).ok().filter(|side| (1..=MOST_SIDE).contains(side));
    match (side(height), side(width)) {
        (Some(height), Some(width)) => Ok(Target { height, width, color }),
        _ => Err(DataError::number("size", format!("{height} x {width}"), "1 to 8192 each way")),
    }
}

/// A reader of a file's bytes that allocates and takes only so much.
fn reader(bytes: &[u8]) -> ImageReader<Cursor<&[u8]>> {
    // of what the bytes are, they say themselves; a name may be wrong
    let mut reader = ImageReader::new(Cursor::new(bytes));
    if let Ok(format) = image::guess_format(bytes) {
        reader.set_format(format);
    }
    let mut limits = Limits::default();
    limits.max_image_width = Some(MOST_SIDE);
    limits.max_image_height = Some(MOST_SIDE);
    limits.max_alloc = Some(MOST_MEMORY);
    reader.limits(limits);
    reader
}

/// An image's size, and whether it is gray.
fn look(path: &Path) -> Result<((u32, u32), bool), DataError> {
    let bytes = hwgen_files::read(path, MOST_BYTES)?;
    let decoder = reader(&bytes).into_decoder();
    let decoder = decoder.map_err(|error| DataError::damaged(path, FORMAT, error))?;
    Ok((decoder.dimensions(), !decoder.color_type().has_color()))
}

/// An image's bytes, row by row, channels innermost.
fn decode(path: &Path, target: Target) -> Result<Vec<u8>, DataError> {
    let bytes = hwgen_files::read(path, MOST_BYTES)?;
    let image = reader(&bytes).decode();
    let image = image.map_err(|error| DataError::damaged(path, FORMAT, error))?;
    let Target { height, width, color } = target;
    let image = match color {
        Color::Gray => DynamicImage::from(image.into_luma8()),
        Color::Rgb => DynamicImage::from(image.into_rgb8()),
    };
    let fits = (image.width(), image.height()) == (width, height);
    let resized = |image: DynamicImage| image.resize_to_fill(width, height, FilterType::Triangle);
    Ok(if fits { image } else { resized(image) }.into_bytes())
}

fn items(
    folder: &Path,
    files: Vec<File>,
    classes: &[String],
    target: Target,
) -> Result<Items, DataError> {
    let channels = if target.color == Color::Gray { 1 } else { 3 };
    let (height, width) = (target.height as usize, target.width as usize);
    let head = Head {
        name: shown(folder),
        kind: Kind::Image,
        shape: Shape { height, width, channels },
        scale: Scale::PIXELS,
        classes: classes.to_vec(),
    };
    let value = files.len().saturating_mul(head.shape.elements());
    if value > MAX_VALUES {
        let (set, what, most) = (head.name, "integers", MAX_VALUES);
        return Err(DataError::Count { set, what, value, least: 0, most });
    }
    let values = parallel::map(&files, |file| decode(&file.path, target))?.concat();
    let labels = files.iter().map(|file| file.class as u16).collect();
    let name = |file: &File| shown(file.path.strip_prefix(folder).unwrap_or(&file.path));
    Items::new(head, pixels(values), labels)?.with_names(files.iter().map(name).collect())
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Found { folder, roles, files, classes } = self;
        write!(f, "images in {}: {files} files of {classes} classes", shown(folder))?;
        match (&roles.validation, &roles.test) {
            (None, None) => write!(f, ", no test"),
            (Some(_), None) => write!(f, ", validation, no test"),
            (None, Some(_)) => write!(f, ", test"),
            (Some(_), Some(_)) => write!(f, ", validation and test"),
        }
    }
}
