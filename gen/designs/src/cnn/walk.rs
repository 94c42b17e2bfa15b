//! Where a convolution is: the step, the window, the block.

use super::CnnSpec;
use super::fields::JobSignals;
use hwgen_hdl::{ModuleBuilder, Signal, u};

/// What is to be done in a cycle.
pub(super) struct Walk<'m> {
    /// There is a step.
    pub(super) steps: Signal<'m>,
    /// It is the first of its positions.
    pub(super) first: Signal<'m>,
    /// It is the last of its positions.
    pub(super) ends: Signal<'m>,
    /// And of its block.
    pub(super) block_ends: Signal<'m>,
    /// It is the last step, or the last idle cycle behind it.
    pub(super) done: Signal<'m>,
    /// The address of each position's byte.
    pub(super) addresses: Vec<Signal<'m>>,
    /// Whether it lies inside the input.
    pub(super) inside: Vec<Signal<'m>>,
    /// The first plane of the step's weights.
    pub(super) plane: Signal<'m>,
    /// The address of the first position's results; of each position's, where rows may be left out.
    pub(super) outputs: Vec<Signal<'m>>,
    /// Whether the last position is one of the output's.
    pub(super) whole: Signal<'m>,
}

/// A position: its column in the output, its window's row, column and address in the input.
#[derive(Clone, Copy)]
struct Window<'m> {
    column: Signal<'m>,
    y: Signal<'m>,
    x: Signal<'m>,
    address: Signal<'m>,
    /// The address of its results, where rows may be left out.
    output: Option<Signal<'m>>,
}

impl<'m> Walk<'m> {
    /// Walks the job from the cycle after `begins` on; `running` until it is done.
    pub(super) fn new(
        m: &'m ModuleBuilder,
        spec: &CnnSpec,
        job: &JobSignals<'m>,
        begins: Signal<'m>,
        running: Signal<'m>,
    ) -> Walk<'m> {
        let address = |field: Signal<'m>| field.truncate(spec.byte_bits());
        // idle cycles behind a group of positions
        let idle = m.reg("idle_left", u(16));
        let idles = idle.any().named("idles");
        let steps = (running & !idles).named("steps");

        let tap = Tap::new(m, spec, job, begins, steps);
        let ends = tap.ends;
        let left = m.reg("positions_left", u(20)).no_reset();
        let last_group = left.le(spec.pixels).named("last_group");
        let block_ends = (ends & last_group).named("block_ends");
        let total = job.positions;
        let fewer = block_ends.mux(total, *left - spec.pixels);
        left.next(begins.mux(total, fewer)).enable(begins | (steps & ends));
        let block = m.reg("blocks_left", u(12)).no_reset();
        block.next(begins.mux(job.blocks_less_1, *block - 1));
        let blocks = (steps & block_ends).called("block_steps");
        block.enable(begins | blocks);
        let all_end = (block_ends & block.eq(0)).named("all_end");
        idle.next(idles.mux(*idle - 1, job.idle)).enable((steps & ends) | idles).clear(begins);
        let finishing = m.reg("finishing", u(1)).next(m.lit(u(1), 1));
        let finishing = finishing.enable(steps & all_end).clear(begins);
        let none_idle = !job.idle.any();
        let done = (((steps & all_end).called("last_step") & none_idle)
            | (*finishing & idle.eq(1)))
        .named("walk_done");

        let block_base = m.reg("block_base", u(spec.byte_bits())).no_reset();
        let next_base = (*block_base + address(job.block_input)).named("next_block_base");
        let input = address(job.input).called("input_address");
        block_base.next(begins.mux(input, next_base)).enable(begins | (steps & block_ends));
        let outputs = || Outputs::new(m, spec, job, begins, steps & block_ends);
        let rows = spec.dual.then(outputs);
        let from = Window {
            column: m.lit(u(12), 0),
            y: job.y,
            x: job.x,
            address: begins.mux(input, next_base).called("window_base"),
            output: rows
                .as_ref()
                .map(|rows| begins.mux(rows.start, rows.next_block).called("output_base")),
        };
        let starts = (begins | (steps & block_ends)).named("windows_start");
        let windows = windows(m, spec, job, from, starts, (steps & ends).named("windows_move"));
        let inside = windows.iter().map(|window| {
            let y = (window.y + tap.y.to_signed()).called_in(window.y, "of_tap");
            let x = (window.x + tap.x.to_signed()).called_in(window.x, "of_tap");
            let (height, width) = (job.height.to_signed(), job.width.to_signed());
            (!y.msb() & y.lt(height)) & (!x.msb() & x.lt(width))
        });
        let inside = inside.enumerate().map(|(p, inside)| inside.named(format!("inside_{p}")));
        let inside = inside.collect();
        let addresses = windows.iter().map(|window| window.address + tap.address).collect();

        let plane = planes(m, spec, job, begins, steps, ends, block_ends);
        let outputs = match spec.dual {
            true => windows.iter().filter_map(|window| window.output).collect(),
            false => vec![outputs().in_one_row(m, job, begins, steps & ends, block_ends)],
        };
        let whole = left.ge(spec.pixels).named("whole_group");
        let first = tap.first;
        Walk { steps, first, ends, block_ends, done, addresses, inside, plane, outputs, whole }
    }
}

/// The element of a window.
struct Tap<'m> {
    address: Signal<'m>,
    y: Signal<'m>,
    x: Signal<'m>,
    first: Signal<'m>,
    ends: Signal<'m>,
}

impl<'m> Tap<'m> {
    fn new(
        m: &'m ModuleBuilder,
        spec: &CnnSpec,
        job: &JobSignals<'m>,
        begins: Signal<'m>,
        steps: Signal<'m>,
    ) -> Tap<'m> {
        let counter = |name: &str, bits: u32| m.reg(name, u(bits));
        let (channel, column, row) =
            (counter("channel_step", 16), counter("tap_column", 12), counter("tap_row", 12));
        let (y, x) = (counter("tap_y", 12), counter("tap_x", 12));
        let address = m.reg("tap_address", u(spec.byte_bits()));
        let to = |distance: Signal<'m>| distance.truncate(spec.byte_bits());

        let channels_end = channel.eq(job.channel_steps_less_1).named("channels_end");
        let row_ends = (channels_end & column.eq(job.kernel_columns_less_1)).named("tap_row_ends");
        let ends = (row_ends & row.eq(job.kernel_rows_less_1)).named("window_ends");
        let restart = (begins | (steps & ends).called("window_steps")).called("window_restarts");
        channel.next(*channel + 1).enable(steps).clear(begins | (steps & channels_end));
        let columns = (steps & channels_end).called("column_steps");
        let rows = (steps & row_ends).called("row_steps");
        let restart_row = (begins | rows).called("row_restarts");
        column.next(*column + 1).enable(columns).clear(restart_row);
        x.next(*x + job.dilation_x).enable(columns).clear(restart_row);
        row.next(*row + 1).enable(rows).clear(restart);
        y.next(*y + job.dilation_y).enable(rows).clear(restart);
        let groups: Vec<_> = (0..=spec.group_most())
            .map(|group| m.lit(u(spec.byte_bits()), 1u32 << group))
            .collect();
        let by_channel = super::memory::select(group_of(spec, job), &groups);
        let by =
            channels_end.mux(row_ends.mux(to(job.to_next_row), to(job.to_next_column)), by_channel);
        address.next(*address + by).enable(steps).clear(restart);
        let first = m.reg("window_begins", u(1)).reset_to(1);
        let moves = (begins | steps).called("tap_moves");
        first.next(begins | ends).enable(moves);
        Tap { address: *address, y: *y, x: *x, first: *first, ends }
    }
}

/// The job's group, in as many bits as the core needs; any signal if it knows but one.
pub(super) fn group_of<'m>(spec: &CnnSpec, job: &JobSignals<'m>) -> Signal<'m> {
    job.group.truncate(hwgen_hdl::bits_for(u64::from(spec.group_most())).max(1))
}

/// The windows of the positions in work: a chain, each the one before moved on.
fn windows<'m>(
    m: &'m ModuleBuilder,
    spec: &CnnSpec,
    job: &JobSignals<'m>,
    from: Window<'m>,
    starts: Signal<'m>,
    moves: Signal<'m>,
) -> Vec<Window<'m>> {
    let registers: Vec<_> = (0..spec.pixels)
        .map(|p| {
            let reg = |name: &str, like: Signal<'m>| {
                m.reg(format!("window_{name}_{p}"), like.ty()).no_reset()
            };
            let Window { column, y, x, address, output } = from;
            let all = [reg("column", column), reg("y", y), reg("x", x), reg("address", address)];
            (all, output.map(|output| reg("output", output)))
        })
        .collect();
    let now = |p: usize| {
        let (all, output) = &registers[p];
        let [column, y, x, address] = all.map(|register| *register);
        Window { column, y, x, address, output: output.map(|output| *output) }
    };
    let mut before = now(registers.len() - 1);
    for (p, (registers, output)) in registers.iter().enumerate() {
        let next = moved(m, spec, job, before, p);
        let next = match p {
            0 => choose(starts, from, next),
            // a block's first positions follow the first, which is just being set
            _ => next,
        };
        let Window { column, y, x, address, .. } = next;
        let outputs = output.iter().zip(next.output);
        for (register, value) in registers.iter().zip([column, y, x, address]).chain(outputs) {
            register.next(value).enable((starts | moves).called("windows_change"));
        }
        before = next;
    }
    (0..registers.len()).map(now).collect()
}

fn choose<'m>(which: Signal<'m>, yes: Window<'m>, no: Window<'m>) -> Window<'m> {
    Window {
        column: which.mux(yes.column, no.column).called("first_column"),
        y: which.mux(yes.y, no.y).called("first_y"),
        x: which.mux(yes.x, no.x).called("first_x"),
        address: which.mux(yes.address, no.address).called("first_address"),
        output: (yes.output.zip(no.output))
            .map(|(yes, no)| which.mux(yes, no).called("first_output")),
    }
}

fn moved<'m>(
    m: &'m ModuleBuilder,
    spec: &CnnSpec,
    job: &JobSignals<'m>,
    window: Window<'m>,
    p: usize,
) -> Window<'m> {
    let line_ends = window.column.eq(job.columns_less_1).named(format!("line_ends_{p}"));
    let to = |distance: Signal<'m>| distance.truncate(spec.byte_bits());
    Window {
        column: line_ends.mux(m.lit(u(12), 0), window.column + 1),
        y: line_ends.mux(window.y + job.stride_y.to_signed(), window.y),
        x: line_ends.mux(job.x, window.x + job.stride_x.to_signed()),
        address: window.address + line_ends.mux(to(job.to_next_line), to(job.to_next_window)),
        output: window.output.map(|output| {
            // behind a row the second ones of pairs are left out
            let skips = (line_ends & job.dual & job.depthwise).named(format!("row_left_out_{p}"));
            let skipped = skips.mux(to(job.second), m.lit(output.ty(), 0));
            output + to(job.output_pitch) + skipped.called(format!("bytes_left_out_{p}"))
        }),
    }
}

/// The first plane of each step's weights: a block's again for each group of positions.
fn planes<'m>(
    m: &'m ModuleBuilder,
    spec: &CnnSpec,
    job: &JobSignals<'m>,
    begins: Signal<'m>,
    steps: Signal<'m>,
    ends: Signal<'m>,
    block_ends: Signal<'m>,
) -> Signal<'m> {
    let bits = spec.plane_bits();
    let (plane, block) =
        (m.reg("plane", u(bits)).no_reset(), m.reg("block_plane", u(bits)).no_reset());
    let eight = m.lit(u(4), 8);
    let stride = job.shared.mux(eight, job.weight_bits);
    let stride = match spec.dual {
        true => job.dual.mux(stride.shl(1), stride),
        false => stride,
    };
    let stride = job.hold.mux(m.lit(u(4), 0), stride).called("plane_stride");
    let after = (*plane + stride.extend(bits.max(4)).truncate(bits)).called("plane_after");
    let start = job.weights.truncate(bits).called("first_plane");
    let next = (ends & !block_ends).mux(*block, after);
    plane.next(begins.mux(start, next)).enable(begins | steps);
    block.next(begins.mux(start, after)).enable(begins | (steps & block_ends));
    *plane
}

/// Where the results of a block's first position go.
struct Outputs<'m> {
    /// When the job begins.
    start: Signal<'m>,
    next_block: Signal<'m>,
    pixels: u32,
}

impl<'m> Outputs<'m> {
    fn new(
        m: &'m ModuleBuilder,
        spec: &CnnSpec,
        job: &JobSignals<'m>,
        begins: Signal<'m>,
        block_steps: Signal<'m>,
    ) -> Outputs<'m> {
        let bits = spec.byte_bits();
        let start = job.output.truncate(bits).called("output_low");
        let block = m.reg("block_output_address", u(bits)).no_reset();
        let next_block = (*block + job.block_output.truncate(bits).called("block_output_low"))
            .called("next_block_output");
        block.next(begins.mux(start, next_block)).enable(begins | block_steps);
        Outputs { start, next_block, pixels: spec.pixels }
    }

    /// The address of each group's first position, all positions at the same distance.
    fn in_one_row(
        &self,
        m: &'m ModuleBuilder,
        job: &JobSignals<'m>,
        begins: Signal<'m>,
        moves: Signal<'m>,
        block_ends: Signal<'m>,
    ) -> Signal<'m> {
        let output = m.reg("output_address", self.start.ty()).no_reset();
        let pitch = job.output_pitch.truncate(output.width()).called("output_pitch_low");
        let moved = match self.pixels {
            1 => *output + pitch,
            _ => *output + pitch.shl(1),
        };
        let next = begins.mux(self.start, block_ends.mux(self.next_block, moved));
        *output.next(next).enable(begins | moves)
    }
}
