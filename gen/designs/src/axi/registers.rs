//! The register file behind AXI4-Lite.

use super::map::{ADDRESS_BITS, Access, Register, RegisterMap, Source};
use hwgen_hdl::lib::register_slice::{Cut, slice_stream};
use hwgen_hdl::{Bundle, Fields, Module, ModuleBuilder, Signal, Stream, cat, fields, reduce, u};
use std::sync::Arc;

/// Bits of a register.
const WORD: u32 = 32;
const OKAY: u32 = 0b00;
const SLAVE_ERROR: u32 = 0b10;

/// The channels in which a design receives, and those in which it sends.
pub(super) const CHANNELS_IN: [&str; 3] = ["s_axil_aw", "s_axil_w", "s_axil_ar"];
pub(super) const CHANNELS_OUT: [&str; 2] = ["s_axil_b", "s_axil_r"];

/// The fields of a channel.
pub(super) fn channel(name: &str) -> Fields {
    match name {
        "s_axil_w" => fields([("data", u(WORD)), ("strb", u(WORD / 8))]),
        "s_axil_b" => fields([("resp", u(2))]),
        "s_axil_r" => fields([("data", u(WORD)), ("resp", u(2))]),
        _ => fields([("addr", u(ADDRESS_BITS)), ("prot", u(3))]),
    }
}

/// The register file: the five channels as streams, an output for each of the core's plain
/// `inputs`, an input for each of its `outputs`; input `status`, outputs `core_reset` and `clear`.
pub(super) fn module(
    map: &RegisterMap,
    inputs: &Fields,
    outputs: &Fields,
    status_bits: u32,
) -> Arc<Module> {
    let m = ModuleBuilder::new(format!("{}_registers", map.design));
    m.doc("Registers behind AXI4-Lite.");
    let [aw, w, ar] = CHANNELS_IN.map(|name| {
        let stream = m.stream_in_as(name, name, &channel(name));
        let used = Bundle::new(stream.payload.iter().filter(|(field, _)| *field != "prot"));
        slice_stream(Cut::Backward, name.trim_start_matches("s_axil_"), &stream.with_payload(used))
    });
    let file = File { m: &m, map };

    let takes = m.wire("takes_write", u(1));
    let write = Write::new(*takes, aw.get("addr"), &w);
    let known = file.chosen(write.word, |register| register.access == Access::ReadWrite);
    let payload = Bundle::new([("resp", file.response(known))]);
    let response = Stream::source(&m, "write", (aw.valid & w.valid).called("write_comes"), payload);
    takes.drive(response.fires());
    aw.ready.drive(response.fires());
    w.ready.drive(response.fires());
    m.stream_out_as("s_axil_b", "s_axil_b", &slice_stream(Cut::Forward, "b", &response));

    let held = file.hold(&write, inputs);
    let shown: Vec<_> = outputs.iter().map(|(name, ty)| (name, m.input(name, *ty))).collect();
    let status = m.input("status", u(status_bits));
    let word = word_of("word_read", ar.get("addr"));
    let values: Vec<_> = (map.registers.iter())
        .map(|register| {
            let value = match &register.source {
                Source::Constant(value) => m.lit(u(WORD), *value),
                Source::Status { low } => status.slice(low + WORD - 1, *low),
                Source::Control => find(&held, "control").extend(WORD),
                Source::Input { .. } => find(&held, &register.name).extend(WORD),
                Source::Output { port, low } => {
                    let (_, value) = shown.iter().find(|(name, _)| *name == port).expect("a port");
                    let above = value.ty().width - low;
                    let part = value.shr(*low).truncate(above.min(WORD));
                    part.extend(WORD).as_unsigned()
                }
            };
            file.hits(word, register).mux(value, 0)
        })
        .collect();
    let data = reduce(&values, |a, b| a | b).named("read_data");
    let known = file.chosen(word, |_| true);
    let payload = Bundle::new([("data", data), ("resp", file.response(known))]);
    let answer = Stream::source(&m, "read", ar.valid, payload);
    ar.ready.drive(*answer.ready);
    m.stream_out_as("s_axil_r", "s_axil_r", &slice_stream(Cut::Forward, "r", &answer));
    m.finish()
}

fn find<'m>(held: &[(String, Signal<'m>)], name: &str) -> Signal<'m> {
    held.iter().find(|(known, _)| known == name).expect("a register that holds").1
}

/// Which register an address names.
fn word_of<'m>(name: &str, address: Signal<'m>) -> Signal<'m> {
    address.slice(ADDRESS_BITS - 1, 2).called(name)
}

/// A write on its way into a register.
struct Write<'m> {
    /// It is taken in this cycle.
    takes: Signal<'m>,
    /// The register.
    word: Signal<'m>,
    /// What is written.
    data: Signal<'m>,
    /// The bits it is written to.
    mask: Signal<'m>,
}

impl<'m> Write<'m> {
    fn new(takes: Signal<'m>, address: Signal<'m>, w: &Stream<'m>) -> Self {
        let strobe = w.get("strb");
        let bytes: Vec<_> = (0..WORD / 8).rev().map(|byte| strobe.bit(byte).repeat(8)).collect();
        let (word, mask) = (word_of("word_written", address), cat(&bytes).named("write_mask"));
        Write { takes, word, data: w.get("data"), mask }
    }
}

struct File<'m, 't> {
    m: &'m ModuleBuilder,
    map: &'t RegisterMap,
}

impl<'m> File<'m, '_> {
    fn hits(&self, word: Signal<'m>, register: &Register) -> Signal<'m> {
        word.eq(register.offset / 4).called_in(word, format!("is_{}", register.name))
    }

    /// Whether the word is one of the registers that `which` picks.
    fn chosen(&self, word: Signal<'m>, which: impl Fn(&Register) -> bool) -> Signal<'m> {
        let hits: Vec<_> = (self.map.registers.iter())
            .filter(|register| which(register))
            .map(|register| self.hits(word, register))
            .collect();
        reduce(&hits, |a, b| a | b)
    }

    fn response(&self, known: Signal<'m>) -> Signal<'m> {
        known.mux(self.m.lit(u(2), OKAY), SLAVE_ERROR)
    }

    /// The registers that are written, as they read, and the outputs they drive.
    fn hold(&self, write: &Write<'m>, inputs: &Fields) -> Vec<(String, Signal<'m>)> {
        let m = self.m;
        let mut held = vec![];
        for register in &self.map.registers {
            let writes = || write.takes & self.hits(write.word, register);
            match &register.source {
                Source::Control => {
                    let (writes, data, mask) =
                        (writes().named("writes_control"), write.data, write.mask);
                    let reset = m.reg("core_reset_held", u(1));
                    reset.next(data.bit(0)).enable(writes & mask.bit(0));
                    let clear = m.reg("clear_held", u(1));
                    clear.next(writes & mask.bit(1) & data.bit(1));
                    m.output("core_reset", reset);
                    m.output("clear", clear);
                    held.push(("control".to_owned(), reset.into()));
                }
                Source::Input { .. } => {
                    let value = m.reg(format!("{}_held", register.name), u(register.bits));
                    let mask = write.mask.truncate(register.bits);
                    let data = write.data.truncate(register.bits);
                    value.next((value & !mask) | (data & mask)).enable(writes());
                    held.push((register.name.clone(), value.into()));
                }
                _ => {}
            }
        }
        for (port, ty) in inputs {
            let words: Vec<_> = (self.map.registers.iter())
                .filter(|r| matches!(&r.source, Source::Input { port: of } if of == port))
                .map(|register| find(&held, &register.name))
                .collect();
            let joined = cat(&words.into_iter().rev().collect::<Vec<_>>());
            m.output(port, joined.cast(*ty));
        }
        held
    }
}
