//! What was judged, line by line, so that nothing is judged twice: also after a kill.

use super::{SearchError, Settings};
use crate::space::Choice;
use hwgen_files::SealedLines;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// A subnet and what was found of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// The subnet.
    pub choice: Choice,
    /// Cycles of an inference; the most there are if no core runs it.
    pub cycles: u64,
    /// The share of the validation items that it gets right; 0 if nobody looked.
    pub accuracy: f64,
}

/// A file of them. Its first line is of the search that it belongs to.
#[derive(Debug)]
pub struct Ledger {
    lines: SealedLines,
    known: BTreeMap<Choice, (u64, f64)>,
}

#[derive(Serialize, Deserialize)]
struct Of {
    of: String,
}

impl Ledger {
    /// Opens or begins one, of a search with these settings and this digest of what it learned and judges by.
    ///
    /// # Errors
    /// It is another search's; what the system says.
    pub fn open(path: &Path, settings: &Settings, digest: &str) -> Result<Ledger, SearchError> {
        // networks that are trained alone change nothing of what is judged
        let settings = Settings { alone: 0, ..settings.clone() };
        let of = serde_json::to_vec(&(settings, digest)).unwrap_or_default();
        let of = hwgen_files::digest(&of);
        let (mut known, mut says) = (BTreeMap::new(), None);
        let lines = SealedLines::open(path, |line| {
            if let Ok(judged) = serde_json::from_str::<Judged>(line) {
                known.insert(judged.choice, (judged.cycles, judged.accuracy));
            } else if let Ok(Of { of }) = serde_json::from_str(line) {
                says = Some(of);
            }
        })?;
        let mut ledger = Ledger { lines, known };
        match says {
            Some(says) if says != of => return Err(SearchError::Other(path.to_owned())),
            Some(_) => {}
            None => ledger.lines.add(&serde_json::to_string(&Of { of }).unwrap_or_default())?,
        }
        Ok(ledger)
    }

    /// Cycles and accuracy of a subnet that was judged.
    pub fn get(&self, choice: &Choice) -> Option<(u64, f64)> {
        self.known.get(choice).copied()
    }

    /// Writes one down.
    ///
    /// # Errors
    /// What the system says.
    pub fn add(&mut self, judged: Judged) -> Result<(), SearchError> {
        self.lines.add(&serde_json::to_string(&judged).unwrap_or_default())?;
        self.known.insert(judged.choice, (judged.cycles, judged.accuracy));
        Ok(())
    }
}
