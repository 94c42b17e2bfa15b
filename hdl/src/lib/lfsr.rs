//! Linear feedback shift registers of maximal period.

use super::naming::check_range;
use crate::Place;
use crate::build::{ModuleBuilder, Reg, Signal};
use crate::netlist::Module;
use crate::ty::u;
use std::sync::Arc;

/// For each width from 2 to 64, the exponents of a primitive polynomial over GF(2) besides the
/// width itself and 0: `x^8 + x^7 + x^2 + x + 1` is `[1, 2, 7]`. Our own search (fewest terms,
/// then smallest exponents); a test proves each primitive.
#[rustfmt::skip]
const PRIMITIVE: [&[u32]; 63] = [
    &[1], &[1], &[1], &[2], &[1], &[1], &[1, 2, 7],
    &[4], &[3], &[2], &[1, 2, 8], &[1, 2, 5], &[1, 2, 12], &[1], &[1, 3, 12],
    &[3], &[7], &[1, 2, 5], &[3], &[2], &[1], &[5], &[1, 2, 7],
    &[3], &[1, 2, 6], &[1, 2, 5], &[3], &[2], &[1, 2, 23], &[3], &[1, 2, 22],
    &[13], &[1, 2, 27], &[2], &[11], &[1, 2, 9], &[1, 3, 13], &[4], &[1, 2, 35],
    &[3], &[1, 2, 29], &[1, 2, 12], &[1, 3, 38], &[1, 3, 4], &[1, 3, 9], &[5], &[1, 3, 28],
    &[9], &[1, 2, 16], &[1, 2, 28], &[3], &[1, 2, 6], &[1, 2, 17], &[24], &[1, 2, 42],
    &[7], &[19], &[1, 2, 24], &[1], &[1, 2, 5], &[1, 3, 28], &[1], &[1, 2, 11],
];

/// The bits inverted by a one that is shifted out at the bottom (Galois form).
///
/// # Panics
/// If `width` is outside `2..=64`.
pub fn galois_mask(width: u32) -> u64 {
    check_range("lfsr", "width", width, 2..=64);
    let inner = PRIMITIVE[width as usize - 2].iter().map(|exponent| 1 << (exponent - 1));
    inner.sum::<u64>() | 1 << (width - 1)
}

/// The state after `state`: what the circuit computes.
///
/// # Panics
/// If `width` is outside `2..=64`.
pub fn galois_next(width: u32, state: u64) -> u64 {
    state >> 1 ^ if state & 1 == 1 { galois_mask(width) } else { 0 }
}

/// A register `name` that goes through all `2^width - 1` states but 0, one an edge with `enable`,
/// from `seed`, which must not be 0, after reset.
///
/// # Panics
/// If `width` is outside `2..=64`, or `seed` is 0 or does not fit.
#[track_caller]
pub fn lfsr<'m>(
    m: &'m ModuleBuilder,
    name: &str,
    width: u32,
    seed: u64,
    enable: impl Into<Signal<'m>>,
) -> Reg<'m> {
    let _caller = Place::of_caller();
    let mask = m.lit(u(width.clamp(2, 64)), galois_mask(width));
    check_range("lfsr", "seed", seed, 1..=u64::MAX >> (64 - width));
    let state = m.reg(name, u(width)).reset_to(seed).enable(enable);
    state.next(state.shr(1) ^ (mask & state.bit(0).repeat(width)))
}

/// The register alone: in `enable`, out `state`.
///
/// # Panics
/// As [`lfsr()`].
pub fn module(width: u32, seed: u64) -> Arc<Module> {
    let m = ModuleBuilder::new(format!("lfsr_w{width}_seed{seed}"));
    m.doc("Galois shift register of maximal period.");
    m.parameter("width", width);
    m.parameter("seed", seed);
    m.output("state", lfsr(&m, "state", width, seed, m.input("enable", u(1))));
    m.finish()
}

pub(super) fn samples() -> Vec<Arc<Module>> {
    vec![module(2, 1), module(16, 0xace1), module(64, u64::MAX)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lib::testing::simulate;

    #[test]
    fn steps_like_the_model() {
        for width in 2..=64 {
            let mut sim = simulate(&module(width, 1));
            let mut state = 1;
            for cycle in 0..100u32 {
                assert_eq!(sim.peek_u64("state"), state);
                sim.poke("enable", u32::from(cycle % 5 != 4));
                state = if cycle % 5 == 4 { state } else { galois_next(width, state) };
                sim.step();
            }
        }
    }

    #[test]
    fn short_ones_go_all_the_way_round() {
        for width in 2..=16 {
            let period = 1
                + (std::iter::successors(Some(galois_next(width, 1)), |state| {
                    Some(galois_next(width, *state))
                }))
                .position(|state| state == 1)
                .unwrap() as u64;
            assert_eq!(period, (1 << width) - 1, "{width}");
        }
    }

    /// The period divides `2^width - 1` and none of its largest proper divisors.
    #[test]
    fn all_polynomials_are_primitive() {
        for width in 2..=64 {
            let period = u64::MAX >> (64 - width);
            assert!(after(width, period) == 1, "{width}");
            for prime in prime_factors(period) {
                assert!(after(width, period / prime) != 1 || prime == period, "{width} {prime}");
            }
        }
    }

    /// The state `steps` after 1, by squaring the step's matrix.
    fn after(width: u32, mut steps: u64) -> u64 {
        // Column `i` is what becomes of bit `i`.
        let mut step: Vec<u64> = (0..width).map(|bit| galois_next(width, 1 << bit)).collect();
        let apply = |step: &[u64], state: u64| {
            (0..step.len()).filter(|bit| state >> bit & 1 == 1).fold(0, |sum, bit| sum ^ step[bit])
        };
        let mut state = 1;
        while steps > 0 {
            if steps & 1 == 1 {
                state = apply(&step, state);
            }
            step = step.iter().map(|column| apply(&step, *column)).collect();
            steps >>= 1;
        }
        state
    }

    fn prime_factors(n: u64) -> Vec<u64> {
        if n == 1 {
            return vec![];
        }
        if is_prime(n) {
            return vec![n];
        }
        let factor = some_factor(n);
        [prime_factors(factor), prime_factors(n / factor)].concat()
    }

    fn multiply(a: u64, b: u64, modulus: u64) -> u64 {
        (u128::from(a) * u128::from(b) % u128::from(modulus)) as u64
    }

    fn power(mut base: u64, mut exponent: u64, modulus: u64) -> u64 {
        let mut result = 1;
        while exponent > 0 {
            if exponent & 1 == 1 {
                result = multiply(result, base, modulus);
            }
            base = multiply(base, base, modulus);
            exponent >>= 1;
        }
        result
    }

    /// Miller and Rabin; with the first twelve primes as bases it errs on no number of 64 bits.
    fn is_prime(n: u64) -> bool {
        let bases = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37];
        if n < 2 || bases.iter().any(|base| n.is_multiple_of(*base)) {
            return bases.contains(&n);
        }
        let twos = (n - 1).trailing_zeros();
        bases.iter().all(|base| {
            let first = power(*base, (n - 1) >> twos, n);
            let mut squares = std::iter::successors(Some(first), |x| Some(multiply(*x, *x, n)));
            first == 1 || squares.by_ref().take(twos as usize).any(|x| x == n - 1)
        })
    }

    /// Pollard's rho.
    fn some_factor(n: u64) -> u64 {
        let gcd = |mut a: u64, mut b: u64| {
            while b != 0 {
                (a, b) = (b, a % b);
            }
            a
        };
        if n.is_multiple_of(2) {
            return 2;
        }
        let attempt = |c: u64| {
            let walk = |x| ((u128::from(multiply(x, x, n)) + u128::from(c)) % u128::from(n)) as u64;
            let (mut slow, mut fast, mut factor) = (2, 2, 1);
            while factor == 1 {
                (slow, fast) = (walk(slow), walk(walk(fast)));
                factor = gcd(slow.abs_diff(fast), n);
            }
            (factor != n).then_some(factor)
        };
        (1..).find_map(attempt).expect("a composite number has a factor")
    }
}
