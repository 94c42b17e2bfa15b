//! The top and a transceiver at the other end of its line, in our compiled engine.

use crate::top::{Payload, TopError, TopSpec, hwgen_top};
use hwgen_hdl::lib::uart;
use hwgen_hdl::sim::{Initial, SimOptions, Simulator};
use hwgen_hdl::{Module, ModuleBuilder, u};
use std::collections::VecDeque;
use std::sync::Arc;

/// Bits of a byte on the line.
const FRAME_BITS: u64 = 10;

/// A simulated board.
pub struct SimBoard {
    sim: Simulator,
    ports: Ports,
    divisor: u64,
    incoming: VecDeque<u8>,
    /// Cycles since a byte moved on the line, either way.
    still: u64,
}

/// Positions of ports.
struct Ports {
    in_valid: usize,
    in_data: usize,
    breaks: usize,
    out_ready: usize,
    in_ready: usize,
    out_valid: usize,
    out_data: usize,
    listening: usize,
    leds: [usize; 2],
}

/// A board's top with the other end of its line: streams `in`, of bytes to the board, and `out`; in `breaks`,
/// which holds the line to the board low; out `listening` and the LEDs.
pub fn bench(top: &Arc<Module>, divisor: u32) -> Arc<Module> {
    let m = ModuleBuilder::new("simulated_board");
    let data = hwgen_hdl::fields([("data", u(8))]);
    let line = m.instance("line", &uart::uart(divisor));
    let board = m.instance("board", top);
    board.input("uart_rx", line.output("tx") & !m.input("breaks", u(1)));
    line.input("rx", board.output("uart_tx"));
    line.stream_into("in", m.stream_in("in", &data));
    m.stream_out("out", &line.stream_from("out"));
    m.output("listening", board.output("link_listens"));
    for led in ["led_alive", "led_busy", "led_error", "led_result"] {
        m.output(led, board.output(led));
    }
    m.finish()
}

impl SimBoard {
    /// A board after a reset; what its memories and registers held before is random.
    ///
    /// # Errors
    /// There is no such top.
    pub fn new(spec: &TopSpec, payload: &Payload, seed: u64) -> Result<SimBoard, TopError> {
        let module = bench(&hwgen_top(spec, payload)?, spec.divisor);
        let options = SimOptions { initial: Initial::Random(seed), ..SimOptions::default() };
        let mut sim = Simulator::with_options(&module, options);
        sim.reset();
        let input = |name: &str| module.inputs.iter().position(|port| *port.name == *name);
        let output = |name: &str| module.outputs.iter().position(|port| *port.name == *name);
        let ports = Ports {
            in_valid: input("in_valid").unwrap_or(0),
            in_data: input("in_data").unwrap_or(0),
            breaks: input("breaks").unwrap_or(0),
            out_ready: input("out_ready").unwrap_or(0),
            in_ready: output("in_ready").unwrap_or(0),
            out_valid: output("out_valid").unwrap_or(0),
            out_data: output("out_data").unwrap_or(0),
            listening: output("listening").unwrap_or(0),
            leds: ["led_error", "led_result"].map(|name| output(name).unwrap_or(0)),
        };
        let divisor = spec.divisor.into();
        Ok(SimBoard { sim, ports, divisor, incoming: VecDeque::new(), still: 0 })
    }

    /// Puts a byte on the way to the board.
    pub fn send(&mut self, byte: u8) {
        self.incoming.push_back(byte);
    }

    /// Holds the line to the board low for longer than a byte, once all bytes are there: it hears one
    /// with a bad stop bit.
    pub fn break_line(&mut self) {
        while !self.is_quiet() {
            self.advance();
        }
        self.sim.set_u64(self.ports.breaks, 1);
        self.steps((FRAME_BITS + 2) * self.divisor);
        self.sim.set_u64(self.ports.breaks, 0);
        self.steps(2 * self.divisor);
        self.still = 0;
    }

    /// Lets a little time pass; a byte that came from the board.
    pub fn advance(&mut self) -> Option<u8> {
        let Ports { in_valid, in_data, out_ready, in_ready, out_valid, out_data, .. } = self.ports;
        if let Some(&byte) = self.incoming.front()
            && self.sim.get_u64(in_ready) == 1
        {
            self.incoming.pop_front();
            self.sim.set_u64(in_valid, 1);
            self.sim.set_u64(in_data, byte.into());
            self.steps(1);
            self.sim.set_u64(in_valid, 0);
            self.still = 0;
        }
        if self.sim.get_u64(out_valid) == 0 {
            // half a byte's time: no byte is missed
            self.steps(FRAME_BITS / 2 * self.divisor);
            return None;
        }
        let byte = self.sim.get_u64(out_data);
        self.sim.set_u64(out_ready, 1);
        self.steps(1);
        self.sim.set_u64(out_ready, 0);
        self.still = 0;
        u8::try_from(byte).ok()
    }

    fn steps(&mut self, cycles: u64) {
        self.sim.steps(cycles);
        self.still += cycles;
    }

    /// Whether no byte is on its way and the link listens.
    pub fn is_quiet(&mut self) -> bool {
        self.incoming.is_empty()
            && self.still > (FRAME_BITS + 4) * self.divisor
            && self.sim.get_u64(self.ports.listening) == 1
    }

    /// Whether it has been quiet for a while: its clock may stand until the next byte.
    pub fn is_asleep(&mut self) -> bool {
        self.still > 1000 + 32 * FRAME_BITS * self.divisor && self.is_quiet()
    }

    /// What the LEDs show: error, and the four of the result.
    pub fn leds(&mut self) -> (bool, u64) {
        let [error, result] = self.ports.leds;
        (self.sim.get_u64(error) == 1, self.sim.get_u64(result))
    }

    /// Bytes that come back until it is quiet.
    pub fn settle(&mut self) -> Vec<u8> {
        let mut bytes = vec![];
        while !self.is_quiet() {
            bytes.extend(self.advance());
        }
        bytes
    }

    /// Cycles since power-up.
    pub fn cycles(&self) -> u64 {
        self.sim.cycle()
    }
}
