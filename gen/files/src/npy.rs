//! Headers of NumPy's arrays, looked at before their reader is given them.

/// The longest header; NumPy's own are a few hundred bytes.
const MOST_HEADER: usize = 1 << 12;
/// Brackets in it, at most: its reader calls itself for each.
const MOST_BRACKETS: usize = 4;

/// Whether a file begins with a header of a NumPy array that a reader can be given: short, flat, and
/// of numbers whose product has 64 bits.
///
/// Source: `numpy.lib.format`, versions 1.0 to 3.0.
pub fn has_plain_npy_header(bytes: &[u8]) -> bool {
    let (length, at): (u32, usize) = match bytes {
        [_, _, _, _, _, _, 1, _, a, b, ..] => (u32::from_le_bytes([*a, *b, 0, 0]), 10),
        [_, _, _, _, _, _, 2..=3, _, a, b, c, d, ..] => (u32::from_le_bytes([*a, *b, *c, *d]), 12),
        _ => return false,
    };
    let header = bytes.get(at..at.saturating_add(length as usize));
    header.is_some_and(|header| {
        let brackets = header.iter().filter(|byte| b"([{".contains(byte)).count();
        header.len() <= MOST_HEADER && brackets <= MOST_BRACKETS && has_product(header)
    })
}

/// Whether all numbers in a text have a product of 64 bits: a reader multiplies an array's axes without
/// a look at what comes out.
fn has_product(header: &[u8]) -> bool {
    let mut numbers = header.split(|byte| !byte.is_ascii_digit()).filter(|run| !run.is_empty());
    let product = numbers.try_fold(1u64, |product, number| {
        let number: u64 = std::str::from_utf8(number).ok()?.parse().ok()?;
        product.checked_mul(number.max(1))
    });
    product.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_that_a_reader_cannot_be_given() {
        let plain = |length: u32, header: &[u8]| {
            let head = [&b"\x93NUMPY\x02\x00"[..], &length.to_le_bytes()].concat();
            has_plain_npy_header(&[&head, header].concat())
        };
        let whole = |header: &[u8]| plain(header.len() as u32, header);
        let shape = |shape: &str| {
            let header = format!("{{'descr': '<f2', 'fortran_order': False, 'shape': {shape}, }}");
            whole(header.as_bytes())
        };
        assert!(shape("(12, 3, 12, 128, 64)") && shape("()") && shape("(0, 7)"));
        assert!(!shape("(3, 9223372036854775807)") && !shape("(0, 9223372036854775807, 3)"));
        assert!(!shape("(((((1)))))") && !shape(&" ".repeat(MOST_HEADER)));
        assert!(!plain(u32::MAX, b"{}") && !plain(9, b"{}") && !has_plain_npy_header(b"\x93NUMPY"));
        let first = [&b"\x93NUMPY\x01\x00\x02\x00"[..], b"{}"].concat();
        assert!(has_plain_npy_header(&first) && !has_plain_npy_header(&first[..11]));
    }
}
