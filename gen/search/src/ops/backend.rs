//! The operations of a backend: flex, on slices of the kernels; a GPU, out of operations that it has.

#[cfg(feature = "gpu")]
use super::portable;
use crate::kernels::activate::{self, Levels};
use crate::kernels::{Window, depthwise, normalize, unfold};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Flex, backend_extension};
use burn::tensor::{Shape, TensorData};

/// Operations on N, H, W, C and what their gradients need.
#[backend_extension(Flex, Cube: cfg(feature = "gpu"), Autodiff)]
pub trait Kernels: Backend {
    /// Windows as rows.
    fn unfold(x: FloatTensor<Self>, window: Window) -> FloatTensor<Self>;
    /// Rows of windows summed up in an image.
    fn fold(g: FloatTensor<Self>, window: Window) -> FloatTensor<Self>;
    /// A kernel a channel.
    fn depthwise(x: FloatTensor<Self>, w: FloatTensor<Self>, window: Window) -> FloatTensor<Self>;
    /// Its gradient to the image.
    fn depthwise_input(
        g: FloatTensor<Self>,
        w: FloatTensor<Self>,
        window: Window,
    ) -> FloatTensor<Self>;
    /// Its gradient to the kernels.
    fn depthwise_weights(
        x: FloatTensor<Self>,
        g: FloatTensor<Self>,
        window: Window,
    ) -> FloatTensor<Self>;
    /// Normalization by the statistics of `x`.
    fn normalize(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
    ) -> FloatTensor<Self>;
    /// Its gradients, one behind the other: x, gamma, beta.
    fn normalize_back(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        g: FloatTensor<Self>,
    ) -> FloatTensor<Self>;
    /// Clipping and rounding.
    fn activate(
        x: FloatTensor<Self>,
        range: FloatTensor<Self>,
        levels: Levels,
    ) -> FloatTensor<Self>;
    /// Its gradients, one behind the other: x, range.
    fn activate_back(
        x: FloatTensor<Self>,
        range: FloatTensor<Self>,
        g: FloatTensor<Self>,
        levels: Levels,
    ) -> FloatTensor<Self>;
}

impl Kernels for Flex {
    fn unfold(x: FlexTensor, window: Window) -> FlexTensor {
        let rows = unfold::forward(&window, plain(&x).storage());
        made(rows, [window.positions(), window.taps() * window.channels])
    }

    fn fold(g: FlexTensor, window: Window) -> FlexTensor {
        made(unfold::backward(&window, plain(&g).storage()), image(&window, window.input))
    }

    fn depthwise(x: FlexTensor, w: FlexTensor, window: Window) -> FlexTensor {
        let y = depthwise::forward(&window, plain(&x).storage(), plain(&w).storage());
        made(y, image(&window, window.output()))
    }

    fn depthwise_input(g: FlexTensor, w: FlexTensor, window: Window) -> FlexTensor {
        let dx = depthwise::backward_input(&window, plain(&g).storage(), plain(&w).storage());
        made(dx, image(&window, window.input))
    }

    fn depthwise_weights(x: FlexTensor, g: FlexTensor, window: Window) -> FlexTensor {
        let dw = depthwise::backward_weights(&window, plain(&x).storage(), plain(&g).storage());
        made(dw, [window.taps(), window.channels])
    }

    fn normalize(x: FlexTensor, gamma: FlexTensor, beta: FlexTensor) -> FlexTensor {
        let (x, gamma, beta) = (plain(&x), plain(&gamma), plain(&beta));
        let (mean, variance) = normalize::statistics(x.storage(), gamma.storage::<f32>().len());
        let y = normalize::forward(x.storage(), gamma.storage(), beta.storage(), &mean, &variance);
        made(y, x.layout().shape().clone())
    }

    fn normalize_back(x: FlexTensor, gamma: FlexTensor, g: FlexTensor) -> FlexTensor {
        let (x, gamma, g) = (plain(&x), plain(&gamma), plain(&g));
        let (mean, variance) = normalize::statistics(x.storage(), gamma.storage::<f32>().len());
        let (mut all, dgamma, dbeta) =
            normalize::backward(x.storage(), gamma.storage(), &mean, &variance, g.storage());
        all.extend(dgamma);
        all.extend(dbeta);
        let count = all.len();
        made(all, [count])
    }

    fn activate(x: FlexTensor, range: FlexTensor, levels: Levels) -> FlexTensor {
        let x = plain(&x);
        made(activate::forward(x.storage(), number(&range), levels), x.layout().shape().clone())
    }

    fn activate_back(
        x: FlexTensor,
        range: FlexTensor,
        g: FlexTensor,
        levels: Levels,
    ) -> FlexTensor {
        let (x, g) = (plain(&x), plain(&g));
        let (mut all, drange) =
            activate::backward(x.storage(), number(&range), levels, g.storage());
        all.push(drange);
        let count = all.len();
        made(all, [count])
    }
}

/// A tensor whose numbers lie in order, from the first.
fn plain(tensor: &FlexTensor) -> FlexTensor {
    tensor.to_contiguous()
}

/// The only number of a tensor.
fn number(tensor: &FlexTensor) -> f32 {
    plain(tensor).storage::<f32>()[0]
}

fn image(window: &Window, [height, width]: [usize; 2]) -> [usize; 4] {
    [window.items, height, width, window.channels]
}

fn made(numbers: Vec<f32>, shape: impl Into<Shape>) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(numbers, shape.into()))
}

#[cfg(feature = "gpu")]
impl Kernels for burn::backend::Cube {
    fn unfold(x: FloatTensor<Self>, window: Window) -> FloatTensor<Self> {
        portable::unfold::<Self>(x, window)
    }

    fn fold(g: FloatTensor<Self>, window: Window) -> FloatTensor<Self> {
        portable::fold::<Self>(g, window)
    }

    fn depthwise(x: FloatTensor<Self>, w: FloatTensor<Self>, window: Window) -> FloatTensor<Self> {
        portable::depthwise::<Self>(x, w, window)
    }

    fn depthwise_input(
        g: FloatTensor<Self>,
        w: FloatTensor<Self>,
        window: Window,
    ) -> FloatTensor<Self> {
        portable::depthwise_input::<Self>(g, w, window)
    }

    fn depthwise_weights(
        x: FloatTensor<Self>,
        g: FloatTensor<Self>,
        window: Window,
    ) -> FloatTensor<Self> {
        portable::depthwise_weights::<Self>(x, g, window)
    }

    fn normalize(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        portable::normalize::<Self>(x, gamma, beta)
    }

    fn normalize_back(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        g: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        portable::normalize_back::<Self>(x, gamma, g)
    }

    fn activate(
        x: FloatTensor<Self>,
        range: FloatTensor<Self>,
        levels: Levels,
    ) -> FloatTensor<Self> {
        portable::activate::<Self>(x, range, levels)
    }

    fn activate_back(
        x: FloatTensor<Self>,
        range: FloatTensor<Self>,
        g: FloatTensor<Self>,
        levels: Levels,
    ) -> FloatTensor<Self> {
        portable::activate_back::<Self>(x, range, g, levels)
    }
}
