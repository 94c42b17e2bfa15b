//! Lanes of two weights: arrangements of their products in a multiplication. One weight of 8 bits, as in
//! `lane`, or two of 4, none of them -8.
//!
//! ```text
//! packed, 25 x 18 bits   (w1 2^20 + w0) (a1 2^10 + a0), activations of 7 bits: four products of 10
//! apart, 16 x 8 bits     (w1 2^12 + w0) a: two products of 12 bits for each position
//! ```
//!
//! A product that is negative has borrowed one from the product above it.

use super::lane::{PRODUCT_BITS, Product};
use hwgen_hdl::{ModuleBuilder, Signal, cat, s};

/// From a product to the next where positions share a multiplication.
const PACKED_BITS: u32 = 10;

/// From a product to the next where they do not.
const APART_BITS: u32 = 12;

/// The products of the first weight, then those of the second.
type Products<'m> = (Vec<Product<'m>>, Vec<Product<'m>>);

/// The weights of two in a byte whose bits take turns, the first one's highest.
fn weights(byte: Signal<'_>) -> [Signal<'_>; 2] {
    let of = |which: u32, name: &str| {
        let bits: Vec<_> = (0..4).rev().map(|bit| byte.bit(2 * bit + 1 - which)).collect();
        cat(&bits).as_signed().named(name)
    };
    [of(0, "first_weight"), of(1, "second_weight")]
}

/// What is above `low` in `high 2^places + low`: one less if that is negative.
fn above<'m>(high: Signal<'m>, low: Signal<'m>) -> Signal<'m> {
    let bits = high.width() + 1;
    high.extend(bits) - low.msb().extend(bits).as_signed()
}

/// `high 2^places + low`, if `above` has what is above.
fn pair<'m>(above: Signal<'m>, low: Signal<'m>, places: u32) -> Signal<'m> {
    cat(&[above.as_unsigned(), low.extend(places).as_unsigned()]).as_signed()
}

/// Four products from one multiplication of 25 x 18 bits, or two of a weight of 8 bits.
pub(super) fn packed<'m>(
    m: &'m ModuleBuilder,
    weight: Signal<'m>,
    low: Signal<'m>,
    high: Signal<'m>,
    valid: Signal<'m>,
    dual: Signal<'m>,
) -> Products<'m> {
    let [first, second] = weights(weight);
    let high = above(high, low).named("high_value");
    let values = pair(high, low, PRODUCT_BITS).named("values");
    let narrow_values = pair(high.truncate(8), low, PACKED_BITS).named("narrow_values");
    let second = above(second, first).named("high_weight");
    let both_weights = pair(second, first, 2 * PACKED_BITS).named("both_weights");
    let wide = dual.mux(both_weights, values).named("wide_factor");
    let narrow = dual.mux(narrow_values, weight.extend(18)).named("narrow_factor");
    let product = wide.mul(narrow).named("all_products");
    let all = m.reg("all", product.ty()).no_reset().next(product).enable(valid);
    let field = |n: u32| {
        let value = all.slice((n + 1) * PACKED_BITS - 1, n * PACKED_BITS).as_signed();
        let borrowed = (n > 0).then(|| all.bit(n * PACKED_BITS - 1));
        Product { value, borrowed }
    };
    let whole = all.truncate(PRODUCT_BITS).as_signed();
    let low = dual.mux(field(0).value.extend(PRODUCT_BITS), whole).named("low_product");
    let above = all.slice(2 * PRODUCT_BITS, PRODUCT_BITS).as_signed();
    let narrow = field(1).value.extend(above.width());
    let high = dual.mux(narrow, above).named("high_product_less_borrowed");
    let borrowed = dual.mux(all.bit(PACKED_BITS - 1), all.bit(PRODUCT_BITS - 1)).named("borrowed");
    let high = (high + borrowed.extend(high.width()).as_signed()).named("high_product");
    let main = [low, high].map(|value| Product { value, borrowed: None });
    (main.into(), vec![field(2), field(3)])
}

/// Two products from each position's multiplication, or one of a weight of 8 bits.
pub(super) fn apart<'m>(
    m: &'m ModuleBuilder,
    weight: Signal<'m>,
    values: &[Signal<'m>],
    valid: Signal<'m>,
    dual: Signal<'m>,
) -> Products<'m> {
    let [first, second] = weights(weight);
    let second = above(second, first).named("high_weight");
    let both = pair(second.truncate(4), first, APART_BITS).named("both_weights");
    let factor = dual.mux(both, weight.extend(16)).named("factor");
    let products = values.iter().enumerate().map(|(p, value)| {
        let product = value.mul(factor).named(format!("products_{p}"));
        let held = m.reg(format!("products_{p}_1"), s(2 * APART_BITS)).no_reset();
        let all = held.next(product).enable(valid);
        let narrow = all.truncate(APART_BITS).as_signed().extend(PRODUCT_BITS);
        let whole = all.truncate(PRODUCT_BITS).as_signed();
        let value = dual.mux(narrow, whole).named(format!("product_{p}"));
        let above = all.slice(2 * APART_BITS - 1, APART_BITS).as_signed();
        let twin = Product { value: above, borrowed: Some(all.bit(APART_BITS - 1)) };
        (Product { value, borrowed: None }, twin)
    });
    products.unzip()
}
