//! Stream `load`: packets of 32-bit words that fill the memories and start the program.
//!
//! A packet's first word has its target in bits 31..29 (0: program, 1: weights, 2: scales,
//! 3: tables, 4: start) and the first row's address in bits 23..0; rows follow, their words lowest first,
//! until `last`.

use super::CnnSpec;
use super::image::{PROGRAM, SCALES, START, TABLES, WEIGHTS};
use super::memory::Row;
use super::softmax::ENTRY_BITS;
use hwgen_hdl::{ModuleBuilder, Signal, Stream, fields, u};

/// What is loaded.
pub(super) struct Load<'m> {
    pub(super) program: Row<'m>,
    pub(super) weights: Row<'m>,
    pub(super) scales: Row<'m>,
    pub(super) tables: Option<Row<'m>>,
    /// The program starts.
    pub(super) start: Signal<'m>,
    /// A packet is there, or has begun.
    pub(super) open: Signal<'m>,
}

impl<'m> Load<'m> {
    /// Takes packets while `allowed`.
    pub(super) fn new(m: &'m ModuleBuilder, spec: &CnnSpec, allowed: Signal<'m>) -> Load<'m> {
        let stream = m.stream_in("load", &fields([("data", u(32)), ("last", u(1))]));
        stream.ready.drive(allowed);
        let (word, fires, last) = (stream.get("data"), stream.fires(), stream.get("last"));
        let body = m.reg("load_body", u(1)).next(!last).enable(fires);
        let header = (fires & !*body).named("load_header");
        let target = m.reg("load_target", u(3)).no_reset().next(word.high(3)).enable(header);
        let taken = (fires & *body).named("load_word");

        let weight_words = spec.weight_row_bits().div_ceil(32);
        let scale_words = spec.scale_row_bits().div_ceil(32);
        let row = m.reg("load_row", u(32 * weight_words.max(scale_words))).no_reset();
        let moved = if row.width() == 32 { word } else { word.cat(row.slice(row.width() - 1, 32)) };
        row.next(moved).enable(taken);
        let count = m.reg(
            "load_words_taken",
            u(hwgen_hdl::bits_for(u64::from(weight_words.max(scale_words)))),
        );
        let of = |kind: u32| target.eq(kind);
        let single = of(PROGRAM) | of(TABLES);
        let least = single.mux(
            m.lit(count.ty(), 1),
            of(WEIGHTS).mux(m.lit(count.ty(), weight_words), m.lit(count.ty(), scale_words)),
        );
        let words = (*count + 1).called("load_words_now");
        let row_ends = (taken & words.eq(least)).named("load_row_ends");
        count.next(words).enable(taken).clear(header | row_ends);
        let whole = m.reg("load_row_whole", u(1)).next(row_ends);
        let address = m.reg("load_address", u(24)).no_reset();
        address.next(header.mux(word.truncate(24), *address + 1)).enable(header | *whole);

        let rows = |kind: u32, bits: u32, depth: usize| Row {
            enable: *whole & of(kind),
            address: address.truncate(hwgen_hdl::index_bits(depth)),
            data: row.high(32 * bits.div_ceil(32)).truncate(bits),
        };
        Load {
            program: rows(PROGRAM, 32, spec.program_words()),
            weights: rows(WEIGHTS, spec.weight_row_bits(), spec.weight_rows as usize),
            scales: rows(SCALES, spec.scale_row_bits(), spec.scale_rows as usize),
            tables: (spec.softmax_tables > 0)
                .then(|| rows(TABLES, ENTRY_BITS, 256 * spec.softmax_tables as usize)),
            start: (header & word.high(3).eq(START)).named("load_starts"),
            open: stream_open(&stream, *body),
        }
    }
}

fn stream_open<'m>(stream: &Stream<'m>, body: Signal<'m>) -> Signal<'m> {
    (stream.valid | body).named("load_open")
}
