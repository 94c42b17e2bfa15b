//! A build that misses its timing or does not fit says so, and by how much.

use hwgen_boards::board::{Uses, find};
use hwgen_boards::build::{Built, Event, Options, Verdict, build};
use hwgen_boards::echo::echo;
use hwgen_boards::wrapper::{Inner, Out};

fn options(cache: &tempfile::TempDir) -> Options {
    Options { cache: Some(cache.path().into()), ..Options::default() }
}

fn built(inner: &Inner, options: &Options) -> Built {
    build(&find("hx8k").unwrap(), inner, options, &mut |_| {}).unwrap()
}

#[test]
fn missed_timing_is_told_and_steps_are_kept() {
    let cache = tempfile::tempdir().unwrap();
    let options = Options { hertz: Some(270_000_000), seeds: 2, ..options(&cache) };
    let inner = echo(100);
    let first = built(&inner, &options);
    assert_eq!(first.verdict, Verdict::Missed);
    assert_eq!(first.tried.len(), 2);
    let best = first.timing.clone().unwrap();
    assert!(first.tried.iter().all(|tried| tried.fmax_mhz <= best.fmax_mhz));
    assert!(best.slack_ns < 0.0);
    let complaint = first.complaint().unwrap();
    let says = format!("timing is missed by {:.2} ns a cycle: ", -best.slack_ns);
    assert!(complaint.starts_with(&says), "{complaint}");
    assert!(complaint.ends_with(" of 270 MHz, the best of 2 placements"), "{complaint}");

    let mut kept = 0;
    let board = find("hx8k").unwrap();
    let again = build(&board, &inner, &options, &mut |event| {
        if let Event::Ends { step, cached, .. } = event {
            // icetime fails where its tables are not installed: nothing of it is kept
            assert!(cached || step.contains("icetime"), "{step}");
            kept += 1;
        }
    });
    assert!(kept >= 4, "{kept}");
    assert_eq!(again.unwrap().files, first.files);
}

#[test]
fn a_part_that_is_too_small_is_told() {
    let cache = tempfile::tempdir().unwrap();
    // 40 block RAMs of 4 Kibit; there are 32
    let verilog = "
module store (input wire clk, input wire rst, input wire uart_rx, output reg uart_tx, output wire [7:0] leds);
  reg [15:0] words [0:10239];
  reg [13:0] at;
  reg [15:0] word;
  assign leds = word[7:0];
  always @(posedge clk) begin
    at <= rst ? 14'd0 : at + 14'd1;
    if (uart_rx) words[at] <= {word[14:0], uart_rx};
    word <= words[at];
    uart_tx <= word[15];
  end
endmodule
";
    let leds = vec![Out { port: "leds".into(), width: 8 }];
    let open = vec![];
    let inner = Inner {
        top: "store".into(),
        verilog: verilog.into(),
        leds,
        open,
        uses: Uses::default(),
        dsp_blocks: false,
    };
    let built = built(&inner, &options(&cache));
    assert!(matches!(built.verdict, Verdict::TooSmall(_)), "{:?}", built.synthesized);
    let complaint = built.complaint().unwrap();
    assert_eq!(complaint, "board hx8k is too small: 40 BRAM of 32, 8 too many");
    assert!(built.bitstream.is_none());
}

#[test]
fn what_cannot_be_built_is_an_error() {
    let cache = tempfile::tempdir().unwrap();
    let board = find("hx8k").unwrap();
    let fails = |inner: &Inner, options: &Options| {
        build(&board, inner, options, &mut |_| {}).unwrap_err().to_string()
    };
    let usual = options(&cache);
    let none = Options { seeds: 0, ..usual.clone() };
    assert_eq!(fails(&echo(100), &none), "0 seeds: 1 to 1000 are possible");
    let wrong = Inner { verilog: "module echo (; endmodule".into(), ..echo(100) };
    let says = fails(&wrong, &usual);
    assert!(says.contains("failed (exit status: 1)") && says.contains("syntax error"), "{says}");
}
