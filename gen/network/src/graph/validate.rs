//! Checks of a whole network.

use super::shapes::output_shape;
use super::{
    Clamp, Layer, Linear, Multiplier, Network, NetworkError, Operator, State, Tensor, VERSION,
    Window,
};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

/// Most tensors, and most layers.
pub const MOST_LAYERS: usize = 4096;
/// Most elements of a tensor.
pub const MOST_ELEMENTS: usize = 1 << 24;
/// Most elements of all tensors together.
pub const MOST_IN_ALL: usize = 1 << 26;
/// Most weights of all layers together.
pub const MOST_WEIGHTS: usize = 1 << 26;
/// Most biases, and most multipliers, of all layers together.
pub const MOST_BIASES: usize = 1 << 22;
/// Most bytes of a name.
pub const MOST_NAME: usize = 1024;
/// Scales of tensors; beyond, single precision has no room for products of them.
pub const SCALES: RangeInclusive<f64> = 1e-18..=1e18;
/// A softmax's heaviest weight.
const MOST_WEIGHT_OF_SOFTMAX: i32 = 1 << 23;

type Result<T> = std::result::Result<T, NetworkError>;

impl Network {
    /// Checks every value.
    ///
    /// # Errors
    /// The first fault, with its place and the range allowed.
    pub fn validate(&self) -> Result<()> {
        let place = "network";
        within(place, "version", i64::from(self.version), VERSION.into(), VERSION.into())?;
        count(place, "tensors", self.tensors.len(), MOST_LAYERS)?;
        count(place, "layers", self.layers.len(), MOST_LAYERS)?;
        count(place, "inputs", self.inputs.len(), MOST_LAYERS)?;
        count(place, "outputs", self.outputs.len(), MOST_LAYERS)?;
        let names = self.tensors.iter().map(|tensor| &tensor.name);
        let names = names.chain(self.layers.iter().map(|layer| &layer.name)).chain([&self.name]);
        names.into_iter().try_for_each(|name| named(name))?;
        unique("tensors", self.tensors.iter().map(|tensor| &tensor.name))?;
        unique("layers", self.layers.iter().map(|layer| &layer.name))?;
        self.tensors.iter().try_for_each(Tensor::validate)?;
        let elements: usize = self.tensors.iter().map(Tensor::elements).sum();
        if elements > MOST_IN_ALL {
            let range = format!("at most {MOST_IN_ALL}");
            return Err(NetworkError::out_of_range(place, "elements of tensors", elements, range));
        }
        let tensors: BTreeMap<&str, &Tensor> =
            self.tensors.iter().map(|tensor| (tensor.name.as_str(), tensor)).collect();
        self.order(&tensors)?;
        self.amounts()?;
        self.layers.iter().try_for_each(|layer| layer.validate(&tensors))?;
        let mut kept = BTreeSet::new();
        self.states.iter().try_for_each(|state| {
            if !kept.insert(&state.input) {
                let name = state.input.clone();
                return Err(NetworkError::Duplicate { kind: "states", name });
            }
            state.validate(self, &tensors)
        })
    }

    /// What all layers have together.
    fn amounts(&self) -> Result<()> {
        let linear = || self.layers.iter().filter_map(|layer| layer.operator.linear());
        let all = |of: fn(&Linear) -> usize| linear().map(of).sum::<usize>() as i64;
        let (weights, biases) = (all(|l| l.weights.len()), all(|l| l.bias.len()));
        let multipliers = all(|l| l.multipliers.mantissas.len());
        within("network", "weights in all", weights, 0, MOST_WEIGHTS as i64)?;
        within("network", "biases in all", biases, 0, MOST_BIASES as i64)?;
        within("network", "multipliers in all", multipliers, 0, MOST_BIASES as i64)
    }

    /// Every tensor is written once, before it is read.
    fn order(&self, tensors: &BTreeMap<&str, &Tensor>) -> Result<()> {
        let known = |place: &str, name: &str| match tensors.contains_key(name) {
            true => Ok(()),
            false => Err(NetworkError::UnknownTensor { place: place.into(), name: name.into() }),
        };
        let mut written = BTreeSet::new();
        let mut write = |place: &str, name: &str| {
            known(place, name)?;
            match written.insert(name.to_owned()) {
                true => Ok(()),
                false => Err(NetworkError::WrittenTwice { place: place.into(), name: name.into() }),
            }
        };
        self.inputs.iter().try_for_each(|name| write("network", name))?;
        let mut ready: BTreeSet<&str> = self.inputs.iter().map(String::as_str).collect();
        let read = |place: &str, name: &str, ready: &BTreeSet<&str>| {
            known(place, name)?;
            match ready.contains(name) {
                true => Ok(()),
                false => Err(NetworkError::NotWritten { place: place.into(), name: name.into() }),
            }
        };
        for layer in &self.layers {
            let place = layer.place();
            layer.inputs.iter().try_for_each(|name| read(&place, name, &ready))?;
            write(&place, &layer.output)?;
            ready.insert(&layer.output);
        }
        self.outputs.iter().try_for_each(|name| read("network", name, &ready))
    }
}

impl Tensor {
    fn validate(&self) -> Result<()> {
        let place = format!("tensor `{}`", self.name);
        if !(1..=3).contains(&self.shape.len()) {
            return Err(NetworkError::wrong_length(&place, "shape", self.shape.len(), "1 to 3"));
        }
        for (n, &size) in self.shape.iter().enumerate() {
            within(&place, &format!("shape[{n}]"), size as i64, 1, MOST_ELEMENTS as i64)?;
        }
        // three sizes of 24 bits each
        let elements = self.shape.iter().map(|&size| size as u128).product::<u128>();
        if elements > MOST_ELEMENTS as u128 {
            let range = format!("at most {MOST_ELEMENTS} elements");
            return Err(NetworkError::out_of_range(
                &place,
                "shape",
                format!("{:?}", self.shape),
                range,
            ));
        }
        within(&place, "bits", self.bits.into(), 2, 8)?;
        // no number is in no range
        if !SCALES.contains(&self.scale) {
            let range = format!("{:e} to {:e}", SCALES.start(), SCALES.end());
            return Err(NetworkError::out_of_range(&place, "scale", self.scale, range));
        }
        let (lowest, highest) = (self.lowest(), self.highest());
        within(&place, "zero_point", self.zero_point.into(), lowest.into(), highest.into())
    }
}

impl State {
    fn validate(&self, network: &Network, tensors: &BTreeMap<&str, &Tensor>) -> Result<()> {
        let place = format!("state `{}`", self.input);
        for (list, name) in [(&network.inputs, &self.input), (&network.outputs, &self.output)] {
            if !list.contains(name) {
                let what = if name == &self.input { "input" } else { "output" };
                let problem = format!("`{name}` is no {what} of the network");
                return Err(NetworkError::Shape { place, problem });
            }
        }
        let of = |name: &String| tensors.get(name.as_str()).copied();
        let (Some(input), Some(output)) = (of(&self.input), of(&self.output)) else {
            return Ok(());
        };
        same_kind(&place, output, input)?;
        if input.shape != output.shape {
            let problem = format!("shapes {:?} and {:?} differ", input.shape, output.shape);
            return Err(NetworkError::Shape { place, problem });
        }
        let (lowest, highest) = (input.lowest().into(), input.highest().into());
        within(&place, "initial", self.initial.into(), lowest, highest)
    }
}

impl Layer {
    fn place(&self) -> String {
        format!("layer `{}`", self.name)
    }

    fn validate(&self, tensors: &BTreeMap<&str, &Tensor>) -> Result<()> {
        let place = self.place();
        let tensor = |name: &String| tensors.get(name.as_str()).copied();
        let inputs: Vec<&Tensor> = self.inputs.iter().filter_map(tensor).collect();
        let Some(output) = tensor(&self.output) else { return Ok(()) };
        let (count, expected) = match self.operator {
            Operator::Add { .. } | Operator::MatMul { .. } => (inputs.len() == 2, "2"),
            Operator::Concat { .. } => ((1..=64).contains(&inputs.len()), "1 to 64"),
            _ => (inputs.len() == 1, "1"),
        };
        if !count {
            return Err(NetworkError::wrong_length(&place, "inputs", inputs.len(), expected));
        }
        if let Some(clamp) = self.operator.clamp() {
            clamp.validate(&place, output)?;
        }
        self.operator.validate(&place, &inputs, output)?;
        let problem = match output_shape(&self.operator, &inputs, output) {
            Ok(shape) if shape == output.shape => return Ok(()),
            Ok(shape) => format!("the output has shape {:?}: must be {shape:?}", output.shape),
            Err(problem) => problem,
        };
        Err(NetworkError::Shape { place, problem })
    }
}

impl Operator {
    fn validate(&self, place: &str, inputs: &[&Tensor], output: &Tensor) -> Result<()> {
        let x = inputs[0];
        match self {
            Operator::Conv2d { window, groups, linear } => {
                window.validate(place)?;
                within(place, "groups", *groups as i64, 1, x.image()[2] as i64)?;
                let taps = window.kernel.iter().product::<usize>() * (x.image()[2] / groups);
                linear.validate(place, taps, x, output)
            }
            Operator::FullyConnected { linear } => {
                let units = output.image()[2];
                let rows = output.elements() / units;
                if !x.elements().is_multiple_of(rows) {
                    let problem = format!("{rows} rows of results do not fit {:?}", x.shape);
                    return Err(NetworkError::Shape { place: place.to_owned(), problem });
                }
                linear.validate(place, x.elements() / rows, x, output)
            }
            Operator::AveragePool2d { window, .. } | Operator::MaxPool2d { window, .. } => {
                window.validate(place)?;
                for (side, &dilation) in ["dilation[0]", "dilation[1]"].iter().zip(&window.dilation)
                {
                    within(place, side, dilation as i64, 1, 1)?;
                }
                // a window that lies in the rim alone has no elements
                let rims = [
                    ("pads.top", window.pads.top, 0),
                    ("pads.left", window.pads.left, 1),
                    ("pads.bottom", window.pads.bottom, 0),
                    ("pads.right", window.pads.right, 1),
                ];
                for (name, rim, side) in rims {
                    within(place, name, rim as i64, 0, window.kernel[side] as i64 - 1)?;
                }
                same_kind(place, x, output)
            }
            Operator::Mean { axes, multiplier, .. } => {
                multiplier.validate(place, "multiplier", false)?;
                // an axis named twice is found later
                let sizes = axes.iter().filter_map(|&axis| x.shape.get(axis));
                let count = sizes.fold(1, |product: usize, &size| product.saturating_mul(size));
                fits(place, i64::from(x.reach()) * count.min(MOST_ELEMENTS) as i64)
            }
            Operator::Add { left_shift, inputs: multipliers, multiplier, .. } => {
                within(place, "left_shift", (*left_shift).into(), 0, 22)?;
                multipliers[0].validate(place, "inputs[0]", true)?;
                multipliers[1].validate(place, "inputs[1]", true)?;
                multiplier.validate(place, "multiplier", false)?;
                let reach = |n: usize| f64::from(inputs[n].reach()) * multipliers[n].factor().abs();
                fits(place, ((reach(0) + reach(1)) * f64::from(1 << left_shift)) as i64 + 2)
            }
            Operator::MatMul { multiplier, .. } => {
                multiplier.validate(place, "multiplier", false)?;
                let inner = x.shape.last().copied().unwrap_or(1) as i64;
                fits(place, inner * i64::from(x.reach()) * i64::from(inputs[1].reach()))
            }
            Operator::Requantize { multiplier, .. } => {
                multiplier.validate(place, "multiplier", true)
            }
            Operator::Softmax { table, steps } => {
                within(place, "steps", (*steps).into(), 2, 1 << 16)?;
                // a sum of 2^24 entries of 2^23 fits 64 bits
                softmax_table(place, table, x)
            }
            Operator::Lookup { table } => {
                if table.len() != 1 << x.bits {
                    let expected = format!("{}, one an input", 1 << x.bits);
                    return Err(NetworkError::wrong_length(place, "table", table.len(), expected));
                }
                let (lowest, highest) = (output.lowest().into(), output.highest().into());
                table.iter().enumerate().try_for_each(|(n, &entry)| {
                    within(place, &format!("table[{n}]"), entry.into(), lowest, highest)
                })
            }
            Operator::Slice { .. } => same_kind(place, x, output),
            Operator::Concat { .. } => inputs.iter().try_for_each(|x| same_kind(place, x, output)),
            Operator::Pad { before, after, value } => {
                for (name, rims) in [("before", before), ("after", after)] {
                    for (n, &rim) in rims.iter().enumerate() {
                        within(place, &format!("{name}[{n}]"), rim as i64, 0, 65_535)?;
                    }
                }
                within(place, "value", (*value).into(), x.lowest().into(), x.highest().into())?;
                same_kind(place, x, output)
            }
            Operator::Reshape => same_kind(place, x, output),
        }
    }
}

/// Operators that only move elements cannot change what they mean.
fn same_kind(place: &str, x: &Tensor, output: &Tensor) -> Result<()> {
    let kind = |tensor: &Tensor| (tensor.bits, tensor.signed, tensor.zero_point);
    if kind(x) == kind(output) {
        return Ok(());
    }
    let problem = format!(
        "`{}` and `{}` differ in bits, sign or zero point: requantize first",
        x.name, output.name
    );
    Err(NetworkError::Shape { place: place.to_owned(), problem })
}

fn softmax_table(place: &str, table: &[i32], x: &Tensor) -> Result<()> {
    if table.len() != 1 << x.bits {
        let expected = format!("{}, one a difference of two inputs", 1 << x.bits);
        return Err(NetworkError::wrong_length(place, "table", table.len(), expected));
    }
    let mut highest = MOST_WEIGHT_OF_SOFTMAX;
    for (n, &weight) in table.iter().enumerate() {
        let lowest = i64::from(n == 0);
        within(place, &format!("table[{n}]"), weight.into(), lowest, highest.into())?;
        highest = weight;
    }
    Ok(())
}

impl Window {
    fn validate(&self, place: &str) -> Result<()> {
        let Window { kernel, stride, dilation, pads } = self;
        for (name, sizes) in [("kernel", kernel), ("stride", stride), ("dilation", dilation)] {
            for (n, &size) in sizes.iter().enumerate() {
                within(place, &format!("window.{name}[{n}]"), size as i64, 1, 4096)?;
            }
        }
        let pads = [
            ("top", pads.top),
            ("left", pads.left),
            ("bottom", pads.bottom),
            ("right", pads.right),
        ];
        for (name, size) in pads {
            within(place, &format!("window.pads.{name}"), size as i64, 0, 4096)?;
        }
        Ok(())
    }
}

impl Clamp {
    fn validate(self, place: &str, output: &Tensor) -> Result<()> {
        let (lowest, highest) = (output.lowest().into(), output.highest().into());
        within(place, "clamp.min", self.min.into(), lowest, highest)?;
        within(place, "clamp.max", self.max.into(), self.min.into(), highest)
    }
}

impl Multiplier {
    fn validate(self, place: &str, field: &str, negative: bool) -> Result<()> {
        let lowest = if negative { -i64::from(i32::MAX) } else { 0 };
        within(place, &format!("{field}.mantissa"), self.mantissa.into(), lowest, i32::MAX.into())?;
        within(place, &format!("{field}.shift"), self.shift.into(), -31, 30)
    }
}

impl Linear {
    /// `taps` weights an output.
    fn validate(&self, place: &str, taps: usize, x: &Tensor, output: &Tensor) -> Result<()> {
        let outputs = output.image()[2];
        within(place, "linear.bits", self.bits.into(), 2, 8)?;
        if let Some(bits) = self.shared {
            within(place, "linear.shared", bits.into(), 2, 8)?;
            within(place, "linear.bits", self.bits.into(), 8, 8)?;
        }
        let expected = taps.saturating_mul(outputs);
        within(place, "weights", expected as i64, 1, MOST_WEIGHTS as i64)?;
        if self.weights.len() != expected {
            let expected = format!("{expected}: {taps} for each of {outputs} outputs");
            return Err(NetworkError::wrong_length(
                place,
                "linear.weights",
                self.weights.len(),
                expected,
            ));
        }
        if ![0, outputs].contains(&self.bias.len()) {
            let expected = format!("none or {outputs}");
            return Err(NetworkError::wrong_length(
                place,
                "linear.bias",
                self.bias.len(),
                expected,
            ));
        }
        let lists = [
            ("linear.multipliers.mantissas", self.multipliers.mantissas.len()),
            ("linear.multipliers.shifts", self.multipliers.shifts.len()),
        ];
        for (field, length) in lists {
            if length != lists[0].1 || ![1, outputs].contains(&length) {
                let expected = format!("1 or {outputs}, mantissas and shifts alike");
                return Err(NetworkError::wrong_length(place, field, length, expected));
            }
        }
        for n in 0..lists[0].1 {
            self.multipliers.of(n).validate(place, &format!("linear.multipliers[{n}]"), false)?;
        }
        let half = 1i64 << (self.bits - 1);
        for (n, &weight) in self.weights.iter().enumerate() {
            if !(-half..half).contains(&weight.into()) {
                return within(
                    place,
                    &format!("linear.weights[{n}]"),
                    weight.into(),
                    -half,
                    half - 1,
                );
            }
        }
        for (n, weights) in self.weights.chunks_exact(taps).enumerate() {
            let sum: i64 = weights.iter().map(|&weight| i64::from(self.read(weight)).abs()).sum();
            let bias = self.bias.get(n).map_or(0, |&bias| i64::from(bias).abs());
            fits(place, sum * i64::from(x.reach()) + bias)?;
        }
        Ok(())
    }
}

fn fits(place: &str, reach: i64) -> Result<()> {
    if reach <= i32::MAX.into() {
        return Ok(());
    }
    Err(NetworkError::Overflow { place: place.to_owned(), reach })
}

fn within(place: &str, field: &str, value: i64, lowest: i64, highest: i64) -> Result<()> {
    if (lowest..=highest).contains(&value) {
        return Ok(());
    }
    let range =
        if lowest == highest { lowest.to_string() } else { format!("{lowest} to {highest}") };
    Err(NetworkError::out_of_range(place, field, value, range))
}

fn count(place: &str, field: &str, length: usize, most: usize) -> Result<()> {
    if (1..=most).contains(&length) {
        return Ok(());
    }
    Err(NetworkError::wrong_length(place, field, length, format!("1 to {most}")))
}

/// Names are printed: they are short, and nothing in them moves a cursor.
fn named(name: &str) -> Result<()> {
    let place = "network";
    if name.len() > MOST_NAME {
        return Err(NetworkError::out_of_range(
            place,
            "bytes of a name",
            name.len(),
            format!("at most {MOST_NAME}"),
        ));
    }
    match name.chars().any(char::is_control) {
        false => Ok(()),
        true => {
            let (value, range) = (name.escape_debug(), "free of control characters");
            Err(NetworkError::out_of_range(place, "a name", value, range))
        }
    }
}

fn unique<'a>(kind: &'static str, names: impl Iterator<Item = &'a String>) -> Result<()> {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(NetworkError::Duplicate { kind, name: name.clone() });
        }
    }
    Ok(())
}
