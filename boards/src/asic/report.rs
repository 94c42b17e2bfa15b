//! What the tools said, read from their logs.

use super::{AsicError, Layout};
use serde::Serialize;
use std::path::Path;

/// A layout in figures.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Cells, fillers aside.
    pub cells: usize,
    /// Width and height of the die.
    pub die_um: [f64; 2],
    /// Length of all wires.
    pub wire_um: f64,
    /// Nets without a route.
    pub failed_routes: u64,
    /// Violations of design rules.
    pub drc_errors: u64,
    /// Differences between layout and netlist.
    pub lvs_errors: u64,
    /// The fastest clock before routing, without margin.
    pub placed_mhz: f64,
    /// The same after routing, with the wires' delays.
    pub routed_mhz: f64,
}

impl Report {
    /// Reads the logs of a flow.
    ///
    /// # Errors
    /// If one is missing or does not say what it should: nothing is taken for granted.
    pub fn read(logs: &Path, layout: &Layout) -> Result<Report, AsicError> {
        let find = |step: &'static str, name: &str, what, read: fn(&str) -> Option<f64>| {
            let path = logs.join(name);
            let bytes = std::fs::read(&path).map_err(AsicError::file("read", &path))?;
            let text = String::from_utf8_lossy(&bytes);
            read(&text).ok_or(AsicError::Unread { step, path, what })
        };
        let clock = "a maximum clock frequency";
        Ok(Report {
            cells: layout.logic_cells(),
            die_um: layout.size(),
            wire_um: layout.wire_um(),
            failed_routes: find("route", "route.log", "a final count", failed_routes)? as u64,
            drc_errors: find("drc", "drc.log", "a count of errors", drc_errors)? as u64,
            lvs_errors: find("lvs", "lvs.log", "a count of errors", lvs_errors)? as u64,
            placed_mhz: find("sta", "sta.log", clock, clock_mhz)?,
            routed_mhz: find("backanno", "post_sta.log", clock, clock_mhz)?,
        })
    }

    /// Whether routes, design rules and netlist are all in order.
    pub fn is_clean(&self) -> bool {
        (self.failed_routes, self.drc_errors, self.lvs_errors) == (0, 0, 0)
    }
}

/// The number after the last occurrence of some words.
fn last_number(text: &str, words: &str) -> Option<f64> {
    let after = text.rsplit_once(words)?.1;
    after.split_whitespace().next()?.parse().ok()
}

fn failed_routes(log: &str) -> Option<f64> {
    let last = log.lines().rev().find(|line| line.starts_with("Final: "))?;
    if last.contains("No failed routes") { Some(0.0) } else { last_number(last, "routes:") }
}

fn drc_errors(log: &str) -> Option<f64> {
    last_number(log, "drc = ")
}

fn lvs_errors(log: &str) -> Option<f64> {
    last_number(log, "Total errors = ")
}

fn clock_mhz(log: &str) -> Option<f64> {
    last_number(log, "Computed maximum clock frequency (zero margin) = ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recorded_logs_are_read() {
        assert_eq!(failed_routes("No failed routes!\nFinal: No failed routes!\n"), Some(0.0));
        assert_eq!(failed_routes("Final: Failed net routes: 65\n"), Some(65.0));
        assert_eq!(failed_routes("segmentation fault"), None);
        assert_eq!(drc_errors("mac_array: 10000 rects\ndrc = 0\nDRC checking"), Some(0.0));
        assert_eq!(drc_errors("drc = 12\n"), Some(12.0));
        let lvs = "Result: Circuits match uniquely.\n\nTotal errors = 0\nLVS checking script ended";
        assert_eq!(lvs_errors(lvs), Some(0.0));
        assert_eq!(lvs_errors("Netlists do not match."), None);
        let timing = "Computed maximum clock frequency (zero margin) = 317.215 MHz\n";
        assert_eq!(clock_mhz(timing), Some(317.215));
    }

    #[test]
    fn a_log_that_is_missing_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let error = Report::read(folder.path(), &Layout::default()).unwrap_err().to_string();
        assert!(error.starts_with("cannot read ") && error.contains("route.log"), "{error}");
    }
}
