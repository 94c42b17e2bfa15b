//! The text of small modules, pinned.

use hwgen_hdl::{Fields, Module, ModuleBuilder, Signal, cat, fields, s, u};
use std::sync::Arc;

fn mac_pe() -> Arc<Module> {
    let m = ModuleBuilder::new("mac_pe_w8_a8_acc32");
    m.doc("A multiply-accumulate cell: `acc` takes up `w * x` every cycle.");
    m.parameter("accumulator_bits", 32);
    let (clear, w, x) = (m.input("clear", u(1)), m.input("w", s(8)), m.input("x", s(8)));
    let sum = m.reg("sum", s(32)).clear(clear);
    let prod = w.mul(x).named("prod");
    sum.next(sum + prod.extend(32));
    m.output("acc", sum);
    m.finish()
}

/// Line numbers move with every edit of this file; the snapshots are about the text.
fn text(module: &Module) -> String {
    let text = module.verilog().unwrap();
    let mut out = String::new();
    for line in text.lines() {
        match line.find("emission.rs:") {
            Some(at) => {
                let end = line[at + 12..].find(|c: char| !c.is_ascii_digit());
                let rest = end.map_or("", |end| &line[at + 12 + end..]);
                out += &format!("{}emission.rs:_{rest}\n", &line[..at]);
            }
            None => out += &format!("{line}\n"),
        }
    }
    out
}

#[test]
fn a_cell() {
    insta::assert_snapshot!(text(&mac_pe()));
}

#[test]
fn instances_share_a_module() {
    let m = ModuleBuilder::new("two_cells");
    let pe = mac_pe();
    let (clear, x) = (m.input("clear", u(1)), m.input("x", s(8)));
    let mut sum: Option<Signal> = None;
    for column in 0..2 {
        let w = m.input(format!("w_{column}"), s(8));
        let cell = m.instance(format!("pe_{column}"), &pe).input("clear", clear);
        let acc = cell.input("w", w).input("x", x).output("acc");
        sum = Some(sum.map_or(acc, |sum| sum + acc));
    }
    m.instance("spare", &pe).input("clear", clear).input("w", 0).input("x", x);
    m.output("sum", sum.unwrap());
    insta::assert_snapshot!(text(&m.finish()));
}

#[test]
fn memories_and_clocks() {
    let m = ModuleBuilder::new("buffers");
    let write_clock = m.clock("wclk").async_reset("wrst").default();
    let read_clock = m.clock("rclk");
    let (address, data) = (m.input("address", u(3)), m.input("data", u(16)));
    let (write, mask) = (m.input("write", u(1)), m.input("mask", u(2)));
    let ram = m.memory("ram", 5, u(16)).init([1, 2, 3]);
    ram.write_masked(address, data, write, mask);
    let word = ram.read_sync_in(read_clock, address, write);
    let count = m.reg("count", u(4)).domain(write_clock).enable(write).reset_to(9);
    count.next(count + 1);
    let table = m.memory("table_words", 4, s(4)).init([-8, 7, -1, 0]);
    m.output("word", word);
    m.output("entry", table.read(address.slice(1, 0)));
    m.output("count", count);
    insta::assert_snapshot!(text(&m.finish()));
}

#[test]
fn streams() {
    let shape: Fields = fields([("data", u(8)), ("last", u(1))]);
    let m = ModuleBuilder::new("swap_nibbles");
    let input = m.stream_in("in", &shape);
    let data = input.get("data");
    let swapped = cat(&[data.slice(3, 0), data.slice(7, 4)]).named("swapped");
    let payload = input.payload.map(|name, old| if name == "data" { swapped } else { old });
    m.stream_out("out", &input.with_payload(payload));
    insta::assert_snapshot!(text(&m.finish()));
}

#[test]
fn ports_say_what_they_carry() {
    let m = ModuleBuilder::new("halves");
    let word = m.input("word", u(16));
    m.port_doc("word", "Two bytes, the first in the low half.");
    m.output("low", word.truncate(8));
    m.output("high", word.slice(15, 8));
    m.port_doc("high", "The second byte.\n`endif // no order to a tool");
    let text = m.finish().verilog().unwrap();
    let comment = "  // Two bytes, the first in the low half.\n  input  wire [15:0] word,";
    assert!(text.contains(comment), "{text}");
    let comment =
        "  // The second byte.\n  // `endif // no order to a tool\n  output wire [7:0] high ";
    assert!(text.contains(comment), "{text}");
}

/// Yosys reads a block of statements in time with the square of its length.
#[test]
fn contents_of_memories_stand_in_short_blocks() {
    let m = ModuleBuilder::new("rom");
    let address = m.input("address", u(12));
    let words: Vec<u64> = (0..3_476).map(|at| at * 0x9e37_79b9 % (1 << 32)).collect();
    let rom = m.memory("rom", words.len(), u(32)).init(words.iter().copied());
    m.output("word", rom.read_sync(address, m.lit(u(1), 1)));
    let text = m.finish().verilog().unwrap();
    let blocks: Vec<_> = text.split("initial begin").skip(1).collect();
    assert_eq!(blocks.len(), words.len().div_ceil(16));
    for (at, word) in words.iter().enumerate() {
        let line = format!("    rom[{at}] = 32'd{word};\n");
        assert!(blocks[at / 16].contains(&line), "{line}");
    }
    assert!(blocks.iter().all(|block| block.matches(" = ").count() <= 17), "{text}");
}
