//! What the docs of the leaves promise, whatever rust-hdl's simulation and Verilog agree upon.

use hwgen_rust_hdl::{Leaf, ModelBlock, leaves};
use leaves::{Edge, bit_synchronizer, edge_detector, spi_master, synchronous_fifo};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rust_hdl::prelude::{Block, SPIConfig, simulate};
use std::collections::VecDeque;

/// A leaf with its pins, stepped one clock cycle at a time.
struct Pins(ModelBlock);

impl Pins {
    fn new(leaf: Leaf) -> Self {
        let mut block = ModelBlock::from(&leaf);
        block.connect_all();
        Self(block)
    }

    fn set(&mut self, port: &str, bits: u64) {
        self.0.set(port, bits).unwrap();
        assert!(simulate(&mut self.0, 10));
    }

    fn get(&self, port: &str) -> u64 {
        self.0.get(port).unwrap().try_into().unwrap()
    }

    fn cycle(&mut self) {
        self.set("clock", 1);
        self.set("clock", 0);
    }
}

#[test]
fn a_fifo_gives_words_back_in_order_and_never_loses_one() {
    for (width, depth) in [(2, 4), (13, 16), (32, 4)] {
        let mut fifo = Pins::new(synchronous_fifo(width, depth).unwrap());
        let mut rng = ChaCha8Rng::seed_from_u64(u64::from(width));
        let (mut expected, mut most) = (VecDeque::new(), 0);
        fifo.set("clock", 0);
        for _ in 0..2_000 {
            let write = rng.random_bool(0.5) && fifo.get("full") == 0;
            let read = rng.random_bool(0.5) && fifo.get("empty") == 0;
            let word = rng.random_range(0..1_u64 << width);
            for (port, bits) in [
                ("write", write.into()),
                ("read", read.into()),
                ("data_in", word),
            ] {
                fifo.set(port, bits);
            }
            if read {
                assert_eq!(Some(fifo.get("data_out")), expected.pop_front());
            }
            if write {
                expected.push_back(word);
            }
            most = most.max(expected.len());
            fifo.cycle();
        }
        assert_eq!(most, depth as usize, "the test must fill the FIFO");
        assert_eq!((fifo.get("overflow"), fifo.get("underflow")), (0, 0));
    }
}

#[test]
fn a_word_shows_up_two_edges_after_it_was_written() {
    let mut fifo = Pins::new(synchronous_fifo(8, 4).unwrap());
    fifo.set("write", 1);
    fifo.set("data_in", 0xa5);
    fifo.cycle();
    fifo.set("write", 0);
    assert_eq!(fifo.get("empty"), 1);
    fifo.cycle();
    assert_eq!((fifo.get("empty"), fifo.get("data_out")), (0, 0xa5));
}

#[test]
fn a_synchronizer_delays_every_lane_by_two_edges() {
    for lanes in [1, 2, 32] {
        let mut pins = Pins::new(bit_synchronizer(lanes).unwrap());
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let mut history = VecDeque::from([0, 0]);
        for _ in 0..200 {
            assert_eq!(Some(pins.get("sig_out")), history.pop_front());
            let bits = rng.random_range(0..1_u64 << lanes);
            pins.set("sig_in", bits);
            history.push_back(bits);
            pins.cycle();
        }
    }
}

#[test]
fn an_edge_detector_pulses_once_an_edge_and_not_at_power_up() {
    for (edge, lanes) in [(Edge::Rising, 1), (Edge::Falling, 1), (Edge::Rising, 9)] {
        for first in [0, 1] {
            let mut pins = Pins::new(edge_detector(lanes, edge).unwrap());
            let all = (1_u64 << lanes) - 1;
            let mut previous = first;
            for level in [first, first, 1, 1, 0, 0, 0, 1, 0, 1, 1] {
                pins.set("input_signal", level * all);
                pins.cycle();
                let wanted = match edge {
                    Edge::Rising => previous < level,
                    Edge::Falling => previous > level,
                };
                assert_eq!(pins.get("edge_signal"), u64::from(wanted) * all, "{edge:?}");
                previous = level;
            }
        }
    }
}

#[test]
fn an_spi_master_wired_to_itself_receives_what_it_sends() {
    for (width, mode) in [(2, 0_u8), (8, 1), (13, 2), (32, 3)] {
        let config = SPIConfig {
            clock_speed: 48_000_000,
            speed_hz: 4_000_000,
            cs_off: true,
            mosi_off: false,
            cpha: mode & 1 == 1,
            cpol: mode & 2 == 2,
        };
        let mut pins = Pins::new(spi_master(width, config).unwrap());
        let word = 0x9e37_79b9 & ((1_u64 << width) - 1);
        pins.set("data_outbound", word);
        pins.set("bits_outbound", width.into());
        pins.cycle();
        pins.set("start_send", 1);
        pins.cycle();
        pins.set("start_send", 0);
        assert_eq!((pins.get("busy"), pins.get("wires__msel")), (1, 0));
        for _ in 0..1_000 {
            if pins.get("transfer_done") == 1 {
                break;
            }
            pins.set("wires__miso", pins.get("wires__mosi"));
            pins.cycle();
        }
        assert_eq!(
            (pins.get("transfer_done"), pins.get("data_inbound")),
            (1, word)
        );
    }
}
