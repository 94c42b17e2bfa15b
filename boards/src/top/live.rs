//! A board that listens: the microphone's samples become features, the features a class, four times
//! a second; its word goes out on the serial line, its number onto the LEDs.
//!
//! ```text
//! mic_data -> pdm -> listen -> bytes -> cnn, baked -> largest -> word -> transmitter -> uart_tx
//!                                                         +----> leds
//! ```

use hwgen_designs::cnn::CnnSpec;
use hwgen_designs::generate::Generate;
use hwgen_designs::speech::listen::ListenSpec;
use hwgen_hdl::lib::{microphone, synchronizer::synchronize, uart};
use hwgen_hdl::{Bundle, Module, ModuleBuilder, Signal, Stream, bits_for, cat, index_bits, s, u};
use hwgen_network::plan::{Plan, Port};
use std::sync::Arc;
use thiserror::Error;

/// Characters of a word, its end of line among them, are a power of two of bytes in memory.
const WORD_BITS: u32 = 4;

/// Samples a second that the front end is made for.
const SAMPLE_HZ: u32 = 16_000;

/// What listens.
#[derive(Debug)]
pub struct Live<'l> {
    /// The core.
    pub spec: &'l CnnSpec,
    /// The network on it: it takes the listener's features and gives a score a class.
    pub plan: &'l Plan,
    /// The ear.
    pub listen: ListenSpec,
    /// A word a class: letters, digits and `_`.
    pub words: Vec<String>,
    /// Half a period of the microphone's clock, in cycles, and pulses of a sample.
    pub pulses: Pulses,
    /// Cycles of a bit of the serial line.
    pub divisor: u32,
}

/// How samples are made of pulses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pulses {
    /// Cycles of half a period of the microphone's clock.
    pub half_period: u32,
    /// Pulses of a sample.
    pub decimation: u32,
}

impl Pulses {
    /// The samples nearest to 16,000 a second that a clock can give, of 64 to 160 pulses each: 1 to
    /// 2.6 MHz, what microphones take.
    pub fn of(clock_hz: u32) -> Pulses {
        let cycles = f64::from(clock_hz) / f64::from(SAMPLE_HZ);
        let of = |half_period: u32| {
            let decimation =
                (cycles / f64::from(2 * half_period)).round().clamp(32.0, 256.0) as u32;
            Pulses { half_period, decimation }
        };
        let off = |pulses: &Pulses| {
            let made = f64::from(2 * pulses.half_period * pulses.decimation);
            let fits = (64..=160).contains(&pulses.decimation);
            (made - cycles).abs() + if fits { 0.0 } else { f64::INFINITY }
        };
        let choices = (2..=256).map(of);
        choices.min_by(|a, b| off(a).total_cmp(&off(b))).unwrap_or(of(2))
    }

    /// Samples a second.
    pub fn sample_hz(&self, clock_hz: u32) -> f64 {
        f64::from(clock_hz) / f64::from(2 * self.half_period * self.decimation)
    }
}

/// Why a network cannot listen.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LiveError {
    /// It does not take what the listener gives.
    #[error("the network takes {takes} numbers{how}, the listener gives {gives}")]
    Input {
        /// Elements of its inputs.
        takes: usize,
        /// What is odd about them.
        how: &'static str,
        /// Features of a clip.
        gives: usize,
    },
    /// It gives more than scores.
    #[error("the network gives {0} numbers: a score for each of 1 to 256 classes is wanted")]
    Output(usize),
    /// It gives sums, whose bytes nothing puts together here.
    #[error("the network gives sums: quantize the result of its last layer to 8 bits")]
    Sums,
    /// Words that are none, or too few.
    #[error("{given} words for {classes} classes: one each, of at most 14 letters, digits or `_`")]
    Words {
        /// How many.
        given: usize,
        /// Classes.
        classes: usize,
    },
    /// A core whose memories cannot be filled from the start.
    #[error("memories of one port cannot hold a network from the start: leave out --single-port")]
    SinglePort,
}

impl Live<'_> {
    /// Module `hwgen_live`, with the ports of a board that has a microphone; `leds` show the class.
    ///
    /// # Errors
    /// A network that does not go between the listener and a word.
    pub fn build(&self) -> Result<Arc<Module>, LiveError> {
        let classes = self.check()?;
        let m = ModuleBuilder::new("hwgen_live");
        m.doc("Listens: the word that was heard goes out at uart_tx, its number onto the LEDs.");
        let Pulses { half_period, decimation } = self.pulses;
        let ear = m.instance("microphone", &microphone::pdm(half_period, decimation));
        ear.input("pdm", m.input("mic_data", u(1)));
        m.output("mic_clk", ear.output("clk_out"));
        let listener = m.instance("listener", &self.listen.build());
        listener.stream_into("samples", ear.stream_from("out"));

        let core = m.instance("core", &self.spec.build_with(&self.plan.image));
        core.input("status_address", m.lit(u(self.spec.status_bits()), 0));
        core.stream_into("in", beats(&m, self.spec.results, &listener.stream_from("out")));
        let out = core.stream_from("out");
        let (class, known) = largest(&m, self.spec.results, classes, &out);
        let line = m.instance("line", &uart::transmitter(self.divisor));
        let free = speak(&m, &self.words, (class, known), &line);
        out.ready.drive(free);
        m.output("uart_tx", line.output("tx"));

        // the lowest LED is lit while something comes in at the serial line
        let rx = synchronize(m.domain(), "rx", m.input("uart_rx", u(1)), 2, 1);
        let lost = m.reg("sample_lost", u(1)).next(m.lit(u(1), 1)).enable(ear.output("overrun"));
        let shown = m.reg("shown", u(4)).next(class.resize(4)).enable(known);
        m.output("leds", cat(&[*shown, *lost, core.output("waiting"), !rx]));
        Ok(m.finish())
    }

    fn check(&self) -> Result<u32, LiveError> {
        if self.spec.single_port {
            return Err(LiveError::SinglePort);
        }
        let elements =
            |port: &Port| (port.place.height * port.place.width * port.place.channels) as usize;
        let takes: usize = self.plan.inputs.iter().map(elements).sum();
        let gives = (self.listen.front.frames * self.listen.front.coefficients) as usize;
        let apart = self.plan.inputs.iter().any(|port| port.place.pitch != port.place.channels);
        if takes != gives || apart || self.plan.inputs.len() != 1 {
            let how = if apart { ", with room between them" } else { "" };
            return Err(LiveError::Input { takes, how, gives });
        }
        if self.plan.outputs.iter().any(|port| port.sums) {
            return Err(LiveError::Sums);
        }
        let classes: usize = self.plan.outputs.iter().map(elements).sum();
        if !(1..=256).contains(&classes) || self.plan.outputs.len() != 1 {
            return Err(LiveError::Output(classes));
        }
        let fine = |word: &String| {
            let letter = |c: char| c.is_ascii_alphanumeric() || c == '_';
            (1..=14).contains(&word.len()) && word.chars().all(letter)
        };
        let given = self.words.iter().filter(|word| fine(word)).count();
        if given != classes || given != self.words.len() {
            return Err(LiveError::Words { given, classes });
        }
        Ok(classes as u32)
    }
}

/// Features, a byte each, as beats of so many bytes, the first lowest; a clip's last beat may have
/// bytes that stand for nothing.
fn beats<'m>(m: &'m ModuleBuilder, results: u32, features: &Stream<'m>) -> Stream<'m> {
    let byte = features.get("value").as_unsigned();
    if results == 1 {
        let payload = Bundle::new([("data", byte), ("last", features.get("last"))]);
        return features.with_payload(payload);
    }
    let place = m.reg("byte_place", u(results.ilog2()));
    let whole = m.reg("beat_whole", u(1));
    let last = m.reg("beat_last", u(1)).no_reset();
    let bytes = (0..results).map(|n| {
        let here = place.eq(n);
        let taken = m.wire(format!("byte_{n}_taken"), u(1));
        taken.drive(features.fires() & here);
        *m.reg(format!("beat_byte_{n}"), u(8)).no_reset().next(byte).enable(*taken)
    });
    let bytes: Vec<_> = bytes.collect();
    let data = cat(&bytes.into_iter().rev().collect::<Vec<_>>());
    let out = Stream::source(m, "beat", *whole, Bundle::new([("data", data), ("last", *last)]));
    features.ready.drive(!*whole);
    let comes = features.fires();
    let ends = (comes & (features.get("last") | place.eq(results - 1))).named("beat_ends");
    place.next(*place + 1).enable(comes).clear(ends);
    last.next(features.get("last")).enable(ends);
    whole.next(ends).enable(ends | out.fires());
    out
}

/// The place of the largest of all scores, the first of equals; and when it is known.
fn largest<'m>(
    m: &'m ModuleBuilder,
    results: u32,
    classes: u32,
    out: &Stream<'m>,
) -> (Signal<'m>, Signal<'m>) {
    let fires = out.fires();
    let ends = (fires & out.get("last")).named("scores_end");
    let chunks = classes.div_ceil(results);
    let at = m.reg("score_beat", u(index_bits(chunks as usize))).enable(fires).clear(ends);
    at.next(*at + 1);
    let data = out.get("data");
    let wide = s(9);
    let (best, class) =
        (m.reg("best_score", wide).no_reset(), m.reg("best_class", u(8)).no_reset());
    let none = m.lit(wide, -256);
    let mut score = at.eq(0).mux(none, *best);
    let mut found = *class;
    for n in 0..results {
        let own = data.slice(8 * n + 7, 8 * n).as_signed().extend(9);
        let number = (at.resize(16) * results + n).truncate(8).named(format!("class_{n}"));
        let counts = (at.resize(16) * results + n).lt(classes);
        let better = (counts & own.gt(score)).named(format!("better_{n}"));
        (score, found) = (better.mux(own, score), better.mux(number, found));
    }
    best.next(score).enable(fires);
    class.next(found).enable(fires);
    (found.named("heard"), ends)
}

/// Sends a class's word and an end of line; returns whether there is room for another.
fn speak<'m>(
    m: &'m ModuleBuilder,
    words: &[String],
    (class, known): (Signal<'m>, Signal<'m>),
    line: &hwgen_hdl::build::InstanceBuilder<'m>,
) -> Signal<'m> {
    let length = 1usize << WORD_BITS;
    let letters = words.iter().flat_map(|word| {
        let ended = word.bytes().chain(*b"\n").chain(std::iter::repeat(0));
        ended.take(length).collect::<Vec<_>>()
    });
    let memory = m.memory("words", length * words.len(), u(8));
    let memory = memory.init(letters.map(hwgen_hdl::Int::from));
    let place = m.reg("letter_place", u(WORD_BITS));
    let word = m.reg("word", u(8)).no_reset().next(class).enable(known);
    let (speaks, holds) = (m.reg("speaks", u(1)), m.reg("letter_holds", u(1)));
    let fetched = m.reg("letter_fetched", u(1));
    let fetches = (*speaks & !*holds & !*fetched).named("letter_fetches");
    fetched.next(fetches);
    let bits = bits_for(length as u64 * words.len() as u64);
    let address = word.cat(*place).resize(bits.max(memory.address_type().width));
    let letter = memory.read_sync(address.truncate(memory.address_type().width), fetches);
    let beat = Stream::source(m, "letter", *holds, Bundle::new([("data", letter)]));
    let goes = beat.fires();
    line.stream_into("in", beat);
    let over = (goes & letter.eq(u32::from(b'\n'))).named("word_over");
    holds.next(*fetched).enable(*fetched | goes);
    place.next(*place + 1).enable(goes).clear(over);
    speaks.next(known).enable(known | over);
    !*speaks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_come_nearly_as_often_as_the_front_end_wants() {
        for mhz in [12, 24, 25, 27, 48, 50, 100] {
            let pulses = Pulses::of(mhz * 1_000_000);
            let rate = pulses.sample_hz(mhz * 1_000_000);
            assert!((rate - 16_000.0).abs() < 160.0, "{mhz} MHz: {pulses:?}, {rate} samples");
        }
    }
}
