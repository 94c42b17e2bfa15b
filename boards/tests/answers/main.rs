//! What synthesis and bitstreams make of a design gives the golden answers: the questions of a host
//! to the simulated board are asked again, and the answers are the same, byte for byte.

mod predictor;
mod up5k;

use hwgen_boards::host::{Board, Settings, Transport};
use hwgen_boards::proof::Question;
use hwgen_boards::sim::faults::Faults;
use hwgen_boards::sim::{SimBoard, SimLine};
use hwgen_boards::top::{Payload, TopSpec};
use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::time::Duration;

/// Cycles of a bit.
const DIVISOR: u32 = 8;

/// What was asked, and what came back.
pub(crate) type Log = Rc<RefCell<Vec<(Vec<u8>, Vec<u8>)>>>;

/// A line that keeps what passes.
struct Kept(SimLine, Log);

impl Transport for Kept {
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.1.borrow_mut().push((bytes.to_vec(), vec![]));
        self.0.send(bytes)
    }

    fn receive(&mut self, bytes: &mut [u8], wait: Duration) -> io::Result<usize> {
        let came = self.0.receive(bytes, wait)?;
        if let Some((_, answer)) = self.1.borrow_mut().last_mut() {
            answer.extend(&bytes[..came]);
        }
        Ok(came)
    }

    fn reconnect(&mut self) -> io::Result<()> {
        self.0.reconnect()
    }

    fn travel(&self, bytes: usize) -> Duration {
        self.0.travel(bytes)
    }
}

/// The simulated board, its line kept.
fn open(top: &TopSpec, payload: &Payload, log: &Log) -> Board<Kept> {
    let board = SimBoard::new(top, payload, 3).unwrap();
    let line = SimLine::new(board, [5, 6].map(|seed| Faults::new(0.0, seed)));
    let settings = Settings { margin: Duration::ZERO, ..Settings::default() };
    Board::open_with(Kept(line, log.clone()), settings).unwrap()
}

/// The questions that were asked, and all answers.
fn asked(log: &Log) -> (Vec<Question>, Vec<u8>) {
    let log = log.take();
    let question = |(bytes, answer): &(Vec<u8>, Vec<u8>)| Question {
        bytes: bytes.clone(),
        answer: answer.len(),
    };
    (log.iter().map(question).collect(), log.iter().flat_map(|(_, a)| a.clone()).collect())
}
