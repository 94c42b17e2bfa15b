//! DDF, second half: from a row's statistics to its threshold, a row a cycle.

use super::statistics::Needs;
use super::{LapaPredictorSpec, RoundFilter, cost};
use crate::wiring::{delayed, quiet, times_constant};
use hwgen_hdl::lib::integer_sqrt::pipelined_integer_sqrt;
use hwgen_hdl::lib::leading_one::leading_one;
use hwgen_hdl::lib::pipeline::Pipeline;
use hwgen_hdl::lib::reciprocal::reciprocal_table;
use hwgen_hdl::{Module, ModuleBuilder, Signal, s, u};
use std::sync::Arc;

/// The threshold unit of round `round`; never stalls.
///
/// In: `row_valid` and the statistics the filter needs, for `radius` the row's `radius`. Out:
/// [`cost::threshold_cycles`] later `threshold_valid` and `threshold`: `min(theta, max)`.
pub(super) fn module(spec: &LapaPredictorSpec, round: usize, filter: RoundFilter) -> Arc<Module> {
    let score = s(spec.score_bits(round));
    let m = ModuleBuilder::new(format!("lapa_threshold_{round}"));
    m.doc("Threshold of a row, from its statistics; a row a cycle.");
    let row_valid = m.input("row_valid", u(1));
    let max = m.input("max", score);
    let unit = Unit { spec, round, m: &m, mean_type_bits: score.width + 1 };
    let mut pipeline = quiet(row_valid);
    let theta = match filter {
        RoundFilter::MeanMax { alpha16 } => unit.mean_max(&mut pipeline, max, alpha16),
        RoundFilter::Sigma { c16 } => unit.sigma(&mut pipeline, max, c16),
        RoundFilter::Radius { alpha16 } => unit.radius(&mut pipeline, max, alpha16),
        RoundFilter::TopK { .. } | RoundFilter::Mass { .. } => {
            unreachable!("top_k and mass have units of their own")
        }
    };
    assert_eq!(pipeline.latency(), cost::threshold_cycles(spec, round));
    m.output("threshold_valid", pipeline.valid());
    m.output("threshold", theta);
    m.finish()
}

/// What the stages share.
struct Unit<'m, 's> {
    spec: &'s LapaPredictorSpec,
    round: usize,
    m: &'m ModuleBuilder,
    /// A mean passes the extreme scores by rounding, or with `approx_mean` by less than a half
    /// of them: one bit more than a score holds it.
    mean_type_bits: u32,
}

impl<'m> Unit<'m, '_> {
    /// theta = mean + alpha (max - mean), or mean - |alpha| (mean - min).
    fn mean_max(&self, pipeline: &mut Pipeline<'m>, max: Signal<'m>, alpha16: i32) -> Signal<'m> {
        let needs = Needs::of(RoundFilter::MeanMax { alpha16 });
        let mut beside = vec![max];
        if needs.min {
            beside.push(self.m.input("min", max.ty()));
        }
        let (totals, beside) = self.per_key(pipeline, &[self.sum()], &beside);
        let (mean, max) = (self.mean(totals[0]), beside[0]);
        let bits = self.mean_type_bits + 1;
        let wide = |value: Signal<'m>| value.extend(bits);
        let step = if needs.min {
            -sixteenths(wide(mean) - wide(beside[1]), -alpha16)
        } else {
            sixteenths(wide(max) - wide(mean), alpha16)
        };
        let stage = pipeline.stage("step", &[mean, step, max]);
        self.theta(pipeline, stage[0], stage[1], stage[2])
    }

    /// theta = mean + c sigma.
    fn sigma(&self, pipeline: &mut Pipeline<'m>, max: Signal<'m>, c16: i32) -> Signal<'m> {
        let squares = u(self.spec.sum_squares_bits(self.round));
        let squares = self.m.input("squares", squares).to_signed();
        let (totals, beside) = self.per_key(pipeline, &[self.sum(), squares], &[max]);
        let (mean, mean_square) = (self.mean(totals[0]), totals[1]);
        // a mean square is below twice the largest square, so the variance's root fits a score's bits
        let bits = 2 * self.mean_type_bits;
        let mean_square = mean_square.resize(bits);
        let stage = pipeline.stage("square", &[mean.mul(mean), mean_square, mean, beside[0]]);
        let stage = pipeline.stage("squared", &stage);
        let difference = stage[1] - stage[0];
        let variance = difference
            .msb()
            .mux(self.m.lit(u(bits - 3), 0), difference.as_unsigned().truncate(bits - 3));
        let stage = pipeline.stage("variance", &[variance, stage[2], stage[3]]);
        let before = pipeline.latency();
        let sigma = pipelined_integer_sqrt(pipeline, stage[0], cost::SQRT_DIGITS_PER_STAGE).root;
        let cycles = pipeline.latency() - before;
        let mean = delayed(self.m, "mean_wait", stage[1], cycles);
        let max = delayed(self.m, "max_wait", stage[2], cycles);
        let stage = pipeline.stage("step", &[mean, sixteenths(sigma.to_signed(), c16), max]);
        self.theta(pipeline, stage[0], stage[1], stage[2])
    }

    /// theta = max - alpha radius.
    fn radius(&self, pipeline: &mut Pipeline<'m>, max: Signal<'m>, alpha16: i32) -> Signal<'m> {
        let radius = self.m.input("radius", u(self.spec.radius_bits()));
        // in units of this round's scores
        let low = self.spec.slice_low(self.round);
        let radius = radius.slice(radius.width() - 1, low).to_signed();
        let stage = pipeline.stage("step", &[max, -sixteenths(radius, alpha16), max]);
        self.theta(pipeline, stage[0], stage[1], stage[2])
    }

    fn sum(&self) -> Signal<'m> {
        self.m.input("sum", s(self.spec.sum_bits(self.round)))
    }

    /// `totals` divided by the row's count, rounded down, and `beside` as much later.
    fn per_key(
        &self,
        pipeline: &mut Pipeline<'m>,
        totals: &[Signal<'m>],
        beside: &[Signal<'m>],
    ) -> (Vec<Signal<'m>>, Vec<Signal<'m>>) {
        let (m, spec) = (self.m, self.spec);
        let count = m.input("count", u(spec.count_bits()));
        let all = |totals: &[Signal<'m>], beside: &[Signal<'m>]| [totals, beside].concat();
        if spec.approx_mean {
            let shift = nearest_power_of_two(count);
            let stage = pipeline.stage("division", &all(&all(totals, beside), &[shift]));
            let shift = stage[stage.len() - 1];
            let quotients: Vec<_> = stage[..totals.len()].iter().map(|t| t.shr(shift)).collect();
            let beside = &stage[totals.len()..stage.len() - 1];
            let stage = pipeline.stage("quotient", &all(&quotients, beside));
            let (quotients, beside) = stage.split_at(totals.len());
            return (quotients.to_vec(), beside.to_vec());
        }
        let fraction = spec.recip_fraction_bits();
        let table = reciprocal_table(m, "reciprocals", spec.max_keys as usize, fraction);
        let reciprocal = table.read_sync(count, pipeline.valid()).to_signed();
        let stage = pipeline.stage("division", &all(totals, beside));
        let products: Vec<_> =
            (stage[..totals.len()].iter()).map(|total| total.mul(reciprocal)).collect();
        // two registers behind a product are what a DSP block offers
        let stage = pipeline.stage("product", &all(&products, &stage[totals.len()..]));
        let stage = pipeline.stage("quotient", &stage);
        let (products, beside) = stage.split_at(totals.len());
        let quotients = products.iter().map(|product| product.shr(fraction));
        (quotients.collect(), beside.to_vec())
    }

    fn mean(&self, quotient: Signal<'m>) -> Signal<'m> {
        quotient.resize(self.mean_type_bits).named("mean")
    }

    /// `min(base + step, max)`, and not below the lowest score: a stage.
    fn theta(
        &self,
        pipeline: &mut Pipeline<'m>,
        base: Signal<'m>,
        step: Signal<'m>,
        max: Signal<'m>,
    ) -> Signal<'m> {
        let (bits, score) = (base.width().max(step.width()) + 1, max.ty());
        let theta = base.extend(bits) + step.extend(bits);
        let capped = theta.gt(max.extend(bits)).mux(max.extend(bits), theta);
        let lowest = self.m.lit(s(bits), score.min());
        let threshold = capped.lt(lowest).mux(lowest, capped).truncate(score.width);
        pipeline.stage("threshold", &[threshold])[0]
    }
}

/// `factor / 16` of `x`, rounded down.
fn sixteenths(x: Signal<'_>, factor: i32) -> Signal<'_> {
    times_constant(x, factor).shr(4)
}

/// log2 of the power of two nearest to `count`: the leading one, rounded up by the bit below.
fn nearest_power_of_two(count: Signal<'_>) -> Signal<'_> {
    let leading = leading_one(count).index;
    let below = count.cat(count.module().lit(u(1), 0)).called("count_doubled");
    let below: Vec<_> = (0..count.width()).map(|bit| below.bit(bit)).collect();
    let bits = hwgen_hdl::bits_for(count.width().into());
    leading.resize(bits) + leading.select(&below).extend(bits)
}
