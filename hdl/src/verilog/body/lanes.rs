//! Memories that are written by many lanes, as loops: Yosys takes time with the square of the
//! statements in a block, and a lane costs it the memory's whole word.

use super::super::lines::cut;
use super::memories::{guarded, read_reach};
use super::{Body, memories::Reach};
use crate::netlist::*;

/// From so many lanes on, a masked write is a loop.
const LOOPED: u32 = 8;

/// From so many bits on, a memory of many lanes is a loop of memories of at most `PART` bits, as
/// block RAMs and macros have them.
const PARTED: u32 = 512;
const PART: u32 = 64;

/// How a memory is cut.
pub(super) struct Parts {
    lanes: u32,
    lane_bits: u32,
}

/// Whether a memory's only write is of many lanes.
pub(super) fn looped(module: &Module, memory: &Memory) -> bool {
    let is_net = |id: NodeId| module.constant(id).is_none();
    let [write] = &memory.writes[..] else { return false };
    let many = |mask: NodeId| module.ty(mask).width >= LOOPED && is_net(mask);
    is_net(write.data) && write.mask.is_some_and(many)
}

/// The parts of a wide memory that holds nothing from the start and is read at edges only.
pub(super) fn parted(module: &Module, memory: &Memory) -> Option<Parts> {
    let width = memory.word.width;
    let synchronous = memory.reads.iter().all(|read| read.sync.is_some());
    if width < PARTED || !memory.init.is_empty() || !synchronous || !looped(module, memory) {
        return None;
    }
    let all = module.ty(memory.writes[0].mask?).width;
    let lane_bits = width / all;
    let lanes =
        (1..=all).rev().find(|n| all.is_multiple_of(*n) && n * lane_bits <= PART).unwrap_or(1);
    Some(Parts { lanes, lane_bits })
}

/// `for (i = 0; ..) begin : block`
fn head(counter: &str, count: u32, block: &str) -> String {
    format!("for ({counter} = 0; {counter} < {count}; {counter} = {counter} + 1) begin : {block}")
}

impl Body<'_> {
    /// A loop's lines.
    fn lines(&mut self, lines: &[(usize, String)]) {
        for (indent, line) in lines {
            self.out.push_str(&cut(*indent, line));
            self.out.push('\n');
        }
    }

    /// A memory's write, a lane each time round.
    pub(super) fn looped_write(&mut self, memory: &Memory, write: &WritePort) {
        let Some((conditions, mask)) = self.write_conditions(memory, write).zip(write.mask) else {
            return;
        };
        let lanes = self.module().ty(mask).width;
        let name = &memory.name;
        let (lane, block) = (self.unique("lane"), self.unique(&format!("{name}_lanes")));
        let width = memory.word.width / lanes;
        let bits = match width {
            1 => format!("[{lane}]"),
            _ => format!("[{width}*{lane} +: {width}]"),
        };
        let (address, data) = (self.writer.operand(write.address), self.writer.operand(write.data));
        let passes = format!("{}[{lane}]", self.writer.operand(mask));
        let conditions = [conditions, vec![passes]].concat().join(" && ");
        let edge = &self.module().clocks[write.clock.index()].name;
        self.lines(&[
            (0, String::new()),
            (2, format!("genvar {lane};")),
            (2, "generate".into()),
            (4, head(&lane, lanes, &block)),
            (6, format!("always @(posedge {edge})")),
            (8, format!("if ({conditions})")),
            (10, format!("{name}[{address}]{bits} <= {data}{bits};")),
            (4, "end".into()),
            (2, "endgenerate".into()),
        ]);
    }

    /// A memory in parts: each is declared, written and read.
    pub(super) fn parts(&mut self, index: usize, parts: &Parts) {
        let module = self.module();
        let memory = &module.memories[index];
        let Parts { lanes, lane_bits } = parts;
        let bits = lanes * lane_bits;
        let (last, count, name) = (memory.depth - 1, memory.word.width / bits, &memory.name);
        let [part, lane] = ["part", "lane"].map(|wish| self.unique(wish));
        let [words, block] = ["words", "lanes"].map(|wish| self.unique(&format!("{name}_{wish}")));
        self.lines(&[
            (0, String::new()),
            (2, format!("genvar {part}, {lane};")),
            (2, "generate".into()),
            (4, head(&part, count, name)),
        ]);
        self.line(format!("    reg [{}:0] {words} [0:{last}];", bits - 1), memory.place);
        let write = &memory.writes[0];
        if let Some((mut conditions, mask)) = self.write_conditions(memory, write).zip(write.mask) {
            conditions.push(format!("{}[{lanes}*{part} + {lane}]", self.writer.operand(mask)));
            let edge = &module.clocks[write.clock.index()].name;
            let address = self.writer.operand(write.address);
            let data = self.writer.operand(write.data);
            let to = format!("[{lane_bits}*{lane} +: {lane_bits}]");
            let from = format!("[{bits}*{part} + {lane_bits}*{lane} +: {lane_bits}]");
            self.lines(&[
                (6, head(&lane, *lanes, &block)),
                (8, format!("always @(posedge {edge})")),
                (10, format!("if ({})", conditions.join(" && "))),
                (12, format!("{words}[{address}]{to} <= {data}{from};")),
                (6, "end".into()),
            ]);
        }
        for (port, read) in memory.reads.iter().enumerate() {
            let Some((clock, enable)) = read.sync else { continue };
            if read_reach(module, memory, port) == Reach::Beyond {
                continue;
            }
            let (register, _) = self.read_register(index, port);
            let word = format!("{words}[{}]", self.writer.operand(read.address));
            let statement = format!("{register}[{bits}*{part} +: {bits}] <= {word};");
            let statement = guarded(&self.read_conditions(enable), statement);
            let edge = &module.clocks[clock.index()].name;
            self.lines(&[(6, format!("always @(posedge {edge})")), (8, statement)]);
        }
        self.lines(&[(4, "end".into()), (2, "endgenerate".into())]);
    }
}
