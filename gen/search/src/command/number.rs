//! Numbers that arguments take: what is out of range is said before anything is done, exit code 2.

use hwgen_designs::cnn::Multiplier;
use hwgen_search::supernet::Sharing;

/// A whole number of a range.
pub(super) fn within<const LEAST: usize, const MOST: usize>(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| (LEAST..=MOST).contains(number));
    number.ok_or_else(|| format!("must be a whole number of {LEAST} to {MOST}"))
}

/// Milliseconds, of a time with its unit.
pub(super) fn milliseconds(text: &str) -> Result<f64, String> {
    let (number, scale) = match (text.strip_suffix("ms"), text.strip_suffix("us")) {
        (Some(number), _) => (number, 1.0),
        (_, Some(number)) => (number, 1e-3),
        _ => return Err("a time ends in ms or us: 20ms".to_owned()),
    };
    let time = finite(number.trim()).map(|number| number * scale);
    let time = time.filter(|time| (1e-3..=1e7).contains(time));
    time.ok_or_else(|| "must be a time of 1us to 10000000ms".to_owned())
}

/// Hz, of MHz.
pub(super) fn megahertz(text: &str) -> Result<u64, String> {
    let number = finite(text).filter(|number| (1.0..=1000.0).contains(number));
    let number = number.ok_or_else(|| "must be 1 to 1000".to_owned())?;
    Ok((number * 1e6).round() as u64)
}

/// A rate of training.
pub(super) fn rate(text: &str) -> Result<f64, String> {
    let number = finite(text).filter(|number| (1e-6..=10.0).contains(number));
    number.ok_or_else(|| "must be 0.000001 to 10".to_owned())
}

/// How much cycles count beside what is lost.
pub(super) fn weight(text: &str) -> Result<f32, String> {
    let number = finite(text).filter(|number| (0.0..=100.0).contains(number));
    number.map(|number| number as f32).ok_or_else(|| "must be 0 to 100".to_owned())
}

/// A standard deviation of features.
pub(super) fn noise(text: &str) -> Result<f32, String> {
    let number = finite(text).filter(|number| (0.0..=1000.0).contains(number));
    number.map(|number| number as f32).ok_or_else(|| "must be 0 to 1000".to_owned())
}

/// Multipliers by their bits.
pub(super) fn multipliers(text: &str) -> Result<Multiplier, String> {
    let kind = Multiplier::ALL.into_iter().find(|kind| kind.bits() == text);
    kind.ok_or_else(|| "multipliers have 25x18, 18x18 or 16x16 bits".to_owned())
}

/// A sharing by its name.
pub(super) fn sharing(text: &str) -> Result<Sharing, String> {
    let sharing = Sharing::ALL.into_iter().find(|sharing| sharing.name() == text);
    sharing.ok_or_else(|| {
        let names = Sharing::ALL.map(Sharing::name);
        format!("must be one of {}", names.join(", "))
    })
}

/// Bits of weights and of activations.
pub(super) fn widths(text: &str) -> Result<(u32, u32), String> {
    let pair = pair(text).filter(|(w, a)| (2..=8).contains(w) && (2..=8).contains(a));
    pair.ok_or_else(|| "must be bits of 2 to 8, as 4x7".to_owned())
}

/// Rows and columns.
pub(super) fn size(text: &str) -> Result<(usize, usize), String> {
    let pair = pair(text).filter(|(h, w)| (1..=1024).contains(h) && (1..=1024).contains(w));
    let (rows, columns) = pair.ok_or_else(|| "must be sides of 1 to 1024, as 32x32".to_owned())?;
    Ok((rows as usize, columns as usize))
}

fn pair(text: &str) -> Option<(u32, u32)> {
    let (one, other) = text.split_once('x')?;
    Some((one.parse().ok()?, other.parse().ok()?))
}

fn finite(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units_and_ends() {
        assert_eq!(milliseconds("20ms"), Ok(20.0));
        assert_eq!(milliseconds("800us"), Ok(0.8));
        for wrong in ["20", "0ms", "-1ms", "NaNms", "infms", "1e9ms", "ms", "1s"] {
            assert!(milliseconds(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn numbers_are_bounded() {
        assert_eq!(within::<1, 3>("3"), Ok(3));
        assert_eq!(within::<1, 3>("4"), Err("must be a whole number of 1 to 3".to_owned()));
        assert!(within::<1, 3>("99999999999999999999999").is_err());
        assert_eq!(widths("4x7"), Ok((4, 7)));
        assert!(widths("1x8").is_err() && widths("4").is_err() && widths("4x99").is_err());
        assert_eq!(size("28x32"), Ok((28, 32)));
        assert!(size("0x5").is_err() && size("5000x5").is_err());
        assert!(rate("0").is_err() && rate("inf").is_err() && megahertz("1e9").is_err());
    }
}
