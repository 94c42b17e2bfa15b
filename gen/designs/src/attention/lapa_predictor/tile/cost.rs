//! The cycles of tiles, exactly.

use super::super::cost::{self as of_round, HeadShape};
use super::super::{LapaPredictorSpec, RoundFilter, round_filter};
use crate::attention::predictor::timing::Taken;

/// Groups of `rows` keys between issue and filter for which a lane has room: its own row, those that
/// leave before it, and what is on its way.
pub(super) fn groups_in_flight(spec: &LapaPredictorSpec) -> u32 {
    let row = spec.max_groups();
    let before = (row * (spec.tile - 1)).div_ceil(spec.tile);
    row + before + of_round::round_cycles(&spec.lane(), 0, 1).div_ceil(spec.tile) + 2
}

/// Rows between issue of their last group and filter for which a lane has room: a tile begins when
/// its rows have been gathered.
pub(super) fn rows_in_flight(spec: &LapaPredictorSpec) -> u32 {
    match round_filter(spec, 0) {
        RoundFilter::TopK { .. } => 3,
        _ => of_round::round_cycles(&spec.lane(), 0, 1).div_ceil(spec.tile + 1) + 2,
    }
}

/// Tiles that have begun and not left: those whose first rows are in flight, one that is being
/// issued and one whose first row has left.
pub(super) fn tiles_in_flight(spec: &LapaPredictorSpec) -> u32 {
    rows_in_flight(spec) + 2
}

/// The cycle at whose end each beat of the result passes when no stream stalls; cycle 0 takes the
/// first key.
pub(in super::super) fn beat_cycles(spec: &LapaPredictorSpec, heads: &[HeadShape]) -> Vec<u64> {
    let of_lane = spec.lane();
    let one_row = matches!(round_filter(spec, 0), RoundFilter::TopK { .. });
    let (groups_room, rows_room) = (groups_in_flight(spec), rows_in_flight(spec));
    let mut lanes = vec![Lane::default(); spec.tile as usize];
    let (mut out, mut leaves) = (vec![], 0);
    // the first cycles in which a key, a row, a group may come
    let (mut keys_from, mut gather_from, mut issue_from) = (0, 0, 0);
    for head in heads {
        // a key a cycle; a row passes the encoder's register
        gather_from = gather_from.max(keys_from + u64::from(head.keys) + 1);
        for rows in head.visible.chunks(lanes.len()) {
            let groups = |visible: &u32| visible.div_ceil(of_lane.rows);
            let full = gather_from + rows.len() as u64;
            issue_from = issue_from.max(full);
            for group in 0..rows.iter().map(groups).max().unwrap_or(0) {
                let runs = lanes.iter_mut().zip(rows).filter(|(_, row)| group < groups(row));
                let mut runs: Vec<_> = runs.collect();
                let room = runs.iter().map(|(lane, row)| {
                    let mut from = lane.free;
                    if group % spec.tile == 0 {
                        from = from.max(lane.groups_left.room(groups_room, &lane.groups));
                    }
                    if group + 1 == groups(row) {
                        from = from.max(lane.rows_left.room(rows_room, &lane.rows));
                    }
                    from
                });
                let now = room.fold(issue_from, u64::max);
                issue_from = now + 1;
                if group == 0 {
                    gather_from = now + 1;
                }
                for (lane, row) in &mut runs {
                    if group % spec.tile == 0 {
                        lane.groups.0.push(now);
                    }
                    if group + 1 == groups(row) {
                        lane.rows.0.push(now);
                        let limit = of_round::round_cycles(&of_lane, 0, groups(row));
                        lane.limit = now + u64::from(limit);
                        lane.free = if one_row { lane.limit } else { 0 };
                    }
                }
            }
            for (lane, row) in lanes.iter_mut().zip(rows) {
                for _ in 0..row.div_ceil(spec.rows) {
                    leaves = lane.limit.max(leaves);
                    lane.groups_left.0.push(leaves);
                    leaves += 1;
                    // a register slice follows the filter
                    out.push(leaves);
                }
                lane.rows_left.0.push(leaves - 1);
            }
        }
        keys_from = issue_from;
    }
    out
}

/// A lane's groups and rows.
#[derive(Debug, Clone, Default)]
struct Lane {
    /// When groups were issued that open a place, and rows' last ones.
    groups: Taken,
    rows: Taken,
    /// When they left.
    groups_left: Taken,
    rows_left: Taken,
    /// When the last row's limit is there.
    limit: u64,
    /// The first cycle in which its search unit takes a row.
    free: u64,
}
