//! Where in the generator's source a piece of hardware was written.

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;

thread_local! {
    /// Whose line all hardware bears for now.
    static CALLER: Cell<Option<Place>> = const { Cell::new(None) };
}

/// A line of the generator's source; prints as `lapa/ddf.rs:103`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place(&'static Location<'static>);

impl Place {
    /// The caller's line, or what [`Place::of_caller`] says.
    #[track_caller]
    pub fn here() -> Place {
        let here = Place(Location::caller());
        CALLER.get().unwrap_or(here)
    }

    /// For a function with `#[track_caller]` that builds something for its caller: until the guard is
    /// dropped all hardware bears the caller's line, also what closures and functions inside make. Where
    /// such functions call each other it is the outermost's caller.
    #[track_caller]
    pub fn of_caller() -> Caller {
        let here = Place::here();
        Caller { outer: CALLER.replace(Some(here)), thread: PhantomData }
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

/// While it lives hardware bears one line: [`Place::of_caller`].
#[must_use = "it ends when it is dropped"]
#[derive(Debug)]
pub struct Caller {
    outer: Option<Place>,
    /// It belongs to the thread that made it.
    thread: PhantomData<*const ()>,
}

impl Drop for Caller {
    fn drop(&mut self) {
        CALLER.set(self.outer);
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

    #[track_caller]
    fn built() -> [Place; 2] {
        let _caller = Place::of_caller();
        let in_closure = || inner();
        [Place::here(), in_closure()]
    }

    #[track_caller]
    fn inner() -> Place {
        let _caller = Place::of_caller();
        Place::here()
    }

    #[test]
    fn what_is_built_for_a_caller_bears_his_line() {
        let (here, built) = (Place::here(), built());
        assert_eq!(built.map(|place| place.0.line()), [here.0.line(); 2]);
        assert_ne!(Place::here(), here);
    }

    #[test]
    fn prints_the_short_path() {
        assert!(Place::here().to_string().starts_with("place.rs:"));
    }
}
