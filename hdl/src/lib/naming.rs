//! Names of modules from their parameters, and checks of those.

use crate::Place;
use crate::build::Fields;
use crate::ty::u;
use std::fmt::Display;
use std::ops::RangeInclusive;

/// A stream's shape as part of a name: `w8` for one field `data: u8`, else `key_s4_last_u1`.
pub(super) fn shape(fields: &Fields) -> String {
    if let [(name, ty)] = &fields[..]
        && name == "data"
        && !ty.signed
    {
        return format!("w{}", ty.width);
    }
    let parts: Vec<_> = fields.iter().map(|(name, ty)| format!("{name}_{ty}")).collect();
    let text = parts.join("_");
    match text.len() {
        0 => "token".to_string(),
        1..=80 => text,
        // Too long to read: the count, the bits and a hash tell shapes apart.
        _ => format!("f{}_w{}_{:016x}", fields.len(), packed_width(fields), fnv1a(&text)),
    }
}

/// Bits of all fields together.
pub(super) fn packed_width(fields: &Fields) -> u32 {
    fields.iter().map(|(_, ty)| ty.width).sum()
}

/// The shape of a stream of one unsigned field `data`.
pub(super) fn data(width: u32) -> Fields {
    vec![("data".to_string(), u(width))]
}

/// A number as part of a name: `7`, `n7` for -7.
pub(super) fn number(value: i64) -> String {
    let sign = if value < 0 { "n" } else { "" };
    format!("{sign}{}", value.unsigned_abs())
}

/// Panics unless `value` lies in `range`.
#[track_caller]
pub(super) fn check_range<T: PartialOrd + Display>(
    component: &str,
    parameter: &str,
    value: T,
    range: RangeInclusive<T>,
) {
    let _caller = Place::of_caller();
    assert!(
        range.contains(&value),
        "{component}: {parameter} {value} is outside {}..={}",
        range.start(),
        range.end()
    );
}

fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::fields;
    use crate::ty::s;

    #[test]
    fn shapes_tell_interfaces_apart() {
        assert_eq!(shape(&data(8)), "w8");
        assert_eq!(shape(&fields([("data", s(8))])), "data_s8");
        assert_eq!(shape(&fields([("key", s(4)), ("last", u(1))])), "key_s4_last_u1");
        assert_eq!(shape(&vec![]), "token");
        let many = fields((0..40).map(|i| (format!("lane{i}"), u(8))));
        assert_eq!(shape(&many), "f40_w320_9fe66ccbfd75e006");
        assert_eq!([number(7), number(-7)], ["7", "n7"]);
    }

    #[test]
    #[should_panic(expected = "fifo: depth 0 is outside 1..=16777216")]
    fn range_text() {
        check_range("fifo", "depth", 0, 1..=16_777_216);
    }
}
