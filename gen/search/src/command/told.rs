//! What is printed when all is done.

use super::inputs;
use hwgen_search::search::{Found, LEAST_TAU, Order, Point};
use hwgen_tools::command_line;
use std::path::Path;
use std::process::Command;

/// Talk: points whose core had to be smaller.
pub(super) fn notes(found: &Found) {
    let (target, limit) = (&found.settings.target, found.settings.latency);
    for (n, point) in found.points.iter().enumerate() {
        if let (Some(device), true) = (&target.device, point.multipliers < target.multipliers) {
            let (most, now) = (target.multipliers, point.multipliers);
            tell!(
                "point {n}: {device} has no room for its core of {most} multipliers; within {now} now"
            );
        }
        if limit.is_some_and(|limit| point.milliseconds > limit) {
            tell!("point {n}: {:.3} ms, longer than --latency on that core", point.milliseconds);
        }
    }
}

/// The points, and what to do next with the first.
pub(super) fn text(found: &Found, out: &Path, board: Option<&str>) -> String {
    let points = found.points.iter().enumerate();
    let mut text: String = points.map(|(n, point)| line(n, point)).collect();
    let all: f64 = found.seconds.iter().map(|(_, seconds)| seconds).sum();
    let stages = found.seconds.iter().map(|(stage, seconds)| format!("{stage} {seconds:.1} s"));
    text.extend(found.order.as_ref().map(order));
    text += &format!("{:.1} s: {}\n", all, stages.collect::<Vec<_>>().join(", "));
    text += &format!("{}\n", out.join("search.html").display());
    text += &format!("check: {}\n", verify(out));
    if let Some(board) = board {
        text += &format!("bitstream: {}\n", build(out, board));
    }
    text + &format!("Verilog: {}\n", emit(out))
}

fn line(n: usize, point: &Point) -> String {
    let Point { cycles, milliseconds, weight_bytes, weights, test, .. } = point;
    let [integer, real, same] = [test.integer, test.real, test.same].map(|share| 100.0 * share);
    format!(
        "point {n}: {cycles} cycles, {milliseconds:.3} ms, {weights} weights in {weight_bytes} bytes; \
         test {integer:.2} % as integers, {real:.2} % as real numbers, {same:.2} % alike\n"
    )
}

/// How far the supernet is to be relied on, and what to do if it is not.
fn order(order: &Order) -> String {
    let text =
        format!("tau of {} networks, in the supernet and alone: {:.2}", order.subnets, order.tau);
    if order.tau >= LEAST_TAU {
        return text + "\n";
    }
    text + &format!(
        "; below {LEAST_TAU} its order says little of what networks reach alone: train it longer (--epochs), on more \
         items (--limit), or search a smaller space (--space)\n"
    )
}

/// The first point's core, compared with its network.
fn verify(out: &Path) -> String {
    let mut command = Command::new("hwgen");
    command.args(["verify", "--design", "cnn", "--engines", "jit"]);
    command_line(on_core(&mut command, out).arg("--inputs").arg(inputs::file(out, 0)))
}

/// The first point's bitstream.
fn build(out: &Path, board: &str) -> String {
    let mut command = Command::new("hwgen");
    command.args(["build", "--board", board, "--design", "cnn"]);
    command_line(on_core(&mut command, out).arg("-o").arg(out.join("bitstream_0")))
}

/// The first point's Verilog.
fn emit(out: &Path) -> String {
    let mut command = Command::new("hwgen");
    command.args(["emit", "--design", "cnn"]);
    command_line(on_core(&mut command, out).arg("-o").arg(out.join("point_0.v")))
}

fn on_core<'c>(command: &'c mut Command, out: &Path) -> &'c mut Command {
    command.arg("--network").arg(out.join("point_0.network.json"));
    command.arg("--spec").arg(out.join("point_0.core.json"))
}
