//! Results on stdout, talk on stderr.

use std::fmt::Arguments;
use std::io::Write;

/// Talk: a line on stderr; one that is closed is no panic, and no control character comes through.
macro_rules! tell {
    ($($text:tt)*) => { $crate::output::talk(format_args!($($text)*)) };
}

/// What [`tell!`] calls.
pub(crate) fn talk(text: Arguments<'_>) {
    let text = text.to_string();
    let lines = text.trim_end_matches('\n').split('\n').map(hwgen_files::printable);
    let lines: String = lines.map(|line| line + "\n").collect();
    // there is nobody left to complain to
    let _ = std::io::stderr().write_all(lines.as_bytes());
}

/// Prints a result.
pub(crate) fn print(text: &str) -> std::io::Result<()> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush())
}
