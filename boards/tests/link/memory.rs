//! A line in memory to the model of the board.

use crate::echo::Echo;
use hwgen_boards::host::Transport;
use hwgen_boards::link::model::Board;
use hwgen_boards::sim::faults::Faults;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::rc::Rc;
use std::time::Duration;

/// The board and what is on its way back.
struct Line {
    board: Board<Echo>,
    faults: Faults,
    back: VecDeque<u8>,
}

pub(crate) struct Memory {
    line: Rc<RefCell<Line>>,
    sends: usize,
    /// The sends at which the line fails.
    pub(crate) fails_at: Vec<usize>,
    /// And does not come back.
    pub(crate) stays_away: bool,
}

impl Memory {
    pub(crate) fn new(board: Board<Echo>, faults: Faults) -> Memory {
        let line = Rc::new(RefCell::new(Line { board, faults, back: VecDeque::new() }));
        Memory { line, sends: 0, fails_at: vec![], stays_away: false }
    }

    /// Another end of the same line.
    pub(crate) fn share(&self) -> Memory {
        Memory { line: self.line.clone(), sends: 0, fails_at: vec![], stays_away: false }
    }

    /// The board loses its power.
    pub(crate) fn restart(&self, board: Board<Echo>) {
        self.line.borrow_mut().board = board;
    }
}

impl Transport for Memory {
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.sends += 1;
        if self.fails_at.contains(&self.sends) {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let Line { board, faults, back } = &mut *self.line.borrow_mut();
        for byte in bytes.iter().flat_map(|&byte| faults.pass(byte)).collect::<Vec<_>>() {
            let answer = board.push(Some(byte));
            back.extend(answer.into_iter().flat_map(|byte| faults.pass(byte)));
        }
        Ok(())
    }

    fn receive(&mut self, bytes: &mut [u8], _: Duration) -> io::Result<usize> {
        let back = &mut self.line.borrow_mut().back;
        let count = back.len().min(bytes.len());
        for byte in &mut bytes[..count] {
            *byte = back.pop_front().unwrap();
        }
        Ok(count)
    }

    fn reconnect(&mut self) -> io::Result<()> {
        if self.stays_away { Err(io::ErrorKind::NotFound.into()) } else { Ok(()) }
    }

    fn travel(&self, _: usize) -> Duration {
        Duration::ZERO
    }
}
