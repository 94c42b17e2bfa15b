//! What a predictor takes on a chip, about: sums over its parts, fast enough for a search to call.

use super::statistics::Needs;
use super::{LapaSpec, RoundFilter, cost, mass, mass_threshold, round_filter};
use crate::predictor::top_k;

/// Levels of the shifter that makes octaves of scores.
const SHIFTER_LEVELS: u64 = 5;

/// Estimated resources.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Area {
    /// Four-input look-up tables, carry chains included (a bit each).
    pub luts: u64,
    /// Flip-flops, without those inside memories.
    pub flip_flops: u64,
    /// Bits of memories: key banks, queues, reciprocal tables.
    pub memory_bits: u64,
    /// Multiplications of two variables, for DSP blocks: the filter's, none for scores.
    pub multiplications: u64,
}

impl std::ops::AddAssign for Area {
    fn add_assign(&mut self, other: Area) {
        self.luts += other.luts;
        self.flip_flops += other.flip_flops;
        self.memory_bits += other.memory_bits;
        self.multiplications += other.multiplications;
    }
}

/// Estimates a predictor.
///
/// Flip-flops and memory bits follow the netlist; a test holds them within a tenth of its count.
/// LUTs are fitted to Yosys 0.23 for ECP5 (`LUT4` and two for each `CCU2C`), where a bit of a shifter's
/// stage takes almost two: between 21 % too few and 15 % too many on seven sizes from 32 to 384 lanes.
pub fn area(spec: &LapaSpec) -> Area {
    let code_bits = u64::from(spec.head_dim * spec.lo_code_bits());
    let results = u64::from(spec.rows * (spec.final_score_bits() + 1));
    let radius = match (spec.has_radius(), spec.has_scale()) {
        (true, _) => u64::from(spec.radius_bits()),
        (_, true) => u64::from(mass::EXPONENT.width + 1),
        _ => 0,
    };
    let mut total = Area {
        luts: u64::from(spec.head_dim * spec.query_bits * 4),
        flip_flops: code_bits + results + radius + 4 * u64::from(spec.count_bits()),
        ..Area::default()
    };
    for round in 0..spec.rounds() {
        total += banks_and_rows(spec, round);
        total += match round_filter(spec, round) {
            RoundFilter::TopK { .. } => search(spec, round),
            RoundFilter::Mass { .. } => histogram(spec, round),
            filter => statistics_and_threshold(spec, round, filter),
        };
        total += queues(spec, round, code_bits + radius);
    }
    total
}

fn banks_and_rows(spec: &LapaSpec, round: usize) -> Area {
    let (rows, dim) = (u64::from(spec.rows), u64::from(spec.head_dim));
    let width = u64::from(spec.key_slices[round]);
    let (exponent, bits) = (u64::from(spec.max_exponent()), u64::from(spec.exponent_bits()));
    let score = u64::from(spec.score_bits(round));
    let before = round.checked_sub(1).map_or(0, |r| u64::from(spec.score_bits(r)));
    let term = width + 1 + exponent;

    // negated slices, then the tree's registers
    let (mut registers, mut partial_sums, mut level) = (dim * (width + 1), dim, 0);
    while partial_sums > 1 {
        for _ in 0..cost::LEVELS_PER_STAGE.min(partial_sums.next_power_of_two().ilog2()) {
            partial_sums = partial_sums.div_ceil(2);
            level += 1;
        }
        registers += partial_sums * (term + level);
    }
    let cycles = u64::from(cost::row_cycles(spec, round));
    registers += cycles;
    if round > 0 {
        registers += score + before * (cycles - 1);
    }
    // a shifter's stages grow: by 1, 2, 4, .. up to the full term
    let shifter: u64 = (1..=bits).map(|stage| term.min(width + (1 << stage))).sum();
    let lane = (width + 1) * 2 + shifter * 9 / 5;
    let tree = (dim - 1) * (term + level / 2);
    Area {
        luts: rows * (dim * lane + tree + if round > 0 { score } else { 0 }),
        flip_flops: rows * (registers + before + 1)
            + dim * u64::from(spec.lo_code_bits() + spec.exponent_bits())
            + 3 * cycles,
        memory_bits: u64::from(spec.max_groups()) * rows * dim * width,
        multiplications: 0,
    }
}

fn statistics_and_threshold(spec: &LapaSpec, round: usize, filter: RoundFilter) -> Area {
    let needs = Needs::of(filter);
    let score = u64::from(spec.score_bits(round));
    let rows = u64::from(spec.rows);
    let (count, recip) = (u64::from(spec.count_bits()), u64::from(spec.recip_bits()));
    let (sum, squares) = (u64::from(spec.sum_bits(round)), u64::from(spec.sum_squares_bits(round)));

    // registers of a tree over the lanes, per bit of a lane that does not grow
    let (mut kept, mut left, mut level) = (0, rows, 0);
    let mut grown = 0;
    while left > 1 {
        let levels = u64::from(cost::LEVELS_PER_STAGE.min(left.ilog2()));
        left >>= levels;
        level += levels;
        kept += left;
        grown += left * level;
    }
    let extrema = 1 + u64::from(needs.min);
    let mut area = Area {
        luts: extrema * rows * 3 * score + 4 * score,
        flip_flops: extrema * score * (kept + 1) + 2 * score + 8,
        ..Area::default()
    };
    if needs.mean {
        area.luts += rows * (score + 4) + sum + count;
        area.flip_flops += (score + 1) * kept + 2 * grown + sum + count;
        // division: the total, the products twice, beside them the extrema
        let products = if spec.approx_mean { 1 } else { 2 };
        let product = if spec.approx_mean { sum } else { sum + recip };
        area.flip_flops += sum + products * product + (products + 2) * extrema * score + 2 * score;
        area.luts += 6 * score + if spec.approx_mean { sum * 4 } else { 0 };
        area.multiplications += u64::from(!spec.approx_mean);
    }
    if !spec.approx_mean && needs.mean {
        area.memory_bits += u64::from(spec.max_keys + 1) * recip;
    }
    if needs.squares {
        let digits = score;
        area.flip_flops += rows * (3 * score + 1)
            + 2 * score * kept
            + grown
            + squares * 2
            + 2 * (squares + recip)
            + 8 * score
            + 5 * score
            // each digit of the root: root, remainder, what is left, and mean and maximum beside
            + digits * (5 * score);
        area.luts += rows * 2 * score + squares + digits * 3 * score;
        area.multiplications += rows + 1 + u64::from(!spec.approx_mean);
    }
    if let RoundFilter::Radius { .. } = filter {
        let wait = cost::score_cycles(spec, round) + cost::statistics_cycles(spec, round);
        area.flip_flops += u64::from(spec.radius_bits()) * u64::from(wait + 1);
    }
    area
}

fn histogram(spec: &LapaSpec, round: usize) -> Area {
    let (score, rows) = (u64::from(spec.score_bits(round)), u64::from(spec.rows));
    let (count, octave) = (u64::from(spec.count_bits()), u64::from(mass::OCTAVE.width));
    let depth = u64::from(mass::DEPTH);
    let (mass_bits, row) = (count + u64::from(mass_threshold::WEIGHT_BITS), 7);
    // a level of the tree's maxima, and all lanes beside them
    let (mut tree, mut left) = (0, rows);
    while left > 1 {
        left >>= cost::LEVELS_PER_STAGE.min(left.ilog2());
        tree += left * octave + rows * (octave + 1) + row + 1;
    }
    let hit = u64::from(hwgen_hdl::bits_for(spec.rows.into()));
    let thirds = 2 * (score + 4) + (score + 4).next_power_of_two();
    Area {
        luts: rows * (2 * score + SHIFTER_LEVELS * score + 4 * octave)
            + depth * (rows * 3 + 2 * hit + 6 * count + 4 * mass_bits)
            + 6 * thirds,
        flip_flops: rows * (octave + 1) + tree + 10 + octave
            // slots, hits, counts and their order
            + depth + rows * 5 + row + octave
            + depth * (hit + 1) + row + octave
            + 2 * depth * count + 2 * (row + octave)
            // masses in three stages, then the threshold
            + (3 * depth) * mass_bits + 3 * (row + octave)
            + 5 * score + thirds + 40
            // the row's octave, delayed
            + 8 * u64::from(cost::score_cycles(spec, round)),
        ..Area::default()
    }
}

fn search(spec: &LapaSpec, round: usize) -> Area {
    let (score, shape) = (u64::from(spec.score_bits(round)), spec.shape());
    let count = u64::from(spec.count_bits());
    let digit = u64::from(top_k::DIGIT_BITS);
    let counters = (1 << digit) - 1;
    let keys = u64::from(top_k::word_groups(shape) * spec.rows);
    Area {
        // digits found and the one looked for, its decoder, adders of its hits; then counters
        luts: keys * (2 * score + 3 * counters) + counters * 5 * count + 8 * count,
        flip_flops: keys * digit + counters * count + score + score / digit + 5 * count + 10,
        memory_bits: u64::from(top_k::max_words(shape)) * keys * (score + 1),
        multiplications: 0,
    }
}

fn queues(spec: &LapaSpec, round: usize, row_bits: u64) -> Area {
    let score = u64::from(spec.score_bits(round));
    let group = u64::from(spec.rows) * (score + 1) + 1;
    let groups = u64::from(cost::groups_in_flight(spec, round));
    let rows = u64::from(cost::rows_in_flight(spec, round));
    let row_bits = if round + 1 < spec.rounds() { row_bits + 1 } else { 0 };
    Area {
        // comparators and masks of the filter, then pointers and credits
        luts: 2 * group + 200,
        flip_flops: 60,
        memory_bits: groups * group + rows * (score + row_bits),
        multiplications: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::load;
    use hwgen_hdl::Module;

    /// Flip-flops and memory bits of a module and all below it.
    fn counted(module: &Module) -> (u64, u64) {
        let bits = |ty: hwgen_hdl::Type| u64::from(ty.width);
        let registers = module.registers.iter().map(|r| bits(module.ty(r.node)));
        let memories = module.memories.iter();
        let own =
            (registers.sum::<u64>(), memories.map(|m| m.depth as u64 * bits(m.word)).sum::<u64>());
        let below = module.instances.iter().map(|i| counted(&i.module));
        below.fold(own, |(ff, bits), (f, b)| (ff + f, bits + b))
    }

    #[test]
    fn flip_flops_and_memory_follow_the_netlist() {
        for overrides in [
            "rows=16",
            "rows=4 head_dim=32 approx_mean=true",
            "rows=8 key_slices=[4,2,2] round_leading_one=true filter.alpha16=[-4]",
            "rows=2 key_slices=[8] query_bits=12",
            "rows=8 filter.mode=sigma",
            "rows=16 filter.mode=radius",
            "rows=16 filter.mode=top_k",
            "rows=16 filter.mode=mass",
            "rows=2 filter.mode=mass key_slices=[8]",
        ] {
            let sets: Vec<String> = overrides.split(' ').map(str::to_owned).collect();
            let spec: LapaSpec = load(None, &sets).unwrap();
            let (flip_flops, memory_bits) = counted(&super::super::build(&spec));
            let area = area(&spec);
            let ratio = |estimate: u64, count: u64| estimate as f64 / count as f64;
            let (ff, bits) =
                (ratio(area.flip_flops, flip_flops), ratio(area.memory_bits, memory_bits));
            println!("{overrides}: {area:?}, flip-flops x {ff:.3}, memory x {bits:.3}");
            assert!((0.9..=1.1).contains(&ff), "{overrides}: {ff}");
            assert!((0.9..=1.1).contains(&bits), "{overrides}: {bits}");
        }
    }
}
