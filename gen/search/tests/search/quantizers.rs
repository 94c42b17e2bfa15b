//! Weights of few bits, all widths and kinds of sharing.

use crate::common::{items, list, rng, supernet};
use burn::tensor::{Device, Tensor, TensorData};
use hwgen_network::graph::{Network, Operator};
use hwgen_network::policy::Policy;
use hwgen_search::integers::{Figures, network};
use hwgen_search::space::{Choice, Pick, Space, preset};
use hwgen_search::supernet::{Sharing, Supernet, most, quantize};
use hwgen_search::train::Judge;
use rand::Rng;

const ALL: [Sharing; 4] =
    [Sharing::Free, Sharing::Residual, Sharing::TopBits, Sharing::DoubleRounding];

/// Largest weights and weights, the largest among them.
fn weights(seed: u64, mut try_one: impl FnMut(f32, f32)) {
    let mut rng = rng(seed);
    for _ in 0..300 {
        let largest = rng.random_range(1e-3..4.0f32);
        for n in 0..60 {
            let w = match n {
                0 => 0.0,
                1 => largest,
                2 => -largest,
                // where roundings have their edges
                n if n < 20 => largest * rng.random_range(-255..=255) as f32 / 255.0,
                n if n < 30 => largest * rng.random_range(-254..=254) as f32 / 254.0,
                _ => rng.random_range(-largest..largest),
            };
            try_one(largest, w);
        }
    }
}

#[test]
fn residuals_nest() {
    weights(1, |largest, w| {
        let [(w8, s8), (w4, s4), (w2, s2)] =
            [8, 4, 2].map(|bits| quantize(Sharing::Residual, bits, largest, w));
        assert!((s4 / s8 - 17.0).abs() < 1e-4 && (s2 / s4 - 5.0).abs() < 1e-4, "{s8} {s4} {s2}");
        let [r8, r4] = [w8 - 17.0 * w4, w4 - 5.0 * w2];
        assert!(r8.abs() <= 8.0, "{w} of {largest}: {w8} = 17 * {w4} + {r8}");
        assert!(r4.abs() <= 2.0, "{w} of {largest}: {w4} = 5 * {w2} + {r4}");
    });
}

#[test]
fn integers_have_negatives_and_are_near() {
    for sharing in ALL {
        for bits in 2..=8 {
            weights(2, |largest, w| {
                let (integer, step) = quantize(sharing, bits, largest, w);
                let top = sharing == Sharing::TopBits && bits < 8;
                let end = most(bits) as f32 + if top { 0.5 } else { 0.0 };
                assert!(integer.abs() <= end, "{sharing:?}, {bits} bits: {integer}");
                assert_eq!((integer * 2.0).fract(), 0.0);
                let off = (integer * step - w).abs();
                // halfway, or clipped, or cut from a word of eight bits that is half a step off itself
                let clipped = integer.abs() == end && w.abs() > end * step;
                let words = matches!(sharing, Sharing::TopBits | Sharing::DoubleRounding);
                let words = if words && bits < 8 { 0.5f32.powi(9 - bits as i32) } else { 0.0 };
                let most = step * (0.501 + words);
                assert!(
                    off <= most || clipped,
                    "{sharing:?}, {bits} bits: {w} as {integer} * {step}"
                );
                // whoever is smaller is not larger as an integer
                let (below, _) = quantize(sharing, bits, largest, w - 0.1 * largest);
                assert!(below <= integer);
            });
        }
    }
}

#[test]
fn a_channel_of_zeros_is_zeros() {
    for sharing in [Sharing::Free, Sharing::Residual, Sharing::DoubleRounding] {
        for bits in 2..=8 {
            let (integer, step) = quantize(sharing, bits, 0.0, 0.0);
            assert!(integer == 0.0 && step > 0.0 && step.is_finite());
        }
    }
}

/// A small supernet with two widths of weights, whose first channels have negative factors.
fn shared(sharing: Sharing, bits: u32, turned: bool) -> (Supernet, Judge) {
    let space = Space {
        weight_bits: if bits == 8 { vec![8] } else { vec![bits, 8] },
        activation_bits: vec![8],
        ..preset("shapes", [10, 9, 2], 3).unwrap()
    };
    let items = items([10, 9, 2], 3, 64, 4);
    let mut supernet = supernet(space, sharing, &items, 8);
    for parameter in &mut supernet.numbers.parameters {
        if turned && parameter.name.contains(".gamma_") {
            let numbers = list(parameter.value.clone());
            let signs = numbers.iter().enumerate().map(|(n, x)| if n % 2 == 0 { -x } else { *x });
            let data = TensorData::new(signs.collect::<Vec<f32>>(), [1, 1, 1, numbers.len()]);
            parameter.value = Tensor::from_data(data, &Device::default());
        }
    }
    (supernet, Judge { calibration: items.clone(), judged: items })
}

/// The largest subnet with weights of an option of widths, as integers.
fn integers(supernet: &Supernet, judge: &Judge, option: u8) -> Network {
    let space = &supernet.space;
    let choice = space
        .genes()
        .into_iter()
        .zip(space.largest().0)
        .map(|(gene, largest)| if gene.pick == Pick::WeightBits { option } else { largest });
    let subnet = space.subnet(&Choice(choice.collect())).unwrap();
    let statistics = judge.statistics(supernet, &subnet);
    network(supernet, &subnet, Figures::Trained { statistics: &statistics, range: [-1.5, 4.0] })
        .unwrap()
}

/// Stored weights of each convolution, and as they are read.
fn stored(network: &Network) -> Vec<(String, Vec<i8>, Vec<i8>)> {
    let of = |operator: &Operator| match operator {
        Operator::Conv2d(conv) => Some(conv.linear.clone()),
        _ => None,
    };
    let layers = network.layers.iter().filter_map(|l| Some((l.name.clone(), of(&l.operator)?)));
    layers
        .map(|(name, linear)| {
            let words: Vec<i8> = linear.weights.iter().copied().collect();
            let read = words.iter().map(|&word| linear.read(word)).collect();
            (name, words, read)
        })
        .collect()
}

/// What a trained network's weights are, by their definition, output by output, and their sign.
fn expected(supernet: &Supernet, layer: &str, bits: u32) -> Vec<f32> {
    let value = supernet.numbers.value(&format!("{layer}.weights")).unwrap();
    let [rows, columns, inputs, outputs] = value.dims();
    let (numbers, taps) = (list(value.clone()), rows * columns * inputs);
    let gamma = list(supernet.numbers.value(&format!("{layer}.gamma_{bits}")).unwrap().clone());
    let row = |o: usize| {
        let row: Vec<f32> = (0..taps).map(|tap| numbers[tap * outputs + o]).collect();
        let largest = row.iter().fold(0.0f32, |most, w| most.max(w.abs()));
        let integer = |w: &f32| quantize(supernet.sharing, bits, largest, *w).0 * gamma[o].signum();
        row.iter().map(integer).collect::<Vec<f32>>()
    };
    (0..outputs).flat_map(row).collect()
}

#[test]
fn stored_words_read_as_what_was_trained() {
    for sharing in ALL {
        for bits in 2..=8 {
            for turned in [false, true] {
                let (supernet, judge) = shared(sharing, bits, turned);
                for (layer, words, read) in stored(&integers(&supernet, &judge, 0)) {
                    let parts = if sharing == Sharing::TopBits { 1 << (8 - bits) } else { 1 };
                    let want = expected(&supernet, &layer, bits);
                    assert!(words.iter().all(|&word| word != i8::MIN), "{sharing:?}, {bits} bits");
                    let wrong = read
                        .iter()
                        .zip(&want)
                        .filter(|(r, w)| f32::from(**r) != **w * parts as f32);
                    assert_eq!(
                        wrong.count(),
                        0,
                        "{sharing:?}, {bits} bits, turned {turned}: {layer}"
                    );
                }
            }
        }
    }
}

#[test]
fn top_bits_are_those_of_the_words_of_eight() {
    for bits in 2..8 {
        let (supernet, judge) = shared(Sharing::TopBits, bits, false);
        let [few, eight] = [0, 1].map(|option| stored(&integers(&supernet, &judge, option)));
        for ((layer, few, _), (_, eight, _)) in few.iter().zip(&eight) {
            assert_eq!(few, eight, "{layer}: one memory serves both");
        }
    }
}

#[test]
fn double_rounding_is_what_a_policy_makes() {
    for bits in 2..8 {
        let (supernet, judge) = shared(Sharing::DoubleRounding, bits, false);
        let [few, eight] = [0, 1].map(|option| integers(&supernet, &judge, option));
        let names = stored(&few).into_iter().map(|(name, ..)| (name, bits));
        let policy = Policy {
            version: 2,
            rounded_bits: names.collect(),
            symmetric: true,
            ..Policy::default()
        };
        let cut = policy.apply(&eight).unwrap();
        for ((layer, few, _), (_, cut, _)) in stored(&few).iter().zip(&stored(&cut)) {
            assert_eq!(few, cut, "{layer} at {bits} bits");
        }
    }
}
