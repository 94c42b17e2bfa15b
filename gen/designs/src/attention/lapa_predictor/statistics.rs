//! DDF, first half: the statistics of a row's live scores, a group a cycle.

use super::{LapaPredictorSpec, RoundFilter, cost};
use crate::wiring::{delayed, numbered, unpack};
use hwgen_hdl::{Int, Module, ModuleBuilder, Signal, s, u};
use std::sync::Arc;

/// Which statistics a filter reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Needs {
    /// Count and sum.
    pub(super) mean: bool,
    /// The smallest score.
    pub(super) min: bool,
    /// The sum of squares.
    pub(super) squares: bool,
}

impl Needs {
    /// What round `round` of `spec` needs beside the largest score.
    pub(super) fn of(filter: RoundFilter) -> Needs {
        Needs {
            mean: matches!(filter, RoundFilter::MeanMax { .. } | RoundFilter::Sigma { .. }),
            min: matches!(filter, RoundFilter::MeanMax { alpha16 } if alpha16 < 0),
            squares: matches!(filter, RoundFilter::Sigma { .. }),
        }
    }
}

/// The statistics unit of round `round`; never stalls, rows may follow each other at once.
///
/// In: `valid`, `last` (the row's last group), `live` (a bit a key), `scores` (any for keys not
/// live). Out: `row_valid` for one cycle, [`cost::statistics_cycles`] after the last group, beside
/// `max` and as needed `count`, `sum`, `min`, `squares`.
pub(super) fn module(spec: &LapaPredictorSpec, round: usize, needs: Needs) -> Arc<Module> {
    let score = s(spec.score_bits(round));
    let m = ModuleBuilder::new(format!("lapa_statistics_{round}"));
    m.doc("Statistics of a row's live scores: those a filter threshold is made of.");
    let (valid, last) = (m.input("valid", u(1)), m.input("last", u(1)));
    let live = m.input("live", u(spec.rows));
    let scores = m.input("scores", u(spec.rows * score.width));
    let mut squares = vec![];
    let (mut live, mut scores) = (unpack(live, u(1), spec.rows), unpack(scores, score, spec.rows));
    if needs.squares {
        squares = registers(&m, "square", scores.iter().map(|score| square(*score)), valid);
        live = registers(&m, "live", live.into_iter(), valid);
        scores = registers(&m, "score", scores.into_iter(), valid);
    }

    // bit i: a group came i + 1 cycles ago
    let cycles = cost::statistics_cycles(spec, round) - 1;
    let line = (cycles > 0).then(|| m.reg("group_valid", u(cycles)));
    let mut stages = vec![valid];
    if let Some(line) = line {
        line.next(if cycles == 1 { valid } else { line.truncate(cycles - 1).cat(valid) });
        stages.extend((0..cycles).map(|i| line.bit(i)));
    }
    let valid = stages[cycles as usize];
    let stages = stages.split_off(usize::from(needs.squares));
    let last = delayed(&m, "group_last", last, cycles);
    let first = m.reg("first", u(1)).reset_to(1);
    first.next(last).enable(valid);
    m.output("row_valid", m.reg("row_valid", u(1)).next(valid & last));

    let row = Row { m: &m, valid, stages, first: *first };
    let lanes = |name: &str, neutral: Int| {
        let scores = live.iter().zip(&scores);
        numbered(name, scores.map(|(live, score)| live.mux(*score, neutral.clone())))
    };
    row.extremum("max", lanes("score_for_max", score.min()), Signal::gt);
    if needs.min {
        row.extremum("min", lanes("score_for_min", score.max()), Signal::lt);
    }
    if needs.mean {
        row.total("sum", lanes("score_for_sum", Int::ZERO), spec.sum_bits(round));
        row.total("count", live.clone(), spec.count_bits());
    }
    if needs.squares {
        let squares = live.iter().zip(&squares).map(|(live, square)| live.mux(*square, 0));
        let squares = numbered("live_square", squares);
        row.total("squares", squares, spec.sum_squares_bits(round));
    }
    m.finish()
}

fn registers<'m>(
    m: &'m ModuleBuilder,
    name: &str,
    values: impl Iterator<Item = Signal<'m>>,
    enable: Signal<'m>,
) -> Vec<Signal<'m>> {
    let register = |(i, value): (usize, Signal<'m>)| {
        let register = m.reg(format!("{name}_{i}"), value.ty());
        register.no_reset().next(value).enable(enable).into()
    };
    values.enumerate().map(register).collect()
}

/// The square of a score, unsigned; it needs a bit less than twice the score's.
fn square(score: Signal<'_>) -> Signal<'_> {
    let square = score.mul(score).as_unsigned();
    square.truncate(square.width() - 1)
}

/// The accumulators of a row.
struct Row<'m> {
    m: &'m ModuleBuilder,
    /// A group leaves the trees over the lanes.
    valid: Signal<'m>,
    /// A group is before each of the trees' registers.
    stages: Vec<Signal<'m>>,
    /// It is its row's first and starts the accumulators afresh.
    first: Signal<'m>,
}

impl<'m> Row<'m> {
    /// The sum of all lanes of all groups, in `width` bits.
    fn total(&self, name: &str, lanes: Vec<Signal<'m>>, width: u32) {
        let group =
            self.over_lanes(name, lanes, |a, b| a.extend(a.width() + 1) + b.extend(b.width() + 1));
        let group = group.resize(width);
        let row = self.m.reg(format!("row_{name}"), group.ty()).no_reset();
        row.next(self.first.mux(group, row + group)).enable(self.valid);
        self.m.output(name, row);
    }

    /// The lane that is `better` than all others, of all groups.
    fn extremum(
        &self,
        name: &str,
        lanes: Vec<Signal<'m>>,
        better: impl Fn(Signal<'m>, Signal<'m>) -> Signal<'m>,
    ) {
        let group = self.over_lanes(name, lanes, |a, b| better(b, a).mux(b, a));
        let row = self.m.reg(format!("row_{name}"), group.ty()).no_reset();
        row.next(group).enable(self.valid & (self.first | better(group, *row)));
        self.m.output(name, row);
    }

    /// Combines the lanes, a power of two, pairwise; a register follows every
    /// [`cost::LEVELS_PER_STAGE`] levels and the last.
    fn over_lanes(
        &self,
        name: &str,
        lanes: Vec<Signal<'m>>,
        combine: impl Fn(Signal<'m>, Signal<'m>) -> Signal<'m>,
    ) -> Signal<'m> {
        let mut level = lanes;
        let (mut depth, mut stage) = (0, 0);
        while level.len() > 1 {
            depth += 1;
            let pairs = level.chunks(2).map(|pair| combine(pair[0], pair[1]));
            level = numbered(&format!("{name}_{depth}_of"), pairs);
            if depth % cost::LEVELS_PER_STAGE == 0 || level.len() == 1 {
                let name = format!("{name}_{depth}");
                level = registers(self.m, &name, level.into_iter(), self.stages[stage]);
                stage += 1;
            }
        }
        level[0]
    }
}
