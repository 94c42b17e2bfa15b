//! Quality figures laid out for a terminal.

use super::quality::{FilterQuality, ScoreQuality};
use std::fmt::Write;

/// One line per workload.
pub fn score_table<'a>(lines: impl IntoIterator<Item = (&'a str, &'a ScoreQuality)>) -> String {
    let title = "top 25 % of keys: recall and mass";
    let mut table = format!(
        "{title:<34} {:>6} | {:>7} {:>7} {:>7} | {:>7} {:>7}\n",
        "rows", "integer", "round 1", "final", "oracle", "final"
    );
    for (name, q) in lines {
        let (integer, first, last) = (q.recall_integer, q.recall_first_round, q.recall_final);
        let (rows, oracle, mass) = (q.rows, q.mass_top_quarter, q.mass_final);
        // writing to a string cannot fail
        let _ = writeln!(
            table,
            "{name:<34} {rows:>6} | {integer:>7.3} {first:>7.3} {last:>7.3} | {oracle:>7.3} {mass:>7.3}"
        );
    }
    table
}

/// One line per filter.
pub fn filter_table<'a>(
    title: &str,
    lines: impl IntoIterator<Item = (&'a str, &'a FilterQuality)>,
) -> String {
    let mut table = format!(
        "{title:<34} {:>17} | {:>8} {:>9} | {:>7} {:>7}\n",
        "live after rounds", "top 25 %", "precision", "mass", "oracle"
    );
    for (name, q) in lines {
        let live: Vec<String> = q.live.iter().map(|live| format!("{live:.3}")).collect();
        let (live, recall, precision) = (live.join(" "), q.recall, q.precision);
        let (mass, oracle) = (q.mass, q.oracle_mass);
        let _ = writeln!(
            table,
            "{name:<34} {live:>17} | {recall:>8.3} {precision:>9.3} | {mass:>7.3} {oracle:>7.3}"
        );
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let score = ScoreQuality { rows: 12, recall_final: 0.5, ..ScoreQuality::default() };
        assert_eq!(
            score_table([("a", &score)]).lines().last(),
            Some(
                "a                                      12 |   0.000   0.000   0.500 |   0.000   \
                 0.000"
            )
        );
        let filter = FilterQuality { live: vec![0.5, 0.25], ..FilterQuality::default() };
        let table = filter_table("title", [("a", &filter)]);
        let [title, line] = table.lines().collect::<Vec<_>>()[..] else { panic!("two lines") };
        assert_eq!(title.len(), line.len());
        assert!(line.contains(" 0.500 0.250 |"));
    }
}
