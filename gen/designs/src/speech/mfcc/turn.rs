//! The turn of a complex number, for the transform's pairs and for the bins of its real form.

use super::multiply::{Multiplier, PRODUCT_CYCLES, Work};
use super::spec::TURN_BITS;
use super::widths::TURN_WIDTH;
use super::{MfccSpec, tables};
use crate::wiring::delayed_flag;
use hwgen_hdl::lib::rounding::{Rounding, round_shift};
use hwgen_hdl::{ModuleBuilder, Reg, Signal, u};

/// What is read from the transform's memory: two points, one a cycle.
pub(super) struct Reads<'m> {
    /// The first point is.
    pub(super) first: Signal<'m>,
    /// The second is, in the next cycle.
    pub(super) second: Signal<'m>,
    /// Where.
    pub(super) address: Signal<'m>,
    /// The angle of the turn in N-ths of a whole one, 0..=N/2; with the second.
    pub(super) angle: Signal<'m>,
}

/// A complex number.
#[derive(Clone, Copy)]
pub(super) struct Complex<'m> {
    pub(super) re: Signal<'m>,
    pub(super) im: Signal<'m>,
}

impl<'m> Complex<'m> {
    /// A word of the memory.
    fn of(word: Signal<'m>) -> Complex<'m> {
        let half = word.width() / 2;
        let part = |high| word.slice(high - 1, high - half).as_signed();
        Complex { re: part(half), im: part(2 * half) }
    }

    fn map(self, change: impl Fn(Signal<'m>) -> Signal<'m>) -> Complex<'m> {
        Complex { re: change(self.re), im: change(self.im) }
    }

    fn each(self, other: Self, f: impl Fn(Signal<'m>, Signal<'m>) -> Signal<'m>) -> Complex<'m> {
        Complex { re: f(self.re, other.re), im: f(self.im, other.im) }
    }

    fn held(self, m: &'m ModuleBuilder, name: &str, enable: Signal<'m>) -> Complex<'m> {
        let part = |part: &str, value: Signal<'m>| -> Signal<'m> {
            let register = m.reg(format!("{name}_{part}"), value.ty());
            register.no_reset().next(value).enable(enable).into()
        };
        Complex { re: part("re", self.re), im: part("im", self.im) }
    }
}

/// What becomes of two points; see [`MfccSpec::turn_latency`].
pub(super) struct Turned<'m> {
    /// p + t.
    pub(super) sum: Complex<'m>,
    /// p - t, a cycle later.
    pub(super) difference: Complex<'m>,
    /// Uses of the multipliers, one each.
    pub(super) works: Vec<Work<'m>>,
}

/// Turns what was read: `word` shows it a cycle after. `mirrored`: p and q are those of a bin, else
/// the first and the second point.
pub(super) fn turn<'m>(
    m: &'m ModuleBuilder,
    spec: &MfccSpec,
    reads: &Reads<'m>,
    (word, mirrored): (Signal<'m>, Signal<'m>),
    multipliers: &[Multiplier<'m>],
) -> Turned<'m> {
    let beats = spec.turn_cycles();
    let now = Complex::of(word).map(|part| part.extend(part.width() + 1));
    let first = now.held(m, "first", delayed_flag(m, "first_read", reads.first, 1));
    let load = delayed_flag(m, "second_read", reads.second, 1);
    let choose = |bin, pair| mirrored.mux(bin, pair);
    let p = Complex { re: first.re + now.re, im: first.im - now.im }.each(first, choose);
    let q = Complex { re: first.im + now.im, im: now.re - first.re }.each(now, choose);
    let (p, q) = (p.held(m, "p", load), q.held(m, "q", load));
    let angle = m.reg("angle", reads.angle.ty()).no_reset();
    angle.next(reads.angle).enable(reads.second);
    let (cosine, sine) = factors(m, spec, *angle, load);

    // beat 0 begins the real part; with one multiplier each part takes two
    let beat: Vec<_> =
        (0..beats).map(|b| delayed_flag(m, &format!("beat_{b}"), load, b + 1)).collect();
    let done: Vec<_> = (0..beats as usize)
        .map(|b| delayed_flag(m, &format!("done_{b}"), beat[b], PRODUCT_CYCLES))
        .collect();
    let (works, terms, re_done, im_done) = match multipliers {
        [one] => {
            let uses = beat.iter().copied().reduce(|a, b| a | b).expect("there are beats");
            let left = (beat[0] | beat[3]).mux(q.re, q.im).called("turn_left");
            let right = (beat[0] | beat[2]).mux(cosine, sine).called("turn_right");
            let term = m.reg("term", one.product().ty()).no_reset();
            term.next(one.product()).enable(done[0] | done[2]);
            let works = vec![Work { uses: uses.named("turn_uses"), left, right }];
            (works, (*term, one.product()), done[1], done[3])
        }
        both => {
            let uses = (beat[0] | beat[1]).named("turn_uses");
            let work =
                |first, second, right| Work { uses, left: beat[0].mux(first, second), right };
            let works = vec![work(q.re, q.im, cosine), work(q.im, q.re, sine)];
            (works, (both[0].product(), both[1].product()), done[0], done[1])
        }
    };
    let wide = terms.0.width() + 1;
    let (term, other) = (terms.0.extend(wide), terms.1.extend(wide));
    let total = re_done.mux(term + other, term - other).named("turned_sum");
    let part = round_shift(total, TURN_BITS, Rounding::HalfUp).truncate(p.re.width());
    let part = part.named("turned_part");
    let re: Reg<'m> = m.reg("turned_re_early", part.ty()).no_reset().next(part).enable(re_done);
    let t = Complex { re: *re, im: part }.held(m, "turned", im_done);

    // p waits for t; with two multipliers the next p comes too soon for one register
    let mut p = p.held(m, "p_waiting", beat[beats as usize - 1]);
    if multipliers.len() > 1 {
        p = p.held(m, "p_waiting_longer", im_done);
    }
    let sum = p.each(t, |p, t| (p + t).called_in(p, "plus_turned"));
    let difference = p.each(t, |p, t| (p - t).called_in(p, "less_turned"));
    Turned { sum, difference, works }
}

/// Cosine and sine of an angle of 0..=N/2 N-ths, a cycle after `reads`.
fn factors<'m>(
    m: &'m ModuleBuilder,
    spec: &MfccSpec,
    angle: Signal<'m>,
    reads: Signal<'m>,
) -> (Signal<'m>, Signal<'m>) {
    let quarter = spec.fft / 4;
    let table = m.memory("sines", quarter as usize + 1, u(TURN_BITS + 1)).init(tables::sines(spec));
    let bits = table.address_type().width;
    let beyond = angle.gt(quarter).named("beyond_quarter");
    let place = |value: Signal<'m>| value.truncate(bits);
    let down = m.lit(angle.ty(), quarter) - angle;
    let back = m.lit(angle.ty(), spec.fft / 2) - angle;
    let cosine = table.read_sync(place(beyond.mux(angle - quarter, down)), reads);
    let sine = table.read_sync(place(beyond.mux(back, angle)), reads);
    let negative = m.reg("cosine_negative", u(1)).no_reset().next(beyond).enable(reads);
    let cosine = cosine.to_signed();
    debug_assert_eq!(cosine.width(), TURN_WIDTH);
    (negative.mux(-cosine, cosine).named("cosine"), sine.to_signed())
}
