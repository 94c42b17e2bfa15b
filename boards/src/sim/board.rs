//! The top and the other end of its line, in our compiled engine.

use super::far::{Far, Master, Queue, Uart, output};
use crate::host::Exchange;
use crate::top::{Line, Payload, TopError, TopSpec, hwgen_top};
use hwgen_hdl::lib::uart;
use hwgen_hdl::sim::{Initial, SimOptions, Simulator};
use hwgen_hdl::{Module, ModuleBuilder, u};
use std::io;
use std::sync::Arc;

/// A simulated board.
pub struct SimBoard {
    sim: Simulator,
    far: Far,
    clock_hz: u32,
    listening: usize,
    leds: [usize; 2],
    incoming: Queue,
    /// The cycle when a byte last moved on the line, either way.
    moved: u64,
}

/// A board's top with the other end of its serial line: streams `in`, of bytes to the board, and `out`; in
/// `breaks`, which holds the line to the board low; out `link_listens` and the LEDs.
pub fn bench(top: &Arc<Module>, divisor: u32) -> Arc<Module> {
    let m = ModuleBuilder::new("simulated_board");
    let data = hwgen_hdl::fields([("data", u(8))]);
    let line = m.instance("line", &uart::uart(divisor));
    let board = m.instance("board", top);
    board.input("uart_rx", line.output("tx") & !m.input("breaks", u(1)));
    line.input("rx", board.output("uart_tx"));
    line.stream_into("in", m.stream_in("in", &data));
    m.stream_out("out", &line.stream_from("out"));
    for port in ["link_listens", "led_alive", "led_busy", "led_error", "led_result"] {
        m.output(port, board.output(port));
    }
    m.finish()
}

impl SimBoard {
    /// A board after a reset; what its memories and registers held before is random.
    ///
    /// # Errors
    /// There is no such top.
    pub fn new(spec: &TopSpec, payload: &Payload, seed: u64) -> Result<SimBoard, TopError> {
        let top = hwgen_top(spec, payload)?;
        let module = match spec.line {
            Line::Uart { divisor } => bench(&top, divisor),
            Line::Spi => top,
        };
        let options = SimOptions { initial: Initial::Random(seed), ..SimOptions::default() };
        let mut sim = Simulator::with_options(&module, options);
        let far = match spec.line {
            Line::Uart { divisor } => Far::Uart(Uart::new(&module, divisor)),
            Line::Spi => Far::Spi(Box::new(Master::new(&module, &mut sim, seed))),
        };
        sim.reset();
        Ok(SimBoard {
            sim,
            far,
            clock_hz: spec.clock_hz,
            listening: output(&module, "link_listens"),
            leds: ["led_error", "led_result"].map(|name| output(&module, name)),
            incoming: Queue::new(),
            moved: 0,
        })
    }

    /// Puts a byte on the way to the board.
    pub fn send(&mut self, byte: u8) {
        self.incoming.push_back(byte);
    }

    /// Once all bytes are there, the board hears one that is damaged: on a serial line its stop bit is wrong,
    /// over SPI the selection ends within it.
    pub fn break_line(&mut self) {
        while !self.is_quiet() {
            self.advance();
        }
        self.far.damage(&mut self.sim);
        self.moved = self.sim.cycle();
    }

    /// Lets a little time pass; a byte that came from the board.
    pub fn advance(&mut self) -> Option<u8> {
        let (came, moved) = self.far.advance(&mut self.sim, &mut self.incoming);
        if moved {
            self.moved = self.sim.cycle();
        }
        came
    }

    fn silent(&self) -> u64 {
        self.sim.cycle() - self.moved
    }

    /// Whether no byte is on its way and the link listens.
    pub fn is_quiet(&mut self) -> bool {
        self.incoming.is_empty()
            && self.silent() > self.far.silence()
            && self.sim.get_u64(self.listening) == 1
    }

    /// Whether it has been quiet for a while: its clock may stand until the next byte.
    pub fn is_asleep(&mut self) -> bool {
        self.silent() > 1000 + 32 * self.far.byte_cycles() && self.is_quiet()
    }

    /// What the LEDs show: error, and the four of the result.
    pub fn leds(&mut self) -> (bool, u64) {
        let [error, result] = self.leds;
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

/// The pins of a board on SPI; its time passes only in selections.
impl Exchange for SimBoard {
    fn exchange(&mut self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        match &mut self.far {
            Far::Spi(master) => Ok(master.exchange(&mut self.sim, bytes)),
            Far::Uart(_) => Err(io::Error::new(io::ErrorKind::Unsupported, "a serial line")),
        }
    }

    fn reconnect(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn hertz(&self) -> u32 {
        self.clock_hz / 4
    }
}
