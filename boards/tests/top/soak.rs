//! Random packets, sound and not, for long: the top answers as the model does, byte for byte, and
//! nothing grows.

use super::echo::{Echo, channels, identity};
use super::{Heard, over, payload};
use hwgen_boards::link::model::Board;
use hwgen_boards::link::packet::Packet;
use hwgen_boards::link::slip::{Deframer, frame};
use hwgen_boards::link::{END, ESCAPE, UNKNOWN};
use hwgen_boards::sim::SimBoard;
use hwgen_boards::sim::faults::Faults;
use hwgen_boards::top::Line;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const UART: Line = Line::Uart { divisor: 4 };

/// A host that does everything, right and wrong.
struct Soak {
    line: Line,
    sim: SimBoard,
    heard: Heard,
    /// The latest byte was within a frame.
    in_frame: bool,
    model: Board<Echo>,
    rng: ChaCha8Rng,
    faults: Faults,
    session: u8,
    sequence: u8,
    latest: Vec<u8>,
    /// Answers, refusals and packets that got neither.
    counts: [u64; 3],
}

impl Soak {
    fn new(line: Line, seed: u64) -> Soak {
        Soak {
            line,
            sim: SimBoard::new(&over(line), &payload(), seed).unwrap(),
            heard: Heard::over(line),
            in_frame: false,
            model: Board::new(Echo::default(), channels(), identity()),
            rng: ChaCha8Rng::seed_from_u64(seed),
            faults: Faults::new(0.03, seed),
            session: 0,
            sequence: 0,
            latest: vec![],
            counts: [0; 3],
        }
    }

    fn data(&mut self, most: usize) -> Vec<u8> {
        let length = match self.rng.random_range(0..4) {
            0 => self.rng.random_range(0..=most),
            1 => 3 * self.rng.random_range(0..=most.min(48) / 3),
            _ => self.rng.random_range(0..=most.min(12)),
        };
        (0..length).map(|_| self.byte()).collect()
    }

    fn byte(&mut self) -> u8 {
        if self.rng.random_bool(0.1) {
            return *[END, ESCAPE, 0xdc, 0xdd].choose(&mut self.rng).unwrap();
        }
        self.rng.random()
    }

    /// The next question of the session, or a new session.
    fn question(&mut self) -> Packet {
        let kind = *[1, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 4].choose(&mut self.rng).unwrap();
        let (channel, argument) = (self.rng.random_range(0..2), self.rng.random());
        let data = if kind == 2 || self.rng.random_bool(0.1) { self.data(192) } else { vec![] };
        let sequence = self.sequence.wrapping_add(1);
        let mut packet = Packet { session: self.session, sequence, kind, channel, argument, data };
        if kind == 1 && self.rng.random_bool(0.5) {
            (packet.session, packet.sequence) = (self.rng.random(), self.rng.random());
        }
        packet
    }

    /// Bytes for the line; `None` is a break.
    fn bytes(&mut self) -> Vec<Option<u8>> {
        let question = self.question();
        let wire = match self.rng.random_range(0..100) {
            0..60 => frame(&question.body()),
            60..70 => self.latest.clone(),
            70..78 => {
                let sequence = self.rng.random();
                let session = if self.rng.random() { self.rng.random() } else { self.session };
                frame(&Packet { session, sequence, ..question }.body())
            }
            78..83 => {
                let (kind, channel) = (self.rng.random_range(0..8), self.rng.random_range(0..20));
                frame(&Packet { kind, channel, ..question }.body())
            }
            83..93 => {
                let wire = frame(&question.body());
                wire.into_iter().flat_map(|byte| self.faults.pass(byte)).collect()
            }
            93..95 => (0..self.rng.random_range(0..40)).map(|_| self.byte()).collect(),
            95..97 => frame(&self.forged()),
            // shorter than END, escaped wrongly, longer than all
            97 => vec![END, ESCAPE, self.byte(), END],
            98 => vec![self.byte(); self.rng.random_range(190..300)],
            _ if self.rng.random() => return vec![None],
            // a zero of a sound frame, but its stop bit is wrong
            _ => {
                let wire = frame(&question.body());
                let zero = wire.iter().position(|&byte| byte == 0);
                let byte = |(at, byte)| if Some(at) == zero { None } else { Some(byte) };
                return wire.into_iter().enumerate().map(byte).collect();
            }
        };
        self.latest.clone_from(&wire);
        wire.into_iter().map(Some).collect()
    }

    /// A body whose CRC fits, and whose length does not, or hardly.
    fn forged(&mut self) -> Vec<u8> {
        let mut body = self.question().body();
        body.truncate(body.len() - 4);
        match self.rng.random_range(0..3) {
            0 => body.truncate(self.rng.random_range(0..7)),
            1 => body[3] = self.rng.random(),
            _ => body.resize(self.rng.random_range(196..=204), 0),
        }
        if body.len() > 3 && self.rng.random() {
            // true modulo 256, for bodies shorter than a header, too
            body[3] = (body.len() as u8).wrapping_sub(6);
        }
        body.extend(crc32fast::hash(&body).to_le_bytes());
        body
    }

    /// Sends a packet, or what looks a little like one.
    fn step(&mut self, number: u64) {
        let bytes = self.bytes();
        let mut heard = false;
        for (at, byte) in bytes.iter().enumerate() {
            match byte {
                Some(byte) => self.sim.send(*byte),
                None => self.sim.break_line(),
            }
            let expected = self.model.push(*byte);
            let expected = self.heard.of(expected);
            self.in_frame = byte.map_or(self.in_frame, |byte| byte != END);
            if self.line == Line::Spi && !self.in_frame {
                // fillers follow
                assert!(self.model.push(Some(END)).is_empty());
            }
            if expected.is_empty() && at + 1 < bytes.len() {
                continue;
            }
            // while it works it hears nothing: what follows comes later
            let answer = self.sim.settle();
            assert_eq!(answer, expected, "packet {number}, byte {at} of {bytes:02x?}");
            heard |= !answer.is_empty();
            self.note(&answer);
        }
        self.counts[2] += u64::from(!heard);
    }

    fn note(&mut self, answer: &[u8]) {
        let mut deframer = Deframer::default();
        for packet in answer.iter().filter_map(|&byte| deframer.push(byte)) {
            let packet = Packet::read(&packet).expect("an answer that is a packet");
            let refused = (0xe0..=UNKNOWN).contains(&packet.kind);
            self.counts[usize::from(refused)] += 1;
            if !refused {
                (self.session, self.sequence) = (packet.session, packet.sequence);
            }
        }
    }
}

/// Resident memory of this process in KiB, where the system tells.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[test]
fn random_packets() {
    for seed in 1..=4 {
        let line = if seed % 2 == 0 { Line::Spi } else { UART };
        let mut soak = Soak::new(line, seed);
        (0..400).for_each(|number| soak.step(number));
        assert!(soak.counts.iter().all(|count| *count > 10), "{:?}", soak.counts);
    }
}

/// Bodies shorter than a header whose CRC fits, and whose fourth byte, be it of the CRC, is the length that
/// they would have modulo 256.
#[test]
fn short_bodies_that_seem_true() {
    let mut soak = Soak::new(UART, 5);
    let mut sent = [0; 6];
    for number in 0..30_000u32 {
        let said = number.to_le_bytes();
        let length = soak.rng.random_range(1..6usize);
        let mut body = [said, [0xff, 0, 0, 0]].concat()[..length].to_vec();
        let seeming = (length as u8).wrapping_sub(6);
        if length > 3 {
            body[3] = seeming;
        }
        body.extend(crc32fast::hash(&body).to_le_bytes());
        // a few of each kind
        if body[3] != seeming || sent[length] == 12 {
            continue;
        }
        sent[length] += 1;
        frame(&body).into_iter().for_each(|byte| soak.sim.send(byte));
        assert!(soak.sim.settle().is_empty(), "{body:02x?}");
    }
    // of one byte there is none, which spares the circuit a comparison
    let seems = |byte: u8| crc32fast::hash(&[byte]).to_le_bytes()[2] == 0xfb;
    assert!(!(0..=255).any(seems) && sent[2..].iter().all(|sent| *sent == 12), "{sent:?}");
}

#[test]
#[ignore = "a minute: cargo xtask bars link"]
fn a_hundred_thousand_packets() {
    let mut soak = Soak::new(UART, 99);
    (0..2000).for_each(|number| soak.step(number));
    let before = resident();
    const PACKETS: u64 = 102_000;
    (2000..PACKETS).for_each(|number| soak.step(number));
    let grown = before.zip(resident()).map(|(before, after)| after.saturating_sub(before));
    assert!(grown.is_none_or(|grown| grown < 4096), "memory grew by {grown:?} KiB");
    let [answered, refused, dropped] = soak.counts;
    let cycles = soak.sim.cycles();
    println!(
        "link: {PACKETS} packets as the model, {answered} answers, {refused} refusals, \
         {dropped} unanswered, {cycles} cycles, memory grew by {} KiB",
        grown.unwrap_or(0),
    );
}
