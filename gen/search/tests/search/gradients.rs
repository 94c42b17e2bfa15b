//! What the training library is told of gradients, against differences.

use crate::common::{list, numbers, rng};
use burn::tensor::{Device, Tensor, TensorData};
use hwgen_search::kernels::Window;
use hwgen_search::kernels::activate::Levels;
use hwgen_search::ops;

fn tensor<const D: usize>(numbers: &[f32], shape: [usize; D]) -> Tensor<D> {
    Tensor::from_data(TensorData::new(numbers.to_vec(), shape), &Device::default())
}

/// Compares the gradients of `sum(weights * of(inputs))` with differences; a few places of each input.
fn check<const N: usize>(
    name: &str,
    inputs: [(Vec<f32>, Vec<usize>); N],
    of: impl Fn([Tensor<1>; N]) -> Tensor<1>,
) {
    let leaves = inputs.clone().map(|(numbers, _)| {
        let count = numbers.len();
        tensor(&numbers, [count]).autodiff().require_grad()
    });
    let y = of(leaves.clone());
    let weights = numbers(&mut rng(77), y.dims()[0]);
    let told = (y.clone() * tensor(&weights, y.dims()).autodiff()).sum();
    let mut gradients = told.backward();
    let loss = |inputs: &[Vec<f32>; N]| -> f64 {
        let y = list(of(inputs.clone().map(|n| tensor(&n, [n.len()]))));
        y.iter().zip(&weights).map(|(y, w)| f64::from(*y) * f64::from(*w)).sum()
    };
    let plain = inputs.clone().map(|(numbers, _)| numbers);
    let mut worst = 0.0f64;
    for (n, (_, places)) in inputs.iter().enumerate() {
        let got = list(leaves[n].grad_remove(&mut gradients).unwrap());
        for &place in places {
            let at = |by: f32| {
                let mut moved = plain.clone();
                moved[n][place] += by;
                (loss(&moved), f64::from(moved[n][place]))
            };
            let ((above, to), (below, from)) = (at(0.01), at(-0.01));
            let want = (above - below) / (to - from);
            worst = worst.max((f64::from(got[place]) - want).abs() / (1.0 + want.abs()));
        }
    }
    println!("{name}: gradients {worst:.1e} from differences");
    assert!(worst < 3e-3, "{name}: {worst}");
}

fn some(count: usize) -> Vec<usize> {
    (0..count).step_by((count / 12).max(1)).collect()
}

fn given(count: usize, seed: u64) -> (Vec<f32>, Vec<usize>) {
    (numbers(&mut rng(seed), count), some(count))
}

#[test]
fn gradients_are_those_of_differences() {
    for (n, (kernel, stride)) in
        [([3, 3], [1, 1]), ([5, 3], [2, 1]), ([4, 7], [3, 2]), ([1, 1], [2, 2])]
            .into_iter()
            .enumerate()
    {
        let window = Window { items: 2, input: [7, 6], kernel, stride, channels: 19 };
        let shape = [2, 7, 6, 19];
        let taps = window.taps();
        let x = given(2 * 7 * 6 * 19, n as u64);
        check("depthwise", [x.clone(), given(taps * 19, 50)], |[x, w]| {
            ops::depthwise(x.reshape(shape), w.reshape([taps, 19]), window).flatten(0, 3)
        });
        check("a convolution", [x, given(taps * 19 * 5, 51)], |[x, w]| {
            let rows = ops::unfold(x.reshape(shape), window);
            rows.matmul(w.reshape([taps * 19, 5])).flatten(0, 1)
        });
    }
    let shape = [3, 4, 5, 21];
    check("normalization", [given(3 * 4 * 5 * 21, 1), given(21, 2), given(21, 3)], |[x, g, b]| {
        ops::normalize(x.reshape(shape), g, b).flatten(0, 3)
    });
}

#[test]
fn one_use_of_many_gets_the_sum_of_gradients() {
    let x = given(4 * 4 * 8, 9);
    let window = Window { items: 1, input: [4, 4], kernel: [3, 3], stride: [1, 1], channels: 8 };
    check("two uses", [x, given(9 * 8, 10), given(8, 11)], |[x, w, g]| {
        let x = x.reshape([1, 4, 4, 8]);
        let y = ops::depthwise(x.clone(), w.reshape([9, 8]), window);
        (ops::normalize(y, g.clone(), g) + x).flatten(0, 3)
    });
}

#[test]
fn a_gradient_is_not_asked_for_where_none_is_needed() {
    let x = tensor(&numbers(&mut rng(1), 4 * 4 * 3), [1, 4, 4, 3]).autodiff();
    let range = tensor(&[0.7], [1]).autodiff().require_grad();
    let y = ops::activate(x.clone(), range.clone(), Levels::both(4));
    let mut gradients = y.sum().backward();
    assert!(range.grad_remove(&mut gradients).is_some());
    assert!(x.grad_remove(&mut gradients).is_none());
}
