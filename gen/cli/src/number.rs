//! Numbers that arguments take: what is out of range is said before anything is done, exit code 2.

/// Above 0, and a number.
pub(crate) fn positive(text: &str) -> Result<f64, String> {
    finite(text).and_then(|number| match number > 0.0 {
        true => Ok(number),
        false => Err("must be more than 0".into()),
    })
}

/// 0 or more, and a number.
pub(crate) fn not_negative(text: &str) -> Result<f64, String> {
    finite(text).and_then(|number| match number >= 0.0 {
        true => Ok(number),
        false => Err("must be 0 or more".into()),
    })
}

/// Of all, 0 to 1.
pub(crate) fn share(text: &str) -> Result<f64, String> {
    finite(text).and_then(|number| match (0.0..=1.0).contains(&number) {
        true => Ok(number),
        false => Err("must be 0 to 1".into()),
    })
}

fn finite(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number: &f64| number.is_finite());
    number.ok_or_else(|| "must be a number".into())
}
