//! A board that listens: pulses of a microphone in, words out of the serial line, against the
//! filter's definition, the listener's golden model and the network's interpreter.

use hwgen_boards::top::live::{Live, LiveError, Pulses};
use hwgen_designs::speech::listen::ListenSpec;
use hwgen_designs::speech::listen::golden::clips;
use hwgen_designs::speech::mfcc::MfccSpec;
use hwgen_hdl::sim::{Engine, Simulator};
use hwgen_network::interpret::Interpreter;
use hwgen_network::plan::{Budget, size};
use hwgen_network::zoo;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const DIVISOR: u32 = 4;

/// What the word of a class is.
fn words() -> Vec<String> {
    (0..12).map(|class| format!("word_{class}")).collect()
}

/// Three integrators, three combs, as `docs/listen.md` has them.
fn filtered(pulses: &[bool], decimation: usize) -> Vec<i16> {
    let mut row: Vec<i64> = pulses.iter().map(|&pulse| if pulse { 1 } else { -1 }).collect();
    for _ in 0..3 {
        let mut sum = 0;
        for value in &mut row {
            sum += *value;
            *value = sum;
        }
    }
    let mut row: Vec<_> = row.chunks_exact(decimation).map(|part| part[decimation - 1]).collect();
    for _ in 0..3 {
        let mut before = 0;
        for value in &mut row {
            (*value, before) = (*value - before, *value);
        }
    }
    let places = decimation.pow(3).ilog2() - 14;
    row.into_iter().map(|value| (value >> places) as i16).collect()
}

/// Bytes on a serial line, sampled in the middle of their bits.
#[derive(Default)]
struct Ear {
    wait: u32,
    bits: Vec<bool>,
    text: Vec<u8>,
}

impl Ear {
    fn hear(&mut self, level: bool) {
        if self.wait > 0 {
            self.wait -= 1;
            return;
        }
        if self.bits.is_empty() && level {
            return;
        }
        self.wait = if self.bits.is_empty() { DIVISOR / 2 + DIVISOR - 1 } else { DIVISOR - 1 };
        self.bits.push(level);
        if self.bits.len() == 10 {
            let byte = (0..8).map(|bit| u8::from(self.bits[bit + 1]) << bit).sum();
            assert!(self.bits[9], "a stop bit is 1");
            self.text.push(byte);
            self.bits.clear();
            self.wait = 0;
        }
    }
}

#[test]
fn words_of_the_golden_models_are_heard() {
    let rng = &mut ChaCha8Rng::seed_from_u64(3);
    let network = zoo::kws_mini(7);
    let budget = Budget::within(40);
    let (spec, plan) = size(&network, budget).unwrap();
    let listen = ListenSpec {
        clip: 416,
        stride: 208,
        slack: 400,
        front: MfccSpec { window: 32, hop: 8, fft: 32, mels: 10, ..MfccSpec::default() },
    };
    let pulses = Pulses { half_period: 2, decimation: 64 };
    let live = Live {
        spec: &spec,
        plan: &plan,
        listen: listen.clone(),
        words: words(),
        pulses,
        divisor: DIVISOR,
    };
    let mut sim = Simulator::new(&live.build().unwrap(), Engine::default());
    sim.poke("rst", 1);
    sim.poke("uart_rx", 1);
    sim.step();
    sim.poke("rst", 0);

    let (mut ear, mut taken, mut line) = (Ear::default(), vec![], [false; 2]);
    let (mut before, mut pulse, mut tone, mut sum) = (0, false, (0.1, 0.3), 0.0);
    let clips_wanted = 6;
    while ear.text.iter().filter(|&&byte| byte == b'\n').count() < clips_wanted {
        let clock = sim.peek_u64("mic_clk");
        if before == 0 && clock == 1 {
            // a pulse passes two registers before it is taken
            taken.push(line[1]);
            let n = taken.len();
            if n % 6000 == 0 {
                tone = (rng.random_range(0.001..0.05), rng.random_range(0.02..0.9));
            }
            // a modulator of the first order
            let (rate, loud) = tone;
            sum += f64::sin(n as f64 * rate) * loud - if pulse { 1.0 } else { -1.0 };
            pulse = sum > 0.0;
        }
        line = [pulse, line[0]];
        sim.poke("mic_data", u32::from(pulse));
        before = clock;
        ear.hear(sim.peek_u64("uart_tx") == 1);
        sim.step();
        assert!(taken.len() < 400_000, "heard only {:?}", String::from_utf8_lossy(&ear.text));
    }

    let samples = filtered(&taken, pulses.decimation as usize);
    let mut interpreter = Interpreter::new(&network).unwrap();
    let mut heard = String::new();
    for clip in clips(&listen, &samples).iter().take(clips_wanted) {
        let features: Vec<i16> = clip.iter().flatten().map(|&value| value.into()).collect();
        interpreter.run(&[&features]);
        let scores = interpreter.outputs().next().unwrap();
        let first = |best: usize, n: usize| if scores[n] > scores[best] { n } else { best };
        heard += &format!("word_{}\n", (1..scores.len()).fold(0, first));
    }
    assert_eq!(String::from_utf8_lossy(&ear.text), heard);
    println!("{heard}");
}

#[test]
fn networks_that_cannot_listen_are_told() {
    let network = zoo::kws_mini(7);
    let budget = Budget::within(40);
    let (spec, plan) = size(&network, budget).unwrap();
    let pulses = Pulses::of(12_000_000);
    let listen = ListenSpec::default();
    let live = Live { spec: &spec, plan: &plan, listen, words: words(), pulses, divisor: DIVISOR };
    let with = |words: &[&str]| {
        let words = words.iter().map(|word| word.to_string()).collect();
        Live { words, listen: live.listen.clone(), ..live }.build().unwrap_err()
    };
    assert_eq!(with(&["yes", "no"]), LiveError::Words { given: 2, classes: 12 });
    assert_eq!(with(&["much_too_long_word"; 12]), LiveError::Words { given: 0, classes: 12 });
    assert_eq!(with(&["two words"; 12]), LiveError::Words { given: 0, classes: 12 });
    let mut sums = plan.clone();
    sums.outputs[0].sums = true;
    let listener = live.listen.clone();
    let sums = Live { plan: &sums, listen: listener, words: words(), ..live }.build();
    assert_eq!(sums.unwrap_err(), LiveError::Sums);
    let mut listen = ListenSpec::default();
    listen.front.frames = 48;
    let fewer = Live { listen, words: words(), ..live };
    let error = fewer.build().unwrap_err().to_string();
    assert_eq!(error, "the network takes 490 numbers, the listener gives 480");
}
