//! `search.html`: what a search found, on one page that needs nothing beside it.
//!
//! - `pareto`: accuracy against time, drawn; `tables`: figures; `widths`: bits, layer by layer. The same
//!   `search.json` makes the same bytes.

mod pareto;
mod tables;
mod widths;

use crate::search::Found;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use thiserror::Error;

/// Light, dark, and on paper.
const STYLE: &str = include_str!("style.css");

/// Why there is no page.
#[derive(Debug, Error)]
#[error("the picture of a search cannot be drawn: {0}")]
pub struct ReportError(String);

/// The page.
///
/// # Errors
/// What the drawing library refuses.
pub fn page(found: &Found) -> Result<String, ReportError> {
    let picture = pareto::picture(found).map_err(|error| ReportError(error.to_string()))?;
    let space = &found.settings.space.name;
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Search: " (space) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    h1 { "Search of space " code { (space) } }
                    (summary(found))
                    h2 { "Accuracy against time" }
                    (picture)
                    h2 { "Points: estimated and finished" }
                    (tables::accuracies(found))
                    @if let Some(order) = &found.order { (tables::order(order)) }
                    h2 { "Points: cost" }
                    (tables::costs(found))
                    h2 { "Bits of weights and activations" }
                    (widths::map(found))
                    h2 { "Time" }
                    (tables::stages(found))
                    h2 { "What was asked for" }
                    (tables::settings(found))
                }
            }
        }
    };
    Ok(page.into_string() + "\n")
}

fn summary(found: &Found) -> Markup {
    let (judged, front, points) = (found.judged.len(), found.front.len(), found.points.len());
    html! {
        p {
            "The space holds " (count(found.size)) " networks, which share "
            (grouped(found.numbers as u64)) " numbers. " (judged)
            " of them were judged on the validation part; " (front)
            " are beaten by none, and " (points) " were trained on and became integers. "
            "The test was looked at once, when all had been chosen."
        }
    }
}

/// A count that may be beyond all words.
fn count(number: f64) -> Markup {
    if number < 1e7 {
        return html! { (grouped(number as u64)) };
    }
    let text = format!("{number:.1e}");
    let (digits, power) = text.split_once('e').unwrap_or((&text, "0"));
    html! { (digits) " × 10" sup { (power) } }
}

/// Digits in threes.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .map(|group| std::str::from_utf8(group).unwrap_or_default())
        .collect();
    groups.join(",")
}

fn percent(share: f64) -> String {
    format!("{:.2} %", 100.0 * share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_readable() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(count(1536.0).into_string(), "1,536");
        assert_eq!(count(3.26e24).into_string(), "3.3 × 10<sup>24</sup>");
    }
}
