//! The operations out of those that every backend has: what a GPU takes. Slower than the kernels on a CPU, and held
//! to them by a test.

use crate::kernels::activate::Levels;
use crate::kernels::{Window, normalize::EPSILON};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, TensorMetadata};
use burn::tensor::{FloatDType, Shape, Slice};

/// Windows as rows: positions x (taps, channels).
pub fn unfold<B: Backend>(x: FloatTensor<B>, window: Window) -> FloatTensor<B> {
    let padded = padded::<B>(x, &window);
    let taps = (0..window.taps()).map(|tap| B::float_slice(padded.clone(), &read(&window, tap)));
    let rows = B::float_cat(taps.collect(), 3);
    B::float_reshape(rows, Shape::new([window.positions(), window.taps() * window.channels]))
}

/// Rows of windows summed up in an image.
pub fn fold<B: Backend>(g: FloatTensor<B>, window: Window) -> FloatTensor<B> {
    let [height, width] = window.output();
    let channels = window.taps() * window.channels;
    let g = B::float_reshape(g, Shape::new([window.items, height, width, channels]));
    spread::<B>(&window, &g, |tap| {
        B::float_slice(g.clone(), &last(tap * window.channels, window.channels))
    })
}

/// A kernel a channel: `w` is taps x channels.
pub fn depthwise<B: Backend>(
    x: FloatTensor<B>,
    w: FloatTensor<B>,
    window: Window,
) -> FloatTensor<B> {
    let padded = padded::<B>(x, &window);
    let term = |tap| {
        let read = B::float_slice(padded.clone(), &read(&window, tap));
        B::float_mul(read, weights::<B>(&w, &window, tap))
    };
    (1..window.taps()).fold(term(0), |sum, tap| B::float_add(sum, term(tap)))
}

/// Its gradient to the image.
pub fn depthwise_input<B: Backend>(
    g: FloatTensor<B>,
    w: FloatTensor<B>,
    window: Window,
) -> FloatTensor<B> {
    spread::<B>(&window, &g, |tap| B::float_mul(g.clone(), weights::<B>(&w, &window, tap)))
}

/// Its gradient to the kernels.
pub fn depthwise_weights<B: Backend>(
    x: FloatTensor<B>,
    g: FloatTensor<B>,
    window: Window,
) -> FloatTensor<B> {
    let padded = padded::<B>(x, &window);
    let row = |tap| {
        let read = B::float_slice(padded.clone(), &read(&window, tap));
        let sum = B::float_sum_dims(B::float_mul(read, g.clone()), &[0, 1, 2]);
        B::float_reshape(sum, Shape::new([1, window.channels]))
    };
    B::float_cat((0..window.taps()).map(row).collect(), 0)
}

/// Normalization by the statistics of `x`.
pub fn normalize<B: Backend>(
    x: FloatTensor<B>,
    gamma: FloatTensor<B>,
    beta: FloatTensor<B>,
) -> FloatTensor<B> {
    let (normal, _) = normal::<B>(x);
    B::float_add(B::float_mul(normal, row::<B>(gamma)), row::<B>(beta))
}

/// Its gradients, one behind the other: x, gamma, beta.
pub fn normalize_back<B: Backend>(
    x: FloatTensor<B>,
    gamma: FloatTensor<B>,
    g: FloatTensor<B>,
) -> FloatTensor<B> {
    let (normal, inverse) = normal::<B>(x);
    let channels = normal.shape()[3];
    let share = channels as f32 / normal.shape().num_elements() as f32;
    let sum = |x: FloatTensor<B>| B::float_sum_dims(x, &[0, 1, 2]);
    let dbeta = sum(g.clone());
    let dgamma = sum(B::float_mul(g.clone(), normal.clone()));
    let slope = B::float_mul(normal, B::float_mul_scalar(dgamma.clone(), share.into()));
    let level = B::float_mul_scalar(dbeta.clone(), share.into());
    let dx = B::float_sub(B::float_sub(g, level), slope);
    let dx = B::float_mul(dx, B::float_mul(row::<B>(gamma), inverse));
    behind::<B>([dx, dgamma, dbeta])
}

/// Clipping and rounding; `range` is a number.
pub fn activate<B: Backend>(
    x: FloatTensor<B>,
    range: FloatTensor<B>,
    levels: Levels,
) -> FloatTensor<B> {
    let step = step::<B>(&x, range, levels);
    let clipped = clipped::<B>(B::float_div(x, step.clone()), levels);
    B::float_mul(B::float_round(clipped), step)
}

/// Its gradients, one behind the other: x, range.
pub fn activate_back<B: Backend>(
    x: FloatTensor<B>,
    range: FloatTensor<B>,
    g: FloatTensor<B>,
    levels: Levels,
) -> FloatTensor<B> {
    let step = step::<B>(&x, range, levels);
    let place = B::float_div(x, step);
    let clipped = clipped::<B>(place.clone(), levels);
    let apart = B::float_abs(B::float_sub(clipped.clone(), place.clone()));
    // 1 where nothing was clipped, else 0
    let clips = B::float_sign(apart);
    let inside = B::float_add_scalar(B::float_neg(clips), 1.0f32.into());
    let pull = B::float_sub(B::float_round(clipped), B::float_mul(place, inside.clone()));
    let drange = B::float_sum(B::float_mul(pull, g.clone()));
    let drange = B::float_div_scalar(drange, (levels.greatest as f32).into());
    behind::<B>([B::float_mul(g, inside), drange])
}

/// An image with the zeros that the window reads around it.
fn padded<B: Backend>(x: FloatTensor<B>, window: &Window) -> FloatTensor<B> {
    let image = B::float_zeros(sizes(window), &x.device(), x.dtype().into());
    B::float_slice_assign(image, &inner(window), x)
}

/// What each tap makes of a gradient, summed up where the tap reads.
fn spread<B: Backend>(
    window: &Window,
    like: &FloatTensor<B>,
    part: impl Fn(usize) -> FloatTensor<B>,
) -> FloatTensor<B> {
    let dtype: FloatDType = like.dtype().into();
    let image = B::float_zeros(sizes(window), &like.device(), dtype);
    let image = (0..window.taps()).fold(image, |image, tap| {
        let place = read(window, tap);
        let sum = B::float_add(B::float_slice(image.clone(), &place), part(tap));
        B::float_slice_assign(image, &place, sum)
    });
    B::float_slice(image, &inner(window))
}

/// Sizes of an image with zeros around it.
fn sizes(window: &Window) -> Shape {
    let [before, after] = [window.before(), window.after()];
    let [height, width] = [0, 1].map(|n| before[n] + window.input[n] + after[n]);
    Shape::new([window.items, height, width, window.channels])
}

fn part(first: usize, count: usize, step: usize) -> Slice {
    let end = first + (count.max(1) - 1) * step + 1;
    Slice { start: first as isize, end: Some(end as isize), step: step as isize }
}

fn all() -> Slice {
    Slice { start: 0, end: None, step: 1 }
}

/// Where the image lies among the zeros.
fn inner(window: &Window) -> [Slice; 4] {
    let [rows, columns] = [0, 1].map(|n| part(window.before()[n], window.input[n], 1));
    [all(), rows, columns, all()]
}

/// What a tap reads of an image with zeros around it.
fn read(window: &Window, tap: usize) -> [Slice; 4] {
    let [y, x] = [tap / window.kernel[1], tap % window.kernel[1]];
    let [height, width] = window.output();
    [all(), part(y, height, window.stride[0]), part(x, width, window.stride[1]), all()]
}

fn last(first: usize, count: usize) -> [Slice; 4] {
    [all(), all(), all(), part(first, count, 1)]
}

/// A tap's weights, for all pixels.
fn weights<B: Backend>(w: &FloatTensor<B>, window: &Window, tap: usize) -> FloatTensor<B> {
    let weights = B::float_slice(w.clone(), &[part(tap, 1, 1), all()]);
    B::float_reshape(weights, Shape::new([1, 1, 1, window.channels]))
}

fn row<B: Backend>(numbers: FloatTensor<B>) -> FloatTensor<B> {
    let channels = numbers.shape().num_elements();
    B::float_reshape(numbers, Shape::new([1, 1, 1, channels]))
}

/// `x` of mean 0 and variance 1, and what it was divided by, inverted.
fn normal<B: Backend>(x: FloatTensor<B>) -> (FloatTensor<B>, FloatTensor<B>) {
    let share = x.shape()[3] as f32 / x.shape().num_elements() as f32;
    let mean = |x| B::float_mul_scalar(B::float_sum_dims(x, &[0, 1, 2]), share.into());
    let centered = B::float_sub(x.clone(), mean(x));
    let variance = mean(B::float_mul(centered.clone(), centered.clone()));
    let inverse = B::float_recip(B::float_sqrt(B::float_add_scalar(variance, EPSILON.into())));
    (B::float_mul(centered, inverse.clone()), inverse)
}

/// What a level stands for, in as many dimensions as `like` has.
fn step<B: Backend>(
    like: &FloatTensor<B>,
    range: FloatTensor<B>,
    levels: Levels,
) -> FloatTensor<B> {
    let shape = Shape::from(vec![1; like.shape().num_dims()]);
    B::float_div_scalar(B::float_reshape(range, shape), (levels.greatest as f32).into())
}

fn clipped<B: Backend>(place: FloatTensor<B>, levels: Levels) -> FloatTensor<B> {
    B::float_clamp(place, (levels.least as f32).into(), (levels.greatest as f32).into())
}

/// Tensors in one list.
fn behind<B: Backend>(tensors: impl IntoIterator<Item = FloatTensor<B>>) -> FloatTensor<B> {
    let flat = tensors.into_iter().map(|tensor| {
        let count = tensor.shape().num_elements();
        B::float_reshape(tensor, Shape::new([count]))
    });
    B::float_cat(flat.collect(), 0)
}
