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

    /// Cells placed, under the names of [`Resource`]; kinds that are parts of one are added up.
    pub(super) fn placed(&self) -> Vec<Resource> {
        let mut all: Vec<(Resource, f64)> = vec![];
        for (cell, Used { used, available }) in &self.utilization {
            let Some((name, share)) = known(cell) else {
                continue;
            };
            let (used, available) = (*used as f64 * share, *available as f64 * share);
            match all.iter_mut().find(|(resource, _)| resource.name == name) {
                Some((resource, sum)) => {
                    *sum += used;
                    resource.available = resource.available.max(available as u64);
                }
                None => all.push((Resource { name, used: 0, available: available as u64 }, used)),
            }
        }
        let whole =
            |(resource, sum): (Resource, f64)| Resource { used: sum.ceil() as u64, ..resource };
        all.into_iter().map(whole).collect()
    }
}

/// A kind of cell as nextpnr calls it: as a [`Resource`], and how much of one.
fn known(cell: &str) -> Option<(&'static str, f64)> {
    Some(match cell {
        "ICESTORM_LC" => ("logic cells", 1.0),
        "TRELLIS_COMB" | "LUT4" => ("LUT", 1.0),
        "TRELLIS_FF" | "DFF" => ("FF", 1.0),
        "ICESTORM_RAM" | "DP16KD" | "BSRAM" => ("BRAM", 1.0),
        "ICESTORM_SPRAM" => ("SPRAM", 1.0),
        "ICESTORM_DSP" | "MULT18X18D" | "MULT18X18" | "MULTALU18X18" => ("DSP", 1.0),
        "MULT9X9" => ("DSP", 0.5),
        "MULTALU36X18" | "MULTADDALU18X18" => ("DSP", 2.0),
        "MULT36X36" => ("DSP", 4.0),
        _ => return None,
    })
}

/// Cells over their number, from the table that nextpnr logs before it places:
/// `Info: ICESTORM_LC: 6011/ 5280 113%`.
pub(super) fn overfull(log: &[String]) -> Vec<Resource> {
    let line = |line: &String| {
        let rest = line.strip_prefix("Info:")?;
        let (cell, counts) = rest.split_once(':')?;
        let (used, rest) = counts.split_once('/')?;
        let available = rest.split_whitespace().next()?.parse().ok()?;
        let (name, _) = known(cell.trim())?;
        Some(Resource { name, used: used.trim().parse().ok()?, available })
    };
    log.iter().filter_map(line).filter(|resource| resource.used > resource.available).collect()
}

/// The frequency in MHz that icetime prints: `// Timing estimate: 14.66 ns (68.23 MHz)`.
pub(super) fn icetime(log: &[String]) -> Option<f64> {
    let line = log.iter().find_map(|line| line.split_once("Timing estimate:"))?.1;
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
        let stat =
            br#"x {"design": {"num_cells": 3, "num_cells_by_type": {"SB_LUT4": 2, "SB_DFF": 1}}}"#;
        assert_eq!(cells(stat).unwrap()["SB_LUT4"], 2);
        let report = br#"{"fmax": {"clk": {"achieved": 53.9, "constraint": 12.0},
            "b": {"achieved": 40.5, "constraint": 12.0}},
            "utilization": {"ICESTORM_LC": {"available": 5280, "used": 447}, "X": {"available": 1, "used": 0}}}"#;
        let report = Report::read(report).unwrap();
        assert_eq!(report.fmax(), Some(40.5));
        let cells = Resource { name: "logic cells", used: 447, available: 5280 };
        assert_eq!(report.placed(), [cells]);
        let log = lines(
            "Info: \t         ICESTORM_LC:  6011/ 5280   113%\nInfo: \t        ICESTORM_RAM:    30/   30   100%",
        );
        assert_eq!(overfull(&log), [Resource { name: "logic cells", used: 6011, available: 5280 }]);
        assert_eq!(icetime(&lines("a\n// Timing estimate: 14.66 ns (68.23 MHz)\n")), Some(68.23));
    }

    #[test]
    fn what_is_no_report_is_none() {
        for text in [&b""[..], b"{", b"3", b"{\"fmax\": 3}", b"{\"fmax\": {\"a\": {}}}", b"\xff"] {
            assert!(Report::read(text).is_none());
            assert!(cells(text).is_none());
        }
        assert_eq!(Report::read(b"{}").unwrap().fmax(), None);
        for text in ["Info:", "Info: a", "Info: LUT4: /", "Info: LUT4: 9999999999999999999999/ 1"] {
            assert!(overfull(&lines(text)).is_empty());
        }
        for text in ["Timing estimate:", "Timing estimate: (", "Timing estimate: (inf MHz)"] {
            assert_eq!(icetime(&lines(text)), None);
        }
    }
}
