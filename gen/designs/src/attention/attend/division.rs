//! The division of a row's sums by the sum of its weights: a table and a multiplication.

use super::AttendSpec;
use super::spec::OUT_BITS;
use crate::wiring::{delayed_flag, held, pack, unpack};
use hwgen_hdl::lib::leading_one::leading_one;
use hwgen_hdl::lib::saturate::saturate;
use hwgen_hdl::{Bundle, Int, Module, ModuleBuilder, Signal, Stream, bits_for, index_bits, s, u};
use std::sync::Arc;

/// Bits below a sum's leading one that its reciprocal knows.
pub(crate) const MANTISSA: u32 = 8;

/// Fraction bits of a result.
const FRACTION: u32 = 8;

/// Module `attend_division`.
///
/// In: `summed` (a row's sums show from the next cycle on), `single` and `last` of the row whose turn
/// it is, its `sum`, and the `totals` of `step`. Out: `step`, `released` (the row's sums have been
/// read), stream `out`.
///
/// A row begins when the one before has been taken; its result is offered
/// [`AttendSpec::division_steps`] and two cycles later.
pub(crate) fn module(spec: &AttendSpec) -> Arc<Module> {
    let m = ModuleBuilder::new("attend_division");
    m.doc("Divides a row's weighted values by the sum of its weights.");
    let summed = m.input("summed", u(1));
    let (single, last) = (m.input("single", u(1)), m.input("last", u(1)));
    let busy = m.reg("busy", u(1));
    let waiting = m.reg("waiting", u(2));
    let begins = (waiting.any() & !busy).named("begins");
    waiting.next(summed.mux(waiting + 1, waiting - 1)).enable(summed ^ begins);

    let sum = m.input("sum", u(spec.sum_bits()));
    let leading = leading_one(sum).index;
    let mantissa = sum.cat(m.lit(u(MANTISSA), 0)).shr(leading).truncate(MANTISSA);
    let table = m.memory("reciprocals", 1 << MANTISSA, u(MANTISSA + 1)).init(reciprocals());
    let reciprocal = table.read_sync(mantissa, begins & !single).to_signed();
    let shift = leading.resize(bits_for(spec.sum_bits().into())) + 1;
    let shift = held(&m, "shift", single.mux(m.lit(shift.ty(), 0), shift), begins);
    let alone = held(&m, "alone", single, begins);
    let row_last = held(&m, "row_last", last, begins);

    let steps = Steps::new(&m, spec, begins);
    let totals = unpack(
        m.input("totals", u(spec.total_bits() * steps.width)),
        s(spec.total_bits()),
        steps.width,
    );
    let quotients: Vec<_> = (totals.iter().enumerate())
        .map(|(place, total)| {
            let product = total.mul(reciprocal);
            let bits = product.width().max(total.width() + FRACTION);
            let value = total.extend(bits).shl(FRACTION);
            let product = alone.mux(value, product.extend(bits));
            let product = held(&m, format!("quotient_{place}"), product, steps.now);
            saturate(product.shr(shift), s(OUT_BITS)).called(format!("result_{place}"))
        })
        .collect();
    let elements: Vec<Signal<'_>> = (0..spec.head_dim)
        .map(|element| {
            let (step, place) = (element / steps.width, element % steps.width);
            held(&m, format!("out_{element}"), quotients[place as usize], steps.writes(step))
        })
        .collect();
    m.output("released", steps.last);

    let offered = m.reg("offered", u(1));
    let payload = Bundle::new([("data", pack(&elements)), ("last", row_last)]);
    let out = Stream::source(&m, "out", offered, payload);
    let taken = out.fires().named("taken");
    let done = delayed_flag(&m, "written", steps.last, 1);
    offered.next(done).enable(done | taken);
    busy.next(begins).enable(begins | taken);
    m.stream_out("out", &out);
    m.finish()
}

/// The steps of a division, from the cycle after its begin on.
struct Steps<'m> {
    /// Elements a step.
    width: u32,
    /// In a step.
    now: Signal<'m>,
    /// In the last.
    last: Signal<'m>,
    /// A step's quotients are there.
    written: Signal<'m>,
    /// Which step's; none if there is but one.
    index: Option<Signal<'m>>,
}

impl<'m> Steps<'m> {
    fn new(m: &'m ModuleBuilder, spec: &AttendSpec, begins: Signal<'m>) -> Steps<'m> {
        let (steps, width) = (spec.division_steps(), spec.dividers());
        let now = m.reg("dividing", u(1));
        let written = delayed_flag(m, "divided", now.into(), 1);
        if steps == 1 {
            now.next(begins);
            return Steps { width, now: now.into(), last: now.into(), written, index: None };
        }
        let step = m.reg("step_now", u(index_bits(steps as usize)));
        let last = (now & step.eq(steps - 1)).named("last_step");
        now.next(begins).enable(begins | last);
        step.next(last.mux(m.lit(step.ty(), 0), step + 1)).enable(now);
        m.output("step", step);
        let index = held(m, "step_before", step.into(), now.into());
        Steps { width, now: now.into(), last, written, index: Some(index) }
    }

    /// Whether the quotients of that step are there.
    fn writes(&self, step: u32) -> Signal<'m> {
        self.index.map_or(self.written, |index| {
            (self.written & index.eq(step)).called(format!("write_{step}"))
        })
    }
}

/// `round(2^17 / (256 + m + 1/2))` for the 256 mantissas m.
pub(crate) fn reciprocals() -> Vec<Int> {
    let one = f64::from(1 << (2 * MANTISSA + 1));
    let reciprocal = |m: u32| (one / (f64::from(m) + 256.5)).round();
    (0..1 << MANTISSA).map(|m| Int::from(reciprocal(m) as u32)).collect()
}
