//! Memories in the text: declarations, power-up words, write and read ports.

use super::super::lines::cut;
use super::super::literal::literal;
use super::{Body, MemoryNames, declared, lanes};
use crate::netlist::*;
use crate::ty::Int;
use std::fmt::Write;
use std::sync::Arc;

/// Power-up words that stand in one block: Yosys takes time with the square of a block's length.
const BLOCK: usize = 16;

impl Body<'_> {
    pub(super) fn declare_memories(&mut self) {
        let module = self.module();
        for memory in &module.memories {
            let name = memory.name.clone();
            let word = declared(memory.word);
            let last = memory.depth - 1;
            if lanes::parted(module, memory).is_none() {
                self.line(format!("reg {word}{name} [0:{last}];"), memory.place);
            }
            let mut beyond = vec![];
            for (port, read) in memory.reads.iter().enumerate() {
                let node = module.node(read.node);
                let own = self.writer.net_name(read.node);
                let reach = read_reach(module, memory, port);
                beyond.push(None);
                if read.sync.is_some() && reach == Reach::Either {
                    let raw = self.unique(&format!("{own}_stored"));
                    let flag = self.unique(&format!("{own}_beyond"));
                    self.line(format!("reg {word}{raw};"), node.place);
                    self.line(format!("reg {flag};"), node.place);
                    beyond[port] = Some((flag, raw));
                } else if read.sync.is_some()
                    && reach == Reach::Inside
                    && !self.writer.nets.is_port[read.node.index()]
                {
                    self.line(format!("reg {word}{own};"), node.place);
                }
            }
            self.names.push(MemoryNames { beyond });
        }
    }

    /// What a read port's net shows, unless it is a register of its own.
    pub(super) fn memory_word(&mut self, memory: MemoryId, port: usize) -> Option<String> {
        let known = &self.module().memories[memory.index()];
        let read = &known.reads[port];
        let names = &self.names[memory.index()];
        let zero = literal(known.word, &Int::ZERO);
        let reach = read_reach(self.module(), known, port);
        if let Some((flag, raw)) = &names.beyond[port] {
            return Some(format!("{flag} ? {zero} : {raw}"));
        }
        if reach == Reach::Beyond {
            return Some(zero);
        }
        if read.sync.is_some() {
            return None;
        }
        let word = format!("{}[{}]", known.name, self.writer.operand(read.address));
        if reach == Reach::Inside {
            return Some(word);
        }
        let inside = self.inside(known, read.address);
        Some(format!("({inside}) ? {word} : {zero}"))
    }

    /// That an address lies within the memory.
    fn inside(&mut self, memory: &Memory, address: NodeId) -> String {
        let ty = self.module().ty(address);
        format!("{} < {}", self.writer.operand(address), literal(ty, &memory.depth.into()))
    }

    pub(super) fn memories(&mut self) {
        let module = self.module();
        for (index, memory) in module.memories.iter().enumerate() {
            let name = &memory.name;
            let parts = lanes::parted(module, memory);
            if let Some(parts) = &parts {
                self.parts(index, parts);
            }
            for (block, words) in memory.init.chunks(BLOCK).enumerate() {
                self.out.push_str(if block == 0 {
                    "\n  initial begin\n"
                } else {
                    "  initial begin\n"
                });
                for (at, word) in words.iter().enumerate() {
                    let (at, word) = (block * BLOCK + at, literal(memory.word, word));
                    let _ = writeln!(self.out, "{}", cut(4, &format!("{name}[{at}] = {word};")));
                }
                self.out.push_str("  end\n");
            }
            for clock in 0..module.clocks.len() {
                let clock = ClockId::new(clock);
                let edge = &module.clocks[clock.index()].name;
                let mut statements = vec![];
                for write in memory.writes.iter().filter(|write| write.clock == clock) {
                    if !lanes::looped(module, memory) {
                        statements.extend(self.write_statements(memory, name, write));
                    } else if parts.is_none() {
                        self.looped_write(memory, write);
                    }
                }
                for (port, read) in memory.reads.iter().enumerate() {
                    if let Some((_, enable)) = read.sync.filter(|(at, _)| *at == clock) {
                        statements.extend(self.read_statements(index, port, enable));
                    }
                }
                if statements.is_empty() {
                    continue;
                }
                let _ = writeln!(self.out, "\n  always @(posedge {edge}) begin");
                for statement in statements {
                    let _ = writeln!(self.out, "{}", cut(4, &statement));
                }
                self.out.push_str("  end\n");
            }
        }
    }

    /// When a port writes; nothing if it never does.
    pub(super) fn write_conditions(
        &mut self,
        memory: &Memory,
        write: &WritePort,
    ) -> Option<Vec<String>> {
        let mut conditions = vec![];
        match self.module().constant(write.enable) {
            Some(never) if *never == Int::ZERO => return None,
            Some(_) => {}
            None => conditions.push(self.writer.operand(write.enable)),
        }
        match reach(self.module(), memory, write.address) {
            Reach::Beyond => return None,
            Reach::Either => conditions.push(format!("({})", self.inside(memory, write.address))),
            Reach::Inside => {}
        }
        Some(conditions)
    }

    fn write_statements(&mut self, memory: &Memory, name: &str, write: &WritePort) -> Vec<String> {
        let module = self.module();
        let Some(conditions) = self.write_conditions(memory, write) else {
            return vec![];
        };
        let address = self.writer.operand(write.address);
        let Some(mask) = write.mask else {
            let data = self.writer.operand(write.data);
            return vec![guarded(&conditions, format!("{name}[{address}] <= {data};"))];
        };
        let lanes = module.ty(mask).width;
        let width = memory.word.width / lanes;
        let lane = |lane: u32| {
            let mut conditions = conditions.clone();
            conditions.push(self.writer.bits(mask, lane, 1));
            let (low, high) = (lane * width, lane * width + width - 1);
            let data = self.writer.bits(write.data, low, width);
            let target = match (memory.word.width, width) {
                (1, _) => format!("{name}[{address}]"),
                (_, 1) => format!("{name}[{address}][{low}]"),
                _ => format!("{name}[{address}][{high}:{low}]"),
            };
            guarded(&conditions, format!("{target} <= {data};"))
        };
        (0..lanes).map(lane).collect()
    }

    fn read_statements(&mut self, memory: usize, port: usize, enable: NodeId) -> Vec<String> {
        let known = &self.module().memories[memory];
        let read = &known.reads[port];
        if read_reach(self.module(), known, port) == Reach::Beyond {
            return vec![];
        }
        let conditions = self.read_conditions(enable);
        let word = format!("{}[{}]", known.name, self.writer.operand(read.address));
        let (register, flag) = self.read_register(memory, port);
        let mut statements = vec![];
        if lanes::parted(self.module(), known).is_none() {
            statements.push(guarded(&conditions, format!("{register} <= {word};")));
        }
        if let Some(flag) = flag {
            let inside = self.inside(known, read.address);
            statements.push(guarded(&conditions, format!("{flag} <= !({inside});")));
        }
        statements
    }

    /// When a port reads: nothing if it always does.
    pub(super) fn read_conditions(&mut self, enable: NodeId) -> Vec<String> {
        let always = self.module().constant(enable).is_some_and(|enable| *enable == 1.into());
        if always { vec![] } else { vec![self.writer.operand(enable)] }
    }

    /// The register that a port reads into, and the flag that its address lay beyond the depth.
    pub(super) fn read_register(&self, memory: usize, port: usize) -> (String, Option<Arc<str>>) {
        match self.names[memory].beyond[port].clone() {
            None => {
                let read = &self.module().memories[memory].reads[port];
                (self.writer.net_name(read.node).to_string(), None)
            }
            Some((flag, raw)) => (raw.to_string(), Some(flag)),
        }
    }
}

/// Where an address may point.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    Inside,
    Beyond,
    Either,
}

fn reach(module: &Module, memory: &Memory, address: NodeId) -> Reach {
    match module.constant(address) {
        Some(at) if *at < Int::from(memory.depth) => Reach::Inside,
        Some(_) => Reach::Beyond,
        None if 1usize.checked_shl(module.ty(address).width) == Some(memory.depth) => Reach::Inside,
        None => Reach::Either,
    }
}

pub(super) fn read_reach(module: &Module, memory: &Memory, port: usize) -> Reach {
    reach(module, memory, memory.reads[port].address)
}

pub(super) fn guarded(conditions: &[String], statement: String) -> String {
    if conditions.is_empty() {
        return statement;
    }
    format!("if ({}) {statement}", conditions.join(" && "))
}
