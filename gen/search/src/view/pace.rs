//! How long a stage still takes, if it goes on as it went.

use std::time::{Duration, Instant};

/// When a stage began to be watched, and what was done by then: a search that goes on begins in the middle.
pub(super) struct Pace {
    begin: Instant,
    done: u64,
}

impl Pace {
    pub(super) fn begin(done: u64, now: Instant) -> Pace {
        Pace { begin: now, done }
    }

    /// The time left: nobody knows before the first is done.
    pub(super) fn left(&self, done: u64, all: u64, now: Instant) -> Option<Duration> {
        let since = done.checked_sub(self.done).filter(|&since| since > 0)?;
        let rest = all.saturating_sub(done) as f64 / since as f64;
        Duration::try_from_secs_f64((now - self.begin).as_secs_f64() * rest).ok()
    }
}

/// A time in two parts at most: `3 min 20 s`.
pub(super) fn span(time: Duration) -> String {
    let seconds = time.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, s) => format!("{s} s"),
        (0, m, s) => format!("{m} min {s} s"),
        (h, m, _) => format!("{h} h {m} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_takes_as_long_as_what_went() {
        let begin = Instant::now();
        let pace = Pace::begin(100, begin);
        let at = |seconds| begin + Duration::from_secs(seconds);
        assert_eq!(pace.left(100, 400, at(5)), None);
        assert_eq!(pace.left(200, 400, at(10)), Some(Duration::from_secs(20)));
        assert_eq!(pace.left(400, 400, at(30)), Some(Duration::ZERO));
    }

    #[test]
    fn times_are_short() {
        let of = |seconds| span(Duration::from_secs(seconds));
        assert_eq!([of(9), of(200), of(7262)], ["9 s", "3 min 20 s", "2 h 1 min"]);
    }
}
