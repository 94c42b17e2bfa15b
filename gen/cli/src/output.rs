//! Results on stdout, talk on stderr.

use crate::failure::Failure;
use anyhow::Context;
use serde_json::Value;
use std::fmt::Arguments;
use std::io::{ErrorKind, Write};

/// Talk: a line on stderr, as `eprintln!` has it, but a stderr that is closed or full is no panic, and no
/// control character comes through.
macro_rules! tell {
    ($($text:tt)*) => { $crate::output::talk(format_args!($($text)*)) };
}

/// What [`tell!`] calls.
pub(crate) fn talk(text: Arguments<'_>) {
    let text = text.to_string();
    let lines = text.trim_end_matches('\n').split('\n');
    let lines = lines.map(|line| hwgen_files::printable(&line.replace('\t', " ")) + "\n");
    // there is nobody left to complain to
    let _ = std::io::stderr().write_all(lines.collect::<String>().as_bytes());
}

/// Prints a result.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    let written = stdout.write_all(text.as_bytes());
    match written.and_then(|()| stdout.flush()) {
        // `hwgen .. | head` is no mistake
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(Failure::ReaderLeft),
        written => Ok(written.context("cannot write to stdout")?),
    }
}

/// Prints a result for machines.
pub(crate) fn print_json(value: &Value) -> Result<(), Failure> {
    print(&format!("{value:#}\n"))
}

/// Rows of cells as text, columns aligned; the last is not padded.
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column| {
        let cells = rows.iter().filter_map(|row: &Vec<String>| row.get(column));
        cells.map(|cell: &String| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().zip(&widths);
        let padded: Vec<String> = cells.map(|(cell, &w)| format!("{cell:w$}")).collect();
        text += &format!("  {}", padded.join("  "));
        text.truncate(text.trim_end().len());
        text += "\n";
    }
    text
}
