//! Constants.

use crate::ty::{Int, Type};

/// A sized literal of the given type: `8'd5`, `-8'sd5`, `1'b0`; hexadecimal beyond 32 bits, where
/// tools differ on decimals.
pub(super) fn literal(ty: Type, value: &Int) -> String {
    let sign = if ty.signed { "s" } else { "" };
    let width = ty.width;
    if width == 1 {
        return format!("1'{sign}b{}", ty.to_bits(value));
    }
    if width > 32 || *value == ty.min() && ty.signed {
        return pattern(ty, value);
    }
    match value.sign() {
        num_bigint::Sign::Minus => format!("-{width}'{sign}d{}", value.magnitude()),
        _ => format!("{width}'{sign}d{value}"),
    }
}

/// A literal written as its bit pattern, in hexadecimal.
pub(super) fn pattern(ty: Type, value: &Int) -> String {
    let sign = if ty.signed { "s" } else { "" };
    format!("{}'{sign}h{:x}", ty.width, ty.to_bits(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ty::{s, u};

    #[test]
    fn literals() {
        let text = |ty, value: i64| literal(ty, &value.into());
        assert_eq!(text(u(8), 5), "8'd5");
        assert_eq!(text(s(8), 5), "8'sd5");
        assert_eq!(text(s(8), -5), "-8'sd5");
        assert_eq!(text(s(8), -128), "8'sh80");
        assert_eq!(text(s(1), -1), "1'sb1");
        assert_eq!(text(u(1), 1), "1'b1");
        assert_eq!(text(u(40), 10), "40'ha");
        assert_eq!(text(s(40), -1), "40'shffffffffff");
    }
}
