//! What the docs of the leaves promise, whatever rust-hdl's simulation and Verilog agree upon.

use hwgen_hdl::Module;
use hwgen_hdl::sim::{Engine, Simulator};
use hwgen_rust_hdl::leaves;
use leaves::{Edge, bit_synchronizer, edge_detector, spi_master, synchronous_fifo};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rust_hdl::prelude::SPIConfig;
use std::collections::VecDeque;
use std::sync::Arc;

fn simulate(module: Arc<Module>) -> Simulator {
    Simulator::new(&module, Engine::Interpreter)
}

#[test]
fn a_fifo_gives_words_back_in_order_and_never_loses_one() {
    for width in [2, 13, 32] {
        let mut fifo = simulate(synchronous_fifo(width).unwrap());
        let mut rng = ChaCha8Rng::seed_from_u64(u64::from(width));
        let (mut expected, mut most) = (VecDeque::new(), 0);
        for _ in 0..2_000 {
            let write = rng.random_bool(0.6) && fifo.peek_u64("full") == 0;
            let read = rng.random_bool(0.5) && fifo.peek_u64("empty") == 0;
            let word = rng.random_range(0..1_u64 << width);
            for (port, bits) in [("write", write.into()), ("read", read.into()), ("data_in", word)]
            {
                fifo.poke(port, bits);
            }
            if read {
                assert_eq!(Some(fifo.peek_u64("data_out")), expected.pop_front());
            }
            if write {
                expected.push_back(word);
            }
            most = most.max(expected.len());
            fifo.step();
        }
        assert_eq!(most, 16, "the test must fill the FIFO");
        assert_eq!((fifo.peek_u64("overflow"), fifo.peek_u64("underflow")), (0, 0));
    }
}

#[test]
fn a_word_shows_up_two_edges_after_it_was_written() {
    let mut fifo = simulate(synchronous_fifo(8).unwrap());
    fifo.poke("write", 1);
    fifo.poke("data_in", 0xa5);
    fifo.step();
    fifo.poke("write", 0);
    assert_eq!(fifo.peek_u64("empty"), 1);
    fifo.step();
    assert_eq!((fifo.peek_u64("empty"), fifo.peek_u64("data_out")), (0, 0xa5));
}

#[test]
fn a_synchronizer_delays_every_lane_by_two_edges() {
    for lanes in [1, 2, 32] {
        let mut sim = simulate(bit_synchronizer(lanes).unwrap());
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let mut history = VecDeque::from([0, 0]);
        for _ in 0..200 {
            assert_eq!(Some(sim.peek_u64("sig_out")), history.pop_front());
            let bits = rng.random_range(0..1_u64 << lanes);
            sim.poke("sig_in", bits);
            history.push_back(bits);
            sim.step();
        }
    }
}

#[test]
fn an_edge_detector_pulses_once_an_edge_and_not_at_power_up() {
    for (edge, lanes) in [(Edge::Rising, 1), (Edge::Falling, 1), (Edge::Rising, 9)] {
        for first in [0, 1] {
            let mut sim = simulate(edge_detector(lanes, edge).unwrap());
            let all = (1_u64 << lanes) - 1;
            let mut previous = first;
            for level in [first, first, 1, 1, 0, 0, 0, 1, 0, 1, 1] {
                sim.poke("input_signal", level * all);
                sim.step();
                let wanted = match edge {
                    Edge::Rising => previous < level,
                    Edge::Falling => previous > level,
                };
                assert_eq!(sim.peek_u64("edge_signal"), u64::from(wanted) * all, "{edge:?}");
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
        let mut sim = simulate(spi_master(width, config).unwrap());
        let word = 0x9e37_79b9 & ((1_u64 << width) - 1);
        sim.poke("data_outbound", word);
        sim.poke("bits_outbound", width);
        sim.step();
        sim.poke("start_send", 1);
        sim.step();
        sim.poke("start_send", 0);
        assert_eq!((sim.peek_u64("busy"), sim.peek_u64("wires__msel")), (1, 0));
        for _ in 0..1_000 {
            if sim.peek_u64("transfer_done") == 1 {
                break;
            }
            let mosi = sim.peek("wires__mosi");
            sim.poke("wires__miso", mosi);
            sim.step();
        }
        assert_eq!((sim.peek_u64("transfer_done"), sim.peek_u64("data_inbound")), (1, word));
    }
}
