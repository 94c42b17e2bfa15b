//! A simulated board behind a pseudo-terminal.

use super::faults::Faults;
use super::{SimBoard, Terminal};
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How long a board that sleeps waits for bytes before it looks whether it is to stop.
const NAP: Duration = Duration::from_millis(100);

/// Runs the board until told to stop; `faults` are those to the board and from it. While no byte is
/// on its way its clock stands.
///
/// # Errors
/// The terminal fails.
pub fn serve(
    board: &mut SimBoard,
    terminal: &Terminal,
    faults: &mut [Faults; 2],
    stop: &AtomicBool,
) -> io::Result<()> {
    let [to, from] = faults;
    while !stop.load(Ordering::Relaxed) {
        let asleep = board.is_asleep();
        let came = terminal.receive(if asleep { NAP } else { Duration::ZERO })?;
        if asleep && came.is_empty() {
            continue;
        }
        for byte in came.into_iter().flat_map(|byte| to.pass(byte)) {
            board.send(byte);
        }
        // some bytes' time between looks at the terminal
        let mut gone = vec![];
        for _ in 0..64 {
            gone.extend(board.advance().into_iter().flat_map(|byte| from.pass(byte)));
        }
        terminal.send(&gone)?;
    }
    Ok(())
}
