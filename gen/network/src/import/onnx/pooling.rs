//! Windows, pools and means.

use super::convert::Conversion;
use super::form::{Form, Order};
use super::linear::{UNBOUNDED, pending};
use super::node::broken;
use super::proto::NodeProto;
use super::value::{Pending, Quantization, Sums, Value, What};
use crate::graph::{Clamp, Kernel, MOST_WEIGHTS, MaxPool2d, Operator, Pads, Window};
use crate::import::report::Problem;
use std::rc::Rc;

/// A window with the node's strides, dilations and padding, each absent as ONNX defines.
pub(super) fn window(node: &NodeProto, kernel: Kernel, image: Kernel) -> Result<Window, Problem> {
    let stride = node.pair("strides", [1, 1])?;
    let dilation = node.pair("dilations", [1, 1])?;
    if kernel.iter().any(|size| !(1..=4096).contains(size)) {
        return Err(broken(format!("its kernel is {kernel:?}: must be 1 to 4096")));
    }
    let automatic = node.text("auto_pad", "NOTSET");
    let rims = match automatic.as_str() {
        "NOTSET" | "" => match *node.integers("pads").unwrap_or(&[0; 4]) {
            // along a line
            [before, after] => vec![0, before, 0, after],
            ref rims => rims.to_vec(),
        },
        "VALID" => vec![0; 4],
        "SAME_UPPER" | "SAME_LOWER" => {
            let rim = |side: usize| {
                let span = (kernel[side] - 1) * dilation[side] + 1;
                let reach = image[side].div_ceil(stride[side]).saturating_sub(1) * stride[side];
                let rim = (reach + span).saturating_sub(image[side]) as i64;
                // the odd row or column comes after, or before
                let small = rim / 2;
                if automatic == "SAME_UPPER" { (small, rim - small) } else { (rim - small, small) }
            };
            let (rows, columns) = (rim(0), rim(1));
            vec![rows.0, columns.0, rows.1, columns.1]
        }
        other => return Err(broken(format!("its auto_pad is {other}"))),
    };
    let size = |&n: &i64| usize::try_from(n).ok().filter(|&n| n <= 4096);
    let sizes: Option<Vec<usize>> = rims.iter().map(size).collect();
    let Some(&[top, left, bottom, right]) = sizes.as_deref() else {
        return Err(broken(format!("its pads are {rims:?}: must be four of 0 to 4096")));
    };
    Ok(Window { kernel, stride, dilation, pads: Pads { top, left, bottom, right } })
}

impl Conversion<'_> {
    /// The window of a pool and the form of its result.
    fn pool(&self, node: &NodeProto, form: &Form) -> Result<(Window, Form), Problem> {
        let [channels, height, width] = form.image()?;
        let none = node.integers("kernel_shape").is_none();
        let kernel = node.pair("kernel_shape", [1, 1])?;
        if none {
            return Err(broken("it has no kernel_shape"));
        }
        let window = window(node, kernel, [height, width])?;
        if window.dilation != [1, 1] {
            return Err(Problem::new("its window is dilated", "pool without dilation"));
        }
        let [rows, columns] = window
            .output([height, width])
            .ok_or_else(|| broken("its window is larger than the image"))?;
        if node.integer("ceil_mode", 0) != 0 {
            let Pads { top, left, bottom, right } = window.pads;
            let rest = [height + top + bottom - kernel[0], width + left + right - kernel[1]];
            if rest[0] % window.stride[0] != 0 || rest[1] % window.stride[1] != 0 {
                let rewrite = "pad it so that windows end with the image";
                return Err(Problem::new("its last window is not whole (ceil_mode)", rewrite));
            }
        }
        Ok((window, form.windows(channels, [rows, columns])))
    }

    pub(super) fn max_pool(&mut self, n: usize, node: &NodeProto) -> Result<Value, Problem> {
        let (x, form, integers) = self.moved(node, 0)?;
        let (x, form) = self.with_channels_last(n, x, form)?;
        let (window, form) = self.pool(node, &form)?;
        let mut tensor = self.tensors[x].clone();
        tensor.name = node.output.first().cloned().unwrap_or_default();
        tensor.shape = form.here()?;
        let clamp = Clamp::of(&tensor);
        let number = self.push(n, &[x], tensor, Operator::MaxPool2d(MaxPool2d { window, clamp }));
        Ok(Value::Tensor { number, form, integers })
    }

    /// A mean of windows. Where it counts what lies outside the image it is a convolution of each
    /// channel with weights 1, which takes a scale of its own.
    pub(super) fn average_pool(&mut self, n: usize, node: &NodeProto) -> Result<Value, Problem> {
        let (x, form) = self.image(n, node)?;
        let [channels, height, width] = form.image()?;
        let (window, result) = self.pool(node, &form)?;
        let [rows, columns] = window.kernel;
        if window.pads != Pads::default() && node.integer("count_include_pad", 0) == 0 {
            return pending(n, &[x], result, What::Average { window });
        }
        let whole = window.pads == Pads::default() && window.kernel == [height, width];
        if whole {
            let (axes, keep, count) = (vec![0, 1], true, height * width);
            return pending(n, &[x], result, What::Mean { axes, keep, count });
        }
        let taps = rows * columns * channels;
        if taps > MOST_WEIGHTS {
            return Err(Problem::new(format!("it has {taps} taps"), "use a smaller window"));
        }
        self.count(taps)?;
        let sums = Sums {
            bits: 2,
            weights: vec![1; taps].into(),
            scales: vec![1.0 / (rows * columns) as f64; channels].into(),
            bias: vec![0.0; channels].into(),
            free: false,
        };
        pending(n, &[x], result, What::Conv { window, groups: channels, sums })
    }

    /// `GlobalAveragePool` and `ReduceMean`.
    pub(super) fn mean(&mut self, n: usize, node: &NodeProto) -> Result<Value, Problem> {
        let (x, form) = self.tensor(node, 0)?;
        let rank = form.shape.len();
        let global = node.op_type() == "GlobalAveragePool";
        let keep = global || node.integer("keepdims", 1) != 0;
        let listed = match node.integers("axes") {
            Some(axes) => Some(axes.to_vec()),
            None => self.integers(node, 1)?,
        };
        let empty = listed.as_ref().is_none_or(|axes| axes.is_empty());
        if empty && !global && node.integer("noop_with_empty_axes", 0) != 0 {
            return Err(Problem::new("it does nothing", "leave it out"));
        }
        let axes = match listed {
            Some(axes) if !axes.is_empty() && !global => axes,
            // all but the batch, which is 1
            _ if global => (2..rank as i64).collect(),
            _ => (1..rank as i64).collect(),
        };
        let mut here = axes.iter().map(|&axis| form.axis(axis)).collect::<Result<Vec<_>, _>>()?;
        if form.is_line() && (!keep || here.contains(&1)) {
            // a line's height of 1 goes with its length, and is in no shape of the file
            here.push(0);
        }
        here.sort_unstable();
        here.dedup();
        let gone = |axis: usize| form.axis(axis as i64).is_ok_and(|axis| here.contains(&axis));
        let shape: Vec<usize> = match keep {
            true => (0..rank).map(|n| if gone(n) { 1 } else { form.shape[n] }).collect(),
            false => (0..rank).filter(|&n| !gone(n)).map(|n| form.shape[n]).collect(),
        };
        let order = match form.order {
            Order::Plain => Order::Plain,
            Order::Image if keep => Order::Image,
            // what is left lies as in the file: channels, or rows and columns
            Order::Image if here.contains(&2) || here.len() == 2 => Order::Plain,
            // channels of rows, or of columns: a line
            Order::Image => Order::Image,
            Order::Flat(_) => {
                let rewrite = "take it before the vector is made";
                return Err(Problem::new("it takes a mean over parts of a vector", rewrite));
            }
        };
        let mut written = form.here()?;
        let count = here.iter().map(|&axis| written[axis]).product();
        for &axis in here.iter().rev() {
            match keep {
                true => written[axis] = 1,
                false => _ = written.remove(axis),
            }
        }
        if written.is_empty() {
            written.push(1);
        }
        let (form, what) = (Form { shape, order }, What::Mean { axes: here, keep, count });
        form.here()?;
        let (inputs, bounds) = (vec![x], UNBOUNDED);
        Ok(Value::Pending(Rc::new(Pending { node: n, inputs, what, written, form, bounds })))
    }

    /// Whether a tensor is quantized as another is.
    pub(super) fn alike(&self, x: usize, y: usize) -> bool {
        Quantization::of(&self.tensors[x]) == Quantization::of(&self.tensors[y])
    }
}
