//! A network's results: integers, and the real numbers that they stand for.

use hwgen_network::graph::Tensor;
use serde_json::{Value, json};

/// The element that stands for the largest real number, the first of equals.
pub(crate) fn top(tensor: &Tensor, integers: &[i32]) -> Option<usize> {
    let real = |n: usize| tensor.real_of(n, integers[n]);
    (0..integers.len()).reduce(|best, n| if real(n) > real(best) { n } else { best })
}

/// Its elements if they are few, else the largest and where it is.
pub(crate) fn line(tensor: &Tensor, integers: &[i32]) -> String {
    let name = &tensor.name;
    match top(tensor, integers) {
        Some(at) if integers.len() > 4 => {
            let real = tensor.real_of(at, integers[at]);
            format!("{name} [{at}] = {} ({real:.4}), the largest", integers[at])
        }
        _ => format!("{name} {integers:?}{}", reals(tensor, integers)),
    }
}

/// What sums stand for, whose integers say little by themselves.
fn reals(tensor: &Tensor, integers: &[i32]) -> String {
    if tensor.sums.is_none() {
        return String::new();
    }
    let real = |(n, &integer): (usize, &i32)| format!("{:.4}", tensor.real_of(n, integer));
    let reals: Vec<String> = integers.iter().enumerate().map(real).collect();
    format!(" ({})", reals.join(", "))
}

/// An element, with what it stands for if it is a sum.
pub(crate) fn element(tensor: &Tensor, at: usize, integer: i32) -> String {
    match tensor.sums {
        None => integer.to_string(),
        Some(_) => format!("{integer} ({:.4})", tensor.real_of(at, integer)),
    }
}

/// What makes real numbers of a tensor's integers, as JSON; `more` comes first.
pub(crate) fn scaled(tensor: &Tensor, more: Value) -> Value {
    let mut told = more;
    told["scale"] = json!(tensor.scale);
    told["zero_point"] = json!(tensor.zero_point);
    if let Some(sums) = &tensor.sums {
        told["sums"] = json!({"scales": sums.scales, "off_by": sums.off_by});
    }
    told
}

/// The same in words.
pub(crate) fn scale(tensor: &Tensor) -> String {
    let Tensor { scale, zero_point, .. } = tensor;
    let Some(sums) = &tensor.sums else {
        // most files have scales in single precision, which fewer digits tell
        let single = *scale as f32;
        let exact = f64::from(single) == *scale;
        let scale = if exact { single.to_string() } else { scale.to_string() };
        return format!("scale {scale}, zero point {zero_point}");
    };
    let scale = match sums.scales.iter().copied().reduce(f64::min) {
        None => format!("scale {}", *scale as f32),
        Some(least) => {
            format!("{} scales of {} to {}", sums.scales.len(), least as f32, *scale as f32)
        }
    };
    let off = match sums.off_by {
        0.0 => String::new(),
        off => format!(", off by {off:.2e} at most as biases are rounded"),
    };
    format!("sums, {scale}{off}")
}
