//! A network on the core `cnn`, behind the link.

use super::{Board, BoardError, Transport};
use crate::link::channel::{ChannelError, Channels};
use crate::link::identity::{Identity, contents, spec_hash};
use hwgen_designs::cnn::CnnSpec;
use hwgen_designs::generate::Generate;
use hwgen_network::plan::{Plan, Port};

/// What the core counts, as `docs/cnn.md` has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counters {
    /// The program waits for an input.
    pub waiting: bool,
    /// The program was started.
    pub started: bool,
    /// Inferences done.
    pub inferences: u32,
    /// Cycles of the latest.
    pub latest_cycles: u32,
    /// Cycles since the reset, modulo 2^32.
    pub cycles: u32,
    /// Steps of the array since the reset, of so many products each as the core makes in a cycle, and
    /// how many of them had two weights a lane (else half of those products); if the core counts them.
    pub steps: Option<[u32; 2]>,
}

/// Numbers of the core's channels.
#[derive(Debug, Clone, Copy)]
struct Numbers {
    input: u8,
    load: u8,
    output: u8,
    address: u8,
    status: u8,
}

/// A board with the core and a network on it.
pub struct Inference<T> {
    board: Board<T>,
    spec: CnnSpec,
    plan: Plan,
    numbers: Numbers,
    /// The words that make the network, the check of their bytes.
    words: Vec<(u32, bool)>,
    contents: u32,
}

/// The hash of a core's specification, as its identity has it.
///
/// # Panics
/// Never: a specification is plain numbers.
pub fn hash(spec: &CnnSpec) -> u32 {
    spec_hash(&serde_json::to_string(spec).expect("a specification is plain numbers"))
}

fn channels(spec: &CnnSpec) -> Result<Channels, BoardError> {
    let no_place = |error: ChannelError| BoardError::Answer { what: error.to_string() };
    Channels::of(&spec.build()).map_err(no_place)
}

fn numbers(channels: &Channels) -> Result<Numbers, BoardError> {
    let no = |name: &str| BoardError::NoChannel { channel: name.to_owned() };
    let incoming = |name: &str| channels.incoming(name).ok_or_else(|| no(name));
    let outgoing = |name: &str| channels.outgoing(name).ok_or_else(|| no(name));
    Ok(Numbers {
        input: incoming("in")?,
        load: incoming("load")?,
        output: outgoing("out")?,
        address: incoming("status_address")?,
        status: outgoing("status")?,
    })
}

impl<T: Transport> Inference<T> {
    /// Takes a board whose core is of this size. What the core holds is another question:
    /// [`Inference::expect_network`].
    ///
    /// # Errors
    /// The board has another design, or a core of another size.
    pub fn new(board: Board<T>, spec: &CnnSpec, plan: Plan) -> Result<Inference<T>, BoardError> {
        board.expect(CnnSpec::NAME, hash(spec))?;
        let channels = channels(spec)?;
        let ours = Identity::new(CnnSpec::NAME, hash(spec), 0, &channels);
        let Identity { incoming, outgoing, .. } = board.identity();
        if (incoming, outgoing) != (&ours.incoming, &ours.outgoing) {
            let what = "its channels are not those of the core that it says it has".into();
            return Err(BoardError::Answer { what });
        }
        let words = plan.image.load(spec);
        let bytes: Vec<u8> = words.iter().flat_map(|(word, _)| word.to_le_bytes()).collect();
        let (numbers, contents) = (numbers(&channels)?, contents(&bytes));
        Ok(Inference { board, spec: spec.clone(), plan, numbers, words, contents })
    }

    /// The board.
    pub fn board(&mut self) -> &mut Board<T> {
        &mut self.board
    }

    /// The network on the core.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// [`contents`] of a core that holds the network.
    pub fn contents(&self) -> u32 {
        self.contents
    }

    /// Checks that the core holds this network, its program, weights and tables, as far as the board's identity told.
    ///
    /// # Errors
    /// It holds another, or none.
    pub fn expect_network(&self) -> Result<(), BoardError> {
        let (found, wanted) = (self.board.identity().contents, self.contents);
        if found == wanted { Ok(()) } else { Err(BoardError::OtherContents { found, wanted }) }
    }

    /// Resets the core and loads the network, then asks the board whether it has it; `told` hears how
    /// many of how many words are there.
    ///
    /// # Errors
    /// The board does not answer, the core does not take the words, or other words arrived.
    pub fn load(&mut self, mut told: impl FnMut(usize, usize)) -> Result<(), BoardError> {
        self.board.reset()?;
        let (words, mut done) = (&self.words, 0);
        for packet in words.split_inclusive(|(_, last)| *last) {
            let bytes: Vec<u8> = packet.iter().flat_map(|(word, _)| word.to_le_bytes()).collect();
            // a part at a time, so that there is something to tell
            let parts = bytes.chunks(4096);
            let count = parts.len();
            for (at, part) in parts.enumerate() {
                self.board.write(self.numbers.load, part, at + 1 == count)?;
                done += part.len() / 4;
                told(done, words.len());
            }
        }
        // another session tells what the core holds now
        self.board.reopen()?;
        self.expect_network()
    }

    /// Runs the network on its inputs, one tensor after the other; returns its outputs, sums as their bytes
    /// (`Tensor::integers` puts them together).
    ///
    /// # Errors
    /// An input of another size; the board does not answer, or the core stands still.
    pub fn infer(&mut self, inputs: &[i16]) -> Result<Vec<Vec<i16>>, BoardError> {
        self.feed(inputs)?;
        self.results()
    }

    /// Sends the network's inputs.
    ///
    /// # Errors
    /// An input of another size; the board does not answer, or the core does not take it.
    pub fn feed(&mut self, inputs: &[i16]) -> Result<(), BoardError> {
        let wanted: usize = self.plan.inputs.iter().map(elements).sum();
        if inputs.len() != wanted {
            return Err(BoardError::Input { given: inputs.len(), wanted });
        }
        let mut rest = inputs;
        for port in &self.plan.inputs {
            let (own, others) = rest.split_at(elements(port));
            rest = others;
            let own: Vec<i32> = own.iter().map(|&element| element.into()).collect();
            let mut bytes: Vec<u8> = port.bytes(&own).iter().map(|&byte| byte as u8).collect();
            bytes.resize(self.beats(port) * self.spec.results as usize, 0);
            self.board.write(self.numbers.input, &bytes, true)?;
        }
        Ok(())
    }

    /// Waits for the network's outputs; see [`Inference::infer`].
    ///
    /// # Errors
    /// The board does not answer, the core stands still, or an output is shorter or longer than it must be.
    pub fn results(&mut self) -> Result<Vec<Vec<i16>>, BoardError> {
        // all outputs are one packet: the program's last beat has `last`
        let beats = self.plan.outputs.iter().map(|port| self.beats(port));
        let counts: Vec<usize> = beats.collect();
        let bytes = self.board.read_packet(self.numbers.output, counts.iter().sum())?;
        let bytes: Vec<i8> = bytes.iter().map(|&byte| byte as i8).collect();
        let (mut rest, mut outputs) = (bytes.as_slice(), vec![]);
        for (port, beats) in self.plan.outputs.iter().zip(counts) {
            let (own, others) = rest.split_at(beats * self.spec.results as usize);
            rest = others;
            outputs.push(port.elements(own).iter().map(|&element| element as i16).collect());
        }
        Ok(outputs)
    }

    /// Checks that the core gives no more than the outputs that were read.
    ///
    /// # Errors
    /// It does, or the board does not answer.
    pub fn finish(&mut self) -> Result<(), BoardError> {
        let (channel, wanted) = (self.numbers.output, 0);
        let (more, _) = self.board.read_some(channel, 1)?;
        if more.is_empty() { Ok(()) } else { Err(BoardError::SendsMore { channel, wanted }) }
    }

    /// What the core counts.
    ///
    /// # Errors
    /// The board does not answer.
    pub fn counters(&mut self) -> Result<Counters, BoardError> {
        let state = self.status(0)?;
        Ok(Counters {
            waiting: state & 1 == 1,
            started: state & 2 == 2,
            inferences: self.status(1)?,
            latest_cycles: self.status(2)?,
            cycles: self.status(3)?,
            steps: match self.spec.counters {
                true => Some([self.status(4)?, self.status(5)?]),
                false => None,
            },
        })
    }

    /// Cycles since the core's reset, modulo 2^32.
    ///
    /// # Errors
    /// The board does not answer.
    pub fn cycles(&mut self) -> Result<u32, BoardError> {
        self.status(3)
    }

    fn status(&mut self, which: u64) -> Result<u32, BoardError> {
        self.board.set(self.numbers.address, which)?;
        Ok(self.board.get(self.numbers.status)? as u32)
    }

    fn beats(&self, port: &Port) -> usize {
        port.place.bytes().div_ceil(self.spec.results) as usize
    }
}

fn elements(port: &Port) -> usize {
    (port.place.height * port.place.width * port.place.channels) as usize
}

/// The class of scores: the largest, the first of equals.
pub fn class(scores: &[i16]) -> Option<usize> {
    let largest = scores.iter().max()?;
    scores.iter().position(|score| score == largest)
}
