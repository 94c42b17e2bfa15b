//! Random networks: every operator the core has, in odd shapes, planned for odd cores.

use super::network::{equal, random_inputs};
use super::pick;
use hwgen_designs::cnn::{CnnSpec, Convolve, Job, Nibbles};
use hwgen_designs::spec::Spec;
use hwgen_network::graph::{
    Add, AveragePool2d, Clamp, Concat, Conv2d, FullyConnected, Gather, Layer, Linear, Lookup,
    MaxPool2d, Mean, Multiplier, Network, Operator, Pad, Pads, Prelu, Requantize, Reshape,
    Rounding, Softmax, Sums, Tensor, VERSION, Window,
};
use hwgen_network::plan::{PlanError, outline, plan};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;

struct Draft<'r> {
    network: Network,
    /// Bits that activations may have.
    widths: &'static [u32],
    /// Bits that weights may have, and whether none is the least of them.
    weight_bits: [u32; 2],
    symmetric: bool,
    /// Of all additions.
    addition_shift: u32,
    rng: &'r mut ChaCha8Rng,
}

impl Draft<'_> {
    fn tensor(&mut self, shape: &[usize]) -> String {
        let name = format!("t{}", self.network.tensors.len());
        let signed = self.rng.random_bool(0.8);
        let bits = pick(self.rng, self.widths);
        let lowest = if signed { -1 << (bits - 1) } else { 0 };
        self.network.tensors.push(Tensor {
            name: name.clone(),
            shape: shape.to_vec(),
            bits,
            signed,
            scale: 1.0,
            zero_point: lowest + self.rng.random_range(0..1 << bits),
            sums: None,
        });
        name
    }

    fn get(&self, name: &str) -> Tensor {
        self.network.tensor(name).unwrap().clone()
    }

    fn layer(&mut self, operator: Operator, inputs: &[&String], output: &str) {
        self.network.layers.push(Layer {
            name: format!("layer_{}", self.network.layers.len()),
            inputs: inputs.iter().map(|&input| input.clone()).collect(),
            output: output.to_owned(),
            operator,
        });
    }

    fn clamp(&mut self, output: &str) -> Clamp {
        let tensor = self.get(output);
        match self.rng.random() {
            true => Clamp::of(&tensor),
            false => Clamp::relu(&tensor),
        }
    }

    fn linear(&mut self, outputs: usize, each: usize, output: &str) -> Linear {
        let [least, most] = self.weight_bits;
        let bits = self.rng.random_range(least..=most);
        let shared = (bits == 8 && self.rng.random()).then(|| self.rng.random_range(2..=8));
        let limit = 1i32 << (bits - 1);
        let lowest = if self.symmetric { 1 - limit } else { -limit };
        let weight = |rng: &mut ChaCha8Rng| rng.random_range(lowest..limit) as i8;
        let weights: Vec<_> = (0..outputs * each).map(|_| weight(self.rng)).collect();
        let bias: Vec<i32> = (0..outputs).map(|_| self.rng.random_range(-4000..4000)).collect();
        let shift = -((each as u32 * 2).ilog2() as i32) / 2 - bits as i32 + 1;
        let one = |rng: &mut ChaCha8Rng| Multiplier {
            mantissa: rng.random_range(1 << 30..=i32::MAX),
            shift: shift + rng.random_range(0..3),
        };
        let count = pick(self.rng, &[1, outputs]);
        Linear {
            shared,
            bits,
            weights: weights.into(),
            bias: bias.into(),
            multipliers: (0..count).map(|_| one(self.rng)).collect(),
            rounding: pick(self.rng, &Rounding::ALL),
            clamp: self.clamp(output),
        }
    }

    fn convolution(&mut self, x: &String) -> Option<String> {
        let [height, width, channels] = self.get(x).image();
        let sides = [height, width];
        let mut pads = [[0, 0]; 2];
        let (mut kernel, mut stride, mut dilation, mut out) = ([1; 2], [1; 2], [1; 2], [1; 2]);
        for side in 0..2 {
            kernel[side] = self.rng.random_range(1..=4);
            stride[side] = self.rng.random_range(1..=2);
            dilation[side] = self.rng.random_range(1..=2);
            let spread = (kernel[side] - 1) * dilation[side];
            pads[side] = [0, 0].map(|_: i32| self.rng.random_range(0..=spread));
            let room = sides[side] + pads[side][0] + pads[side][1];
            out[side] = room.checked_sub(spread + 1)? / stride[side] + 1;
        }
        let [[top, bottom], [left, right]] = pads;
        let pads = Pads { top, left, bottom, right };
        let window = Window { kernel, stride, dilation, pads };
        let divides: Vec<_> = (1..=channels).filter(|g| channels % g == 0).collect();
        let divisor = pick(self.rng, &divides);
        let groups = pick(self.rng, &[1, 1, divisor, channels, channels]);
        let outputs = match groups {
            1 => self.rng.random_range(1..=13),
            groups => groups * pick(self.rng, &[1, 1, 2]),
        };
        let y = self.tensor(&[out[0], out[1], outputs]);
        let each = kernel[0] * kernel[1] * channels / groups;
        let linear = self.linear(outputs, each, &y);
        self.layer(Operator::Conv2d(Conv2d { window, groups, linear }), &[x], &y);
        Some(y)
    }

    fn pool(&mut self, x: &String) -> Option<String> {
        let tensor = self.get(x);
        let [height, width, channels] = tensor.image();
        let kernel = [self.rng.random_range(1..=height), self.rng.random_range(1..=width)];
        let stride = [self.rng.random_range(1..=2), self.rng.random_range(1..=2)];
        let mut side = |length: usize| match self.rng.random() {
            true => self.rng.random_range(0..length),
            false => 0,
        };
        let [top, bottom] = [side(kernel[0]), side(kernel[0])];
        let [left, right] = [side(kernel[1]), side(kernel[1])];
        let pads = Pads { top, left, bottom, right };
        let window = Window { kernel, stride, dilation: [1, 1], pads };
        let out = window.output([height, width])?;
        let y = self.alike(x, &[out[0], out[1], channels]);
        let (rounding, clamp) = (pick(self.rng, &Rounding::ALL), Clamp::of(&tensor));
        let operator = match self.rng.random() {
            true => Operator::AveragePool2d(AveragePool2d { window, rounding, clamp }),
            false => Operator::MaxPool2d(MaxPool2d { window, clamp }),
        };
        self.layer(operator, &[x], &y);
        Some(y)
    }

    /// Like another, for operators that keep the scale.
    fn alike(&mut self, x: &str, shape: &[usize]) -> String {
        let y = self.tensor(shape);
        let Tensor { bits, signed, zero_point, .. } = self.get(x);
        let tensor = self.network.tensors.last_mut().unwrap();
        (tensor.bits, tensor.signed, tensor.zero_point) = (bits, signed, zero_point);
        y
    }

    fn step(&mut self, x: &String) -> Option<String> {
        let tensor = self.get(x);
        let [height, width, channels] = tensor.image();
        let nearest = |factor: f64| Multiplier::nearest(factor).unwrap();
        match self.rng.random_range(0..20) {
            18 => {
                let y = self.tensor(&tensor.shape);
                let lowest = pick(self.rng, &[-255, 0]);
                let slopes = (0..channels).map(|_| self.rng.random_range(lowest..=255));
                let slopes: Vec<i32> = slopes.collect();
                let (multiplier, below) = (nearest(self.rng.random_range(0.3..3.0)), nearest(0.01));
                let (slopes, clamp) = (slopes.into(), self.clamp(&y));
                let prelu = Prelu { slopes, multiplier, below, clamp };
                self.layer(Operator::Prelu(prelu), &[x], &y);
                Some(y)
            }
            0 => self.pool(x),
            16..=17 => Some(self.gather(x, &tensor.shape)),
            12 if tensor.shape.len() == 3 => self.pool(x),
            15 if tensor.shape.len() == 3 => {
                let mut rim = || [0, 0, 0].map(|_| self.rng.random_range(0..=2));
                let ([top, left, _], [bottom, right, _]) = (rim(), rim());
                let y = self.alike(x, &[height + top + bottom, width + left + right, channels]);
                let any = self.rng.random_range(tensor.lowest()..=tensor.highest());
                let value = pick(self.rng, &[tensor.zero_point, any]);
                let (before, after) = (vec![top, left, 0], vec![bottom, right, 0]);
                self.layer(Operator::Pad(Pad { before, after, value }), &[x], &y);
                Some(y)
            }
            13 => {
                let y = self.tensor(&tensor.shape);
                let factor = self.rng.random_range(0.3..3.0);
                let sign = pick(self.rng, &[1.0, -1.0]);
                let (multiplier, clamp) = (nearest(sign * factor), self.clamp(&y));
                let rounding = pick(self.rng, &Rounding::ALL);
                self.layer(
                    Operator::Requantize(Requantize { multiplier, rounding, clamp }),
                    &[x],
                    &y,
                );
                Some(y)
            }
            14 => {
                // twice the same, or what came in: it has to be copied
                let y = self.alike(x, &[height, width, 2 * channels]);
                self.layer(Operator::Concat(Concat { axis: 2 }), &[x, x], &y);
                Some(y)
            }
            1 if tensor.shape.len() == 3 => {
                let y = self.tensor(&[channels]);
                let multiplier = nearest(1.3 / (height * width) as f64);
                let clamp = self.clamp(&y);
                let (axes, rounding) = (vec![0, 1], pick(self.rng, &Rounding::ALL));
                let mean = Operator::Mean(Mean { axes, keep: false, multiplier, rounding, clamp });
                self.layer(mean, &[x], &y);
                Some(y)
            }
            2 => {
                // of two convolutions of one shape
                let (a, before) = (self.same_convolution(x), self.network.layers.len());
                let b = self.same_convolution(x);
                assert_eq!(before + 1, self.network.layers.len());
                let y = self.tensor(&[height, width, channels]);
                let mut small = || nearest(self.rng.random_range(0.2..0.9));
                let inputs = [small(), small()];
                let multiplier =
                    nearest(self.rng.random_range(1.0..2.0) / f64::from(1 << self.addition_shift));
                let clamp = self.clamp(&y);
                let rounding = pick(self.rng, &Rounding::ALL);
                let add = Operator::Add(Add {
                    left_shift: self.addition_shift,
                    inputs,
                    multiplier,
                    rounding,
                    clamp,
                });
                self.layer(add, &[&a, &b], &y);
                Some(y)
            }
            3 => {
                let (a, b) = (self.same_convolution(x), self.same_convolution(x));
                // one scale
                let like = self.get(&a);
                let place = self.network.tensors.iter().position(|t| t.name == b)?;
                let other = &mut self.network.tensors[place];
                (other.bits, other.signed, other.zero_point) =
                    (like.bits, like.signed, like.zero_point);
                let clamp = Clamp::of(&like);
                if let Operator::Conv2d(Conv2d { linear, .. }) =
                    &mut self.network.layers.last_mut()?.operator
                {
                    linear.clamp = clamp;
                }
                let y = self.alike(&a, &[height, width, 2 * channels]);
                self.layer(Operator::Concat(Concat { axis: 2 }), &[&a, &b], &y);
                Some(y)
            }
            4 => {
                let y = self.tensor(&tensor.shape);
                let most = self.rng.random_range(1..1 << 23);
                let table: Vec<i32> =
                    (0..1 << tensor.bits).map(|i: i32| most >> (i / 9).min(30)).collect();
                let steps = pick(self.rng, &[255, 256, 60_000]);
                self.layer(Operator::Softmax(Softmax { table: table.into(), steps }), &[x], &y);
                Some(y)
            }
            6 => {
                let y = self.tensor(&tensor.shape);
                let to = self.get(&y);
                let entry = |_| self.rng.random_range(to.lowest()..=to.highest());
                let table: Vec<i32> = (tensor.lowest()..=tensor.highest()).map(entry).collect();
                self.layer(Operator::Lookup(Lookup { table: table.into() }), &[x], &y);
                Some(y)
            }
            5 => {
                let flat = self.alike(x, &[height * width * channels]);
                self.layer(Operator::Reshape(Reshape {}), &[x], &flat);
                let outputs = self.rng.random_range(1..=20);
                let y = self.tensor(&[1, 1, outputs]);
                let linear = self.linear(outputs, height * width * channels, &y);
                let vector = self.network.tensors.iter_mut().find(|t| t.name == y)?;
                vector.shape = vec![outputs];
                self.layer(Operator::FullyConnected(FullyConnected { linear }), &[&flat], &y);
                Some(y)
            }
            _ if tensor.shape.len() == 3 => self.convolution(x),
            _ => None,
        }
    }

    /// Some indices of each axis: all, at a stride, each more than once, or any.
    fn gather(&mut self, x: &str, shape: &[usize]) -> String {
        let mut axis = |&all: &usize| match self.rng.random_range(0..6) {
            0 => (0..all as u16).step_by(2).collect(),
            1 => (0..all as u16).flat_map(|index| [index; 2]).collect(),
            2 => (0..all as u16).rev().collect(),
            3 => {
                let some = 0..self.rng.random_range(1..5);
                some.map(|_| self.rng.random_range(0..all as u16)).collect()
            }
            _ => vec![],
        };
        let indices: Vec<Vec<u16>> = shape.iter().map(&mut axis).collect();
        let size = |(taken, &all): (&Vec<_>, &usize)| match taken.is_empty() {
            true => all,
            false => taken.len(),
        };
        let taken: Vec<usize> = indices.iter().zip(shape).map(size).collect();
        let y = self.alike(x, &taken);
        self.layer(Operator::Gather(Gather { indices }), &[&x.to_owned()], &y);
        y
    }

    /// Takes the rescaling from the last layer, if it has one: what it writes are its sums, in as few
    /// bits as hold them or some more, perhaps in another shape.
    fn left_as_sums(&mut self, x: String) -> String {
        let place = self.network.tensors.iter().position(|tensor| tensor.name == x).unwrap();
        let all = self.rng.random_bool(0.3).then_some(Sums::MOST_BITS);
        // biases that take more bytes than weights do
        let most = 1i32 << pick(self.rng, &[2, 8, 14, 22, 29]);
        let least = all.unwrap_or(2);
        self.network.outputs = vec![x.clone()];
        for bits in least..=Sums::MOST_BITS {
            let Some(layer) = self.network.layers.last_mut() else { return x };
            let Some(linear) = (match &mut layer.operator {
                Operator::Conv2d(Conv2d { linear, .. }) => Some(linear),
                Operator::FullyConnected(FullyConnected { linear }) => Some(linear),
                _ => None,
            }) else {
                return x;
            };
            let tensor = &mut self.network.tensors[place];
            (tensor.bits, tensor.signed, tensor.zero_point) = (bits, true, 0);
            tensor.sums = Some(Sums::default());
            if bits == least {
                let bias = linear.bias.iter().map(|_| self.rng.random_range(-most..most));
                linear.bias = bias.collect::<Vec<_>>().into();
            }
            linear.multipliers = [Multiplier::ONE].into_iter().collect();
            (linear.rounding, linear.clamp) = (Rounding::Twice, Clamp::of(tensor));
            if self.network.validate().is_ok() {
                break;
            }
        }
        if self.rng.random() {
            return x;
        }
        let made = self.network.tensors[place].clone();
        let name = format!("{x}_flat");
        let flat = Tensor { name: name.clone(), shape: vec![made.elements()], ..made };
        self.network.tensors.push(flat);
        self.layer(Operator::Reshape(Reshape {}), &[&x], &name);
        name
    }

    /// A convolution of one element that keeps the shape.
    fn same_convolution(&mut self, x: &String) -> String {
        let [height, width, channels] = self.get(x).image();
        let y = self.tensor(&[height, width, channels]);
        let linear = self.linear(channels, channels, &y);
        let (kernel, pads) = ([1, 1], Pads::default());
        let window = Window { kernel, stride: [1, 1], dilation: [1, 1], pads };
        self.layer(Operator::Conv2d(Conv2d { window, groups: 1, linear }), &[x], &y);
        y
    }
}

pub(super) fn random_core(rng: &mut ChaCha8Rng, network: &Network) -> CnnSpec {
    let shift = |layer: &Layer| match &layer.operator {
        Operator::Add(add) => Some(add.left_shift),
        _ => None,
    };
    let lanes = pick(rng, &[4, 8, 16]);
    let pixels = rng.random_range(1..=2);
    let narrow_weights = rng.random_bool(0.8);
    let results = pick(rng, &[1, 2, 4, 8, 16]).min(lanes);
    let spec = CnnSpec {
        lanes,
        pixels,
        packed: pixels == 2 && rng.random_bool(0.7),
        dual: rng.random_bool(0.6),
        results,
        activation_words: 4096,
        weight_rows: 8192,
        scale_rows: 2048,
        jobs: 500,
        softmax_tables: 4,
        single_port: rng.random_bool(0.4),
        nibbles: results > 1 && rng.random_bool(0.6),
        narrow_weights,
        addition_shift: network.layers.iter().find_map(shift).unwrap_or(20),
        sums: rng.random_bool(0.9),
        counters: rng.random_bool(0.3),
        ..CnnSpec::default()
    };
    spec.validate().unwrap();
    spec
}

pub(super) fn random_network(rng: &mut ChaCha8Rng) -> Network {
    let network = Network {
        version: VERSION,
        name: "random".into(),
        binary: None,
        inputs: vec![],
        outputs: vec![],
        tensors: vec![],
        layers: vec![],
        states: vec![],
    };
    let mut draft = Draft {
        network,
        widths: pick(rng, &[&[8][..], &[7], &[4], &[8, 7, 4], &[2, 3, 4, 5, 6, 7, 8]]),
        weight_bits: pick(rng, &[[2, 8], [2, 4], [4, 4]]),
        symmetric: rng.random_bool(0.6),
        addition_shift: pick(rng, &[20, 20, 8, 12]),
        rng,
    };
    let shape = [7, 6, 11].map(|most| draft.rng.random_range(1..=most));
    let mut x = draft.tensor(&shape);
    draft.network.inputs.push(x.clone());
    let layers = draft.rng.random_range(1..6);
    while draft.network.layers.len() < layers {
        match draft.get(&x).shape.len() {
            3 => {
                if let Some(y) = draft.step(&x) {
                    x = y;
                }
            }
            _ => break,
        }
    }
    if draft.rng.random_bool(0.4) {
        x = draft.left_as_sums(x);
    }
    draft.network.outputs = vec![x];
    draft.network
}

/// Costs are told without weights: what a plan and its outline say of random networks.
#[test]
fn outlines_are_what_plans_are() {
    let rng = &mut ChaCha8Rng::seed_from_u64(11);
    let (mut alike, mut refused) = (0, 0);
    while alike + refused < 1000 {
        let network = random_network(rng);
        if network.validate().is_err() {
            continue;
        }
        let spec = random_core(rng, &network);
        match (plan(&network, &spec), outline(&network, &spec)) {
            (Ok(plan), Ok(outline)) => {
                assert_eq!(plan.image.jobs, outline.image.jobs);
                assert_eq!(plan.image.tables, outline.image.tables);
                let memories = (plan.image.planes.len(), plan.image.scales.len(), plan.bank_bytes);
                let outlined = (outline.image.planes, outline.image.scale_rows, outline.bank_bytes);
                assert_eq!((memories, plan.sum_bits), (outlined, outline.sum_bits));
                assert_eq!(plan.steps, outline.steps);
                alike += 1;
            }
            (plan, outline) => {
                assert_eq!(plan.unwrap_err(), outline.unwrap_err());
                refused += 1;
            }
        }
    }
    println!("{alike} networks alike, {refused} refused alike");
    assert!(alike > 500);
}

#[test]
fn random_networks() {
    let rng = &mut ChaCha8Rng::seed_from_u64(10);
    let (mut ran, mut refused, mut jobs) = (BTreeMap::new(), BTreeMap::new(), [0; 2]);
    let mut halves = 0;
    for _ in 0..300 {
        let network = random_network(rng);
        // operators whose interpreter refuses them are no networks
        if network.validate().is_err() {
            continue;
        }
        let spec = random_core(rng, &network);
        let plan = match plan(&network, &spec) {
            Ok(plan) => plan,
            Err(PlanError::Unsupported { what, .. }) => {
                *refused.entry(what).or_insert(0) += 1;
                continue;
            }
            Err(error) => panic!("{error}"),
        };
        for layer in &network.layers {
            *ran.entry(layer.operator.kind()).or_insert(0) += 1;
        }
        for job in &plan.image.jobs {
            halves += usize::from(job.nibbles() != Nibbles::default());
            if let Job::Convolve(Convolve { dual: true, depthwise, .. }) = job {
                jobs[usize::from(*depthwise)] += 1;
            }
        }
        equal(&network, &spec, &plan, &random_inputs(&network, 2, rng), 0.0);
    }
    println!(
        "layers that ran: {ran:?}; refused: {refused:?}; of two weights a lane, dense, depthwise: {jobs:?}"
    );
    println!("{halves} jobs of tensors that lie two elements in a byte");
    assert!(jobs[0] > 20 && jobs[1] > 2 && halves > 50, "{jobs:?} {halves}");
    for (kind, least) in [("conv_2d", 100), ("add", 8), ("softmax", 8), ("fully_connected", 8)] {
        assert!(ran[kind] >= least, "{kind}: {ran:?}");
    }
    for kind in [
        "average_pool_2d",
        "max_pool_2d",
        "requantize",
        "pad",
        "mean",
        "concat",
        "reshape",
        "lookup",
        "gather",
        "prelu",
    ] {
        assert!(ran[kind] >= 3, "{kind}: {ran:?}");
    }
}

/// Sums of one byte to four, of convolutions and dense layers, on cores of all kinds.
#[test]
fn sums_leave_as_they_are() {
    let rng = &mut ChaCha8Rng::seed_from_u64(12);
    let (mut ran, mut bytes) = (BTreeMap::new(), 0);
    // until there are sums of every size
    let all =
        |ran: &BTreeMap<(usize, _), usize>| (1..=4).all(|n| ran.keys().any(|(has, _)| *has == n));
    while ran.values().sum::<usize>() < 100 || !all(&ran) {
        let network = random_network(rng);
        let last = network.tensor(&network.outputs[0]).unwrap();
        if last.sums.is_none() || network.validate().is_err() {
            continue;
        }
        let spec = CnnSpec { sums: true, ..random_core(rng, &network) };
        match plan(&network, &spec) {
            Ok(plan) => equal(&network, &spec, &plan, &random_inputs(&network, 2, rng), 0.0),
            Err(PlanError::Unsupported { .. }) => continue,
            Err(error) => panic!("{error}"),
        };
        bytes += 2 * last.stored();
        *ran.entry((last.bytes(), network.layers.last().unwrap().operator.kind())).or_insert(0) +=
            1;
    }
    println!("{bytes} bytes equal; networks by bytes of a sum and last layer: {ran:?}");
}
