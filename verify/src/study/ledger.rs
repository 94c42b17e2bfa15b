//! Every head's figures, on disk as they come.

use hwgen_files::{FileError, SealedLines};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::error::Error;
use std::path::Path;

/// Energy of a head by what it is spent on, in pJ.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Split {
    /// The predictor, its memories included.
    pub predict: f64,
    /// Memories of keys, values, queries and results beside the predictor.
    pub fetch: f64,
    /// Exact scores and weighted values.
    pub compute: f64,
    /// Weights and division.
    pub softmax: f64,
    /// Control and queues.
    pub rest: f64,
}

impl Split {
    /// The parts, named, in the order of the tables.
    pub fn parts(&self) -> [(&'static str, f64); 5] {
        let Split { predict, fetch, compute, softmax, rest } = *self;
        [
            ("predict", predict),
            ("fetch", fetch),
            ("compute", compute),
            ("softmax", softmax),
            ("rest", rest),
        ]
    }

    /// All of it.
    pub fn total(&self) -> f64 {
        self.parts().iter().map(|(_, energy)| energy).sum()
    }
}

impl std::ops::AddAssign for Split {
    fn add_assign(&mut self, other: Split) {
        self.predict += other.predict;
        self.fetch += other.fetch;
        self.compute += other.compute;
        self.softmax += other.softmax;
        self.rest += other.rest;
    }
}

/// A head that ran on gates.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Record {
    /// The accelerator.
    pub accelerator: String,
    /// Its setting.
    pub setting: String,
    /// The model.
    pub workload: String,
    /// The head, as in `layer 3 head 7`.
    pub head: String,
    /// Query rows.
    pub queries: u64,
    /// Keys that all rows see.
    pub seen: u64,
    /// Keys that all rows keep.
    pub kept: u64,
    /// Cosine of the output with exact attention, mean over the rows.
    pub cosine: f64,
    /// Rows whose output differed from the golden model's.
    pub mismatches: u64,
    /// Cycles from the first key to the last result.
    pub cycles: u64,
    /// The same, as the cost model has it.
    pub model_cycles: u64,
    /// Cycles in which a key is issued to the score unit, or 0 where that is not counted.
    pub scoring_cycles: u64,
    /// Area of the cells, in um2.
    pub cell_area_um2: f64,
    /// Bits in memories.
    pub memory_bits: u64,
    /// Energy, in pJ.
    pub energy_pj: Split,
}

/// The records of a study; each is a line of a file under a key that names all it depends on.
pub struct Ledger {
    lines: SealedLines,
    known: HashMap<String, Record>,
}

#[derive(Serialize, Deserialize)]
struct Line {
    key: String,
    record: Record,
}

impl Ledger {
    /// Opens a ledger, or starts one. A line that is damaged, or that a killed study left half written,
    /// counts as not there; nothing in the file is ever changed.
    ///
    /// # Errors
    /// The file cannot be read or written, or is no ledger.
    pub fn open(path: &Path) -> Result<Ledger, FileError> {
        let mut known = HashMap::new();
        let lines = SealedLines::open(path, |line| {
            // one of another version is not asked for
            if let Ok(Line { key, record }) = serde_json::from_str(line) {
                known.insert(key, record);
            }
        })?;
        Ok(Ledger { lines, known })
    }

    /// Lines that are damaged.
    pub fn damaged(&self) -> usize {
        self.lines.damaged
    }

    /// The record under a key.
    pub fn get(&self, key: &str) -> Option<&Record> {
        self.known.get(key)
    }

    /// Writes a record down.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn put(&mut self, key: &str, record: Record) -> Result<(), Box<dyn Error>> {
        let line = Line { key: key.to_owned(), record };
        self.lines.add(&serde_json::to_string(&line)?)?;
        self.known.insert(line.key, line.record);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(head: &str) -> Record {
        Record { head: head.into(), cosine: 0.5, ..Record::default() }
    }

    #[test]
    fn a_damaged_line_costs_its_record_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.jsonl");
        let mut ledger = Ledger::open(&path).unwrap();
        for n in 0..1000 {
            ledger.put(&n.to_string(), record(&n.to_string())).unwrap();
        }
        drop(ledger);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[40] ^= 1;
        bytes.truncate(bytes.len() - 9);
        std::fs::write(&path, &bytes).unwrap();
        let ledger = Ledger::open(&path).unwrap();
        assert_eq!((ledger.known.len(), ledger.damaged()), (998, 2));
        assert_eq!(ledger.get("1"), Some(&record("1")));
    }

    #[test]
    fn parts_add_up() {
        let mut sum = Split { predict: 1.0, fetch: 2.0, compute: 3.0, softmax: 4.0, rest: 5.0 };
        sum += sum;
        assert_eq!(sum.total(), 30.0);
    }
}
