//! Boards that lie: whatever they answer, the driver ends in time with one clean line.

use crate::settings;
use hwgen_boards::host::cnn::{Inference, hash};
use hwgen_boards::host::{Board, BoardError, Transport};
use hwgen_boards::link::channel::Channels;
use hwgen_boards::link::identity::{IDENTITY_BYTES, Identity, contents};
use hwgen_boards::link::packet::Packet;
use hwgen_boards::link::slip::{Deframer, frame};
use hwgen_designs::cnn::CnnSpec;
use hwgen_designs::generate::Generate;
use hwgen_network::plan::{Budget, Plan, size};
use hwgen_network::zoo;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};

/// What the board makes of its `n`th answer.
type Lie = Box<dyn FnMut(usize, Packet) -> Vec<u8>>;

/// A board that takes all, gives zeros, `last` where it belongs, and then lies.
struct Liar {
    identity: Identity,
    deframer: Deframer,
    back: VecDeque<u8>,
    loaded: Vec<u8>,
    /// Beats of the output that are left of the packet.
    left: usize,
    beats: usize,
    answers: usize,
    lie: Lie,
}

impl Liar {
    fn answer(&mut self, question: &Packet) -> Packet {
        match question.kind {
            1 => {
                let told = Identity { contents: contents(&self.loaded), ..self.identity.clone() };
                question.answer(0, false, told.bytes().to_vec())
            }
            2 => {
                let beat = self.identity.incoming[usize::from(question.channel)];
                if question.channel == 1 {
                    self.loaded.extend(&question.data);
                }
                question.answer(question.data.len() as u8 / beat, false, vec![])
            }
            3 => {
                let beat = usize::from(self.identity.outgoing[usize::from(question.channel)]);
                let mut beats = usize::from(question.argument).min(192 / beat);
                let mut last = false;
                if question.channel == 0 {
                    beats = beats.min(self.left);
                    self.left -= beats;
                    last = self.left == 0;
                    if last {
                        self.left = self.beats;
                    }
                }
                question.answer(beats as u8, last, vec![0; beats * beat])
            }
            _ => {
                self.loaded.clear();
                question.answer(0, false, vec![])
            }
        }
    }
}

impl Transport for Liar {
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        for &byte in bytes {
            let body = self.deframer.push(byte);
            if let Some(question) = body.and_then(|body| Packet::read(&body)) {
                let answer = self.answer(&question);
                self.answers += 1;
                self.back.extend((self.lie)(self.answers, answer));
            }
        }
        Ok(())
    }

    fn receive(&mut self, bytes: &mut [u8], _: Duration) -> io::Result<usize> {
        let count = self.back.len().min(bytes.len());
        for (place, byte) in bytes.iter_mut().zip(self.back.drain(..count)) {
            *place = byte;
        }
        Ok(count)
    }

    fn reconnect(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn travel(&self, _: usize) -> Duration {
        Duration::ZERO
    }
}

fn keywords() -> (CnnSpec, Plan) {
    let budget = Budget::within(18);
    size(&zoo::kws_mini(5), budget).unwrap()
}

/// All that `hwgen run --load` asks a board.
fn infer(of: &(CnnSpec, Plan), lie: Lie) -> Result<Vec<Vec<i16>>, BoardError> {
    let (spec, plan) = of;
    let channels = Channels::of(&spec.build()).unwrap();
    let identity = Identity::new(CnnSpec::NAME, hash(spec), 12_000_000, &channels);
    let beats = (plan.outputs[0].place.bytes() as usize).div_ceil(spec.results as usize);
    let liar = Liar {
        identity,
        deframer: Deframer::default(),
        back: VecDeque::new(),
        loaded: vec![],
        left: beats,
        beats,
        answers: 0,
        lie,
    };
    let board = Board::open_with(liar, settings())?;
    let mut inference = Inference::new(board, spec, plan.clone())?;
    inference.load(|_, _| ())?;
    inference.counters()?;
    let outputs = inference.infer(&[3; 490])?;
    inference.counters()?;
    Ok(outputs)
}

fn said(of: &(CnnSpec, Plan), lie: impl FnMut(usize, Packet) -> Vec<u8> + 'static) -> String {
    infer(of, Box::new(lie)).unwrap_err().to_string()
}

/// What is said of a board that changes its answers so.
fn changed(of: &(CnnSpec, Plan), mut change: impl FnMut(&mut Packet) + 'static) -> String {
    said(of, move |_, mut answer| {
        change(&mut answer);
        sound(&answer)
    })
}

fn sound(packet: &Packet) -> Vec<u8> {
    frame(&packet.body())
}

#[test]
fn lies_are_told_in_a_line() {
    let of = keywords();
    let honest = infer(&of, Box::new(|_, answer| sound(&answer))).unwrap();
    assert_eq!(honest, [vec![0; 12]]);
    let output = |answer: &Packet| answer.kind == 0x83 && answer.data.len() > 4;
    let early = changed(&of, move |answer| {
        if output(answer) {
            answer.channel -= 1;
            answer.data.truncate(usize::from(answer.channel) * answer.data.len() / 12);
        }
    });
    assert!(early.starts_with("the board ended early: "), "{early}");
    let more = changed(&of, move |answer| {
        if output(answer) {
            answer.argument = 0;
        }
    });
    assert!(more.starts_with("the board sends more than asked for: "), "{more}");
    let unasked = changed(&of, |answer| {
        if answer.kind == 0x83 {
            let beat = answer.data.len() / usize::from(answer.channel).max(1);
            answer.channel += 1;
            answer.data.extend(vec![0; beat]);
        }
    });
    assert!(unasked.contains("1 asked for"), "{unasked}");
    // bytes of its identity
    let other = |at: usize, change: fn(u8) -> u8| {
        changed(&of, move |answer| {
            if answer.kind == 0x81 {
                answer.data[at] = change(answer.data[at]);
            }
        })
    };
    let network = other(51, |byte| byte ^ 1);
    assert!(network.starts_with("the board holds another network: its contents are "), "{network}");
    let wide = other(12, |_| 255);
    assert_eq!(wide, "the board's answer makes no sense: its identity is none");
    let old = other(0, |_| 1);
    let text = "the board speaks version 1 of the protocol, this is version 2";
    assert!(old.starts_with(text), "{old}");
    let silent = said(&of, |at, answer| if at > 3 { vec![] } else { sound(&answer) });
    assert!(silent.contains("nothing was heard"), "{silent}");
    let babbling = said(&of, |_, _| vec![0x55; 100_000]);
    assert!(babbling.contains("bytes came that are no answers"), "{babbling}");
    let endless = said(&of, |_, answer| sound(&Packet { sequence: 0, ..answer }).repeat(10_000));
    assert!(endless.starts_with("the board does not answer: "), "{endless}");
}

/// One malformed answer, of every kind that a random byte makes.
fn mutate(mut packet: Packet, rng: &mut ChaCha8Rng) -> Vec<u8> {
    let odd = |rng: &mut ChaCha8Rng| *[0, 1, 2, 127, 128, 191, 192, 254, 255].choose(rng).unwrap();
    match rng.random_range(0..9) {
        0 => {
            packet.kind =
                *[0, 1, 0x7f, 0x80, 0x81, 0x82, 0x83, 0x84, 0xe0, 0xe1, 0xff].choose(rng).unwrap()
        }
        1 => packet.channel = odd(rng),
        2 => packet.argument = odd(rng),
        3 => packet.data = vec![odd(rng); usize::from(odd(rng)).min(192)],
        4 => packet.data.truncate(rng.random_range(0..=packet.data.len())),
        5 if !packet.data.is_empty() => {
            let at = rng.random_range(0..packet.data.len());
            packet.data[at] = odd(rng);
        }
        6 => {
            let mut body = packet.body();
            let at = rng.random_range(0..body.len());
            body[at] ^= 1 << rng.random_range(0..8);
            return frame(&body);
        }
        7 => {
            let mut wire = sound(&packet);
            wire.truncate(rng.random_range(0..wire.len()));
            return wire;
        }
        _ => return (0..rng.random_range(0..600)).map(|_| rng.random()).collect(),
    }
    sound(&packet)
}

#[test]
fn every_malformed_answer_gives_one_clean_line() {
    let of = keywords();
    let (mut told, mut right) = (0, 0);
    for seed in 0..100 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        // from its first answers on, or once most is done; now and then, or always
        let first = [1, 2, 3, 10, 60, 190][rng.random_range(0..6)];
        let rate = [0.02, 0.3, 1.0][rng.random_range(0..3)];
        let began = Instant::now();
        let result = infer(
            &of,
            Box::new(move |at, answer| match at >= first && rng.random_bool(rate) {
                true => mutate(answer, &mut rng),
                false => sound(&answer),
            }),
        );
        assert!(began.elapsed() < Duration::from_secs(10), "seed {seed}");
        match result {
            Ok(_) => right += 1,
            Err(error) => {
                let line = error.to_string();
                assert!(!line.is_empty() && !line.contains(char::is_control), "{seed}: {line:?}");
                told += 1;
            }
        }
    }
    assert!(told > 30 && right > 3, "{told} told, {right} right");
    // names and sizes of whatever bytes
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    for _ in 0..2000 {
        let mut bytes: Vec<u8> = (0..IDENTITY_BYTES).map(|_| rng.random()).collect();
        bytes[..3].copy_from_slice(&[2, rng.random_range(0..20), rng.random_range(0..20)]);
        if let Some(identity) = Identity::read(&bytes) {
            assert!(!identity.design.contains(char::is_control), "{identity:?}");
        }
    }
}
