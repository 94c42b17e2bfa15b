//! Figures.

use super::{grouped, percent};
use crate::search::{Found, LEAST_TAU, Order, Point};
use maud::{Markup, html};

/// What the supernet promised, and what came of it.
pub(super) fn accuracies(found: &Found) -> Markup {
    html! {
        div class="wide" { table {
            thead {
                tr {
                    th rowspan="2" { "point" }
                    th colspan="3" { "validation" }
                    th colspan="3" { "test" }
                }
                tr {
                    th { "within the supernet" } th { "trained on, real" } th { "integers" }
                    th { "real" } th { "integers" } th { "same class" }
                }
            }
            tbody { @for (n, point) in found.points.iter().enumerate() { tr {
                th scope="row" { (n) }
                td { (percent(point.supernet_accuracy)) }
                td { (percent(point.validation.real)) }
                td { (percent(point.validation.integer)) }
                td { (percent(point.test.real)) }
                td { b { (percent(point.test.integer)) } }
                td { (percent(point.test.same)) }
            } } }
        } }
        p class="note" {
            "Choices rest on the validation part alone"
            @if let Some(point) = found.points.first() {
                ": " (point.validation.items) " items, of which the supernet was judged by at most "
                (found.settings.judged) "; the test has " (point.test.items)
            }
            ". Same class: real numbers and integers name the same."
        }
    }
}

/// What the points cost.
pub(super) fn costs(found: &Found) -> Markup {
    let kind = found.settings.target.kind;
    html! {
        div class="wide" { table {
            thead { tr {
                th { "point" } th { "cycles" } th { "ms" } th { "weights" } th { "bytes of weights" }
                th { "bytes of activations" } th { "products" } th { "multipliers" } th { "lanes" }
            } }
            tbody { @for (n, point) in found.points.iter().enumerate() { tr {
                th scope="row" { (n) }
                td { (grouped(point.cycles)) }
                td { (format!("{:.3}", point.milliseconds)) }
                td { (grouped(point.weights as u64)) }
                td { (grouped(point.weight_bytes)) }
                td { (grouped(point.activation_bytes)) }
                td { (grouped(point.multiplies)) }
                td { (point.core.multipliers_of(kind)) }
                td { (lanes(point)) }
            } } }
        } }
        @if let Some(device) = &found.settings.target.device {
            @for (n, point) in found.points.iter().enumerate() {
                @if point.multipliers < found.settings.target.multipliers { p class="note" {
                    (device) " has no room for the core of point " (n) " within "
                    (found.settings.target.multipliers) " multipliers; it is one within "
                    (point.multipliers) "."
                } }
            }
        }
    }
}

fn lanes(point: &Point) -> String {
    let dual = if point.core.dual { ", two weights each" } else { "" };
    format!("{} × {}{dual}", point.core.lanes, point.core.pixels)
}

/// Where the time went.
pub(super) fn stages(found: &Found) -> Markup {
    let all: f64 = found.seconds.iter().map(|(_, seconds)| seconds).sum();
    let rows = found.seconds.iter().map(|(stage, seconds)| (&**stage, *seconds));
    html! {
        table { tbody {
            @for (stage, seconds) in rows.chain([("in all", all)]) { tr {
                th scope="row" { (stage) }
                td { (format!("{seconds:.1} s")) }
            } }
        } }
    }
}

/// How well the supernet orders networks, if that was asked for.
pub(super) fn order(order: &Order) -> Markup {
    html! { p class="note" {
        "Kendall's tau of " (order.subnets) " networks, their accuracy within the supernet against that of each trained \
         alone: " b { (format!("{:.2}", order.tau)) }
        @if order.tau < LEAST_TAU { ". Below " (LEAST_TAU) " the supernet's order says little." }
    } }
}

/// What decides what is found.
pub(super) fn settings(found: &Found) -> Markup {
    let (settings, target) = (&found.settings, &found.settings.target);
    let list = |bits: &[u32]| bits.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
    let space = &settings.space;
    let [height, width, channels] = space.input;
    let mut rows = vec![
        ("input, classes", format!("{height} × {width} × {channels}, {}", space.classes)),
        ("bits of weights, of activations", {
            format!("{}; {}", list(&space.weight_bits), list(&space.activation_bits))
        }),
        ("sharing", settings.sharing.name().to_owned()),
        ("multipliers", format!("{} of {} bits", target.multipliers, target.kind.bits())),
        ("clock", format!("{} MHz", target.hertz as f64 / 1e6)),
        ("epochs of the supernet, of a point", format!("{}, {}", settings.epochs, settings.tuning)),
        ("choices a generation, generations", {
            format!("{}, {}", settings.population, settings.generations)
        }),
        ("seed", settings.seed.to_string()),
    ];
    rows.extend(target.device.iter().map(|device| ("device", device.clone())));
    html! {
        table { tbody { @for (what, value) in rows { tr {
            th scope="row" { (what) }
            td class="text" { (value) }
        } } } }
    }
}
