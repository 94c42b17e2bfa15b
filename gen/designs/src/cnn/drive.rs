//! Random programs for the core, and what they send.

use crate::cnn::dual::{self, PACKED_ACTIVATION_BITS};
use crate::cnn::golden::Core;
use crate::cnn::lower::{Layer, Numbers, Place, Stored, Window, one_by_one};
use crate::cnn::{
    Add, AddScale, Clamp, CnnSpec, Fill, Image, Job, Lookup, Nibbles, Plane, Rounding, Scale,
    Softmax, Transfer,
};
use crate::drive::pack;
use crate::drive::{Feed, Run, Values};
use hwgen_hdl::Int;
use rand::Rng;

/// A program, and the bytes that two runs of it take.
#[derive(Debug, Clone)]
pub struct Script {
    /// What is loaded.
    pub image: Image,
    /// Bytes of stream `in`, run by run.
    pub input: Vec<Vec<i8>>,
}

impl Script {
    /// A tensor comes in, some layers are run on it, each result goes out.
    pub fn random(spec: &CnnSpec, rng: &mut impl Rng, layers: usize) -> Script {
        let mut image = Image::default();
        let mut place = random_input(spec, rng);
        let fill = |end: u32| {
            let beats = end.div_ceil(spec.results);
            Job::Input(Transfer { base: 0, beats, nibbles: Nibbles::default() })
        };
        image.jobs.push(fill(place.end()));
        // lanes of two weights see narrow activations, where positions share a multiplier
        let narrow = spec.dual && spec.packed && rng.random_bool(0.7);
        let bits = if narrow { PACKED_ACTIVATION_BITS } else { 8 };
        let mut free = Free::new(spec, place.end(), bits);
        for _ in 0..layers {
            let output = match rng.random_range(0..11) {
                0..2 if spec.additions => random_addition(spec, rng, &mut image, place, &free),
                2 if spec.softmax_tables > 0 => random_softmax(spec, rng, &mut image, place, &free),
                3 if spec.softmax_tables > 0 && !narrow => {
                    random_lookup(spec, rng, &mut image, place, &free)
                }
                _ => random_layer(spec, rng, &mut image, place, &free),
            };
            let Some(output) = output else {
                break;
            };
            let beats = output.bytes().div_ceil(spec.results);
            let nibbles = Nibbles { input: output.nibbles, ..Nibbles::default() };
            image.jobs.push(Job::Output(Transfer { base: output.base, beats, nibbles }));
            let sent = beats * spec.results;
            free.take(output.first_byte() + if output.nibbles { sent.div_ceil(2) } else { sent });
            place = output;
        }
        // all that is ever read comes in: a reset leaves memories as they are
        let free = free.end();
        image.jobs[0] = fill(free);
        if image.jobs.len() == 1 {
            let beats = free.div_ceil(spec.results);
            image.jobs.push(Job::Output(Transfer { base: 0, beats, nibbles: Nibbles::default() }));
        }
        let values = Values::any(rng);
        let bytes = free.next_multiple_of(spec.results);
        let run = |_| (0..bytes).map(|_| values.draw(rng, bits) as i8).collect();
        let input = (0..2).map(run).collect();
        Script { image, input }
    }

    /// Streams `load` and `in`, with stalls of those probabilities.
    pub fn feeds(&self, spec: &CnnSpec, stalls: [f64; 2]) -> Vec<Feed> {
        let load = self.image.load(spec);
        let load =
            load.into_iter().map(|(word, last)| vec![Int::from(word), u8::from(last).into()]);
        let beats = self.input.iter().flat_map(|run| beats(spec, run));
        vec![
            Feed { stream: "load", beats: load.collect(), stall: stalls[0] },
            Feed { stream: "in", beats: beats.collect(), stall: stalls[1] },
        ]
    }

    /// What is sent, all runs.
    pub fn expected(&self, spec: &CnnSpec) -> Vec<i8> {
        let mut core = Core::new(spec, self.image.clone());
        self.input.iter().flat_map(|run| core.run(&mut run.iter().copied())).collect()
    }
}

/// Bytes as beats of stream `in`.
pub fn beats(spec: &CnnSpec, bytes: &[i8]) -> Vec<Vec<Int>> {
    let chunks: Vec<_> = bytes.chunks(spec.results as usize).collect();
    let beat = |(at, chunk): (usize, &&[i8])| {
        let bytes = chunk.iter().map(|&byte| byte.into());
        vec![pack(bytes, 8), u8::from(at + 1 == chunks.len()).into()]
    };
    chunks.iter().enumerate().map(beat).collect()
}

/// Bytes of stream `out`.
pub fn sent(spec: &CnnSpec, run: &Run) -> Vec<i8> {
    let bytes = |beat: &Vec<Int>| {
        let data = beat[0].clone();
        (0..spec.results).map(move |r| byte(&data, r)).collect::<Vec<_>>()
    };
    run.beats.iter().flat_map(bytes).collect()
}

fn byte(data: &Int, place: u32) -> i8 {
    let shifted: Int = data >> (8 * place as usize);
    let low = shifted & Int::from(0xff);
    u8::try_from(&low).unwrap_or(0) as i8
}

/// Memory that a random program has not used: behind what it has, in each bank.
struct Free {
    bank_bytes: u32,
    /// Of all activations.
    bits: u32,
    ends: [u32; 2],
}

impl Free {
    fn new(spec: &CnnSpec, used: u32, bits: u32) -> Free {
        let bank_bytes = spec.bank_bytes();
        Free { bank_bytes, bits, ends: [used, bank_bytes] }
    }

    /// A place for what is made of `input`, and where its bank ends.
    fn place(&self, spec: &CnnSpec, input: Place) -> (u32, u32) {
        let bank = if spec.single_port { 1 - self.bank(input.first_byte()) } else { 0 };
        (self.ends[bank].next_multiple_of(spec.lanes), (bank as u32 + 1) * self.bank_bytes)
    }

    /// An activation.
    fn byte(&self, rng: &mut impl Rng) -> i8 {
        rng.random::<i8>() >> (8 - self.bits)
    }

    fn clamp(&self, rng: &mut impl Rng) -> Clamp {
        let (a, b) = (self.byte(rng), self.byte(rng));
        let most = (127 >> (8 - self.bits)) as i8;
        let (least, most) =
            if rng.random_bool(0.7) { (-most - 1, most) } else { (a.min(b), a.max(b)) };
        Clamp { zero: rng.random(), least, most }
    }

    fn bank(&self, address: u32) -> usize {
        (address / self.bank_bytes) as usize
    }

    fn take(&mut self, end: u32) {
        self.ends[self.bank(end - 1)] = end;
    }

    /// Behind all that was used.
    fn end(&self) -> u32 {
        if self.ends[1] > self.bank_bytes { self.ends[1] } else { self.ends[0] }
    }
}

fn random_input(spec: &CnnSpec, rng: &mut impl Rng) -> Place {
    let channels = rng.random_range(1..=2 * spec.lanes.min(12));
    // aligned for depthwise layers, or for none
    let pitch = match rng.random_range(0..3) {
        0 => channels.next_multiple_of(spec.lanes),
        1 => channels.next_multiple_of(spec.results),
        _ => channels.next_power_of_two().min(channels.next_multiple_of(spec.lanes)),
    };
    let most = (spec.bank_bytes() / 3 / pitch).max(1);
    let width = rng.random_range(1..=7.min(most));
    let height = rng.random_range(1..=(most / width).clamp(1, 6));
    let nibbles = spec.nibbles && rng.random();
    Place { base: 0, height, width, channels, pitch, nibbles }
}

/// The bits of a multiplier that the core has.
fn kept(spec: &CnnSpec, multiplier: u32) -> u32 {
    let below = 31 - spec.multiplier_bits;
    multiplier >> below << below
}

/// A scale that brings sums up to `largest` into eight bits, or any.
fn random_scale(spec: &CnnSpec, rng: &mut impl Rng, largest: u32) -> Scale {
    // powers of two and thirds of them have ties
    let multiplier = match rng.random_range(0..6) {
        0 | 1 => 1 << 30,
        2 => 1_431_655_765,
        _ => rng.random_range(1 << 30..1u32 << 31),
    };
    let multiplier = kept(spec, multiplier);
    let bias_bits = spec.accumulator_bits.min(32) - 2;
    if rng.random_bool(0.1) {
        let bias = rng.random_range(-(1i32 << (bias_bits - 1))..1 << (bias_bits - 1));
        let right = rng.random_range(0..32);
        return Scale { bias, multiplier, left: 0, right };
    }
    let bias = rng.random_range(-(largest as i32) / 4..=largest as i32 / 4);
    let left = if rng.random_bool(0.1) { rng.random_range(0..3) } else { 0 };
    let reach = largest + largest / 4;
    let left =
        left.min((spec.accumulator_bits - 1).saturating_sub(32 - reach.leading_zeros()) as u8);
    let right = (largest.max(1).ilog2() as u8 + left).saturating_sub(rng.random_range(6..10));
    Scale { bias, multiplier, left, right }
}

fn random_layer(
    spec: &CnnSpec,
    rng: &mut impl Rng,
    image: &mut Image,
    input: Place,
    free: &Free,
) -> Option<Place> {
    let aligned = input.base.is_multiple_of(spec.lanes) && input.pitch.is_multiple_of(spec.lanes);
    let depthwise = aligned && rng.random_bool(0.6);
    let kernel = [rng.random_range(1..=4), rng.random_range(1..=4)];
    let stride = [rng.random_range(1..=3), rng.random_range(1..=3)];
    let dilation = [rng.random_range(1..=2), rng.random_range(1..=2)];
    let sides = [input.height, input.width];
    let mut padding = [0, 0];
    let mut out = [0, 0];
    for side in 0..2 {
        let spread = (kernel[side] - 1) * dilation[side];
        padding[side] = rng.random_range(0..=spread);
        let after = rng.random_range(0..=spread);
        let room = (sides[side] + padding[side] + after).checked_sub(spread + 1)?;
        out[side] = room / stride[side] + 1;
    }
    let channels = match depthwise {
        true => input.channels,
        false => rng.random_range(1..=2 * spec.lanes.min(12) + 3),
    };
    let pitch = match rng.random_bool(0.5) {
        true => channels.next_multiple_of(spec.lanes),
        false => channels.next_multiple_of(spec.results),
    };
    let (base, limit) = free.place(spec, input);
    let nibbles = spec.nibbles && rng.random();
    let base = if nibbles { 2 * base } else { base };
    let output = Place { base, height: out[0], width: out[1], channels, pitch, nibbles };
    let shared = rng.random_bool(0.2);
    let most = if spec.dual && rng.random() { dual::WEIGHT_BITS } else { 8 };
    let narrow_rows = spec.narrow_weights || shared;
    let bits = if narrow_rows { rng.random_range(2..=most) } else { most };
    let hold = rng.random_bool(0.1);
    let padding = padding.map(|side| side as i32);
    let window = Window { kernel, stride, dilation, padding, padded: free.byte(rng) };
    let largest = depthwise && spec.maxima && rng.random_bool(0.3);
    let narrow = bits <= dual::WEIGHT_BITS && !shared && (!spec.packed || free.bits < 8);
    let dual = spec.dual && narrow && !hold && !largest && rng.random_bool(0.8);
    let stored = Stored { bits, shared, hold, dual };
    let mut layer = Layer { input, output, window, depthwise, stored, largest };
    layer.stored.dual &= !depthwise || layer.has_pairs();
    let dual = layer.stored.dual;
    // where every step takes a row, one weight has all of its bits
    let bits = if narrow_rows || dual { bits } else { 8 };
    layer.stored.bits = bits;
    let best = spec.best_group(&layer, pitch).unwrap_or(0);
    let group = if depthwise { 0 } else { rng.random_range(0..=best) };

    // one step further it may no longer fit
    let steps = kernel[0] * kernel[1] * if depthwise { 1 } else { input.channels };
    let blocks = channels.div_ceil(spec.lanes >> group);
    let planes =
        image.planes.len() as u32 + (blocks * steps * 8).max(spec.planes(&layer, group) as u32);
    let rows =
        image.scales.len() as u32 + ((blocks * spec.lanes / spec.results) << u32::from(dual));
    let stored_bits = if stored.shared { 8 } else { u32::from(bits) };
    let largest = (steps * 128) << (stored_bits - 1);
    // the circuit's sums wrap where the model's do not; a bias may take a quarter
    let fits = output.end() <= limit
        && largest < 3 << (spec.accumulator_bits - 3)
        && planes <= 8 * spec.weight_rows
        && rows <= spec.scale_rows
        && image.jobs.len() as u32 + if dual { 6 } else { 4 } <= spec.jobs
        && free.end() >= 2 * spec.lanes;
    if !fits {
        return None;
    }
    let values = Values::any(rng);
    let count = (channels * steps) as usize;
    // of two in a lane none is the least of its bits
    let least = if dual { 1 - (1 << (bits - 1)) } else { -128 };
    let weight = |_| (values.draw(rng, stored_bits) as i8).max(least);
    let weights: Vec<_> = (0..count).map(weight).collect();
    let scales: Vec<_> = (0..channels).map(|_| random_scale(spec, rng, largest)).collect();
    let cin = if depthwise { 1 } else { input.channels };
    let weight = |o: u32, ky: u32, kx: u32, c: u32| {
        weights[(((o * kernel[0] + ky) * kernel[1] + kx) * cin + c) as usize]
    };
    let numbers = Numbers {
        weights: &one_by_one(weight),
        scale: &|channel| scales[channel as usize],
        rounding: Rounding::ALL[rng.random_range(0..4)],
        clamp: free.clamp(rng),
    };
    let (first, whole) = (image.jobs.len(), image.planes.len().next_multiple_of(8));
    if spec.matrices
        && bits == 8
        && rng.random_bool(0.3)
        && whole as u32 + planes < 8 * spec.weight_rows
    {
        image.planes.resize(whole, Plane::default());
        spec.lower(image, &layer, group, &numbers);
        // other weights take the place of those that were loaded
        let steps = (image.planes.len() - whole) as u32 / 8;
        let step = free.end().saturating_sub(2 * spec.lanes) / steps.max(1);
        let (lane, blocks) = (rng.random_range(1..=2), 1);
        let fill = Fill {
            input: 0,
            lane,
            step,
            block: 0,
            steps,
            blocks,
            weights: whole as u32,
            nibbles: Nibbles::default(),
        };
        image.jobs.insert(first, Job::Fill(fill));
    } else {
        spec.lower(image, &layer, group, &numbers);
    }
    // what wraps has eight bits, which lanes of two weights may not see
    if spec.sums && free.bits == 8 && rng.random() {
        wrap(spec, rng, image, first);
    }
    Some(output)
}

/// Results of the layer whose jobs begin at `first` wrap; mostly they are bytes of its sums.
fn wrap(spec: &CnnSpec, rng: &mut impl Rng, image: &mut Image, first: usize) {
    let byte =
        rng.random_bool(0.7).then(|| rng.random_range(0..spec.accumulator_bits.div_ceil(8)) as u8);
    let jobs = image.jobs[first..].iter_mut().filter_map(|job| match job {
        Job::Convolve(job) => Some(job),
        _ => None,
    });
    for job in jobs {
        job.wraps = true;
        if let Some(byte) = byte {
            job.rounding = Rounding::Floor;
            let rows = (job.blocks * job.chunks) as usize;
            for scale in image.scales[job.scales as usize..][..rows].iter_mut().flatten() {
                *scale = Scale::byte(byte, scale.bias);
            }
        }
    }
}

/// Where what is as large as `input` has room, if one more job has.
fn beside(
    spec: &CnnSpec,
    image: &Image,
    input: Place,
    free: &Free,
    nibbles: bool,
) -> Option<Place> {
    let (base, limit) = free.place(spec, input);
    let output = Place { base: if nibbles { 2 * base } else { base }, nibbles, ..input };
    let fits = output.end() + spec.results <= limit && image.jobs.len() as u32 + 2 <= spec.jobs;
    fits.then_some(output)
}

fn random_addition(
    spec: &CnnSpec,
    rng: &mut impl Rng,
    image: &mut Image,
    input: Place,
    free: &Free,
) -> Option<Place> {
    let sum = beside(spec, image, input, free, spec.nibbles && rng.random())?;
    let scale = |rng: &mut dyn rand::RngCore, right: std::ops::Range<u8>| AddScale {
        multiplier: match rng.random_range(0..2) {
            0 => 1 << 30,
            _ => kept(spec, rng.random_range(1 << 30..1u32 << 31)),
        },
        right: rng.random_range(right),
    };
    // of itself and of what stands before it, at an earlier place
    let first = free.bank(input.first_byte()) as u32 * free.bank_bytes;
    // read no further than its own end: behind that the sum is written
    let wide = spec.nibbles && input.nibbles && input.end() - first >= input.bytes() + spec.results;
    let second = if wide { rng.random() } else { spec.nibbles && (input.nibbles || rng.random()) };
    let units = if second { 2 } else { 1 };
    let last = match input.nibbles && !second {
        true => input.end() - input.bytes() - spec.results,
        false => input.first_byte(),
    };
    let (first, last) = (first * units / spec.results, last * units / spec.results);
    let other = rng.random_range(first..=last) * spec.results;
    let shift = spec.addition_shift as u8;
    image.jobs.push(Job::Add(Add {
        inputs: [input.base, other],
        zeros: [rng.random(), rng.random()],
        scales: [scale(rng, 0..4), scale(rng, 0..4), scale(rng, shift - 3..shift + 3)],
        rounding: Rounding::ALL[rng.random_range(0..4)],
        output: sum.base,
        chunks: input.bytes().div_ceil(spec.results),
        clamp: free.clamp(rng),
        nibbles: Nibbles { input: input.nibbles, second, output: sum.nibbles },
    }));
    Some(sum)
}

fn random_softmax(
    spec: &CnnSpec,
    rng: &mut impl Rng,
    image: &mut Image,
    input: Place,
    free: &Free,
) -> Option<Place> {
    let output = beside(spec, image, input, free, false)?;
    random_tables(spec, rng, image);
    image.jobs.push(Job::Softmax(Softmax {
        input: input.base,
        input_pitch: input.pitch,
        output: output.base,
        output_pitch: input.pitch,
        length: input.channels,
        rows: input.height * input.width,
        steps: [256, 1 << 16, rng.random_range(2..=1 << 16)][rng.random_range(0..3)],
        table: rng.random_range(0..spec.softmax_tables),
        clamp: free.clamp(rng),
        nibbles: Nibbles { input: input.nibbles, ..Nibbles::default() },
    }));
    Some(output)
}

/// Of each element where it lies, or of all bytes from the first to the last.
fn random_lookup(
    spec: &CnnSpec,
    rng: &mut impl Rng,
    image: &mut Image,
    input: Place,
    free: &Free,
) -> Option<Place> {
    let output = beside(spec, image, input, free, false)?;
    random_tables(spec, rng, image);
    let (length, rows) = match rng.random() {
        true => (input.channels, input.height * input.width),
        false => (input.bytes(), 1),
    };
    image.jobs.push(Job::Lookup(Lookup {
        input: input.base,
        input_pitch: input.pitch,
        output: output.base,
        output_pitch: input.pitch,
        length,
        rows,
        table: rng.random_range(0..spec.softmax_tables),
        nibbles: Nibbles { input: input.nibbles, ..Nibbles::default() },
    }));
    Some(output)
}

fn random_tables(spec: &CnnSpec, rng: &mut impl Rng, image: &mut Image) {
    while image.tables.len() < spec.softmax_tables as usize {
        let mut table: Vec<u32> = (0..256).map(|_| rng.random_range(0..1 << 23)).collect();
        if rng.random() {
            table.sort_unstable_by(|a, b| b.cmp(a));
        }
        table[0] = table[0].max(1);
        image.tables.push(table);
    }
}
