//! Bits of weights and activations, a row a layer, two columns a point.

use crate::search::{Found, Point};
use maud::{Markup, html};

/// The map.
pub(super) fn map(found: &Found) -> Markup {
    let points = &found.points;
    html! {
        div class="wide" { table class="bits" {
            thead {
                tr {
                    th rowspan="2" { "layer" }
                    @for n in 0..points.len() { th colspan="2" { "point " (n) } }
                }
                tr { @for _ in points { th { "weights" } th { "activations" } } }
            }
            tbody { @for layer in layers(points) { tr {
                th scope="row" { code { (layer) } }
                @for point in points { (cells(point, layer)) }
            } } }
        } }
        p class="note" { "Activations are what a layer puts out. Empty: no such layer, or no weights." }
    }
}

fn cells(point: &Point, layer: &str) -> Markup {
    let found = point.layers.iter().find(|(name, ..)| name == layer);
    let (weights, activations) = found.map_or((None, None), |&(_, w, a)| (w, Some(a)));
    html! { @for bits in [weights, activations] {
        @match bits {
            Some(bits) => td class={ "b" (bits) } { (bits) },
            None => td {},
        }
    } }
}

/// The layers of all points, each where it first stands.
fn layers(points: &[Point]) -> Vec<&str> {
    let mut all: Vec<&str> = vec![];
    for point in points {
        let mut place = 0;
        for (name, ..) in &point.layers {
            match all.iter().position(|known| known == name) {
                Some(known) => place = known + 1,
                None => {
                    all.insert(place, name);
                    place += 1;
                }
            }
        }
    }
    all
}
