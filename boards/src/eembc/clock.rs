//! Microseconds from a counter of cycles that wraps.

use std::time::Duration;

/// Counts on where a counter of 32 bits begins anew.
#[derive(Debug, Clone)]
pub struct Clock {
    clock_hz: u32,
    latest: u32,
    cycles: u64,
}

impl Clock {
    /// Of a board with this clock whose counter stands here.
    pub fn new(clock_hz: u32, counter: u32) -> Clock {
        Clock { clock_hz: clock_hz.max(1), latest: counter, cycles: counter.into() }
    }

    /// Microseconds at this count; `elapsed` has passed on the host since the count before, which tells how often
    /// the counter began anew.
    pub fn micros(&mut self, counter: u32, elapsed: Duration) -> u64 {
        let since = u64::from(counter.wrapping_sub(self.latest));
        let expected = elapsed.as_secs_f64() * f64::from(self.clock_hz);
        // simulated boards are slower than the host's clock: the counter is believed if it can be right
        let rounds = ((expected - since as f64) / (1u64 << 32) as f64).round().max(0.0) as u64;
        self.latest = counter;
        self.cycles += since + (rounds << 32);
        (u128::from(self.cycles) * 1_000_000 / u128::from(self.clock_hz)) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cycles_become_microseconds_over_a_wrap() {
        let mut clock = Clock::new(12_000_000, 12);
        assert_eq!(clock.micros(12_000_012, Duration::from_secs(1)), 1_000_001);
        // 358 s later the counter has begun anew
        let later = 12_000_012u32.wrapping_add((358 * 12_000_000u64) as u32);
        assert_eq!(clock.micros(later, Duration::from_secs(358)), 359_000_001);
        // twice, while nobody looked
        let later = later.wrapping_add((1000 * 12_000_000u64) as u32);
        assert_eq!(clock.micros(later, Duration::from_secs(1000)), 1_359_000_001);
    }
}
