//! The host's side of SPI at the pins of the whole top: selections, damaged and cut ones.

use super::echo::{Echo, channels, identity};
use super::{over, payload, question};
use hwgen_boards::host::{Board, Exchange, Spi};
use hwgen_boards::link::model;
use hwgen_boards::link::slip::Deframer;
use hwgen_boards::link::spi::{LEAD, selection};
use hwgen_boards::sim::SimBoard;
use hwgen_boards::top::{Line, hwgen_top};
use hwgen_hdl::lib::spi;
use hwgen_hdl::sim::{Bench, Initial};
use hwgen_hdl::{Module, ModuleBuilder, fields, u};
use hwgen_verify::cosim::Engine;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::io;
use std::sync::Arc;

/// Pins whose wires are bad: bits flip either way, and selections end early.
struct Bad {
    board: SimBoard,
    rng: ChaCha8Rng,
    /// The share of selections that end within a byte.
    cuts: f64,
    /// The share of bytes with a wrong bit.
    flips: f64,
}

impl Bad {
    fn flip(&mut self, byte: u8) -> u8 {
        let flips = self.rng.random_bool(self.flips);
        if flips { byte ^ 1 << self.rng.random_range(0..8) } else { byte }
    }
}

impl Exchange for Bad {
    fn exchange(&mut self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        assert_eq!(bytes[0], LEAD);
        let mut sent: Vec<u8> = bytes.iter().map(|&byte| self.flip(byte)).collect();
        let cut = self.rng.random_bool(self.cuts);
        if cut {
            sent.truncate(self.rng.random_range(1..=sent.len()));
        }
        let mut came = self.board.exchange(&sent)?;
        if cut {
            self.board.break_line();
        }
        // the host takes levels for bits even when nobody listens
        came.resize(bytes.len(), 0xff);
        Ok(came.into_iter().map(|byte| self.flip(byte)).collect())
    }

    fn reconnect(&mut self) -> io::Result<()> {
        self.board.reconnect()
    }

    fn hertz(&self) -> u32 {
        self.board.hertz()
    }
}

fn board(seed: u64) -> SimBoard {
    SimBoard::new(&over(Line::Spi), &payload(), seed).unwrap()
}

#[test]
fn the_driver_gets_every_answer_over_pins() {
    for (seed, cuts, flips) in [(1, 0.0, 0.0), (2, 0.02, 0.005), (3, 0.0, 0.01)] {
        let pins = Bad { board: board(seed), rng: ChaCha8Rng::seed_from_u64(seed), cuts, flips };
        let mut board = Board::open(Spi::new(pins)).unwrap();
        assert_eq!(board.identity(), &identity());
        for round in 0..30u32 {
            let bytes: Vec<u8> =
                (0..3 * (1 + 7 * round % 16)).map(|byte| (byte * 31 + round) as u8 & 3).collect();
            board.write(0, &bytes, true).unwrap();
            assert_eq!(board.read(0, bytes.len() / 3).unwrap(), bytes);
            board.set(1, u64::from(0xc0db ^ round)).unwrap();
            assert_eq!(board.get(1).unwrap(), u64::from(0xc0db ^ round));
        }
        assert!(board.traffic().resent > 0 || flips == 0.0);
    }
}

#[test]
fn a_serial_line_has_no_such_pins() {
    let uart = over(Line::Uart { divisor: 4 });
    let mut board = SimBoard::new(&uart, &payload(), 1).unwrap();
    assert_eq!(board.exchange(&[0]).unwrap_err().to_string(), "a serial line");
}

/// The top with our master at its pins, whose clock takes four cycles a bit.
fn bench() -> Arc<Module> {
    let m = ModuleBuilder::new("simulated_board");
    let master = m.instance("master", &spi::master(0, 2, 8));
    let board = m.instance("board", &hwgen_top(&over(Line::Spi), &payload()).unwrap());
    for pin in ["sclk", "mosi", "cs_n"] {
        board.input(&format!("spi_{pin}"), master.output(pin));
    }
    master.input("miso", board.output("spi_miso"));
    let word = fields([("data", u(8)), ("last", u(1))]);
    master.stream_into("in", m.stream_in("in", &word));
    m.stream_out("out", &master.stream_from("out"));
    for port in ["link_listens", "led_alive", "led_busy", "led_error", "led_result"] {
        m.output(port, board.output(port));
    }
    m.finish()
}

/// In an engine that knows unknown bits.
#[test]
fn a_session_in_icarus() {
    let mut model = model::Board::new(Echo::default(), channels(), identity());
    let mut device = Engine::Icarus.open(&bench(), Initial::Random(1)).unwrap();
    let mut bench = Bench::new(&mut *device);
    let (line, answers) = (bench.driver("in", 0.0, 1), bench.monitor("out", 0.0, 2));
    let (mut expected, mut sent) = (vec![], 0);
    let questions = [
        question(10, 1, 0, 0, &[]),
        question(11, 2, 0, 1, &[1, 2, 3, 0xc0, 0xdb, 3]),
        question(12, 3, 0, 9, &[]),
        question(20, 3, 1, 2, &[]),
    ];
    let mut deframer = Deframer::default();
    for question in questions {
        let answer: Vec<u8> = question.iter().flat_map(|&byte| model.push(Some(byte))).collect();
        // the board works for 2^10 cycles at most, 32 of them a byte
        let look = vec![0xc0; 40 + answer.len()];
        for bytes in [selection(&question), selection(&look)] {
            for (at, byte) in bytes.iter().enumerate() {
                bench.drivers[line].push([*byte, u8::from(at + 1 == bytes.len())]);
            }
            sent += bytes.len();
        }
        expected.extend(answer.into_iter().filter_map(|byte| deframer.push(byte)));
        let done = |bench: &Bench<'_>| bench.monitors[answers].received.len() == sent;
        bench.run_until(60_000, "a look", done).unwrap();
    }
    assert_eq!(bench.monitors[answers].unknown, 0);
    let bytes = bench.monitors[answers].received.iter().map(|beat| u8::try_from(&beat[0]).unwrap());
    let mut deframer = Deframer::default();
    let bodies: Vec<_> = bytes.filter_map(|byte| deframer.push(byte)).collect();
    assert_eq!(bodies, expected);
}
