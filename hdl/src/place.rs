//! Where in the generator's source a piece of hardware was written.

use std::fmt;
use std::panic::Location;

/// A line of the generator's source; prints as `lapa/ddf.rs:103`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place(&'static Location<'static>);

impl Place {
    /// The caller's line.
    #[track_caller]
    pub fn here() -> Place {
        Place(Location::caller())
    }

    /// The path as short as it stays clear: what follows the last `src/`, else the last two parts.
    fn file(&self) -> &'static str {
        let path = self.0.file();
        if let Some(at) = path.rfind("src/") {
            return &path[at + 4..];
        }
        let cut = path.rmatch_indices('/').nth(1).map_or(0, |(at, _)| at + 1);
        &path[cut..]
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file(), self.0.line())
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_the_short_path() {
        assert!(Place::here().to_string().starts_with("place.rs:"));
    }
}
