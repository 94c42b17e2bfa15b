//! The core's memories of activations and weights.

use super::CnnSpec;
use super::image::{Plane, ROW_PLANES, word};
use super::rom::rom;
use crate::wiring::{delayed, numbered, unpack};
use hwgen_hdl::{ModuleBuilder, Signal, cat, reduce, s, u};

/// Bytes to be written: `results >> group` of them, at a multiple of their number.
pub(super) struct Write<'m> {
    pub(super) enable: Signal<'m>,
    pub(super) address: Signal<'m>,
    pub(super) group: Signal<'m>,
    pub(super) bytes: Vec<Signal<'m>>,
}

impl<'m> Write<'m> {
    /// What is written where two elements lie in a byte: half as many bytes, at half the address.
    fn halved(self, nibbles: Signal<'m>) -> Write<'m> {
        let Write { enable, address, group, bytes } = self;
        let pairs = bytes.chunks(2).map(|pair| match pair {
            &[low, high] => cat(&[high.truncate(4), low.truncate(4)]).as_signed(),
            _ => pair[0],
        });
        let pairs: Vec<_> = pairs.collect();
        let bytes = bytes.iter().enumerate().map(|(r, byte)| match pairs.get(r) {
            Some(pair) => nibbles.mux(*pair, *byte).called(format!("stored_{r}")),
            None => *byte,
        });
        Write {
            enable,
            address: nibbles.mux(address.shr(1), address).called("stored_at"),
            group: nibbles.mux(group + 1, group).called("stored_group"),
            bytes: bytes.collect(),
        }
    }
}

/// Which tensors lie two elements in a byte: what is read, by every position, and what is written.
#[derive(Clone, Copy)]
pub(super) struct Halves<'m> {
    pub(super) read: Signal<'m>,
    pub(super) written: Signal<'m>,
}

/// What is read for a position.
pub(super) struct Read<'m> {
    /// The whole word.
    pub(super) word: Vec<Signal<'m>>,
    /// The aligned bytes, `results` of them, in which the address lies.
    pub(super) chunk: Vec<Signal<'m>>,
    /// Which of them it is.
    pub(super) within: Option<Signal<'m>>,
}

/// A copy of the activations for each of `addresses`, read two cycles after.
pub(super) fn activations<'m>(
    m: &'m ModuleBuilder,
    spec: &CnnSpec,
    write: Write<'m>,
    addresses: &[Signal<'m>],
    enable: Signal<'m>,
    halves: Option<Halves<'m>>,
) -> Vec<Read<'m>> {
    let lane_bits = spec.lane_bits();
    let bits = spec.byte_bits() - u32::from(spec.nibbles);
    let word_of = |address: Signal<'m>| address.slice(bits - 1, lane_bits);
    let write = match halves {
        Some(halves) => write.halved(halves.written),
        None => write,
    };
    let (data, mask) = spread(m, spec, &write);
    let (address, data) = (word_of(write.address), data.named("write_word"));
    let enable = m.reg("reads", u(1)).next(enable);
    let read_halves = halves.map(|halves| delayed(m, "reads_halves", halves.read, 1));
    let copy = |(pixel, &read): (usize, &Signal<'m>)| {
        let element = delayed(m, &format!("read_address_{pixel}"), read, 1);
        let read = match read_halves {
            Some(halves) => {
                halves.mux(element.shr(1), element).called(format!("read_byte_{pixel}"))
            }
            None => element,
        };
        let name = format!("activations_{pixel}");
        let port = WordWrite { address, data, mask, enable: write.enable };
        let word = match spec.single_port {
            true => banks(m, spec, &name, &port, word_of(read), *enable),
            false => {
                let memory = m.memory(name, spec.activation_words as usize, u(8 * spec.lanes));
                memory.write_masked(address, data, write.enable, mask);
                memory.read_sync(word_of(read), *enable)
            }
        };
        let word = unpack(word, s(8), spec.lanes);
        let word = match read_halves {
            Some(halves) => {
                let upper = element.bit(lane_bits) & halves;
                let name = format!("upper_half_{pixel}");
                let upper = delayed(m, &name, upper, 1);
                let halves = delayed(m, &format!("word_of_halves_{pixel}"), halves, 1);
                widened(&word, halves, upper, pixel)
            }
            None => word,
        };
        let offset = delayed(m, &format!("read_offset_{pixel}"), element.truncate(lane_bits), 1);
        let (results, group) = (spec.results as usize, spec.group_most());
        let chunk = match lane_bits - group {
            0 => word.clone(),
            bits => {
                let which = offset.high(bits);
                let byte = |at: usize| {
                    let choices = word.iter().skip(at).step_by(results).copied();
                    let byte = which.select(&choices.collect::<Vec<_>>());
                    byte.called(format!("chunk_{pixel}_{at}"))
                };
                (0..results).map(byte).collect()
            }
        };
        let within = (group > 0).then(|| offset.truncate(group));
        Read { word, chunk, within }
    };
    addresses.iter().enumerate().map(copy).collect()
}

/// A word's bytes; or as many elements of half of them, each half a byte.
fn widened<'m>(
    word: &[Signal<'m>],
    halves: Signal<'m>,
    upper: Signal<'m>,
    pixel: usize,
) -> Vec<Signal<'m>> {
    let element = |(lane, byte): (usize, &Signal<'m>)| {
        let of = |byte: Signal<'m>| {
            let half = if lane % 2 == 0 { byte.truncate(4) } else { byte.high(4) };
            half.as_signed().extend(8)
        };
        let (low, high) = (of(word[lane / 2]), of(word[(word.len() + lane) / 2]));
        let half = upper.mux(high, low).called(format!("half_{pixel}_{lane}"));
        halves.mux(half, *byte).called(format!("element_{pixel}_{lane}"))
    };
    word.iter().enumerate().map(element).collect()
}

/// A word to be written.
struct WordWrite<'m> {
    address: Signal<'m>,
    data: Signal<'m>,
    mask: Signal<'m>,
    enable: Signal<'m>,
}

/// Two memories of one port each, chosen by the highest bit of the address. What is written goes
/// before what is read: a program reads one and writes the other.
fn banks<'m>(
    m: &'m ModuleBuilder,
    spec: &CnnSpec,
    name: &str,
    write: &WordWrite<'m>,
    read: Signal<'m>,
    enable: Signal<'m>,
) -> Signal<'m> {
    let words = spec.activation_words as usize / 2;
    let within = |address: Signal<'m>| address.truncate(address.width() - 1);
    let bank = |high: u32| {
        let writes =
            (write.enable & write.address.msb().eq(high)).named(format!("{name}_writes_{high}"));
        let reads = enable & read.msb().eq(high) & !writes;
        let address =
            writes.mux(within(write.address), within(read)).named(format!("{name}_address_{high}"));
        let memory = m.memory(format!("{name}_{high}"), words, u(8 * spec.lanes));
        memory.write_masked(address, write.data, writes, write.mask);
        memory.read_sync(address, reads)
    };
    let [low, high] = [0, 1].map(bank);
    let which = m.reg(format!("{name}_bank"), u(1)).no_reset().next(read.msb()).enable(enable);
    which.mux(high, low)
}

/// A word with the bytes at every place they may go to, and which of them do.
fn spread<'m>(m: &'m ModuleBuilder, spec: &CnnSpec, write: &Write<'m>) -> (Signal<'m>, Signal<'m>) {
    let offset = write.address.truncate(spec.lane_bits());
    let groups = 0..=spec.group_most();
    let byte = |lane: u32| {
        let choices = groups.clone().map(|group| {
            let count = spec.results >> group;
            write.bytes[(lane % count) as usize].as_unsigned()
        });
        select(write.group, &choices.collect::<Vec<_>>())
    };
    let here = |lane: u32| {
        let choices = groups.clone().map(|group| {
            let count = spec.results >> group;
            match spec.lane_bits() - count.ilog2() {
                0 => m.lit(u(1), 1),
                bits => offset.high(bits).eq(lane / count),
            }
        });
        select(write.group, &choices.collect::<Vec<_>>())
    };
    let bytes: Vec<_> = (0..spec.lanes).rev().map(byte).collect();
    let mask: Vec<_> = (0..spec.lanes).rev().map(here).collect();
    (cat(&bytes), cat(&mask).named("write_mask"))
}

/// The choice for a group; a core of one result knows but one.
pub(super) fn select<'m>(group: Signal<'m>, choices: &[Signal<'m>]) -> Signal<'m> {
    if choices.len() == 1 { choices[0] } else { group.select(choices) }
}

/// Where weights are, and how they are cut.
pub(super) struct Weights<'m> {
    /// The first plane of the step.
    pub(super) plane: Signal<'m>,
    /// Bits of a weight.
    pub(super) bits: Signal<'m>,
    /// Half a step stands below them.
    pub(super) shared: Signal<'m>,
    /// There are two, whose bits take turns.
    pub(super) dual: Option<Signal<'m>>,
    pub(super) enable: Signal<'m>,
}

/// A row that is loaded.
pub(super) struct Row<'m> {
    pub(super) enable: Signal<'m>,
    pub(super) address: Signal<'m>,
    pub(super) data: Signal<'m>,
}

/// A weight a lane, two cycles after, at the top of eight bits.
pub(super) fn weights<'m>(
    m: &'m ModuleBuilder,
    spec: &CnnSpec,
    load: &Row<'m>,
    read: &Weights<'m>,
    contents: Option<&[Plane]>,
) -> Vec<Signal<'m>> {
    let rows = spec.weight_rows as usize;
    let enable = m.reg("weight_reads", u(1)).next(read.enable);
    let enable = if spec.single_port { *enable & !load.enable } else { *enable };
    // of one port, which rows that are loaded have first
    let shared = |row: Signal<'m>| {
        if spec.single_port { load.enable.mux(load.address, row) } else { row }
    };
    let plane = delayed(m, "weight_plane", read.plane, 1);
    let row = plane.slice(plane.width() - 1, 3);
    let planes = if spec.narrow_weights {
        let offset = plane.truncate(3);
        // banks below the offset hold the later planes of the step
        let next = (row + 1).named("next_weight_row");
        let bank = |bank: u32| {
            let at = shared(offset.gt(bank).mux(next, row));
            let name = format!("weights_{bank}");
            if let Some(planes) = contents {
                let plane = bank as usize;
                let words = planes
                    .chunks(ROW_PLANES)
                    .map(|row| word(row.get(plane..=plane).unwrap_or_default(), spec.lanes));
                return rom(m, &name, (rows, spec.lanes), words, at, enable);
            }
            let memory = m.memory(name, rows, u(spec.lanes));
            let data = load.data.slice((bank + 1) * spec.lanes - 1, bank * spec.lanes);
            memory.write(if spec.single_port { at } else { load.address }, data, load.enable);
            memory.read_sync(at, enable)
        };
        let banks: Vec<_> = (0..ROW_PLANES as u32).map(bank).collect();
        let offset = delayed(m, "weight_offset", offset, 1);
        let plane = |i: usize| {
            let choices: Vec<_> =
                (0..ROW_PLANES).map(|off| banks[(off + i) % ROW_PLANES]).collect();
            offset.select(&choices).called(format!("plane_{i}"))
        };
        (0..ROW_PLANES).map(plane).collect::<Vec<_>>()
    } else {
        let at = shared(row);
        let row = if let Some(planes) = contents {
            let words = planes.chunks(ROW_PLANES).map(|row| word(row, spec.lanes));
            rom(m, "weights", (rows, spec.weight_row_bits()), words, at, enable)
        } else {
            let memory = m.memory("weights", rows, u(spec.weight_row_bits()));
            memory.write(if spec.single_port { at } else { load.address }, load.data, load.enable);
            memory.read_sync(at, enable)
        };
        unpack(row, u(spec.lanes), ROW_PLANES as u32)
    };
    // highest plane first; what is below the weight's own bits is half a step or nothing
    let own = (0..8u32).map(|bit| match read.dual {
        None => read.bits.gt(bit),
        Some(dual) => dual.mux(read.bits.gt(bit / 2), read.bits.gt(bit)),
    });
    let own = numbered("has_plane", own);
    let half = numbered("half_is_plane", (0..8).map(|bit| read.shared & read.bits.eq(bit)));
    let lane = |lane: u32| {
        let bits = (planes.iter().zip(own.iter().zip(&half)))
            .map(|(plane, (own, half))| (plane.bit(lane) & *own) | *half);
        cat(&numbered(&format!("weight_{lane}_of_plane"), bits)).as_signed()
    };
    (0..spec.lanes).map(lane).collect()
}

/// The bytes that dense lanes see, by group: those of `chunk` at and behind the address.
pub(super) fn broadcast<'m>(spec: &CnnSpec, read: &Read<'m>) -> Vec<Vec<Signal<'m>>> {
    let group = |group: u32| {
        let count = 1usize << group;
        let byte = |k: usize| {
            let choices: Vec<_> = read.chunk.iter().skip(k).step_by(count).copied().collect();
            match read.within {
                Some(within) if within.width() > group => within
                    .high(within.width() - group)
                    .select(&choices)
                    .called(format!("shared_{group}_{k}")),
                _ => choices[0],
            }
        };
        (0..count).map(byte).collect::<Vec<_>>()
    };
    (0..=spec.group_most()).map(group).collect()
}

/// Whether any of these holds.
pub(super) fn any<'m>(flags: &[Signal<'m>]) -> Signal<'m> {
    reduce(flags, |a, b| a | b)
}
