//! Layers that move elements.

use super::node::{Node, broken};
use super::pooling::same_scale;
use super::schema::ActivationFunctionType;
use crate::graph::Operator;
use crate::import::report::Problem;

pub(super) fn concat(node: &Node) -> Result<Operator, Problem> {
    let options = node.operator.builtin_options_as_concatenation_options();
    let options = options.ok_or_else(|| broken("it has no options"))?;
    if options.fused_activation_function() != ActivationFunctionType::NONE {
        return Err(Problem::new("it has an activation", "put the activation before it"));
    }
    same_scale(node)?;
    Ok(Operator::Concat { axis: node.output()?.axis(options.axis().into())? })
}

pub(super) fn pad(node: &Node) -> Result<Operator, Problem> {
    let (x, output) = (node.activation(0)?, node.output()?);
    let rims = node.constant(1)?.integers().ok_or_else(|| broken("its rims are no integers"))?;
    let size = |n: i64| usize::try_from(n).ok().filter(|&n| n <= 65_535);
    let rims: Option<Vec<usize>> = rims.into_iter().map(size).collect();
    let rims = rims.filter(|rims| rims.len() == 2 * x.shape.len());
    let rims = rims.ok_or_else(|| broken("its rims are out of range: must be 0 to 65535"))?;
    let (_, batch) = x.shape()?;
    let (outside, rims) = rims.split_at(2 * batch);
    if outside.iter().any(|&rim| rim > 0) {
        return Err(Problem::new("it works on the batch axis", "leave the batch alone"));
    }
    same_scale(node)?;
    let (_, zero_point) = output.quantisation()?;
    let value = match node.optional(2) {
        Some(value) if value.bytes.len() == 1 => i32::from(value.bytes[0] as i8),
        Some(_) => return Err(Problem::new("its value is no int8 constant", "pad with 0")),
        None => zero_point,
    };
    let before = rims.iter().step_by(2).copied().collect();
    let after = rims.iter().skip(1).step_by(2).copied().collect();
    Ok(Operator::Pad { before, after, value })
}

pub(super) fn reshape(node: &Node) -> Result<Operator, Problem> {
    same_scale(node)?;
    Ok(Operator::Reshape)
}
