//! What a candidate may leave out of its operators: numbers that only training tells, and what most
//! layers have alike. Multipliers are factors just below 1 of so many bits; bounds are those of the
//! output; tables are all different ones.

use crate::basics::{Clamp, Multiplier, Tensor};
use serde_json::{Map, Value, json};
use std::collections::HashMap;

/// What may be left out of operators.
pub(super) const FILLED: &[(&str, &[&str])] = &[
    ("conv_2d", &["groups"]),
    ("fully_connected", &[]),
    ("average_pool_2d", &["clamp"]),
    ("max_pool_2d", &["clamp"]),
    ("mean", &["keep", "multiplier", "clamp"]),
    ("add", &["left_shift", "inputs", "multiplier", "clamp"]),
    ("mat_mul", &["transpose", "multiplier", "clamp"]),
    ("requantize", &["multiplier", "clamp"]),
    ("prelu", &["multiplier", "below", "clamp"]),
    ("softmax", &["table", "steps"]),
    ("lookup", &["table"]),
    ("pad", &["value"]),
];

/// TFLite's additions shift by so many bits.
const ADDITION_SHIFT: i32 = 20;

/// Knows what stands for what is left out.
pub(super) struct Filler<'t> {
    tensors: HashMap<&'t str, &'t Tensor>,
    mantissa: i32,
}

impl<'t> Filler<'t> {
    /// Of a network of such tensors, its multipliers of 15 to 31 bits.
    pub(super) fn new(tensors: &'t [Tensor], multiplier_bits: u32) -> Filler<'t> {
        let tensors = tensors.iter().map(|tensor| (&tensor.name[..], tensor)).collect();
        let below = 31 - multiplier_bits;
        Filler { tensors, mantissa: i32::MAX >> below << below }
    }

    /// A factor just below 1.
    pub(super) fn multiplier(&self) -> Multiplier {
        Multiplier { mantissa: self.mantissa, shift: 0 }
    }

    /// All that a tensor can hold.
    pub(super) fn clamp(&self, tensor: &str) -> Clamp {
        self.tensors.get(tensor).map_or(Clamp { min: 0, max: 0 }, |tensor| Clamp::of(tensor))
    }

    /// `linear` as its reader asks for it, without anything in it.
    pub(super) fn placeholder(&self) -> Value {
        json!({
            "bits": 8, "weights": [], "bias": [],
            "multipliers": { "mantissas": [], "shifts": [] }, "clamp": Clamp { min: 0, max: 0 },
        })
    }

    /// Puts into an operator what it lacks.
    pub(super) fn fill(
        &self,
        operator: &mut Map<String, Value>,
        (inputs, output): (&[String], &str),
        n: usize,
    ) {
        let kind = operator.get("kind").and_then(Value::as_str).unwrap_or_default();
        let Some((kind, fields)) = FILLED.iter().find(|(known, _)| *known == kind) else {
            return;
        };
        let x = inputs.first().and_then(|name| self.tensors.get(&name[..])).copied();
        for &field in *fields {
            if !operator.contains_key(field) {
                let value = match field {
                    "table" => self.table(kind, x, output, n),
                    field => self.field(field, x, output),
                };
                operator.insert(field.into(), value);
            }
        }
        if let Some(Value::Object(window)) = operator.get_mut("window") {
            window.entry("stride").or_insert_with(|| json!([1, 1]));
            let pads = window.entry("pads").or_insert_with(|| json!({}));
            if let Value::Object(pads) = pads {
                for side in ["top", "left", "bottom", "right"] {
                    pads.entry(side).or_insert_with(|| json!(0));
                }
            }
        }
    }

    fn field(&self, field: &str, x: Option<&Tensor>, output: &str) -> Value {
        let by = |shift: i32| Multiplier { mantissa: self.mantissa, shift };
        match field {
            "groups" => json!(1),
            "keep" | "transpose" => json!(false),
            "clamp" => json!(self.clamp(output)),
            "left_shift" => json!(ADDITION_SHIFT),
            // halves of two bytes, so that their sum has room
            "inputs" => json!([by(-1), by(-1)]),
            "value" => json!(x.map_or(0, |x| x.zero_point)),
            "steps" => json!(256),
            _ => json!(by(0)),
        }
    }

    /// A table that no other layer has.
    fn table(&self, kind: &str, x: Option<&Tensor>, output: &str, n: usize) -> Value {
        let entries = x.map_or(0, |x| 1usize << x.bits);
        if kind == "softmax" {
            // they do not rise
            return json!(vec![(1 << 23) - n; entries]);
        }
        let mut table = vec![self.clamp(output).min; entries];
        let digits = (0..u32::MAX).map(|place| (n as u64 >> (2 * place).min(62)) as i32 & 3);
        table.iter_mut().zip(digits).for_each(|(entry, digit)| *entry += digit);
        json!(table)
    }
}
