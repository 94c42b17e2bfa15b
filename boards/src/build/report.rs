//! Reading what the tools report. Nothing of it is trusted to be there.

use super::part::Resource;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Cells by type of the whole design, from Yosys' `stat -json`.
pub(super) fn cells(json: &[u8]) -> Option<BTreeMap<String, u64>> {
    #[derive(Deserialize)]
    struct Stat {
        design: Counts,
    }
    #[derive(Deserialize)]
    struct Counts {
        num_cells_by_type: BTreeMap<String, u64>,
    }
    // Yosys prints lines before the object when it is asked for more than the statistics
    let start = json.iter().position(|byte| *byte == b'{')?;
    let stat: Stat = serde_json::from_slice(&json[start..]).ok()?;
    Some(stat.design.num_cells_by_type)
}

/// What nextpnr's report says.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Report {
    /// By clock.
    #[serde(default)]
    fmax: BTreeMap<String, Fmax>,
    /// By kind of cell.
    #[serde(default)]
    utilization: BTreeMap<String, Used>,
}

#[derive(Clone, Debug, Deserialize)]
struct Fmax {
    /// In MHz.
    achieved: f64,
}

#[derive(Clone, Debug, Deserialize)]
struct Used {
    available: u64,
    used: u64,
}

impl Report {
    pub(super) fn read(json: &[u8]) -> Option<Report> {
        serde_json::from_slice(json).ok()
    }

    /// The frequency of the slowest clock, in MHz; `None` if nothing is clocked.
    pub(super) fn fmax(&self) -> Option<f64> {
        let all = self.fmax.values().map(|clock| clock.achieved);
        all.filter(|mhz| mhz.is_finite() && *mhz > 0.0).reduce(f64::min)
    }

    /// Cells placed, under the names of [`Resource`].
    pub(super) fn placed(&self) -> Vec<Resource> {
        let all = self.utilization.iter().map(|(cell, used)| (cell.as_str(), used.used, used.available));
        all.filter_map(known).collect()
    }
}

/// A kind of cell as nextpnr calls it.
fn known((cell, used, available): (&str, u64, u64)) -> Option<Resource> {
    let name = match cell {
        "ICESTORM_LC" => "logic cells",
        "TRELLIS_COMB" | "LUT4" => "LUT",
        "TRELLIS_FF" | "DFF" => "FF",
        "ICESTORM_RAM" | "DP16KD" | "BSRAM" => "BRAM",
        "ICESTORM_SPRAM" => "SPRAM",
        "ICESTORM_DSP" | "MULT18X18D" => "DSP",
        _ => return None,
    };
    Some(Resource { name, used, available })
}

/// Cells over their number, from the table that nextpnr logs before it places:
/// `Info: ICESTORM_LC: 6011/ 5280 113%`.
pub(super) fn overfull(log: &[String]) -> Vec<Resource> {
    let line = |line: &String| {
        let rest = line.strip_prefix("Info:")?;
        let (cell, counts) = rest.split_once(':')?;
        let (used, rest) = counts.split_once('/')?;
        let available = rest.split_whitespace().next()?.parse().ok()?;
        known((cell.trim(), used.trim().parse().ok()?, available))
    };
    log.iter().filter_map(line).filter(|resource| resource.used > resource.available).collect()
}

/// The frequency in MHz that icetime prints: `Total path delay: 26.90 ns (37.18 MHz)`.
pub(super) fn icetime(log: &[String]) -> Option<f64> {
    let line = log.iter().find_map(|line| line.split_once("Total path delay:"))?.1;
    let (_, mhz) = line.split_once('(')?;
    mhz.split_whitespace().next()?.parse().ok().filter(|mhz: &f64| mhz.is_finite() && *mhz > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(String::from).collect()
    }

    #[test]
    fn what_tools_print_is_read() {
        let stat = br#"x {"design": {"num_cells": 3, "num_cells_by_type": {"SB_LUT4": 2, "SB_DFF": 1}}}"#;
        assert_eq!(cells(stat).unwrap()["SB_LUT4"], 2);
        let report = br#"{"fmax": {"clk": {"achieved": 53.9, "constraint": 12.0},
            "b": {"achieved": 40.5, "constraint": 12.0}},
            "utilization": {"ICESTORM_LC": {"available": 5280, "used": 447}, "X": {"available": 1, "used": 0}}}"#;
        let report = Report::read(report).unwrap();
        assert_eq!(report.fmax(), Some(40.5));
        let cells = Resource { name: "logic cells", used: 447, available: 5280 };
        assert_eq!(report.placed(), [cells]);
        let log = lines("Info: \t         ICESTORM_LC:  6011/ 5280   113%\nInfo: \t        ICESTORM_RAM:    30/   30   100%");
        assert_eq!(overfull(&log), [Resource { name: "logic cells", used: 6011, available: 5280 }]);
        assert_eq!(icetime(&lines("a\nTotal path delay: 26.90 ns (37.18 MHz)\n")), Some(37.18));
    }

    #[test]
    fn what_is_no_report_is_none() {
        for text in [&b""[..], b"{", b"[]", b"{\"fmax\": 3}", b"{\"fmax\": {\"a\": {}}}", b"\xff"] {
            assert!(Report::read(text).is_none());
            assert!(cells(text).is_none());
        }
        assert_eq!(Report::read(b"{}").unwrap().fmax(), None);
        for text in ["Info:", "Info: a", "Info: LUT4: /", "Info: LUT4: 9999999999999999999999/ 1"] {
            assert!(overfull(&lines(text)).is_empty());
        }
        for text in ["Total path delay:", "Total path delay: (", "Total path delay: (inf MHz)"] {
            assert_eq!(icetime(&lines(text)), None);
        }
    }
}
