//! A lane: one weight, a product and a sum for every position.
//!
//! Two positions fit one multiplier: with `a = a1 2^16 + a0`, `w a = (w a1) 2^16 + w a0`, and the
//! low product's sign is borrowed from the high one. Where lanes may have two weights, `twin` has the other
//! arrangements.

use super::CnnSpec;
use super::twin;
use hwgen_hdl::{Module, ModuleBuilder, Signal, s, u};
use std::sync::Arc;

/// Bits of a product.
pub(super) const PRODUCT_BITS: u32 = 16;

/// Cycles from operands to the sum that has their product.
pub(super) const LATENCY: u32 = 2;

/// A product; `borrowed` of it by the one below in the same multiplication, if that was negative.
pub(super) struct Product<'m> {
    pub(super) value: Signal<'m>,
    pub(super) borrowed: Option<Signal<'m>>,
}

impl<'m> Product<'m> {
    fn whole(value: Signal<'m>) -> Product<'m> {
        Product { value, borrowed: None }
    }
}

/// Module `cnn_lane`: in `weight`, `value_p`; `valid` with them, `first` if a sum begins,
/// `largest` if it is to be the largest product; out `sum_p`. With `dual` the weight is two: out `twin_p`, the
/// second one's sums.
pub(super) fn module(spec: &CnnSpec) -> Arc<Module> {
    let m = ModuleBuilder::new("cnn_lane");
    m.doc("One weight times the activation of every position, summed.");
    let valid = m.input("valid", u(1));
    let weight = m.input("weight", s(8));
    let values: Vec<_> = (0..spec.pixels).map(|p| m.input(format!("value_{p}"), s(8))).collect();
    let dual = spec.dual.then(|| m.input("dual", u(1)));
    let (products, twins) = match (&values[..], dual) {
        (&[low, high], Some(dual)) if spec.packed => {
            twin::packed(&m, weight, low, high, valid, dual)
        }
        (_, Some(dual)) if spec.split => twin::split(&m, weight, &values, valid, dual),
        (_, Some(dual)) => twin::apart(&m, weight, &values, valid, dual),
        (&[low, high], None) if spec.packed => (packed(&m, weight, low, high, valid), vec![]),
        (_, None) => (apart(&m, weight, &values, valid), vec![]),
    };
    let adds = m.reg("adds", u(1)).next(valid);
    let first = m.reg("begins", u(1)).no_reset().next(m.input("first", u(1))).enable(valid);
    let largest = spec.maxima.then(|| m.input("largest", u(1)));
    for (p, Product { value, .. }) in products.into_iter().enumerate() {
        let sum = m.reg(format!("total_{p}"), s(spec.accumulator_bits)).no_reset();
        let so_far = first.mux(m.lit(sum.ty(), 0), *sum);
        let product = value.extend(spec.accumulator_bits);
        let summed = so_far + product;
        let next = match largest {
            None => summed,
            Some(largest) => {
                let larger = (*first | product.gt(*sum)).named(format!("larger_{p}"));
                largest.mux(larger.mux(product, *sum), summed)
            }
        };
        sum.next(next).enable(*adds);
        m.output(format!("sum_{p}"), sum);
    }
    let adds = match dual {
        Some(dual) => *m.reg("adds_twins", u(1)).next(valid & dual),
        None => *adds,
    };
    for (p, Product { value, borrowed }) in twins.into_iter().enumerate() {
        let sum = m.reg(format!("total_twin_{p}"), s(spec.accumulator_bits)).no_reset();
        let so_far = first.mux(m.lit(sum.ty(), 0), *sum);
        let product = value.extend(spec.accumulator_bits);
        let borrowed = borrowed.map(|bit| bit.extend(spec.accumulator_bits).as_signed());
        let summed = so_far + product;
        sum.next(borrowed.map_or(summed, |borrowed| summed + borrowed)).enable(adds);
        m.output(format!("twin_{p}"), sum);
    }
    m.finish()
}

/// A multiplication for each position.
fn apart<'m>(
    m: &'m ModuleBuilder,
    weight: Signal<'m>,
    values: &[Signal<'m>],
    valid: Signal<'m>,
) -> Vec<Product<'m>> {
    let product = |(p, value): (usize, &Signal<'m>)| {
        let product = value.mul(weight).named(format!("product_{p}"));
        let held = m.reg(format!("product_{p}_1"), s(PRODUCT_BITS)).no_reset();
        Product::whole(*held.next(product).enable(valid))
    };
    values.iter().enumerate().map(product).collect()
}

/// Both products from one multiplication.
fn packed<'m>(
    m: &'m ModuleBuilder,
    weight: Signal<'m>,
    low: Signal<'m>,
    high: Signal<'m>,
    valid: Signal<'m>,
) -> Vec<Product<'m>> {
    let bits = 8 + PRODUCT_BITS + 1;
    let pair = (high.extend(bits).shl(PRODUCT_BITS) + low.extend(bits)).named("pair");
    let product = pair.mul(weight).named("both_products");
    let both = m.reg("both", product.ty()).no_reset().next(product).enable(valid);
    let low = both.truncate(PRODUCT_BITS).as_signed().named("low_product");
    let borrowed = low.msb();
    let high = both.high(both.width() - PRODUCT_BITS).as_signed();
    let high = (high + borrowed.extend(high.width()).as_signed()).named("high_product");
    vec![Product::whole(low), Product::whole(high)]
}
