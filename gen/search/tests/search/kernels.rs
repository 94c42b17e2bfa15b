//! Kernels against loops in f64 that follow the definitions and nothing else.

use crate::common::{numbers, rng};
use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::tensor::TensorData;
use hwgen_search::kernels::activate::{self, Levels};
use hwgen_search::kernels::{Window, depthwise, normalize, unfold};
use hwgen_search::ops::{Kernels, portable};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

fn window(rng: &mut ChaCha8Rng, channels: usize) -> Window {
    Window {
        items: rng.random_range(1..4),
        input: [rng.random_range(1..13), rng.random_range(1..13)],
        kernel: [rng.random_range(1..8), rng.random_range(1..8)],
        stride: [rng.random_range(1..4), rng.random_range(1..4)],
        channels,
    }
}

/// Calls back with position, tap and pixel wherever a tap lies in the image.
fn taps(window: &Window, mut meet: impl FnMut(usize, usize, usize)) {
    let [height, width] = window.input;
    let out = [0, 1].map(|axis| {
        let all = window.input[axis] + window.stride[axis] - 1;
        all / window.stride[axis]
    });
    for n in 0..window.items {
        for oy in 0..out[0] {
            for ox in 0..out[1] {
                for ky in 0..window.kernel[0] {
                    for kx in 0..window.kernel[1] {
                        let y =
                            (oy * window.stride[0] + ky) as i64 - (window.kernel[0] as i64 - 1) / 2;
                        let x =
                            (ox * window.stride[1] + kx) as i64 - (window.kernel[1] as i64 - 1) / 2;
                        if y < 0 || x < 0 || y >= height as i64 || x >= width as i64 {
                            continue;
                        }
                        meet(
                            (n * out[0] + oy) * out[1] + ox,
                            ky * window.kernel[1] + kx,
                            (n * height + y as usize) * width + x as usize,
                        );
                    }
                }
            }
        }
    }
}

/// The greatest difference, as a share of the largest number (1 if all are less).
fn off(got: &[f32], want: &[f64]) -> f64 {
    assert_eq!(got.len(), want.len());
    let most = want.iter().fold(1.0f64, |most, w| most.max(w.abs()));
    got.iter().zip(want).fold(0.0, |worst: f64, (g, w)| worst.max((f64::from(*g) - w).abs())) / most
}

#[test]
fn depthwise_is_its_definition() {
    let mut rng = rng(1);
    let mut worst = 0.0f64;
    for _ in 0..150 {
        let channels = rng.random_range(1..71);
        let window = window(&mut rng, channels);
        let x = numbers(&mut rng, window.pixels() * channels);
        let w = numbers(&mut rng, window.taps() * channels);
        let g = numbers(&mut rng, window.positions() * channels);
        let (mut y, mut dx, mut dw) =
            (vec![0.0f64; g.len()], vec![0.0f64; x.len()], vec![0.0f64; w.len()]);
        taps(&window, |position, tap, pixel| {
            for c in 0..channels {
                let [at_y, at_w, at_x] = [position, tap, pixel].map(|n| n * channels + c);
                y[at_y] += f64::from(x[at_x]) * f64::from(w[at_w]);
                dx[at_x] += f64::from(g[at_y]) * f64::from(w[at_w]);
                dw[at_w] += f64::from(g[at_y]) * f64::from(x[at_x]);
            }
        });
        worst = worst.max(off(&depthwise::forward(&window, &x, &w), &y));
        worst = worst.max(off(&depthwise::backward_input(&window, &g, &w), &dx));
        worst = worst.max(off(&depthwise::backward_weights(&window, &x, &g), &dw));
    }
    println!("depthwise: at most {worst:.1e} off, of the largest number");
    assert!(worst < 2e-6);
}

#[test]
fn windows_are_rows_and_back() {
    let mut rng = rng(2);
    let mut worst = 0.0f64;
    for _ in 0..150 {
        let channels = rng.random_range(1..71);
        let window = window(&mut rng, channels);
        let x = numbers(&mut rng, window.pixels() * channels);
        let row = window.taps() * channels;
        let g = numbers(&mut rng, window.positions() * row);
        let (mut rows, mut dx) = (vec![0.0f64; g.len()], vec![0.0f64; x.len()]);
        taps(&window, |position, tap, pixel| {
            for c in 0..channels {
                let at = position * row + tap * channels + c;
                rows[at] = x[pixel * channels + c].into();
                dx[pixel * channels + c] += f64::from(g[at]);
            }
        });
        assert_eq!(off(&unfold::forward(&window, &x), &rows), 0.0, "{window:?}: copies");
        worst = worst.max(off(&unfold::backward(&window, &g), &dx));
    }
    println!("windows: at most {worst:.1e} off, of the largest number");
    assert!(worst < 2e-6);
}

#[test]
fn pads_reach_as_far_as_the_last_window() {
    let mut rng = rng(3);
    for _ in 0..2000 {
        let window = window(&mut rng, 1);
        let [output, before, after] = [window.output(), window.before(), window.after()];
        for axis in 0..2 {
            let [input, kernel, stride] =
                [window.input[axis], window.kernel[axis], window.stride[axis]];
            let padded = before[axis] + input + after[axis];
            assert!(padded >= (output[axis] - 1) * stride + kernel, "{window:?}");
            assert_eq!((padded - kernel) / stride + 1, output[axis], "{window:?}");
        }
    }
}

#[test]
fn normalization_is_its_definition() {
    let mut rng = rng(4);
    let mut worst = [0.0f64; 3];
    for _ in 0..100 {
        let (channels, rows) = (rng.random_range(1..71), rng.random_range(2..400));
        let shift = rng.random_range(-3.0..3.0f32);
        let x: Vec<f32> = numbers(&mut rng, rows * channels).iter().map(|x| x + shift).collect();
        let [gamma, beta] = [0, 1].map(|_| numbers(&mut rng, channels));
        let g = numbers(&mut rng, x.len());
        let of = |c: usize, list: &[f32]| {
            (0..rows).map(|row| f64::from(list[row * channels + c])).collect::<Vec<f64>>()
        };
        let (mut y, mut dx) = (vec![0.0f64; x.len()], vec![0.0f64; x.len()]);
        let (mut dgamma, mut dbeta) = (vec![], vec![]);
        for c in 0..channels {
            let (column, grads) = (of(c, &x), of(c, &g));
            let mean = column.iter().sum::<f64>() / rows as f64;
            let variance = column.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / rows as f64;
            let inverse = 1.0 / (variance + f64::from(normalize::EPSILON)).sqrt();
            let normal: Vec<f64> = column.iter().map(|x| (x - mean) * inverse).collect();
            let sum = grads.iter().sum::<f64>();
            let product: f64 = grads.iter().zip(&normal).map(|(g, n)| g * n).sum();
            for row in 0..rows {
                let at = row * channels + c;
                y[at] = f64::from(gamma[c]) * normal[row] + f64::from(beta[c]);
                let level = grads[row] - sum / rows as f64 - normal[row] * product / rows as f64;
                dx[at] = f64::from(gamma[c]) * inverse * level;
            }
            dgamma.push(product);
            dbeta.push(sum);
        }
        let (mean, variance) = normalize::statistics(&x, channels);
        let got = normalize::forward(&x, &gamma, &beta, &mean, &variance);
        worst[0] = worst[0].max(off(&got, &y));
        let (got, got_gamma, got_beta) = normalize::backward(&x, &gamma, &mean, &variance, &g);
        worst[1] = worst[1].max(off(&got, &dx));
        worst[2] = worst[2].max(off(&got_gamma, &dgamma)).max(off(&got_beta, &dbeta));
    }
    println!(
        "normalization: {:.1e} forward, {:.1e} and {:.1e} backward",
        worst[0], worst[1], worst[2]
    );
    assert!(worst.iter().all(|&worst| worst < 5e-5), "{worst:?}");
}

#[test]
fn means_of_many_rows_keep_their_digits() {
    let mut rng = rng(5);
    let (channels, rows) = (3, 512 * 1024);
    let x: Vec<f32> = numbers(&mut rng, rows * channels).iter().map(|x| x + 2.0).collect();
    let (mean, variance) = normalize::statistics(&x, channels);
    for c in 0..channels {
        let column = || x.iter().skip(c).step_by(channels).map(|&x| f64::from(x));
        let exact = column().sum::<f64>() / rows as f64;
        let spread = column().map(|x| (x - exact).powi(2)).sum::<f64>() / rows as f64;
        let [mean, variance] = [
            (f64::from(mean[c]) / exact - 1.0).abs(),
            (f64::from(variance[c]) / spread - 1.0).abs(),
        ];
        println!("channel {c}: mean {mean:.1e}, variance {variance:.1e} off");
        assert!(mean < 1e-5 && variance < 1e-5);
    }
}

#[test]
fn activations_are_clipped_and_rounded() {
    let mut rng = rng(6);
    for bits in 2..=8 {
        for levels in [Levels::positive(bits), Levels::both(bits)] {
            let range = rng.random_range(0.1..5.0f32);
            let step = range / levels.greatest as f32;
            let x: Vec<f32> = numbers(&mut rng, 1003).iter().map(|x| 1.7 * range * x).collect();
            let y = activate::forward(&x, range, levels);
            for (x, y) in x.iter().zip(&y) {
                let place = f64::from(*x) / f64::from(step);
                let clipped = place.clamp(levels.least.into(), levels.greatest.into());
                let level = f64::from(*y) / f64::from(step);
                assert!((level - level.round()).abs() < 1e-4, "{level} is a level");
                assert!((level - clipped).abs() < 0.5 + 1e-4, "{x}: {level} for {clipped}");
            }
        }
    }
}

#[test]
fn gradients_of_activations_are_those_of_lsq() {
    let mut rng = rng(7);
    for bits in 2..=8 {
        for levels in [Levels::positive(bits), Levels::both(bits)] {
            let range = rng.random_range(0.1..5.0f32);
            let step = f64::from(range / levels.greatest as f32);
            let x: Vec<f32> = numbers(&mut rng, 777).iter().map(|x| 1.7 * range * x).collect();
            let g = numbers(&mut rng, x.len());
            let (dx, drange) = activate::backward(&x, range, levels, &g);
            // of the step: what is clipped tells its level, what is rounded by how much
            let mut sum = 0.0;
            for ((x, g), dx) in x.iter().zip(&g).zip(&dx) {
                let place = f64::from(*x) / step;
                let clipped = place.clamp(levels.least.into(), levels.greatest.into());
                let inside = clipped == place;
                assert_eq!(*dx, if inside { *g } else { 0.0 }, "{place}");
                let slope = if inside { place.round_ties_even() - place } else { clipped };
                sum += f64::from(*g) * slope;
            }
            let want = sum / f64::from(levels.greatest);
            let scale = 1.0 + want.abs();
            assert!((f64::from(drange) - want).abs() / scale < 1e-3, "{drange} for {want}");
        }
    }
}

/// A tensor of the backend that kernels are written for.
fn tensor(numbers: &[f32], shape: &[usize]) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(numbers.to_vec(), shape.to_vec()))
}

fn list(tensor: FlexTensor) -> Vec<f64> {
    tensor.to_contiguous().storage::<f32>().iter().map(|&number| number.into()).collect()
}

/// What a GPU takes is what the kernels do.
#[test]
fn portable_operations_are_the_kernels() {
    let mut rng = rng(7);
    let (mut worst, mut count) = (0.0f64, 0);
    let mut hold = |got: FlexTensor, want: FlexTensor| {
        let want = list(want);
        let got: Vec<f32> = list(got).into_iter().map(|number| number as f32).collect();
        worst = worst.max(off(&got, &want));
        count += 1;
    };
    for _ in 0..60 {
        let channels = rng.random_range(1..20);
        let window = window(&mut rng, channels);
        let (image, [height, width]) = (window.input, window.output());
        let mut random =
            |shape: &[usize]| tensor(&numbers(&mut rng, shape.iter().product()), shape);
        let x = random(&[window.items, image[0], image[1], channels]);
        let g = random(&[window.items, height, width, channels]);
        let rows = random(&[window.positions(), window.taps() * channels]);
        let w = random(&[window.taps(), channels]);
        let [gamma, beta] = [(); 2].map(|()| random(&[channels]));
        let one = |tensor: &FlexTensor| tensor.clone();
        hold(portable::unfold::<Flex>(one(&x), window), Flex::unfold(one(&x), window));
        hold(portable::fold::<Flex>(one(&rows), window), Flex::fold(rows, window));
        hold(
            portable::depthwise::<Flex>(one(&x), one(&w), window),
            Flex::depthwise(one(&x), one(&w), window),
        );
        hold(
            portable::depthwise_input::<Flex>(one(&g), one(&w), window),
            Flex::depthwise_input(one(&g), w, window),
        );
        hold(
            portable::depthwise_weights::<Flex>(one(&x), one(&g), window),
            Flex::depthwise_weights(one(&x), g, window),
        );
        let again = random(&[window.items, image[0], image[1], channels]);
        if window.pixels() > 4 {
            // of few pixels the variance is next to nothing, and so is what is left of its digits
            hold(
                portable::normalize::<Flex>(one(&x), one(&gamma), one(&beta)),
                Flex::normalize(one(&x), one(&gamma), beta),
            );
            hold(
                portable::normalize_back::<Flex>(one(&x), one(&gamma), one(&again)),
                Flex::normalize_back(one(&x), gamma, one(&again)),
            );
        }
        for levels in [Levels::positive(4), Levels::both(8)] {
            let range = || tensor(&[0.6], &[1]);
            hold(
                portable::activate::<Flex>(one(&x), range(), levels),
                Flex::activate(one(&x), range(), levels),
            );
            hold(
                portable::activate_back::<Flex>(one(&x), range(), one(&again), levels),
                Flex::activate_back(one(&x), range(), one(&again), levels),
            );
        }
    }
    println!("search_gpu: {count} results, at most {worst:.1e} off the kernels");
    assert!(worst < 1e-3, "{worst}");
}
