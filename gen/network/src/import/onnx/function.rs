//! Functions of one element, which become tables.

use super::node::broken;
use super::proto::NodeProto;
use crate::import::report::Problem;
use std::rc::Rc;

/// A function of a real number.
pub(super) type Function = Rc<dyn Fn(f64) -> f64>;

/// The operators that are such functions.
pub(super) const FUNCTIONS: [&str; 9] = [
    "Elu",
    "Exp",
    "HardSigmoid",
    "HardSwish",
    "LeakyRelu",
    "Sigmoid",
    "Softplus",
    "Softsign",
    "Tanh",
];

/// The function of one of these nodes, with ONNX's defaults for attributes that it leaves out.
pub(super) fn function(node: &NodeProto) -> Result<Function, Problem> {
    let number = |name: &str, default: f32| {
        let value = node.float(name, default);
        match value.is_finite() {
            true => Ok(f64::from(value)),
            false => Err(broken(format!("its {name} is {value}"))),
        }
    };
    Ok(match node.op_type() {
        "Elu" => {
            let alpha = number("alpha", 1.0)?;
            Rc::new(move |x| if x < 0.0 { alpha * x.exp_m1() } else { x })
        }
        "Exp" => Rc::new(f64::exp),
        "HardSigmoid" => {
            let (alpha, beta) = (number("alpha", 0.2)?, number("beta", 0.5)?);
            Rc::new(move |x| (alpha * x + beta).clamp(0.0, 1.0))
        }
        "HardSwish" => Rc::new(|x| x * (x / 6.0 + 0.5).clamp(0.0, 1.0)),
        "LeakyRelu" => {
            let alpha = number("alpha", 0.01)?;
            Rc::new(move |x| if x < 0.0 { alpha * x } else { x })
        }
        "Softplus" => Rc::new(|x| x.exp().ln_1p()),
        "Softsign" => Rc::new(|x| x / (1.0 + x.abs())),
        "Tanh" => Rc::new(f64::tanh),
        // Sigmoid
        _ => Rc::new(|x| 1.0 / (1.0 + (-x).exp())),
    })
}
