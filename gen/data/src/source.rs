//! What a path holds.

use crate::error::shown;
use crate::load::{cifar10, clips, features, folder, idx, pictures};
use crate::{Data, DataError, Options, Shapes, Tones};
use hwgen_audio::Recipe;
use std::fmt;
use std::path::Path;

/// A set that was recognized, not yet read. Its text says what it is.
#[derive(Debug, Clone)]
pub struct Source(Form);

#[derive(Debug, Clone)]
enum Form {
    Idx(idx::Found),
    Cifar10(cifar10::Found),
    Features(features::Found),
    Clips(clips::Found),
    Pictures(pictures::Found),
    Shapes(Shapes),
    Tones(Tones),
}

impl Source {
    /// Recognizes what lies at a path, or a generated set by its name, if there is no such path:
    /// `shapes`, `shapes-rgb`, `tones`, `tones-cenet`.
    ///
    /// # Errors
    /// Nothing that we know, with what was found and what was looked for; a part of a set; several sets.
    pub fn open(path: &Path) -> Result<Source, DataError> {
        if !path.exists()
            && let Some(form) = generated(path)
        {
            return Ok(Source(form));
        }
        // says what the system does, if there is nothing
        path.metadata().map_err(hwgen_files::FileError::io("read", path))?;
        let forms: [&dyn Fn() -> Result<Option<Form>, DataError>; 5] = [
            &|| Ok(features::Found::find(path)?.map(Form::Features)),
            &|| Ok(idx::Found::find(path)?.map(Form::Idx)),
            &|| Ok(cifar10::Found::find(path)?.map(Form::Cifar10)),
            &|| Ok(clips::Found::find(path)?.map(Form::Clips)),
            &|| Ok(pictures::Found::find(path)?.map(Form::Pictures)),
        ];
        for form in forms {
            if let Some(form) = form()? {
                return Ok(Source(form));
            }
        }
        Err(DataError::Unknown { path: path.into(), found: found(path)? })
    }

    /// Reads it.
    ///
    /// # Errors
    /// Files that cannot be read, or are not what they seem; numbers out of range.
    pub fn load(&self, options: &Options) -> Result<Data, DataError> {
        match &self.0 {
            Form::Idx(found) => found.load(),
            Form::Cifar10(found) => found.load(),
            Form::Features(found) => found.load(),
            Form::Clips(found) => found.load(options),
            Form::Pictures(found) => found.load(options),
            Form::Shapes(shapes) => Shapes { seed: options.seed, ..*shapes }.data(),
            Form::Tones(tones) => Tones { seed: options.seed, ..*tones }.data(),
        }
    }
}

/// The generated set of a name.
fn generated(name: &Path) -> Option<Form> {
    match name.to_str()? {
        "shapes" => Some(Form::Shapes(Shapes::default())),
        "shapes-rgb" => {
            Some(Form::Shapes(Shapes { color: crate::Color::Rgb, ..Shapes::default() }))
        }
        "tones" => Some(Form::Tones(Tones::default())),
        "tones-cenet" => Some(Form::Tones(Tones { recipe: Recipe::CENET, ..Tones::default() })),
        _ => None,
    }
}

/// What lies at a path, in a few words.
fn found(path: &Path) -> Result<String, DataError> {
    if let Ok(data) = path.metadata()
        && !data.is_dir()
    {
        return Ok(format!("a file of {} bytes", data.len()));
    }
    let names = folder::names(path)?;
    let some: Vec<_> = names.iter().take(5).map(|name| shown(Path::new(name))).collect();
    Ok(match names.len() {
        0 => "an empty folder".into(),
        1..=5 => some.join(", "),
        count => format!("{}, .. {} more", some.join(", "), count - 5),
    })
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Form::Idx(found) => found.fmt(f),
            Form::Cifar10(found) => found.fmt(f),
            Form::Features(found) => found.fmt(f),
            Form::Clips(found) => found.fmt(f),
            Form::Pictures(found) => found.fmt(f),
            Form::Shapes(shapes) => shapes.fmt(f),
            Form::Tones(tones) => tones.fmt(f),
        }
    }
}
