//! The wrapper's text is clean on every board, with and without PLL, microphone and enough LEDs, and
//! what does not fit is refused.

use hwgen_boards::board::{Family, Uses, boards, find};
use hwgen_boards::echo::{answer, echo};
use hwgen_boards::proof::{Question, talk};
use hwgen_boards::wrapper::{Inner, Out, TOP, stand_ins, wrap};
use hwgen_hdl::{ModuleBuilder, u};
use hwgen_verify::cosim::lint_text;

/// A design with a board's ports that does as good as nothing.
fn small(leds: u32, uses: Uses) -> Inner {
    let Uses { microphone, spi } = uses;
    let (line, answer) = match spi {
        false => ("input wire uart_rx, output wire uart_tx", "assign uart_tx = uart_rx"),
        true => (
            "input wire spi_sclk, input wire spi_mosi, input wire spi_cs_n, output wire spi_miso",
            "assign spi_miso = spi_sclk & spi_mosi & ~spi_cs_n",
        ),
    };
    let ports = if microphone { ", input wire mic_data, output wire mic_clk" } else { "" };
    let data = if microphone { "mic_data" } else { "1'b0" };
    let assign = if microphone { "  assign mic_clk = clk;\n" } else { "" };
    let high = leds - 1;
    let verilog = format!(
        "module blink (input wire clk, input wire rst, {line}, output reg [{high}:0] leds, output wire led_last, output wire [1:0] done{ports});\n  {answer};\n  assign led_last = rst;\n  assign done = 2'd0;\n{assign}  always @(posedge clk) leds <= rst | {data} ? {leds}'d0 : ~leds;\nendmodule\n"
    );
    let out = |port: &str, width| Out { port: port.into(), width };
    let leds = vec![out("leds", leds), out("led_last", 1)];
    Inner {
        top: "blink".into(),
        verilog,
        leds,
        open: vec![out("done", 2)],
        uses,
        dsp_blocks: false,
    }
}

#[test]
fn every_wrapper_is_clean_under_lint() {
    let none = "\n/* verilator lint_off DECLFILENAME */\n/* verilator lint_off UNUSED */\n";
    for (n, board) in boards().into_iter().enumerate() {
        let own = board.clocking(None).unwrap();
        let with_pll = board.clocking(Some(60_000_000)).unwrap();
        // fewer than the board has, or as many, and more
        let few = if n % 2 == 0 { 1 } else { board.leds.pins.len() as u32 - 1 };
        for (leds, clocking) in [(few.max(1), &own), (40, &with_pll)] {
            // over SPI where there is one, and the PLL
            let spi = board.spi.is_some() && leds == 40;
            let inner = small(leds, Uses { microphone: board.microphone.is_some(), spi });
            let text = wrap(&board, &inner, clocking).unwrap();
            let others = [none, &inner.verilog, &stand_ins(&board)].concat();
            lint_text(TOP, &(text + &others))
                .unwrap_or_else(|error| panic!("{}: {error}", board.name));
        }
    }
}

#[test]
fn a_family_of_each_kind_answers_in_simulation() {
    for name in ["icebreaker", "ulx3s", "tang_nano_20k", "arty_a7_35t"] {
        let board = find(name).unwrap();
        let clocking = board.clocking(None).unwrap();
        assert!(clocking.pll.is_some(), "{name}");
        let inner = echo(8);
        let text = wrap(&board, &inner, &clocking).unwrap();
        let verilog = [&*text, &*inner.verilog, &*stand_ins(&board)];
        let said =
            talk(&board, TOP, &verilog, 8, &[Question { bytes: vec![7, 200, 255], answer: 3 }])
                .unwrap();
        assert_eq!(said, [7, 200, 255].map(answer), "{name}");
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let board = find("hx8k").unwrap();
    assert_eq!(board.fpga.family, Family::Ice40);
    let clocking = board.clocking(None).unwrap();
    let says = |inner: &Inner| wrap(&board, inner, &clocking).unwrap_err().to_string();
    let named = |top: &str| Inner { top: top.into(), ..small(1, Uses::default()) };
    for name in ["", "1a", "a b", "a;", "$x", "small", TOP, &"a".repeat(201)] {
        assert!(
            says(&named(name)).contains("cannot be the design's top module or its port"),
            "{name}"
        );
    }
    assert_eq!(
        says(&small(64, Uses::default())),
        "the design drives 65 LEDs: 1 to 64 are possible"
    );
    let port =
        Inner { open: vec![Out { port: "a b".into(), width: 1 }], ..small(1, Uses::default()) };
    assert!(says(&port).starts_with("`a b` cannot be"));
    let microphone = "the design wants a microphone, and board `hx8k` has no header for one";
    assert_eq!(says(&small(1, Uses { microphone: true, spi: false })), microphone);
    let board = find("ulx3s").unwrap();
    let clocking = board.clocking(None).unwrap();
    let inner = small(1, Uses { spi: true, ..Uses::default() });
    let says = wrap(&board, &inner, &clocking).unwrap_err().to_string();
    assert_eq!(says, "the design talks over SPI, and board `ulx3s` has none to a host");
}

#[test]
fn a_modules_ports_are_told_apart() {
    let made = |build: &dyn Fn(&ModuleBuilder)| {
        let m = ModuleBuilder::new("ports");
        let register = m.reg("r", u(3));
        register.next(*register + 1);
        build(&m);
        m.output("led_alive", register.bit(0));
        m.output("led_result", *register);
        m.output("link_listens", register.bit(1));
        Inner::of(&m.finish()).map_err(|error| error.to_string())
    };
    let line = |m: &ModuleBuilder| m.output("uart_tx", m.input("uart_rx", u(1)));
    let inner = made(&line).unwrap();
    let names = |outs: &[Out]| outs.iter().map(|out| out.port.clone()).collect::<Vec<_>>();
    assert_eq!(names(&inner.leds), ["led_alive", "led_result"]);
    assert_eq!(inner.leds[1].width, 3);
    assert_eq!(names(&inner.open), ["link_listens"]);
    assert!(made(&|_| ()).unwrap_err().contains("port `uart_rx`"));
    let more = |m: &ModuleBuilder| {
        line(m);
        m.output("data_out", m.input("data", u(8)));
    };
    assert!(made(&more).unwrap_err().contains("port `data`"));
    let deaf = |m: &ModuleBuilder| {
        line(m);
        m.output("x", m.input("mic_data", u(1)));
    };
    assert!(made(&deaf).unwrap_err().contains("port `mic_clk`"));
}
