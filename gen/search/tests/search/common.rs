//! Data, supernets and choices for tests.

use burn::tensor::{Device, Tensor, TensorData};
use hwgen_data::{Augment, Head, Items, Kind, Scale, Shape, Subset};
use hwgen_search::space::{Block, Choice, Kind as Of, Space, preset};
use hwgen_search::supernet::{InputScale, Sharing, Supernet};
use hwgen_search::train::{Judge, Schedule, Trainer, Training};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

pub(crate) fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// Numbers between -1 and 1.
pub(crate) fn numbers(rng: &mut ChaCha8Rng, count: usize) -> Vec<f32> {
    (0..count).map(|_| rng.random_range(-1.0..1.0f32)).collect()
}

/// Items that can be learned: a coarse pattern a class, and noise.
pub(crate) fn items(shape: [usize; 3], classes: usize, count: usize, seed: u64) -> Subset {
    let [height, width, channels] = shape;
    let mut patterns = rng(99);
    let grid = 5 * 5 * channels;
    let patterns: Vec<Vec<f32>> = (0..classes).map(|_| numbers(&mut patterns, grid)).collect();
    let mut rng = rng(seed);
    let (mut values, mut labels) = (vec![], vec![]);
    for n in 0..count {
        let label = n % classes;
        labels.push(label as u16);
        for place in 0..height * width * channels {
            let [y, x] = [place / channels / width, place / channels % width];
            let cell = (y * 5 / height * 5 + x * 5 / width) * channels + place % channels;
            let noise = rng.random_range(-1.6..1.6f32);
            values.push((60.0 * (patterns[label][cell] + noise)).clamp(-128.0, 127.0) as i8);
        }
    }
    let head = Head {
        name: "patterns".to_owned(),
        kind: Kind::Image,
        shape: Shape { height, width, channels },
        scale: Scale { scale: 1.0 / 64.0, zero_point: -11 },
        classes: (0..classes).map(|n| n.to_string()).collect(),
    };
    Items::new(head, values, labels).unwrap().into()
}

pub(crate) fn input_of(items: &Subset) -> InputScale {
    let Scale { scale, zero_point } = items.items().scale();
    InputScale { scale: f64::from(scale), zero_point }
}

pub(crate) fn supernet(space: Space, sharing: Sharing, items: &Subset, seed: u64) -> Supernet {
    Supernet::new(space, sharing, input_of(items), seed)
}

/// A preset's supernet after some steps of training, and the items that it is judged by.
pub(crate) fn trained(
    name: &str,
    shape: [usize; 3],
    sharing: Sharing,
    steps: usize,
) -> (Supernet, Judge) {
    let space = preset(name, shape, 4).unwrap();
    let train = items(shape, 4, 512, 1);
    let supernet = supernet(space, sharing, &train, 5);
    let mut trainer = trainer(supernet, &train, Schedule { batch: 32, ..Schedule::new(3, 9) });
    for _ in 0..steps {
        trainer.advance().unwrap();
    }
    let judged = items(shape, 4, 500, 2);
    (trainer.supernet, Judge { calibration: train, judged })
}

pub(crate) fn trainer(supernet: Supernet, items: &Subset, schedule: Schedule) -> Trainer {
    let data = Training { items: items.clone(), augment: Augment::None };
    Trainer::new(supernet, schedule, data)
}

pub(crate) fn choice(space: &Space, rng: &mut ChaCha8Rng) -> Choice {
    let genes = space.genes();
    Choice(genes.iter().map(|gene| rng.random_range(0..gene.options) as u8).collect())
}

/// Real numbers of the first items.
pub(crate) fn batch(items: &Subset, count: usize) -> Tensor<4> {
    let Shape { height, width, channels } = items.items().shape();
    let scale = items.items().scale();
    let real = |n: usize| items.get(n).values.iter().map(|&q| scale.real(q)).collect::<Vec<f32>>();
    let numbers: Vec<f32> = (0..count).flat_map(real).collect();
    let data = TensorData::new(numbers, [count, height, width, channels]);
    Tensor::from_data(data, &Device::default())
}

pub(crate) fn list<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_to_vec().unwrap()
}

pub(crate) fn leaves(supernet: &Supernet) -> Vec<Tensor<4>> {
    supernet.numbers.parameters.iter().map(|parameter| parameter.value.clone()).collect()
}

/// A space as a file may have it: each kind of block, all widths.
pub(crate) fn any_space(rng: &mut ChaCha8Rng) -> Space {
    let count = rng.random_range(1..5);
    let blocks = (0..count).map(|n| any_block(n, rng)).collect();
    let some = |all: &[u32], rng: &mut ChaCha8Rng| {
        let kept: Vec<u32> = all.iter().copied().filter(|_| rng.random_bool(0.5)).collect();
        if kept.is_empty() { vec![8] } else { kept }
    };
    Space {
        version: 1,
        name: "any".to_owned(),
        input: [rng.random_range(1..20), rng.random_range(1..20), rng.random_range(1..4)],
        classes: rng.random_range(2..6),
        weight_bits: some(&[2, 3, 4, 5, 6, 7, 8], rng),
        activation_bits: some(&[2, 3, 4, 5, 6, 7, 8], rng),
        blocks,
    }
}

fn any_block(n: usize, rng: &mut ChaCha8Rng) -> Block {
    let kinds = [Of::Conv, Of::Separable, Of::Inverted, Of::Bottleneck, Of::Graph];
    let kind = kinds[rng.random_range(0..kinds.len())];
    let same = kind == Of::Graph || rng.random_bool(0.5);
    let ascending = |most: usize, rng: &mut ChaCha8Rng| {
        let mut last = 0;
        let next = |_| {
            last += rng.random_range(1..=most);
            last
        };
        (0..3).map(next).collect::<Vec<usize>>()
    };
    let kernels = match rng.random_range(0..3) {
        _ if kind == Of::Graph => vec![[1, 1]],
        0 => vec![[rng.random_range(1..8), rng.random_range(1..8)]],
        1 => vec![[1, 1], [1, 3], [3, 3]],
        _ => vec![[3, 3], [5, 5], [5, 7]],
    };
    let stride = [rng.random_range(1..4), rng.random_range(1..4)];
    let expands = matches!(kind, Of::Inverted | Of::Bottleneck);
    Block {
        name: format!("b{n}"),
        kind,
        kernels,
        stride: if same { [1, 1] } else { stride },
        channels: if same { vec![] } else { ascending(4, rng) },
        expansions: if expands { ascending(2, rng) } else { vec![] },
        optional: same && rng.random_bool(0.6),
    }
}
