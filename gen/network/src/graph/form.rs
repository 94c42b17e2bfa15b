//! An operator as JSON has it: all that any kind has, of which each takes its own.
//!
//! serde's own way with a tag keeps a copy of everything until it knows the kind, 32 bytes a number;
//! a list of weights is read straight into its place here.

use super::{Clamp, Linear, Multiplier, Numbers, Operator, Rounding, Window};
use serde::{Deserialize, Deserializer, de::Error};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    kind: String,
    window: Option<Window>,
    groups: Option<usize>,
    linear: Option<Linear>,
    clamp: Option<Clamp>,
    axes: Option<Vec<usize>>,
    keep: Option<bool>,
    multiplier: Option<Multiplier>,
    rounding: Option<Rounding>,
    left_shift: Option<u32>,
    inputs: Option<[Multiplier; 2]>,
    transpose: Option<bool>,
    table: Option<Numbers<i32>>,
    steps: Option<u32>,
    axis: Option<usize>,
    before: Option<Vec<usize>>,
    after: Option<Vec<usize>>,
    value: Option<i32>,
    begin: Option<Vec<usize>>,
    size: Option<Vec<usize>>,
}

impl Form {
    /// Names of the fields that are left.
    fn left(&self) -> Vec<&'static str> {
        let Form {
            kind: _, window, groups, linear, clamp, axes, keep, multiplier, rounding, ..
        } = self;
        let Form { left_shift, inputs, transpose, table, steps, axis, before, after, .. } = self;
        let Form { value, begin, size, .. } = self;
        let fields = [
            ("window", window.is_some()),
            ("groups", groups.is_some()),
            ("linear", linear.is_some()),
            ("clamp", clamp.is_some()),
            ("axes", axes.is_some()),
            ("keep", keep.is_some()),
            ("multiplier", multiplier.is_some()),
            ("rounding", rounding.is_some()),
            ("left_shift", left_shift.is_some()),
            ("inputs", inputs.is_some()),
            ("transpose", transpose.is_some()),
            ("table", table.is_some()),
            ("steps", steps.is_some()),
            ("axis", axis.is_some()),
            ("before", before.is_some()),
            ("after", after.is_some()),
            ("value", value.is_some()),
            ("begin", begin.is_some()),
            ("size", size.is_some()),
        ];
        fields.into_iter().filter_map(|(name, there)| there.then_some(name)).collect()
    }
}

const KINDS: &[&str] = &[
    "conv_2d",
    "fully_connected",
    "average_pool_2d",
    "max_pool_2d",
    "mean",
    "add",
    "mat_mul",
    "requantize",
    "softmax",
    "lookup",
    "slice",
    "concat",
    "pad",
    "reshape",
];

impl<'de> Deserialize<'de> for Operator {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut form = Form::deserialize(deserializer)?;
        let kind = std::mem::take(&mut form.kind);
        let operator = take(&mut form, &kind)?;
        match form.left().first() {
            None => Ok(operator),
            Some(field) => Err(D::Error::custom(format!("`{kind}` has no field `{field}`"))),
        }
    }
}

fn take<E: Error>(form: &mut Form, kind: &str) -> Result<Operator, E> {
    fn some<T, E: Error>(field: &mut Option<T>, name: &'static str) -> Result<T, E> {
        field.take().ok_or_else(|| E::missing_field(name))
    }
    Ok(match kind {
        "conv_2d" => Operator::Conv2d {
            window: some(&mut form.window, "window")?,
            groups: some(&mut form.groups, "groups")?,
            linear: some(&mut form.linear, "linear")?,
        },
        "fully_connected" => Operator::FullyConnected { linear: some(&mut form.linear, "linear")? },
        "average_pool_2d" => Operator::AveragePool2d {
            window: some(&mut form.window, "window")?,
            rounding: form.rounding.take().unwrap_or_default(),
            clamp: some(&mut form.clamp, "clamp")?,
        },
        "max_pool_2d" => Operator::MaxPool2d {
            window: some(&mut form.window, "window")?,
            clamp: some(&mut form.clamp, "clamp")?,
        },
        "mean" => Operator::Mean {
            axes: some(&mut form.axes, "axes")?,
            keep: some(&mut form.keep, "keep")?,
            multiplier: some(&mut form.multiplier, "multiplier")?,
            rounding: form.rounding.take().unwrap_or_default(),
            clamp: some(&mut form.clamp, "clamp")?,
        },
        "add" => Operator::Add {
            left_shift: some(&mut form.left_shift, "left_shift")?,
            inputs: some(&mut form.inputs, "inputs")?,
            multiplier: some(&mut form.multiplier, "multiplier")?,
            rounding: form.rounding.take().unwrap_or_default(),
            clamp: some(&mut form.clamp, "clamp")?,
        },
        "mat_mul" => Operator::MatMul {
            transpose: some(&mut form.transpose, "transpose")?,
            multiplier: some(&mut form.multiplier, "multiplier")?,
            rounding: form.rounding.take().unwrap_or_default(),
            clamp: some(&mut form.clamp, "clamp")?,
        },
        // as files before had it
        "requantize" | "requantise" => Operator::Requantize {
            multiplier: some(&mut form.multiplier, "multiplier")?,
            rounding: form.rounding.take().unwrap_or_default(),
            clamp: some(&mut form.clamp, "clamp")?,
        },
        "softmax" => Operator::Softmax {
            table: some(&mut form.table, "table")?,
            steps: some(&mut form.steps, "steps")?,
        },
        "lookup" => Operator::Lookup { table: some(&mut form.table, "table")? },
        "slice" => Operator::Slice {
            begin: some(&mut form.begin, "begin")?,
            size: some(&mut form.size, "size")?,
        },
        "concat" => Operator::Concat { axis: some(&mut form.axis, "axis")? },
        "pad" => Operator::Pad {
            before: some(&mut form.before, "before")?,
            after: some(&mut form.after, "after")?,
            value: some(&mut form.value, "value")?,
        },
        "reshape" => Operator::Reshape,
        other => return Err(E::unknown_variant(other, KINDS)),
    })
}
