//! Results on stdout.

use crate::failure::Failure;
use anyhow::Context;
use serde_json::Value;
use std::io::{ErrorKind, Write};

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
