//! One number out of a row's groups: their keys' largest, or their sum.

use super::timing::{LEVELS_PER_STAGE, levels};
use crate::wiring::quiet;
use hwgen_hdl::{ModuleBuilder, Signal, u};

/// Cycles from a row's last group to its number, in groups of `rows` keys.
pub(crate) fn cycles(rows: u32) -> u32 {
    levels(rows).div_ceil(LEVELS_PER_STAGE) + 1
}

/// The groups of a row, as they come.
#[derive(Clone, Copy)]
pub(crate) struct Groups<'m> {
    /// There is one.
    pub(crate) valid: Signal<'m>,
    /// It is its row's last.
    pub(crate) last: Signal<'m>,
}

/// A row's number, for one cycle.
pub(crate) struct Folded<'m> {
    pub(crate) valid: Signal<'m>,
    pub(crate) number: Signal<'m>,
}

/// Combines a group's `lanes`, a power of two of them, pairwise with `pair`, then the groups of a
/// row with `gather`, in `bits` bits; named `name`. Never stalls; idle stages hold still.
pub(crate) fn fold<'m>(
    m: &'m ModuleBuilder,
    name: &str,
    groups: Groups<'m>,
    lanes: Vec<Signal<'m>>,
    bits: u32,
    pair: impl Fn(Signal<'m>, Signal<'m>) -> Signal<'m>,
    gather: impl Fn(Signal<'m>, Signal<'m>) -> Signal<'m>,
) -> Folded<'m> {
    let mut pipeline = quiet(groups.valid);
    let (mut level, mut last, mut depth) = (lanes, groups.last, 0);
    while level.len() > 1 {
        level = level.chunks(2).map(|two| pair(two[0], two[1])).collect();
        depth += 1;
        if depth % LEVELS_PER_STAGE == 0 || level.len() == 1 {
            level.push(last);
            level = pipeline.stage(name, &level);
            last = level.remove(level.len() - 1);
        }
    }
    let (valid, group) = (pipeline.valid(), level[0].resize(bits));
    let first = m.reg(format!("{name}_first"), u(1)).reset_to(1);
    first.next(last).enable(valid);
    let row = m.reg(format!("row_{name}"), group.ty()).no_reset();
    row.next(first.mux(group, gather(*row, group))).enable(valid);
    let valid = m.reg(format!("row_{name}_valid"), u(1)).next(valid & last);
    Folded { valid: valid.into(), number: row.into() }
}
