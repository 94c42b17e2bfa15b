//! The core's jobs, one by one, on memories of bytes: our definition (`docs/cnn.md`).

mod arithmetic;

pub use arithmetic::{half_away, high_half, requantize, rescale};

use crate::cnn::{
    Add, AddScale, Clamp, CnnSpec, Convolve, Fill, Image, Job, Lookup, Softmax, Transfer,
};

/// A core with its memories.
#[derive(Debug, Clone)]
pub struct Core {
    lanes: usize,
    results: usize,
    addition_shift: u32,
    /// Activations, a byte each.
    pub bytes: Vec<i8>,
    image: Image,
}

impl Core {
    /// A core whose activations are 0.
    pub fn new(spec: &CnnSpec, image: Image) -> Core {
        let (lanes, results) = (spec.lanes as usize, spec.results as usize);
        let addition_shift = spec.addition_shift;
        Core {
            lanes,
            results,
            addition_shift,
            bytes: vec![0; spec.activation_words as usize * lanes],
            image,
        }
    }

    /// Runs the program once: takes bytes from `input`, returns those that are sent.
    pub fn run(&mut self, input: &mut impl Iterator<Item = i8>) -> Vec<i8> {
        let mut sent = vec![];
        for job in self.image.jobs.clone() {
            match &job {
                Job::Input(Transfer { base, beats, nibbles }) => {
                    for at in 0..*beats as usize * self.results {
                        let value = input.next().unwrap_or(0);
                        self.set(*base as usize + at, nibbles.output, value);
                    }
                }
                Job::Output(Transfer { base, beats, nibbles }) => {
                    let bytes = 0..*beats as usize * self.results;
                    sent.extend(bytes.map(|at| self.get(*base as usize + at, nibbles.input)));
                }
                Job::Convolve(job) => self.convolve(job),
                Job::Add(job) => self.add(job),
                Job::Softmax(job) => self.softmax(job),
                Job::Fill(job) => self.fill(job),
                Job::Lookup(job) => self.lookup(job),
            }
        }
        sent
    }

    /// The element at an address within the memory: a byte, or half of one.
    fn get(&self, address: usize, nibbles: bool) -> i8 {
        match nibbles {
            false => self.bytes[address % self.bytes.len()],
            true => {
                let byte = self.bytes[address / 2 % self.bytes.len()];
                if address.is_multiple_of(2) { byte << 4 >> 4 } else { byte >> 4 }
            }
        }
    }

    fn set(&mut self, address: usize, nibbles: bool, value: i8) {
        let count = self.bytes.len();
        let byte = &mut self.bytes[if nibbles { address / 2 } else { address } % count];
        *byte = match (nibbles, address.is_multiple_of(2)) {
            (false, _) => value,
            (true, true) => *byte & !0xf | value & 0xf,
            (true, false) => *byte & 0xf | value << 4,
        };
    }

    fn convolve(&mut self, job: &Convolve) {
        let group = 1 << job.group;
        // results that a block makes of a position
        let results = job.chunks as usize * self.results / group;
        let mut out = vec![];
        for block in 0..job.blocks {
            let weights = job.weights + block * job.block_planes();
            for position in 0..job.positions {
                for result in 0..results {
                    let per_chunk = self.results / group;
                    let (chunk, within) = (result / per_chunk, result % per_chunk);
                    // a chunk of lanes' first weights, then one of their second
                    let (of_lanes, which) =
                        if job.dual { (chunk / 2, chunk % 2) } else { (chunk, 0) };
                    let first_lane = (of_lanes * per_chunk + within) * group;
                    let lanes = (first_lane..first_lane + group).map(|lane| Lane { lane, which });
                    let sum = lanes.map(|lane| self.sum(job, block, position, weights, lane));
                    let sum = sum.fold(0i32, i32::wrapping_add) >> stands(job);
                    let row = job.scales + block * job.chunks;
                    let scale = self.image.scales[row as usize + chunk][within];
                    let address = job.output + block * job.block_output;
                    let address = address + position * job.output_pitch + apart(job, position);
                    let twins = if job.dual && !job.depthwise { 2 } else { 1 };
                    let address = address + (of_lanes * per_chunk * twins + within) as u32;
                    let address = address + which as u32 * job.second;
                    let value = requantize(sum, &scale, job.rounding);
                    let byte = match job.wraps {
                        true => value.wrapping_add(job.clamp.zero.into()) as i8,
                        false => clamp(value, &job.clamp),
                    };
                    out.push((address, byte));
                }
            }
        }
        for (address, value) in out {
            self.set(address as usize, job.nibbles.output, value);
        }
    }

    /// A lane's sum at a position, or its largest product.
    fn sum(&self, job: &Convolve, block: u32, position: u32, weights: u32, at: Lane) -> i32 {
        let lane = at.lane;
        let group = 1 << job.group;
        let (row, column) = (position / job.columns, position % job.columns);
        let (y, x) =
            (job.y + (row * job.stride[0]) as i32, job.x + (column * job.stride[1]) as i32);
        // addresses go from window to window and from step to step by differences
        let mut window = job.input + block * job.block_input;
        window = window.wrapping_add((position - row) * job.to_next_window);
        window = window.wrapping_add(row * job.to_next_line);
        let (mut moved, mut step, mut sum) = (0u32, 0, None::<i32>);
        for ky in 0..job.kernel[0] {
            for kx in 0..job.kernel[1] {
                let (iy, ix) =
                    (y + (ky * job.dilation[0]) as i32, x + (kx * job.dilation[1]) as i32);
                let inside =
                    (0..job.height as i32).contains(&iy) && (0..job.width as i32).contains(&ix);
                for channel in 0..job.channel_steps {
                    let byte = if job.depthwise { lane } else { lane % group };
                    let address = (window.wrapping_add(moved) & 0xff_ffff) as usize + byte;
                    let value =
                        if inside { self.get(address, job.nibbles.input) } else { job.padding };
                    let weight = self.weight(job, weights, step, at);
                    let product = i32::from(value) * weight;
                    sum = Some(match sum {
                        None => product,
                        Some(sum) if job.largest => sum.max(product),
                        Some(sum) => sum.wrapping_add(product),
                    });
                    step += 1;
                    let ends = channel + 1 == job.channel_steps;
                    let moves = match (ends, kx + 1 == job.kernel[1]) {
                        (false, _) => group as u32,
                        (true, false) => job.to_next_column,
                        (true, true) => job.to_next_row,
                    };
                    moved = moved.wrapping_add(moves);
                }
            }
        }
        sum.unwrap_or(0)
    }

    /// A lane's weight in a step of the block whose planes begin at `start`, at the top of a byte, or of
    /// four bits if there are two.
    fn weight(&self, job: &Convolve, start: u32, step: u32, Lane { lane, which }: Lane) -> i32 {
        let (weights, top) = if job.dual { (2, 3) } else { (1, 7) };
        let bits = if job.shared { 8 } else { u32::from(job.weight_bits) };
        let first = start + if job.hold { 0 } else { step * bits * weights };
        let mut weight = 0u8;
        for bit in 0..u32::from(job.weight_bits) {
            let plane = self.image.planes[(first + bit * weights) as usize + which];
            weight |= u8::from(plane.bit(lane)) << (top - bit);
        }
        if job.shared && job.weight_bits < 8 {
            weight |= 1 << (7 - job.weight_bits);
        }
        if job.dual { i32::from((weight << 4) as i8 >> 4) } else { i32::from(weight as i8) }
    }

    fn add(&mut self, job: &Add) {
        for at in 0..job.chunks as usize * self.results {
            let term = |which: usize| {
                let nibbles = [job.nibbles.input, job.nibbles.second][which];
                let value = self.get(job.inputs[which] as usize + at, nibbles);
                let difference = i32::from(value) - i32::from(job.zeros[which]);
                let scale = job.scales[which];
                rescale(
                    difference << self.addition_shift,
                    scale.multiplier,
                    scale.right,
                    job.rounding,
                )
            };
            let sum = term(0).wrapping_add(term(1));
            let AddScale { multiplier, right } = job.scales[2];
            let sum = rescale(sum, multiplier, right, job.rounding);
            self.set(job.output as usize + at, job.nibbles.output, clamp(sum, &job.clamp));
        }
    }
}

impl Core {
    fn fill(&mut self, job: &Fill) {
        for (block, step) in (0..job.blocks).flat_map(|b| (0..job.steps).map(move |k| (b, k))) {
            let first = job.weights + 8 * (block * job.steps + step);
            for lane in 0..self.lanes as u32 {
                let at = job.input.wrapping_add(block.wrapping_mul(job.block));
                let at = at.wrapping_add(step.wrapping_mul(job.step));
                let at = at.wrapping_add(lane.wrapping_mul(job.lane)) & 0xff_ffff;
                let byte = self.get(at as usize, job.nibbles.input);
                for bit in 0..8 {
                    let plane = &mut self.image.planes[(first + bit) as usize];
                    plane.set(lane as usize, byte >> (7 - bit) & 1 == 1);
                }
            }
        }
    }

    fn softmax(&mut self, job: &Softmax) {
        let table = self.image.tables[job.table as usize].clone();
        for row in 0..job.rows {
            let at = |base: u32, pitch: u32, x: u32| (base + row * pitch + x) as usize;
            let bytes = (0..job.length).map(|x| at(job.input, job.input_pitch, x));
            let bytes: Vec<_> =
                bytes.map(|at| i32::from(self.get(at, job.nibbles.input))).collect();
            let largest = bytes.iter().copied().max().unwrap_or(0);
            let entries: Vec<_> =
                bytes.iter().map(|byte| u64::from(table[(largest - byte) as usize])).collect();
            let sum: u64 = entries.iter().sum();
            for (x, entry) in entries.into_iter().enumerate() {
                let part = (2 * u64::from(job.steps) * entry + sum) / (2 * sum).max(1);
                let to = at(job.output, job.output_pitch, x as u32);
                self.set(to, job.nibbles.output, clamp(part as i32, &job.clamp));
            }
        }
    }

    fn lookup(&mut self, job: &Lookup) {
        for (row, x) in (0..job.rows).flat_map(|row| (0..job.length).map(move |x| (row, x))) {
            let from = (job.input + row * job.input_pitch + x) as usize;
            let to = (job.output + row * job.output_pitch + x) as usize;
            let index = 127 - i32::from(self.get(from, job.nibbles.input));
            let entry = self.image.tables[job.table as usize][index as usize];
            self.set(to, job.nibbles.output, (entry & 0xff) as u8 as i8);
        }
    }
}

/// A lane and its first or second weight.
#[derive(Clone, Copy)]
struct Lane {
    lane: usize,
    which: usize,
}

/// Bits below a weight, at the top of a byte or of four bits: so many places sums are shifted back.
fn stands(job: &Convolve) -> u32 {
    match (job.shared, job.dual) {
        (true, _) => 0,
        (false, dual) => (if dual { 4 } else { 8 }) - u32::from(job.weight_bits),
    }
}

/// Bytes of rows that are left out before a position's: the second ones of pairs.
fn apart(job: &Convolve, position: u32) -> u32 {
    if job.dual && job.depthwise { position / job.columns * job.second } else { 0 }
}

fn clamp(value: i32, clamp: &Clamp) -> i8 {
    let value = value.saturating_add(clamp.zero.into());
    value.clamp(clamp.least.into(), clamp.most.into()) as i8
}
