//! From sums to bytes: a group's sums leave the lanes at once, and are requantized `results` a cycle.
//!
//! ```text
//! sums --> shadow, `results` lanes a cycle --> sum of a result's lanes, bias --+
//! terms of an addition ----------------------------------------------- mux ----+--> x
//! x --> * multiplier --> >> 31 --> >> right --+--> + zero, clamp --> bytes
//!                                             +--> sum of two terms --> x
//! ```

use super::CnnSpec;
use super::fields::JobSignals;
use super::image::scale_row;
use super::job::{Scale, scale_fields};
use super::memory::{Row, Write, any, select};
use super::requantize;
use super::rom::rom;
use super::walk::group_of;
use crate::wiring::{delayed, delayed_flag, pack, unpack};
use hwgen_hdl::{Bundle, ModuleBuilder, Signal, index_bits, reduce, s, u};

/// A group of positions whose sums are done.
pub(super) struct Group<'m> {
    /// They are, in this cycle.
    pub(super) done: Signal<'m>,
    /// The block has no more.
    pub(super) block_ends: Signal<'m>,
    /// The address of the first position's results, or of each position's.
    pub(super) outputs: Vec<Signal<'m>>,
    /// All positions are in the output.
    pub(super) whole: Signal<'m>,
    /// The sums, by position and lane.
    pub(super) sums: Vec<Vec<Signal<'m>>>,
    /// And those of lanes' second weights, if they may have two.
    pub(super) twins: Vec<Vec<Signal<'m>>>,
}

/// Bytes of an addition's term.
pub(super) struct Term<'m> {
    pub(super) valid: Signal<'m>,
    /// The second of the two.
    pub(super) second: Signal<'m>,
    pub(super) bytes: Vec<Signal<'m>>,
    /// Where the sum goes.
    pub(super) output: Signal<'m>,
}

/// Where scales come from.
pub(super) struct ScaleSource<'m, 'c> {
    pub(super) load: Row<'m>,
    pub(super) contents: Option<&'c [Vec<Scale>]>,
}

/// What leaves.
pub(super) struct Drained<'m> {
    pub(super) write: Write<'m>,
    /// Something is on its way.
    pub(super) busy: Signal<'m>,
}

/// Results on their way to a multiplier.
struct Scaled<'m> {
    valid: Signal<'m>,
    sums: Vec<Signal<'m>>,
    multipliers: Vec<Signal<'m>>,
    rights: Vec<Signal<'m>>,
}

/// Requantizes groups, and sums of terms if the core adds.
pub(super) fn drain<'m>(
    m: &'m ModuleBuilder,
    spec: &CnnSpec,
    job: &JobSignals<'m>,
    begins: Signal<'m>,
    group: &Group<'m>,
    term: Option<&Term<'m>>,
    source: &ScaleSource<'m, '_>,
) -> Drained<'m> {
    let shadow = Shadow::new(m, spec, job, begins, group, source);
    let biased = shadow.biased(m, spec, job);
    let adding = term.map(|term| Adding::new(m, spec, job, term));
    let scaled = match &adding {
        None => biased,
        Some(adding) => adding.or(biased),
    };
    let sum_bits = spec.accumulator_bits;
    let valid = delayed_flag(m, "scaled_valid", scaled.valid, 1);
    let guarded = |name: String, value: Signal<'m>| {
        m.reg(name, value.ty()).no_reset().next(value).enable(scaled.valid)
    };
    let requantizer = requantize::module(sum_bits, spec.multiplier_bits);
    let values: Vec<_> = (0..spec.results as usize)
        .map(|r| {
            let sum = guarded(format!("scaled_sum_{r}"), scaled.sums[r]);
            let multiplier = guarded(format!("scaled_multiplier_{r}"), scaled.multipliers[r]);
            let right = guarded(format!("scaled_right_{r}"), scaled.rights[r]);
            let part = m.instance(format!("requantizer_{r}"), &requantizer);
            let part = part.input("valid", valid).input("sum", *sum);
            let part = part.input("rounding", job.rounding);
            part.input("multiplier", *multiplier).input("right", *right).output("value")
        })
        .collect();
    if let Some(adding) = &adding {
        adding.take(m, &values);
    }
    let bytes = values.iter().enumerate().map(|(r, value)| {
        let wide = value.width() + 1;
        let moved = value.extend(wide) + job.zero.extend(wide);
        let (least, most) = (job.least.extend(wide), job.most.extend(wide));
        let moved = moved.called(format!("moved_{r}"));
        let low = moved.lt(least).mux(least, moved).called(format!("at_least_{r}"));
        let byte = low.gt(most).mux(most, low).called(format!("at_most_{r}"));
        let byte = byte.truncate(8).as_signed();
        let byte = match spec.sums {
            true => job.wraps.mux(moved.truncate(8).as_signed(), byte),
            false => byte,
        };
        m.reg(format!("byte_{r}"), byte.ty()).no_reset().next(byte).into()
    });
    let bytes: Vec<Signal<'_>> = bytes.collect();

    // from the drained lanes to the bytes: biased, scaled, requantized, clamped
    let cycles = 1 + 1 + requantize::LATENCY + 1;
    let enable = delayed_flag(m, "drained", shadow.writes, cycles);
    let address = delayed(m, "drained_address", shadow.address, cycles);
    let group_now = group_of(spec, job);
    let mut write = Write { enable, address, group: group_now, bytes };
    let mut flags = vec![shadow.active, enable, delayed_any(m, "draining", shadow.active, cycles)];
    if let (Some(adding), Some(term)) = (&adding, term) {
        let sums = delayed_flag(m, "added", adding.sums, SUM_CYCLES);
        let address = delayed(m, "added_address", term.output, PAIR_CYCLES + SUM_CYCLES);
        write.enable = write.enable | sums;
        write.address = sums.mux(address, write.address);
        let none = m.lit(group_now.ty(), 0);
        write.group = sums.mux(none, group_now);
        flags.extend([sums, delayed_any(m, "adding", term.valid, PAIR_CYCLES + SUM_CYCLES)]);
    }
    Drained { write, busy: any(&flags) }
}

/// Whether a flag was 1 in one of the last cycles.
fn delayed_any<'m>(m: &'m ModuleBuilder, name: &str, flag: Signal<'m>, cycles: u32) -> Signal<'m> {
    let line = m.reg(name, u(cycles));
    line.next(line.truncate(cycles - 1).cat(flag));
    line.any()
}

/// A group's sums, leaving.
struct Shadow<'m> {
    active: Signal<'m>,
    /// Results that stand for a position in the output leave in this cycle.
    writes: Signal<'m>,
    address: Signal<'m>,
    lanes: Vec<Signal<'m>>,
    scales: Vec<Bundle<'m>>,
}

impl<'m> Shadow<'m> {
    fn new(
        m: &'m ModuleBuilder,
        spec: &CnnSpec,
        job: &JobSignals<'m>,
        begins: Signal<'m>,
        group: &Group<'m>,
        source: &ScaleSource<'m, '_>,
    ) -> Shadow<'m> {
        // chunk by chunk, in each the positions one after the other
        let left = m.reg("chunks_left", u(9));
        let active = left.any().named("drains");
        let turn = match spec.pixels {
            1 => None,
            _ => Some(m.reg("drained_position", u(1))),
        };
        let last_turn = match &turn {
            None => m.lit(u(1), 1),
            Some(turn) => **turn,
        };
        if let Some(turn) = &turn {
            turn.next(!**turn).enable(active).clear(group.done);
        }
        let chunk_ends = (active & last_turn).named("shifts");
        let chunks = job.chunks_less_1.extend(9) + 1;
        let moves = (group.done | chunk_ends).called("chunks_move");
        // of two weights' results a chunk each
        let twin = spec.dual.then(|| {
            let twin = m.reg("drains_twins", u(1));
            *twin.next(!*twin & job.dual).enable(chunk_ends).clear(group.done)
        });
        let lanes_move = match twin {
            None => moves,
            Some(twin) => (group.done | (chunk_ends & (twin | !job.dual))).called("lanes_move"),
        };
        left.next(group.done.mux(chunks, *left - 1)).enable(moves);

        let bits = spec.accumulator_bits;
        let shadow = |(p, sums, name): (usize, &Vec<Signal<'m>>, &str)| {
            let shadow = m.reg(format!("{name}_{p}"), u(bits * spec.lanes)).no_reset();
            let all = pack(sums);
            let chunk = bits * spec.results;
            let moved = match spec.lanes == spec.results {
                true => *shadow,
                false => shadow.shr(chunk),
            };
            shadow.next(group.done.mux(all, moved)).enable(lanes_move);
            shadow.truncate(chunk)
        };
        let in_turn = |sums: &[Vec<Signal<'m>>], name: &str, drained: &str| {
            let all = sums.iter().enumerate().map(|(p, sums)| shadow((p, sums, name)));
            let positions: Vec<_> = all.collect();
            match &turn {
                None => positions[0],
                Some(turn) => turn.mux(positions[1], positions[0]).called(drained),
            }
        };
        let chunk = in_turn(&group.sums, "shadow", "drained_sums");
        let chunk = match twin {
            None => chunk,
            Some(twin) => {
                let twins = in_turn(&group.twins, "shadow_twin", "drained_twins");
                twin.mux(twins, chunk).called("drained")
            }
        };
        let lanes = unpack(chunk, s(bits), spec.results);

        let group_bits = group_of(spec, job);
        let held = |name: &str, value: Signal<'m>| {
            m.reg(name, value.ty()).no_reset().next(value).enable(group.done)
        };
        let whole = held("whole", group.whole);
        let first = |p: usize, name: &str| {
            let first = m.reg(name, group.outputs[p].ty()).no_reset();
            let groups = 0..=spec.group_most();
            let bytes: Vec<_> =
                groups.map(|group| m.lit(first.ty(), spec.results >> group)).collect();
            let mut bytes = select(group_bits, &bytes);
            if spec.dual {
                let twins = (job.dual & !job.depthwise).called("twins_are_beside");
                bytes = twins.mux(bytes.shl(1), bytes).called("chunk_bytes");
            }
            first.next(group.done.mux(group.outputs[p], *first + bytes)).enable(lanes_move);
            *first
        };
        let at = first(0, "chunk_address");
        let (address, writes) = match &turn {
            None => (at, active),
            Some(turn) => {
                let other = match group.outputs.len() {
                    1 => at + job.output_pitch.truncate(at.width()),
                    _ => first(1, "chunk_address_1"),
                };
                (turn.mux(other, at), active & (!**turn | *whole))
            }
        };
        let address = match twin {
            None => address,
            Some(twin) => {
                let second = job.second.truncate(address.width());
                let distance = twin.mux(second, m.lit(second.ty(), 0)).called("to_twin");
                (address + distance).called("drained_to")
            }
        };

        let scales = scales(m, spec, job, begins, group, chunk_ends, source);
        Shadow { active, writes, address, lanes, scales }
    }

    /// The sums of each result's lanes, with the bias, shifted to the left.
    fn biased(&self, m: &'m ModuleBuilder, spec: &CnnSpec, job: &JobSignals<'m>) -> Scaled<'m> {
        let bits = spec.accumulator_bits;
        let mut levels = vec![self.lanes.clone()];
        for _ in 0..spec.group_most() {
            let last = &levels[levels.len() - 1];
            levels.push(last.chunks(2).map(|pair| reduce(pair, |a, b| a + b)).collect());
        }
        let zero = m.lit(s(bits), 0);
        // narrow weights stand at the top of a byte
        let eight = m.lit(u(4), 8);
        let eight = match spec.dual {
            true => job.dual.mux(m.lit(u(4), 4), eight).called("weight_room"),
            false => eight,
        };
        let shift = job.shared.mux(m.lit(u(4), 0), eight - job.weight_bits);
        let shift = shift.truncate(3).named("narrow_shift");
        let sums = (0..spec.results as usize).map(|r| {
            let choices = levels.iter().map(|level| level.get(r).copied().unwrap_or(zero));
            let sum = select(group_of(spec, job), &choices.collect::<Vec<_>>());
            let sum = if spec.narrow_weights { sum.shr(shift) } else { sum };
            let scale = &self.scales[r];
            let biased = sum + scale.get("bias").truncate(bits).as_signed();
            m.reg(format!("biased_{r}"), s(bits)).no_reset().next(biased).enable(self.active)
        });
        let sums: Vec<_> = sums.map(|sum| *sum).collect();
        let held = |name: &str, r: usize| {
            let value = self.scales[r].get(name);
            let register = m.reg(format!("biased_{name}_{r}"), value.ty());
            *register.no_reset().next(value).enable(self.active)
        };
        let results = 0..spec.results as usize;
        let lefts = sums.iter().enumerate().map(|(r, sum)| sum.shl(held("left", r)));
        Scaled {
            valid: delayed_flag(m, "biased_valid", self.active, 1),
            sums: lefts.collect(),
            multipliers: results.clone().map(|r| held("multiplier", r)).collect(),
            rights: results.map(|r| held("right", r)).collect(),
        }
    }
}

/// A row of scales: a block's again for each group of positions.
fn scales<'m>(
    m: &'m ModuleBuilder,
    spec: &CnnSpec,
    job: &JobSignals<'m>,
    begins: Signal<'m>,
    group: &Group<'m>,
    shifts: Signal<'m>,
    source: &ScaleSource<'m, '_>,
) -> Vec<Bundle<'m>> {
    let bits = index_bits(spec.scale_rows as usize);
    let (next, block) =
        (m.reg("next_scale", u(bits)).no_reset(), m.reg("block_scale", u(bits)).no_reset());
    let start = job.scales.truncate(bits);
    let chunks = job.chunks_less_1.extend(bits.max(8)).truncate(bits);
    let ends = group.done & group.block_ends;
    block.next(begins.mux(start, *block + chunks + 1)).enable(begins | ends);
    let address = group.done.mux(*block, *next).named("scale_row");
    next.next(address + 1).enable(group.done | shifts);
    let reads = group.done | shifts;
    let (depth, row_bits) = (spec.scale_rows as usize, spec.scale_row_bits());
    let word = match source.contents {
        Some(rows) => {
            let words = rows.iter().map(|row| scale_row(spec, row));
            rom(m, "scales", (depth, row_bits), words, address, reads)
        }
        None => {
            let memory = m.memory("scales", depth, u(row_bits));
            memory.write(source.load.address, source.load.data, source.load.enable);
            memory.read_sync(address, reads)
        }
    };
    let fields = scale_fields(spec);
    let width = spec.scale_row_bits() / spec.results;
    let rows = unpack(word, u(width), spec.results).into_iter();
    rows.map(|scale| Bundle::unpack(&fields, scale)).collect()
}

/// Cycles from an addition's second term to the sum's turn: terms come in two of three cycles, the
/// sum of two goes into the third.
const PAIR_CYCLES: u32 = requantize::LATENCY + 4;

/// And from there to its bytes.
const SUM_CYCLES: u32 = requantize::LATENCY + 2;

/// Terms of an addition on their way, every third cycle a pair.
struct Adding<'m> {
    /// The scaled sum of two terms enters in this cycle.
    sums: Signal<'m>,
    /// A scaled term is back.
    first: Signal<'m>,
    second: Signal<'m>,
    scaled: Scaled<'m>,
    pairs: Vec<hwgen_hdl::Wire<'m>>,
}

impl<'m> Adding<'m> {
    fn new(
        m: &'m ModuleBuilder,
        spec: &CnnSpec,
        job: &JobSignals<'m>,
        term: &Term<'m>,
    ) -> Adding<'m> {
        let bits = spec.accumulator_bits;
        let pair = (term.valid & term.second).called("pair_comes");
        let sums = delayed_flag(m, "pair_enters", pair, PAIR_CYCLES);
        let pairs: Vec<_> =
            (0..spec.results).map(|r| m.wire(format!("pair_{r}"), s(bits))).collect();
        let zero = term.second.mux(job.zero_1, job.zero_0).called("term_zero");
        let terms = term.bytes.iter().map(|byte| {
            let difference = byte.extend(9) - zero.extend(9);
            difference.called_in(*byte, "above_zero").extend(bits).shl(spec.addition_shift)
        });
        let which =
            |[first, second, sum]: [Signal<'m>; 3]| sums.mux(sum, term.second.mux(second, first));
        let multipliers = [job.multiplier_0, job.multiplier_1, job.multiplier_2];
        let multiplier = which(multipliers.map(|whole| match spec.multiplier_bits {
            31 => whole,
            bits => whole.high(bits),
        }));
        let multiplier = multiplier.called("added_multiplier");
        let right = which([job.right_0, job.right_1, job.right_2]).called("added_right");
        let inputs = terms.zip(&pairs).map(|(term, pair)| sums.mux(**pair, term));
        let count = spec.results as usize;
        let scaled = Scaled {
            valid: (term.valid | sums).named("adds_enter"),
            sums: inputs.collect(),
            multipliers: vec![multiplier; count],
            rights: vec![right; count],
        };
        let returns = requantize::LATENCY + 1;
        let first = delayed_flag(m, "first_returns", term.valid & !term.second, returns);
        let second = delayed_flag(m, "second_returns", pair, returns);
        Adding { sums, first, second, scaled, pairs }
    }

    /// Terms if there are any, else the sums of a convolution.
    fn or(&self, other: Scaled<'m>) -> Scaled<'m> {
        let valid = self.scaled.valid;
        let choose = |mine: &[Signal<'m>], others: &[Signal<'m>]| {
            mine.iter().zip(others).map(|(mine, other)| valid.mux(*mine, *other)).collect()
        };
        Scaled {
            valid: (valid | other.valid).called("sums_enter"),
            sums: choose(&self.scaled.sums, &other.sums),
            multipliers: choose(&self.scaled.multipliers, &other.multipliers),
            rights: choose(&self.scaled.rights, &other.rights),
        }
    }

    /// Keeps the first term until the second comes, and their sum.
    fn take(&self, m: &'m ModuleBuilder, values: &[Signal<'m>]) {
        for (r, (value, pair)) in values.iter().zip(&self.pairs).enumerate() {
            let value = value.truncate(pair.width()).as_signed();
            let first = m.reg(format!("first_{r}"), value.ty()).no_reset();
            first.next(value).enable(self.first);
            let sum = m.reg(format!("pair_sum_{r}"), value.ty()).no_reset();
            sum.next(*first + value).enable(self.second);
            pair.drive(*sum);
        }
    }
}
