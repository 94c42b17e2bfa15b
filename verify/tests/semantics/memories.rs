//! Memories: reads at once and at edges of two clocks, read before write, the later port first,
//! lanes, and addresses beyond the depth.

use super::statement::{bits, of_bits, truth};
use super::{ENGINES, Everywhere};
use hwgen_hdl::{Int, Module, ModuleBuilder, Type, index_bits, s, u};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::sync::Arc;

/// Depth, word, and lanes of the masked write port.
type Shape = (usize, Type, u32);

/// With contents, a plain write port, too, and a read at once.
const FULL: [Shape; 5] =
    [(1, u(9), 3), (2, s(33), 3), (11, s(66), 6), (16, u(129), 129), (33, u(1), 1)];

/// Only the masked port, read at edges: the text has a loop of lanes for them, or of parts.
const LANES: [Shape; 5] =
    [(5, s(24), 8), (8, u(9), 9), (11, s(640), 80), (3, u(520), 65), (16, u(1_024), 8)];

/// Cycles that fill what has no contents.
const FILL: usize = 16;

fn shapes() -> impl Iterator<Item = (usize, Shape, bool)> {
    let all = FULL.into_iter().map(|shape| (shape, true));
    let all = all.chain(LANES.into_iter().map(|shape| (shape, false)));
    all.enumerate().map(|(n, (shape, full))| (n, shape, full))
}

/// What a memory is given in a cycle.
#[derive(Clone, Default)]
struct Ports {
    /// Of the plain port, then of the masked one.
    write: [(usize, Int, bool); 2],
    mask: Vec<bool>,
    /// Where is read at once and by clock `a`, and where by clock `b`.
    read: [(usize, bool); 2],
}

struct Model {
    word: Type,
    lanes: u32,
    words: Vec<Int>,
    shown: [Int; 2],
}

impl Model {
    fn word(&self, address: usize) -> Int {
        self.words.get(address).cloned().unwrap_or_default()
    }

    fn edge(&mut self, ports: &Ports, ticking: [bool; 2]) {
        for (clock, (address, enable)) in ports.read.into_iter().enumerate() {
            if ticking[clock] && enable {
                self.shown[clock] = self.word(address);
            }
        }
        for (port, (address, data, enable)) in ports.write.iter().enumerate() {
            if !ticking[0] || !enable || *address >= self.words.len() {
                continue;
            }
            let (width, lane) = (self.word.width, self.word.width / self.lanes);
            let (old, new) = (bits(&self.words[*address], width), bits(data, width));
            let through = |bit: usize| port == 0 || ports.mask[bit / lane as usize];
            let mixed: Vec<bool> = (0..width as usize)
                .map(|bit| if through(bit) { new[bit] } else { old[bit] })
                .collect();
            self.words[*address] = of_bits(&mixed, self.word);
        }
    }
}

fn first_words(depth: usize, word: Type) -> Vec<Int> {
    let word = |at: usize| of_bits(&vec![at % 2 == 1; word.width as usize], word);
    (0..depth).map(word).collect()
}

fn circuit() -> Arc<Module> {
    let m = ModuleBuilder::new("memories");
    let b = m.clock("clk_b");
    for (n, (depth, word, lanes), full) in shapes() {
        let address = u(index_bits(depth));
        let input = |name: &str, ty| m.input(format!("{name}_{n}"), ty);
        let memory = m.memory(format!("words_{n}"), depth, word);
        if full {
            memory.init(first_words(depth, word));
            memory.write(input("at_0", address), input("data_0", word), input("write_0", u(1)));
        }
        let (at, data) = (input("at_1", address), input("data_1", word));
        memory.write_masked(at, data, input("write_1", u(1)), input("mask", u(lanes)));
        let at = input("from_0", address);
        if full {
            m.output(format!("now_{n}"), memory.read(at));
        }
        m.output(format!("a_{n}"), memory.read_sync(at, input("read_0", u(1))));
        let at = input("from_1", address);
        m.output(format!("b_{n}"), memory.read_sync_in(b, at, input("read_1", u(1))));
    }
    // Said late, and still the clock of all that names none.
    m.clock("clk_a").default();
    m.finish()
}

#[test]
fn memories_do_what_the_language_says() {
    let mut all = Everywhere::open(&circuit());
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let model = |(_, (depth, word, lanes), full): (usize, Shape, bool)| {
        let words = if full { first_words(depth, word) } else { vec![Int::ZERO; depth] };
        Model { word, lanes, words, shown: Default::default() }
    };
    let mut models: Vec<Model> = shapes().map(model).collect();
    for cycle in 0..400 {
        let fills = cycle < FILL;
        let ports: Vec<Ports> = shapes()
            .map(|(_, shape, full)| {
                let mut ports = draw(&mut rng, shape);
                if !full {
                    ports.write[0].2 = false;
                }
                if !full && fills {
                    ports.write[1] = (cycle, ports.write[1].1.clone(), true);
                    ports.write[1].0 %= 1 << index_bits(shape.0);
                    ports.mask.fill(true);
                }
                // what is read has been written by then
                ports
                    .read
                    .iter_mut()
                    .for_each(|(_, enable)| *enable |= cycle == 0 || cycle == FILL);
                ports
            })
            .collect();
        for ((n, (_, word, lanes), full), ports) in shapes().zip(&ports) {
            for (port, (address, data, enable)) in ports.write.iter().enumerate() {
                if port == 0 && !full {
                    continue;
                }
                all.poke(&format!("at_{port}_{n}"), &Int::from(*address));
                all.poke(&format!("data_{port}_{n}"), &of_bits(&bits(data, word.width), word));
                all.poke(&format!("write_{port}_{n}"), &truth(*enable));
            }
            all.poke(&format!("mask_{n}"), &of_bits(&ports.mask, u(lanes)));
            for (port, (address, enable)) in ports.read.iter().enumerate() {
                all.poke(&format!("from_{port}_{n}"), &Int::from(*address));
                all.poke(&format!("read_{port}_{n}"), &truth(*enable));
            }
        }
        let ticking = [0, 1].map(|_| fills || cycle == FILL || rng.random_bool(0.6));
        for (model, ports) in models.iter_mut().zip(&ports) {
            model.edge(ports, ticking);
        }
        let clocks = ["clk_a", "clk_b"].into_iter().zip(ticking).filter(|(_, ticks)| *ticks);
        let clocks: Vec<&str> = clocks.map(|(clock, _)| clock).collect();
        all.tick(&clocks);
        for (((n, _, full), model), ports) in shapes().zip(&models).zip(&ports) {
            if !full && fills {
                continue;
            }
            let now = model.word(ports.read[0].0);
            let shown = [("now", &now), ("a", &model.shown[0]), ("b", &model.shown[1])];
            for (port, want) in shown.into_iter().skip((!full).into()) {
                let output = all.output(&format!("{port}_{n}"));
                all.check(output, want, || format!("after edge {cycle} of {clocks:?}"));
            }
        }
    }
    println!("semantics: memories on {} engines, {} checks", ENGINES.len(), all.checks);
}

/// Random ports, half of the writes to one word.
fn draw(rng: &mut ChaCha8Rng, (depth, word, lanes): Shape) -> Ports {
    let places = 1 << index_bits(depth);
    let common = rng.random_range(0..places);
    let address =
        |rng: &mut ChaCha8Rng| if rng.random() { common } else { rng.random_range(0..places) };
    let mut write = || {
        let bits: Vec<bool> = (0..word.width).map(|_| rng.random()).collect();
        (address(rng), of_bits(&bits, word), rng.random_bool(0.6))
    };
    let write = [write(), write()];
    Ports {
        write,
        mask: (0..lanes).map(|_| rng.random()).collect(),
        read: [0, 1].map(|_| (address(rng), rng.random_bool(0.6))),
    }
}
