//! Collects the rows of a tile.

use crate::wiring::held;
use hwgen_hdl::{Bundle, ModuleBuilder, Signal, Stream, Wire, index_bits, u};

/// A tile's rows, once there are enough.
pub(super) struct Gathered<'m> {
    /// They are there.
    pub(super) full: Signal<'m>,
    /// The lane of the last of them.
    pub(super) last_lane: Signal<'m>,
    /// A row a lane.
    pub(super) rows: Vec<Bundle<'m>>,
    /// Which lane takes one.
    pub(super) takes: Vec<Signal<'m>>,
    /// To be driven: others may come.
    pub(super) taken: Wire<'m>,
}

impl<'m> Gathered<'m> {
    /// Whether the tile has a row for that lane.
    pub(super) fn here(&self, lane: u32) -> Signal<'m> {
        self.last_lane.ge(lane)
    }

    /// Whether the tile's last row is the head's.
    pub(super) fn head_ends(&self) -> Signal<'m> {
        let last: Vec<_> = self.rows.iter().map(|row| row.get("last")).collect();
        self.last_lane.select(&last)
    }
}

/// Takes `tile` rows of a stream, or fewer if the head ends, and no others until they are taken.
pub(super) fn gather<'m>(m: &'m ModuleBuilder, rows: &Stream<'m>, tile: u32) -> Gathered<'m> {
    let lane = m.reg("gathering", u(index_bits(tile as usize)));
    let (full, taken) = (m.reg("full", u(1)), m.wire("tile_taken", u(1)));
    rows.ready.drive(!full);
    let completes = rows.fires() & (lane.eq(tile - 1) | rows.get("last"));
    let completes = completes.named("completes");
    full.next(completes).enable(completes | *taken);
    lane.next(lane + 1).enable(rows.fires()).clear(completes);
    let last_lane = held(m, "last_lane", *lane, completes);

    let takes = |at: u32| (rows.fires() & lane.eq(at)).named(format!("takes_{at}"));
    let takes: Vec<_> = (0..tile).map(takes).collect();
    let row = |(at, takes): (usize, &Signal<'m>)| {
        let field = |(name, value): (&str, Signal<'m>)| {
            (name.to_owned(), held(m, format!("{name}_{at}"), value, *takes))
        };
        Bundle::new(rows.payload.iter().map(field))
    };
    let rows = takes.iter().enumerate().map(row).collect();
    Gathered { full: *full, last_lane, rows, takes, taken }
}
