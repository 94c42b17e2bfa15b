//! A module's text: header, ports, state, nets, instances.

mod lanes;
mod memories;

use super::comment::comment;
use super::expression::Writer;
use super::keywords::is_cpp_word;
use super::lines::{COLUMNS, cut};
use super::literal::literal;
use super::nets::Nets;
use crate::names::Names;
use crate::netlist::*;
use crate::place::Place;
use crate::ty::Type;
use memories::{Reach, read_reach};
use std::fmt::Write;
use std::sync::Arc;

/// What the module is, its parameters and where it was written, as comments.
pub(super) fn header(module: &Module) -> String {
    let mut out = comment(&module.doc);
    for (name, value) in &module.parameters {
        out += &comment(&format!("{name} = {value}"));
    }
    let _ = writeln!(out, "// Written at {}.", module.place);
    out
}

/// The whole text of a simplified module, in which these names are taken.
pub(super) fn module_text(module: &Module, mut taken: Names) -> String {
    let nets = Nets::of(module, &mut taken);
    let writer = Writer::new(module, &nets);
    let mut body = Body { writer, out: String::new(), taken, names: vec![] };
    body.out.push_str("`default_nettype none\n");
    let ports = module.inputs.iter().chain(&module.outputs).map(|port| &port.name);
    let mut ports = ports.chain(module.clocks.iter().map(|clock| &clock.name));
    let cpp_words = ports.any(|name| is_cpp_word(name));
    if cpp_words {
        body.out.push_str("/* verilator lint_off SYMRSVDWORD */\n");
    }
    body.out.push_str(&header(module));
    body.ports();
    body.state();
    body.instance_nets();
    body.combinational();
    body.registers();
    body.memories();
    body.instances();
    body.outputs();
    body.unread();
    body.out.push_str("endmodule\n");
    if cpp_words {
        body.out.push_str("/* verilator lint_on SYMRSVDWORD */\n");
    }
    body.out.push_str("`default_nettype wire\n");
    body.out
}

/// `signed [7:0] `, or nothing for a single unsigned bit.
fn declared(ty: Type) -> String {
    let sign = if ty.signed { "signed " } else { "" };
    let range = if ty.width > 1 { format!("[{}:0] ", ty.width - 1) } else { String::new() };
    format!("{sign}{range}")
}

struct Body<'a> {
    writer: Writer<'a>,
    out: String,
    /// All names in use.
    taken: Names,
    /// What belongs to memories, given in `state`.
    names: Vec<MemoryNames>,
}

/// Names inside a memory: for each read port that needs one, the flag that the address last read
/// lies beyond the depth, and the register behind it.
struct MemoryNames {
    beyond: Vec<Option<(Arc<str>, Arc<str>)>>,
}

impl<'a> Body<'a> {
    fn module(&self) -> &'a Module {
        self.writer.module
    }

    fn unique(&mut self, wish: &str) -> Arc<str> {
        self.taken.take(wish)
    }

    /// Declares nets of one class, type and line together.
    fn declare(&mut self, class: &str, nets: &[(Type, String, Place)]) {
        for run in nets.chunk_by(|a, b| (a.0, a.2) == (b.0, b.2)) {
            let names: Vec<&str> = run.iter().map(|(_, name, _)| name.as_str()).collect();
            let (ty, _, place) = &run[0];
            self.line(format!("{class} {}{};", declared(*ty), names.join(", ")), *place);
        }
    }

    fn line(&mut self, text: impl std::fmt::Display, place: Place) {
        let text = cut(2, &text.to_string());
        let comment = format!("// {place}");
        let last = text.rsplit('\n').next().map_or(0, str::len);
        let between = if last + 1 + comment.len() > COLUMNS { "\n      " } else { " " };
        let _ = writeln!(self.out, "{text}{between}{comment}");
    }

    fn ports(&mut self) {
        let module = self.module();
        let mut ports = vec![];
        for clock in &module.clocks {
            ports.push((format!("input  wire {}", clock.name), "", clock.place));
        }
        for port in &module.inputs {
            let text = format!("input  wire {}{}", declared(port.ty), port.name);
            ports.push((text, &*port.doc, port.place));
        }
        for port in &module.outputs {
            let is_register = match module.node(port.node).kind {
                Kind::Register(_) => true,
                Kind::MemoryRead { memory, port } => {
                    let memory = &module.memories[memory.index()];
                    read_reach(module, memory, port) == Reach::Inside
                        && memory.reads[port].sync.is_some()
                }
                _ => false,
            };
            let own = self.writer.nets.is_port[port.node.index()]
                && self.writer.net_name(port.node) == *port.name;
            let class = if is_register && own { "reg " } else { "wire" };
            let text = format!("output {class} {}{}", declared(port.ty), port.name);
            ports.push((text, &*port.doc, port.place));
        }
        let _ = writeln!(self.out, "module {} (", module.name);
        let last = ports.len().saturating_sub(1);
        for (index, (port, doc, place)) in ports.iter().enumerate() {
            for line in comment(doc).lines() {
                let _ = writeln!(self.out, "  {line}");
            }
            let comma = if index == last { "" } else { "," };
            self.line(format!("{port}{comma}"), *place);
        }
        self.out.push_str(");\n\n");
    }

    /// Declares registers and memories: nets may read them in any order.
    fn state(&mut self) {
        let module = self.module();
        let own = module.registers.iter().map(|register| register.node);
        let own = own.filter(|id| !self.writer.nets.is_port[id.index()]);
        let own = own.map(|id| (module.ty(id), self.writer.net_name(id), module.node(id).place));
        self.declare("reg", &own.collect::<Vec<_>>());
        self.declare_memories();
    }

    /// Declares what instances drive.
    fn instance_nets(&mut self) {
        let module = self.module();
        let driven = module.instances.iter().flat_map(|i| i.outputs.iter().flatten().copied());
        let own = driven.filter(|id| !self.writer.nets.is_port[id.index()]);
        // Nets of one port of many instances stand together.
        let mut own: Vec<_> = own
            .map(|id| (module.ty(id), self.writer.net_name(id), module.node(id).place))
            .collect();
        let mut first = std::collections::HashMap::new();
        for (at, (ty, _, place)) in own.iter().enumerate() {
            first.entry((*ty, *place)).or_insert(at);
        }
        own.sort_by_key(|(ty, _, place)| first[&(*ty, *place)]);
        self.declare("wire", &own);
    }

    fn combinational(&mut self) {
        let module = self.module();
        for &id in &self.writer.nets.order {
            if self.writer.nets.names[id.index()].is_none() {
                continue;
            }
            let node = module.node(id);
            let value = match &node.kind {
                Kind::Input
                | Kind::Constant(_)
                | Kind::Register(_)
                | Kind::InstanceOutput { .. }
                | Kind::LeafOutput { .. } => continue,
                Kind::MemoryRead { memory, port } => match self.memory_word(*memory, *port) {
                    Some(word) => word,
                    None => continue,
                },
                _ => self.writer.expression(id),
            };
            let name = self.writer.net_name(id);
            if self.writer.nets.is_port[id.index()] {
                self.line(format!("assign {name} = {value};"), node.place);
            } else {
                self.line(format!("wire {}{name} = {value};", declared(node.ty)), node.place);
            }
        }
    }

    /// Registers that share clock, reset, clear and enable share a block.
    fn registers(&mut self) {
        let module = self.module();
        let control = |r: &Register| (r.clock, r.reset_value.is_some(), r.clear, r.enable);
        let mut groups: Vec<Vec<&Register>> = vec![];
        let mut known = std::collections::HashMap::new();
        for register in &module.registers {
            let group = *known.entry(control(register)).or_insert_with(|| {
                groups.push(vec![]);
                groups.len() - 1
            });
            groups[group].push(register);
        }
        for group in groups {
            let first = group[0];
            let clock = &module.clocks[first.clock.index()];
            let reset = clock.reset.as_ref().filter(|_| first.reset_value.is_some());
            let (edge, condition) = self.reset_texts(reset);
            let mut branches = vec![];
            let reset_lines = |body: &Body<'_>, value: fn(&Register) -> Option<&crate::ty::Int>| {
                let set = |r: &&Register| {
                    let ty = module.ty(r.node);
                    let value = value(r).map_or_else(String::new, |value| literal(ty, value));
                    format!("{} <= {value};", body.writer.net_name(r.node))
                };
                group.iter().map(set).collect::<Vec<_>>()
            };
            if let Some(condition) = condition {
                branches.push((Some(condition), reset_lines(self, |r| r.reset_value.as_ref())));
            }
            if let Some(clear) = first.clear {
                let clear = self.writer.whole(clear);
                branches.push((Some(clear), reset_lines(self, |r| Some(&r.clear_value))));
            }
            let always =
                |enable: &NodeId| module.constant(*enable).is_some_and(|on| *on == 1.into());
            let enable = first.enable.filter(|enable| !always(enable));
            let enable = enable.map(|enable| self.writer.whole(enable));
            let next = |r: &&Register| {
                let name = self.writer.net_name(r.node);
                format!("{name} <= {};", self.writer.whole(r.next))
            };
            branches.push((enable, group.iter().map(next).collect()));
            let _ = writeln!(self.out, "\n  always @(posedge {}{edge})", clock.name);
            self.branches(&branches);
        }
    }

    /// The sensitivity an asynchronous reset adds, and the condition of the reset branch.
    fn reset_texts(&mut self, reset: Option<&Reset>) -> (String, Option<String>) {
        let Some(reset) = reset else {
            return (String::new(), None);
        };
        let name = self.writer.operand(reset.signal);
        let edge = match (reset.kind, reset.active_low) {
            (ResetKind::Sync, _) => String::new(),
            (ResetKind::Async, false) => format!(" or posedge {name}"),
            (ResetKind::Async, true) => format!(" or negedge {name}"),
        };
        let condition = if reset.active_low { format!("!{name}") } else { name };
        (edge, Some(condition))
    }

    /// `if … else if … else …`, each branch a statement or a block.
    fn branches(&mut self, branches: &[(Option<String>, Vec<String>)]) {
        let mut lead = "";
        for (condition, statements) in branches {
            let head = match condition {
                Some(condition) => format!("{lead}if ({condition}) "),
                None => lead.to_string(),
            };
            match statements.as_slice() {
                [one] => {
                    let _ = writeln!(self.out, "{}", cut(4, &format!("{head}{one}")));
                }
                _ => {
                    let _ = writeln!(self.out, "{}", cut(4, &format!("{head}begin")));
                    for statement in statements {
                        let _ = writeln!(self.out, "{}", cut(6, statement));
                    }
                    self.out.push_str("    end\n");
                }
            }
            lead = "else ";
        }
    }

    fn instances(&mut self) {
        let module = self.module();
        if !module.instances.is_empty() {
            self.out.push('\n');
        }
        for instance in &module.instances {
            let inner = &instance.module;
            let mut pins = vec![];
            for (clock, outer) in inner.clocks.iter().zip(&instance.clocks) {
                pins.push(format!(".{}({})", clock.name, module.clocks[outer.index()].name));
            }
            for (port, driver) in inner.inputs.iter().zip(&instance.inputs) {
                pins.push(format!(".{}({})", port.name, self.writer.pin(*driver)));
            }
            for (port, reader) in inner.outputs.iter().zip(&instance.outputs) {
                let net = match reader {
                    Some(id) => self.writer.net_name(*id),
                    None => {
                        let net = self.unique(&format!("unused_{}_{}", instance.name, port.name));
                        self.line(format!("wire {}{net};", declared(port.ty)), instance.place);
                        net.to_string()
                    }
                };
                pins.push(format!(".{}({net})", port.name));
            }
            let text = format!("{} {} ({});", inner.name, instance.name, pins.join(", "));
            self.line(text, instance.place);
        }
    }

    /// Outputs that show a net of another name.
    fn outputs(&mut self) {
        for port in &self.module().outputs {
            let own = self.writer.nets.is_port[port.node.index()]
                && self.writer.net_name(port.node) == *port.name;
            let value = self.writer.whole(port.node);
            if !own {
                self.line(format!("assign {} = {value};", port.name), port.place);
            }
        }
    }

    /// Gathers unread bits in one wire: linters take its name as a sign of intent.
    fn unread(&mut self) {
        let module = self.module();
        let mut unread = vec![];
        for (id, node) in module.ids() {
            let is_net = self.writer.nets.names[id.index()].is_some();
            if is_net && !matches!(node.kind, Kind::Constant(_)) {
                unread.extend(self.writer.unread(id));
            }
        }
        for (index, clock) in module.clocks.iter().enumerate() {
            let clock_id = ClockId::new(index);
            let reads = |memory: &Memory| {
                memory.writes.iter().any(|write| write.clock == clock_id)
                    || memory.reads.iter().any(|r| r.sync.is_some_and(|(at, _)| at == clock_id))
            };
            let used = module.registers.iter().any(|register| register.clock == clock_id)
                || module.memories.iter().any(reads)
                || module.instances.iter().any(|instance| instance.clocks.contains(&clock_id));
            if !used {
                unread.push(clock.name.to_string());
            }
        }
        if !unread.is_empty() {
            let mut parts = vec!["1'b0".to_string()];
            parts.extend(unread);
            let name = self.unique("unused");
            let text = format!("wire {name} = &{{{}}};", parts.join(", "));
            let _ = writeln!(self.out, "{}", cut(2, &text));
        }
    }
}
