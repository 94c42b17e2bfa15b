//! Fused activations as bounds of a result.

use super::model::Tensor;
use super::schema::ActivationFunctionType as Activation;
use crate::graph::{self, Clamp, Multiplier};
use crate::import::report::Problem;

/// TFLite's `CalculateActivationRangeQuantized`.
pub(super) fn clamp(activation: Activation, output: &Tensor) -> Result<Clamp, Problem> {
    let (scale, zero_point) = output.quantization()?;
    let tensor = graph::Tensor {
        name: String::new(),
        shape: vec![1],
        bits: 8,
        signed: output.kind == super::schema::TensorType::INT8,
        scale: scale.into(),
        zero_point,
        sums: None,
    };
    let Clamp { min, max } = Clamp::of(&tensor);
    // a single-precision division, as there
    let at = |real: f32| zero_point.saturating_add((real / scale).round() as i32);
    Ok(match activation {
        Activation::NONE => Clamp { min, max },
        Activation::RELU => Clamp { min: min.max(at(0.0)), max },
        Activation::RELU6 => Clamp { min: min.max(at(0.0)), max: max.min(at(6.0)) },
        Activation::RELU_N1_TO_1 => Clamp { min: min.max(at(-1.0)), max: max.min(at(1.0)) },
        other => {
            let name = other.variant_name().unwrap_or("an unknown activation");
            let rewrite = "use none, ReLU or ReLU6";
            return Err(Problem::new(format!("its activation is {name}"), rewrite));
        }
    })
}

/// The multiplier nearest to a factor.
pub(super) fn multiplier(factor: f64) -> Result<Multiplier, Problem> {
    Multiplier::nearest(factor).ok_or_else(|| {
        let problem = format!("scales of input and output are a factor of {factor} apart");
        Problem::new(problem, "calibrate with data that reaches every layer")
    })
}
