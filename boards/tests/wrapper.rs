//! The wrapper's text is clean on every board, with and without PLL, microphone and enough LEDs, and
//! what does not fit is refused.

use hwgen_boards::board::{Family, boards, find};
use hwgen_boards::echo::{answer, echo};
use hwgen_boards::proof::talk;
use hwgen_boards::wrapper::{Inner, TOP, stand_ins, wrap};
use hwgen_verify::cosim::lint_text;

/// A design with a board's ports that does as good as nothing.
fn small(leds: u32, microphone: bool) -> Inner {
    let ports = if microphone { ", input wire mic_data, output wire mic_clk" } else { "" };
    let data = if microphone { "mic_data" } else { "1'b0" };
    let assign = if microphone { "  assign mic_clk = clk;\n" } else { "" };
    let high = leds - 1;
    let verilog = format!(
        "module blink (input wire clk, input wire rst, input wire uart_rx, output wire uart_tx, output reg [{high}:0] leds{ports});\n  assign uart_tx = uart_rx;\n{assign}  always @(posedge clk) leds <= rst | {data} ? {leds}'d0 : ~leds;\nendmodule\n"
    );
    Inner { top: "blink".into(), verilog, leds, microphone }
}

#[test]
fn every_wrapper_is_clean_under_lint() {
    let none = "\n/* verilator lint_off DECLFILENAME */\n/* verilator lint_off UNUSED */\n";
    for board in boards() {
        let own = board.clocking(None).unwrap();
        let with_pll = board.clocking(Some(60_000_000)).unwrap();
        for (leds, clocking) in [(1, &own), (40, &with_pll), (board.leds.pins.len() as u32, &own)] {
            let microphone = board.microphone.is_some();
            let inner = small(leds, microphone);
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
        let said = talk(&board, TOP, &verilog, 8, &[7, 200, 255], 3).unwrap();
        assert_eq!(said, [7, 200, 255].map(answer), "{name}");
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let board = find("hx8k").unwrap();
    assert_eq!(board.fpga.family, Family::Ice40);
    let clocking = board.clocking(None).unwrap();
    let says = |inner: &Inner| wrap(&board, inner, &clocking).unwrap_err().to_string();
    let named = |top: &str| Inner { top: top.into(), ..small(1, false) };
    for name in ["", "1a", "a b", "a;", "$x", "small", TOP, &"a".repeat(201)] {
        assert!(says(&named(name)).contains("cannot be the design's top module"), "{name}");
    }
    assert_eq!(says(&small(65, false)), "the design drives 65 LEDs: 1 to 64 are possible");
    let microphone = "the design wants a microphone, and board `hx8k` has no header for one";
    assert_eq!(says(&small(1, true)), microphone);
}
