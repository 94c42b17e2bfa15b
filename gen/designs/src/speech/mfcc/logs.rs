//! Logarithms of the bands' sums, less that of the level.

use super::MfccSpec;
use super::bins::Bins;
use super::spec::LOG_BITS;
use super::tables::{self, FLOOR_BITS};
use super::widths::Widths;
use crate::wiring::{delayed, delayed_flag, held, times_constant};
use hwgen_hdl::lib::barrel_shifter::{Shift, barrel_shift};
use hwgen_hdl::lib::leading_one::leading_one;
use hwgen_hdl::lib::rounding::{Rounding, round_shift};
use hwgen_hdl::{MemoryBuilder, ModuleBuilder, Signal, s, u};

/// Cycles from a band's completion to the one at whose end its logarithm is written.
const LOG_CYCLES: u32 = 3;

/// Cycles between the end of the bins and that of the logarithms.
pub(super) const LOGS_WAIT: u32 = LOG_CYCLES - 1;

/// A frame's logarithms, a band each, complete when `ends`. A frame's bins begin at the edge with
/// `starts`; then the level is taken, before any band.
pub(super) struct Logs<'m> {
    /// A band each.
    pub(super) memory: MemoryBuilder<'m>,
    /// All are written at this edge at the latest.
    pub(super) ends: Signal<'m>,
}

/// Takes the level and the bands' sums.
pub(super) fn logs<'m>(
    m: &'m ModuleBuilder,
    spec: &MfccSpec,
    starts: Signal<'m>,
    level: Signal<'m>,
    bins: &Bins<'m>,
) -> Logs<'m> {
    let widths = Widths::of(spec);
    let factor = i32::try_from(tables::floor_factor(spec)).expect("the floor's factor has 24 bits");
    let floor = times_constant(level.to_signed(), factor);
    let floor = round_shift(floor.called("fine_floor"), FLOOR_BITS, Rounding::HalfUp).as_unsigned();
    let floor = m.reg("floor", u(widths.sum)).no_reset().next(floor.resize(widths.sum));

    // the sum's leading one, and the bits behind it; a sum of 0 acts as 1
    let takes = (starts | bins.completes).called("takes_sum");
    let value = starts.mux(level.extend(widths.sum), bins.falling + *floor);
    let value = held(m, "log_of", value, takes);
    let valid = delayed_flag(m, "log_valid", takes, 1);
    let one = leading_one(value);
    let top = widths.sum - 1;
    let places = (m.lit(one.index.ty(), top) - one.index).called("places_to_top");
    let normal = barrel_shift(Shift::Left, value, places);
    let behind = normal.slice(top - 1, top - spec.table_bits).named("behind_leading_one");
    let exponent = held(m, "exponent", one.index, valid);
    let behind = held(m, "log_place", behind, valid);
    let looks = delayed_flag(m, "log_looks", valid, 1);
    let table = m.memory("logarithms", 1 << spec.table_bits, u(LOG_BITS));
    let fraction = table.init(tables::logarithms(spec)).read_sync(behind, looks);
    let exponent = held(m, "exponent_beside", exponent, looks);
    let log = exponent
        .cat(fraction)
        .called("fine_logarithm")
        .to_signed()
        .extend(widths.log)
        .named("logarithm");
    debug_assert_eq!(LOG_CYCLES, 3);

    let done = delayed_flag(m, "log_done", takes, LOG_CYCLES);
    let of_level = delayed(m, "log_of_level", starts, LOG_CYCLES);
    let unit = m.lit(s(widths.log), tables::unit_logarithm(spec));
    let base = held(m, "level_logarithm", log + unit, done & of_level);
    let memory = m.memory("logs", spec.mels as usize, s(widths.log));
    let writes = (done & !of_level).named("log_writes");
    let band = m.reg("band", memory.address_type());
    band.next(band + 1).enable(writes).clear(starts);
    memory.write(*band, log - base, writes);
    Logs { memory, ends: delayed_flag(m, "logs_end", bins.ends, LOGS_WAIT) }
}
