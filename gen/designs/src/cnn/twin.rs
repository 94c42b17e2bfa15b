//! Lanes of two weights: arrangements of their products in a multiplication. One weight of 8 bits, as in
//! `lane`, or two of 4, none of them -8.
//!
//! ```text
//! packed, 25 x 18 bits   (w1 2^20 + w0) (a1 2^10 + a0), activations of 7 bits: four products of 10
//! apart, 16 x 8 bits     (w1 2^12 + w0) a: two products of 12 bits for each position
//! split, two of 5 x 8    w0 a and w1 a, or those of the halves of a weight of 8 bits: less to switch in gates
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

/// A product of each half of a byte with each position: two, or the halves of one of a weight of 8 bits.
pub(super) fn split<'m>(
    m: &'m ModuleBuilder,
    weight: Signal<'m>,
    values: &[Signal<'m>],
    valid: Signal<'m>,
    dual: Signal<'m>,
) -> Products<'m> {
    let [first, second] = weights(weight);
    // the low half of a weight has no sign of its own
    let high = dual.mux(first, weight.slice(7, 4).as_signed()).named("high_half");
    let low = weight.truncate(4).as_unsigned().extend(5).as_signed();
    let low = dual.mux(second.extend(5), low).named("low_half");
    let products = values.iter().enumerate().map(|(p, value)| {
        let held = |half: Signal<'m>, name: &str| {
            let product = value.mul(half).named(format!("{name}_product_{p}"));
            let held = m.reg(format!("{name}_product_{p}_1"), product.ty()).no_reset();
            *held.next(product).enable(valid)
        };
        let (high, low) = (held(high, "high"), held(low, "low"));
        let high = high.extend(PRODUCT_BITS);
        let shifted = dual.mux(high, high.shl(4)).named(format!("high_part_{p}"));
        // a second weight's product must not run through the sum
        let added = low.extend(PRODUCT_BITS);
        let added = dual.mux(m.lit(added.ty(), 0), added).named(format!("low_part_{p}"));
        let value = (shifted + added).named(format!("product_{p}"));
        (Product { value, borrowed: None }, Product { value: low, borrowed: None })
    });
    products.unzip()
}

#[cfg(test)]
mod tests {
    use super::{APART_BITS, PACKED_BITS};
    use crate::cnn::{CnnSpec, lane};
    use hwgen_hdl::sim::{Engine, Simulator};

    /// All of four bits but the least.
    const WEIGHTS: std::ops::RangeInclusive<i64> = -7..=7;

    fn pairs<T: Copy>(all: impl Iterator<Item = T> + Clone) -> impl Iterator<Item = [T; 2]> {
        all.clone().flat_map(move |a| all.clone().map(move |b| [a, b]))
    }

    /// The numbers of so many bits in a product, each with what it lent to those above it.
    fn fields(product: i64, bits: u32) -> Vec<i64> {
        let mut rest = product;
        let mut fields = vec![];
        for _ in 0..4 {
            let field = rest << (64 - bits) >> (64 - bits);
            fields.push(field);
            rest = (rest - field) >> bits;
        }
        fields
    }

    #[test]
    fn every_packed_product_is_in_its_field() {
        let mut count = 0;
        for [w0, w1] in pairs(WEIGHTS) {
            for [a0, a1] in pairs(-64..64) {
                let product = ((w1 << (2 * PACKED_BITS)) + w0) * ((a1 << PACKED_BITS) + a0);
                assert_eq!(fields(product, PACKED_BITS), [w0 * a0, w0 * a1, w1 * a0, w1 * a1]);
                count += 1;
            }
        }
        for [w0, w1] in pairs(WEIGHTS) {
            for a in -128..128 {
                let product = ((w1 << APART_BITS) + w0) * a;
                assert_eq!(fields(product, APART_BITS)[..2], [w0 * a, w1 * a]);
                count += 1;
            }
        }
        println!("packings: {count} cases, all weights and activations");
    }

    /// A lane that begins a sum in every cycle.
    struct Lane(Simulator, usize);

    impl Lane {
        fn new(packed: bool, split: bool) -> Lane {
            let (additions, maxima) = (false, false);
            let accumulator_bits = 24;
            let spec = CnnSpec {
                dual: true,
                packed,
                split,
                additions,
                maxima,
                accumulator_bits,
                ..CnnSpec::default()
            };
            let mut device = Simulator::new(&lane::module(&spec), Engine::default());
            for (input, value) in [("rst", 0u8), ("valid", 1), ("first", 1), ("dual", 1)] {
                device.poke(input, value);
            }
            let weight = device.module().inputs.iter().position(|port| &*port.name == "weight");
            Lane(device, weight.unwrap())
        }

        fn set(&mut self, [w0, w1]: [i64; 2], [a0, a1]: [i64; 2]) {
            let turns = |bit: u32| (w0 >> bit & 1) << (2 * bit + 1) | (w1 >> bit & 1) << (2 * bit);
            let weights = (0..4).map(turns).fold(0, |all, bits| all | bits);
            for (n, value) in [weights, a0, a1].into_iter().enumerate() {
                self.0.set_pattern(self.1 + n, &[value as u64 & 0xff]);
            }
            self.0.steps(1);
        }

        /// The sums of what was set in the cycle before the last.
        fn sums(&mut self) -> [i64; 4] {
            [0, 1, 2, 3].map(|output| {
                let mut words = [0];
                self.0.get_pattern(output, &mut words);
                (words[0] as i64) << 40 >> 40
            })
        }

        /// Compares all products of a weight of 8 bits.
        fn run_wide(&mut self) {
            self.0.poke("dual", 0u8);
            let mut before: Option<[i64; 2]> = None;
            for now in pairs(-128..128) {
                for (n, value) in [now[0], now[1], -1 - now[1]].into_iter().enumerate() {
                    self.0.set_pattern(self.1 + n, &[value as u64 & 0xff]);
                }
                self.0.steps(1);
                if let Some([w, a]) = before {
                    assert_eq!(self.sums()[..2], [w * a, w * (-1 - a)], "{w} {a}");
                }
                before = Some(now);
            }
        }

        /// Sets all of them, and compares what comes out.
        fn run(&mut self, all: impl Iterator<Item = ([i64; 2], [i64; 2])>) -> usize {
            let mut before: Option<([i64; 2], [i64; 2])> = None;
            let mut count = 0;
            for now in all.chain([([0; 2], [0; 2])]) {
                self.set(now.0, now.1);
                if let Some(([w0, w1], [a0, a1])) = before {
                    assert_eq!(self.sums(), [w0 * a0, w0 * a1, w1 * a0, w1 * a1], "{before:?}");
                    count += 1;
                }
                before = Some(now);
            }
            count
        }
    }

    #[test]
    fn every_product_of_a_lane() {
        let values = |all: std::ops::Range<i64>| {
            pairs(WEIGHTS).flat_map(move |w| pairs(all.clone()).map(move |a| (w, a)))
        };
        let packed = Lane::new(true, false).run(values(-64..64));
        // positions do not meet: one value for both
        let apart = [false, true].map(|split| {
            let all = pairs(WEIGHTS).flat_map(|w| (-128..128).map(move |a| (w, [a, -1 - a])));
            Lane::new(false, split).run(all)
        });
        for (packed, split) in [(true, false), (false, false), (false, true)] {
            Lane::new(packed, split).run_wide();
        }
        println!(
            "lanes: {packed} cases packed, {apart:?} apart and split, all weights and activations"
        );
    }
}
