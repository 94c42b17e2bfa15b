//! Activations as weights: one factor of a product of two tensors moves into the weights' memory.

use super::CnnSpec;
use super::fields::JobSignals;
use super::image::ROW_PLANES;
use super::memory::Row;
use super::softmax::BYTE_CYCLES;
use crate::wiring::{delayed_flag, unpack};
use hwgen_hdl::{ModuleBuilder, Signal, cat, s, u};

/// Reads a byte a cycle, and writes a row of weights for every `lanes` of them.
pub(super) struct Fill<'m> {
    pub(super) reads: Signal<'m>,
    pub(super) address: Signal<'m>,
    pub(super) row: Row<'m>,
    pub(super) done: Signal<'m>,
}

impl<'m> Fill<'m> {
    /// `byte` is the byte read [`BYTE_CYCLES`] ago.
    pub(super) fn new(
        m: &'m ModuleBuilder,
        spec: &CnnSpec,
        job: &JobSignals<'m>,
        begins: Signal<'m>,
        runs: Signal<'m>,
        byte: Signal<'m>,
    ) -> Fill<'m> {
        let field = |field: Signal<'m>| field.truncate(spec.byte_bits());
        let address = |name: &str| m.reg(name, u(spec.byte_bits())).no_reset();
        let (lane_at, step_at, block_at) =
            (address("fill_lane_at"), address("fill_step_at"), address("fill_block_at"));
        let lane = m.reg("fill_lane", u(spec.lane_bits()));
        let lanes_end = (runs & lane.eq(spec.lanes - 1)).named("fill_lanes_end");
        lane.next(*lane + 1).enable(runs).clear(begins);
        let step = m.reg("fill_steps_left", u(20)).no_reset();
        let steps_end = (lanes_end & step.eq(1)).named("fill_steps_end");
        let steps = job.positions;
        let starts_block = (begins | steps_end).called("fill_block_begins");
        let starts_step = (begins | lanes_end).called("fill_step_begins");
        step.next(starts_block.mux(steps, *step - 1)).enable(starts_step);
        let block = m.reg("fill_blocks_left", u(12)).no_reset();
        let done = (steps_end & block.eq(0)).named("fill_done");
        block.next(begins.mux(job.blocks_less_1, *block - 1)).enable(starts_block);

        let input = field(job.input);
        let next_block = (*block_at + field(job.block_input)).called("fill_next_block_at");
        let next_step = steps_end.mux(next_block, *step_at + field(job.to_next_row));
        let next_step = next_step.called("fill_next_step_at");
        block_at.next(begins.mux(input, next_block)).enable(starts_block);
        step_at.next(begins.mux(input, next_step)).enable(starts_step);
        let next_lane = lanes_end.mux(next_step, *lane_at + field(job.to_next_column));
        lane_at.next(begins.mux(input, next_lane)).enable(begins | runs);

        let comes = delayed_flag(m, "fill_byte_comes", runs, BYTE_CYCLES);
        let bits = 8 * spec.lanes;
        let bytes = m.reg("fill_bytes", u(bits)).no_reset();
        bytes.next(byte.as_unsigned().cat(bytes.slice(bits - 1, 8))).enable(comes);
        let whole = delayed_flag(m, "fill_row_whole", lanes_end, BYTE_CYCLES + 1);
        let rows = spec.plane_bits() - 3;
        let row = m.reg("fill_row", u(rows)).no_reset();
        let first = job.weights.slice(rows + 2, 3);
        row.next(begins.mux(first, *row + 1)).enable(begins | whole);
        // the highest bit of all lanes is the first plane
        let bytes = unpack(*bytes, s(8), spec.lanes);
        let plane = |plane: usize| {
            let bit = (ROW_PLANES - 1 - plane) as u32;
            let bits: Vec<_> = bytes.iter().rev().map(|byte| byte.bit(bit)).collect();
            cat(&bits).called(format!("fill_plane_{plane}"))
        };
        let planes: Vec<_> = (0..ROW_PLANES).rev().map(plane).collect();
        let row = Row { enable: whole, address: *row, data: cat(&planes).called("fill_row_data") };
        Fill { reads: runs, address: *lane_at, row, done }
    }

    /// Rows of its own before those that are loaded.
    pub(super) fn over(&self, load: Row<'m>) -> Row<'m> {
        let mine = self.row.enable;
        Row {
            enable: (mine | load.enable).called("weights_written"),
            address: mine.mux(self.row.address, load.address).called("weights_written_at"),
            data: mine.mux(self.row.data, load.data).called("weights_row"),
        }
    }
}
