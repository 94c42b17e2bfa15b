//! Constants.

use crate::ty::{Int, Type, u};

/// Bits of a literal's part.
const PART: u32 = 256;

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

/// A literal written as its bit pattern, in hexadecimal; a long one in parts, which fit a line each.
pub(super) fn pattern(ty: Type, value: &Int) -> String {
    let sign = if ty.signed { "s" } else { "" };
    let bits = ty.to_bits(value);
    if bits.bits() <= PART.into() {
        return format!("{}'{sign}h{bits:x}", ty.width);
    }
    let part = |low: u32| {
        let width = PART.min(ty.width - low);
        format!("{width}'h{:x}", u(width).to_bits(&(bits.clone() >> low)))
    };
    let parts: Vec<_> = (0..ty.width).step_by(PART as usize).map(part).rev().collect();
    let parts = format!("{{{}}}", parts.join(", "));
    if ty.signed { format!("$signed({parts})") } else { parts }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ty::s;

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
        assert_eq!(text(s(257), -2), format!("$signed({{1'h1, 256'h{}e}})", "f".repeat(63)));
    }
}
