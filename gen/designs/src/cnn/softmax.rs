//! What tables are for. Softmax of rows of bytes, an element after the other: the largest, the sum,
//! then a division each. Functions of each element: the entry is the result.

use super::CnnSpec;
use super::fields::{JobSignals, LOOKUP};
use super::image::table_word;
use super::memory::{Row, Write};
use super::rom::rom;
use crate::wiring::delayed_flag;
use hwgen_hdl::{ModuleBuilder, Signal, index_bits, s, u};

/// Bits of an entry of a table.
pub(super) const ENTRY_BITS: u32 = 24;

/// Bits of the sum of a row's entries: 1,024 of them at most.
const SUM_BITS: u32 = ENTRY_BITS + 10;

/// Bits of a quotient: the steps that make probability 1 are 2^16 at most.
const QUOTIENT_BITS: u32 = 17;

/// Cycles from a read to its byte in a register.
pub(super) const BYTE_CYCLES: u32 = 3;

/// Cycles of an element: its byte, its entry, the product, the quotient, the write.
pub(super) const ELEMENT_CYCLES: u32 = BYTE_CYCLES + 2 + QUOTIENT_BITS + 1;

/// The unit's hold on the memory of activations.
pub(super) struct Softmax<'m> {
    pub(super) reads: Signal<'m>,
    pub(super) read_address: Signal<'m>,
    pub(super) writes: Signal<'m>,
    pub(super) write_address: Signal<'m>,
    pub(super) result: Signal<'m>,
    pub(super) done: Signal<'m>,
}

impl<'m> Softmax<'m> {
    /// `byte` is the byte read [`BYTE_CYCLES`] ago; tables are loaded, or there from the start.
    pub(super) fn new(
        m: &'m ModuleBuilder,
        spec: &CnnSpec,
        job: &JobSignals<'m>,
        begins: Signal<'m>,
        runs: Signal<'m>,
        byte: Signal<'m>,
        (load, contents): (&Row<'m>, Option<&[Vec<u32>]>),
    ) -> Softmax<'m> {
        let bits = spec.byte_bits();

        // passes over a row: 0 finds the largest, 1 sums, 2 divides; a function takes but one, 0
        let pass = m.reg("softmax_pass", u(2));
        let looks_up = job.kind.eq(LOOKUP).named("looks_up");
        let finds = (pass.eq(0) & !looks_up).called("softmax_finds");
        let (sums, divides) =
            (pass.eq(1).called("softmax_sums"), pass.eq(2).called("softmax_divides"));
        let row = m.reg("softmax_row", u(bits)).no_reset();
        let row_output = m.reg("softmax_row_output", u(bits)).no_reset();
        let at = m.reg("softmax_at", u(20));
        let reading = m.reg("softmax_reading", u(1));
        let next_at = (*at + 1).called("softmax_at_after");
        let last = next_at.eq(job.positions).named("softmax_last");
        let (element_done, pass_done) = (m.wire("element_done", u(1)), m.wire("pass_done", u(1)));
        let reads = (runs & *reading).named("softmax_reads");
        // one after the other, but each on its own where they are divided
        let stops = reads & (divides | last);
        let more = (!last).called("softmax_goes_on");
        let starts = begins | (*element_done & more) | *pass_done;
        reading.next(starts).enable(starts | stops);
        let counts = (reads & !divides) | *element_done;
        at.next(next_at).enable(counts & more).clear(begins | *pass_done);
        let row_ends = (*pass_done & (divides | looks_up)).named("softmax_row_ends");
        let row_begins = (begins | row_ends).called("softmax_row_begins");
        pass.next(*pass + 1).enable(*pass_done).clear(row_begins);
        let rows = m.reg("softmax_rows", u(12)).no_reset();
        rows.next(begins.mux(job.blocks_less_1, *rows - 1)).enable(begins | row_ends);
        let done = (row_ends & rows.eq(0)).named("softmax_done");
        let next = |start: Signal<'m>, register: Signal<'m>, pitch: Signal<'m>| {
            begins.mux(start.truncate(bits), register + pitch.truncate(bits))
        };
        let next_row = next(job.input, *row, job.to_next_window);
        row.next(next_row).enable(begins | row_ends);
        let next_output = next(job.output, *row_output, job.output_pitch);
        row_output.next(next_output).enable(begins | row_ends);

        let comes = |name: &str, of: Signal<'m>, cycles| delayed_flag(m, name, of, cycles);
        let found = comes("softmax_byte_comes", reads, BYTE_CYCLES);
        let reads_last = (reads & last).called("softmax_reads_last");
        let found_last = comes("softmax_last_byte", reads_last & finds, BYTE_CYCLES);
        let fresh = m.reg("softmax_fresh", u(1)).reset_to(1);
        fresh.next(begins | row_ends).enable(begins | row_ends | found);
        let largest = m.reg("softmax_largest", s(8)).no_reset();
        let larger = *fresh | byte.gt(*largest);
        // functions have 127 for it
        let first = m.lit(largest.ty(), 127);
        largest.next(begins.mux(first, byte)).enable(begins | (found & finds & larger));

        let below = (largest.extend(9) - byte.extend(9)).called("softmax_difference").truncate(8);
        let below = below.as_unsigned().named("softmax_below");
        let which = match spec.softmax_tables {
            1 => below,
            tables => job.scales.truncate(index_bits(tables as usize)).cat(below),
        };
        let depth = 256 * spec.softmax_tables as usize;
        let reads_entry = (found & !finds).called("softmax_reads_entry");
        let entry = match contents {
            Some(tables) => {
                let words = tables.iter().flatten().map(|&entry| table_word(entry));
                rom(m, "softmax_tables", (depth, ENTRY_BITS), words, which, reads_entry)
            }
            None => {
                let table = m.memory("softmax_tables", depth, u(ENTRY_BITS));
                table.write(load.address, load.data, load.enable);
                table.read_sync(which, reads_entry)
            }
        };
        let entry_comes = comes("softmax_entry_comes", found & !finds, 1);
        let summed_last = comes("softmax_summed", reads & last & sums, BYTE_CYCLES + 2);
        let sum = m.reg("softmax_sum", u(SUM_BITS)).no_reset();
        let added = *sum + entry.extend(SUM_BITS);
        sum.next(finds.mux(m.lit(sum.ty(), 0), added)).enable(found_last | (entry_comes & sums));

        // 2 steps e + sum over 2 sum: rounded to nearest, halves up
        let steps = job.multiplier_0.truncate(QUOTIENT_BITS);
        let product = steps.mul(entry).named("softmax_product");
        let width = product.width() + 2;
        let numerator =
            (product.extend(width).shl(1) + sum.extend(width)).called("softmax_numerator");
        let comes_to_divide = (entry_comes & divides).called("softmax_division_begins");
        let quotient = Quotient::new(m, width, (comes_to_divide, numerator, *sum));
        element_done.drive(quotient.done);
        let looked_up = (entry_comes & looks_up).named("softmax_looked_up");
        let looked_up_last =
            comes("softmax_last_looked_up", reads & last & looks_up, BYTE_CYCLES + 1);
        pass_done.drive(found_last | summed_last | (quotient.done & last) | looked_up_last);
        let writes = (quotient.done | looked_up).named("softmax_writes");
        let written = m.reg("softmax_written", u(bits)).no_reset();
        written.next(*written + 1).enable(writes).clear(begins | row_ends);

        let wide = QUOTIENT_BITS + 2;
        let moved = quotient.value.to_signed().extend(wide) + job.zero.extend(wide);
        let moved = moved.called("softmax_moved");
        let (least, most) = (job.least.extend(wide), job.most.extend(wide));
        let share =
            moved.lt(least).mux(least, moved.gt(most).mux(most, moved)).called("softmax_share");
        let result = looks_up.mux(entry.truncate(8), share.truncate(8).as_unsigned());
        Softmax {
            reads,
            read_address: *row + at.resize(bits),
            writes,
            write_address: *row_output + *written,
            result: result.as_signed(),
            done,
        }
    }
}

impl<'m> Softmax<'m> {
    /// Its results before those of others.
    pub(super) fn over(&self, m: &'m ModuleBuilder, spec: &CnnSpec, other: Write<'m>) -> Write<'m> {
        let single = m.lit(other.group.ty(), spec.group_most());
        let first = self.writes.mux(self.result, other.bytes[0]);
        let bytes = std::iter::once(first).chain(other.bytes[1..].iter().copied());
        Write {
            enable: self.writes | other.enable,
            address: self.writes.mux(self.write_address, other.address),
            group: self.writes.mux(single, other.group),
            bytes: bytes.collect(),
        }
    }
}

/// A division, a bit a cycle.
struct Quotient<'m> {
    value: Signal<'m>,
    done: Signal<'m>,
}

impl<'m> Quotient<'m> {
    /// Of a numerator by twice a sum, when both come.
    fn new(
        m: &'m ModuleBuilder,
        width: u32,
        (comes, numerator, sum): (Signal<'m>, Signal<'m>, Signal<'m>),
    ) -> Quotient<'m> {
        let bits = SUM_BITS + 1 + QUOTIENT_BITS;
        let rest = m.reg("softmax_rest", u(width.max(bits))).no_reset();
        let divisor = m.reg("softmax_divisor", rest.ty()).no_reset();
        let value = m.reg("softmax_quotient", u(QUOTIENT_BITS)).no_reset();
        let left = m.reg("softmax_bits_left", u(5));
        let works = left.any().named("softmax_works");
        let fits = rest.ge(*divisor).named("softmax_fits");
        let less = fits.mux(*rest - *divisor, *rest);
        let moves = (comes | works).called("softmax_division_moves");
        rest.next(comes.mux(numerator.extend(rest.width()), less)).enable(moves);
        let first = sum.extend(rest.width()).shl(QUOTIENT_BITS);
        divisor.next(comes.mux(first, divisor.shr(1))).enable(moves);
        value.next(value.truncate(QUOTIENT_BITS - 1).cat(fits)).enable(works);
        let count = m.lit(left.ty(), QUOTIENT_BITS);
        left.next(comes.mux(count, *left - 1)).enable(moves);
        let done = delayed_flag(m, "softmax_divided", works & left.eq(1), 1);
        Quotient { value: *value, done }
    }
}
