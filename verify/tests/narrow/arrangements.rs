//! Lanes of two weights of 4 bits as the core has them, and in arrangements that it does not have.
//!
//! ```text
//! told 9     (a1 2^18 + a0) (w1 2^9 + w0), activations -63..63: a product's sign is told by its operands
//! told 10    (w1 2^20 + w0) (a1 2^10 + a0), activations -127..127
//! four       four products of 4 x 8 bits: no weights of 8 bits
//! ```

use hwgen_designs::cnn::CnnSpec;
use hwgen_designs::generate::Generate;
use hwgen_hdl::{Module, ModuleBuilder, Signal, cat, s, u};
use std::sync::Arc;

/// Bits of a sum.
const SUM_BITS: u32 = 24;

/// How a lane makes its products.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrangement {
    /// As the core has it.
    Core(Kind),
    /// Four products in one, fields of 9 or 10 bits, signs told by the operands.
    Told { bits: u32 },
    /// Weights of four bits and no others.
    Four,
}
use Arrangement::{Core, Four, Told};

/// What lanes a core may have: one weight of 8 bits, or two of 4 as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Packed,
    Apart,
    TwoPacked,
    TwoApart,
    TwoSplit,
}

impl Arrangement {
    pub(super) const ALL: [Arrangement; 8] = [
        Core(Kind::Packed),
        Core(Kind::Apart),
        Core(Kind::TwoPacked),
        Core(Kind::TwoApart),
        Core(Kind::TwoSplit),
        Told { bits: 9 },
        Told { bits: 10 },
        Four,
    ];

    pub(super) fn name(self) -> String {
        match self {
            Core(Kind::Packed) => "8 bits, packed".into(),
            Core(Kind::Apart) => "8 bits, apart".into(),
            Core(Kind::TwoPacked) => "two weights, packed".into(),
            Core(Kind::TwoApart) => "two weights, apart".into(),
            Core(Kind::TwoSplit) => "two weights, split".into(),
            Told { bits } => format!("told {bits}"),
            Four => "four".into(),
        }
    }

    /// The most that a second mode's activation can be above and below 0.
    pub(super) fn reach(self) -> i64 {
        match self {
            Told { bits: 9 } | Core(Kind::TwoPacked) => 63,
            _ => 127,
        }
    }

    pub(super) fn dual(self) -> bool {
        !matches!(self, Core(Kind::Packed | Kind::Apart))
    }

    /// Whether it has weights of 8 bits.
    pub(super) fn wide(self) -> bool {
        self != Four
    }

    /// Module `cnn_lane`, for a core that neither adds nor takes the largest.
    pub(super) fn module(self) -> Arc<Module> {
        match self {
            Core(kind) => lane_of(&kind.spec().build()),
            Told { bits } => told(bits),
            Four => four(),
        }
    }
}

impl Kind {
    pub(super) fn spec(self) -> CnnSpec {
        CnnSpec {
            packed: matches!(self, Kind::Packed | Kind::TwoPacked),
            dual: !matches!(self, Kind::Packed | Kind::Apart),
            split: self == Kind::TwoSplit,
            accumulator_bits: SUM_BITS,
            additions: false,
            maxima: false,
            ..CnnSpec::default()
        }
    }
}

fn lane_of(core: &Module) -> Arc<Module> {
    let mut modules = core.instances.iter().map(|instance| &instance.module);
    modules.find(|module| &*module.name == "cnn_lane").unwrap().clone()
}

/// What every lane has.
struct Lane<'m> {
    m: &'m ModuleBuilder,
    valid: Signal<'m>,
    dual: Option<Signal<'m>>,
    first: Signal<'m>,
    weight: Signal<'m>,
    /// The weights of two.
    both: [Signal<'m>; 2],
    values: [Signal<'m>; 2],
}

impl<'m> Lane<'m> {
    fn new(m: &'m ModuleBuilder, wide: bool) -> Lane<'m> {
        let valid = m.input("valid", u(1));
        let weight = m.input("weight", s(8));
        let values = [0, 1].map(|p| m.input(format!("value_{p}"), s(8)));
        let dual = wide.then(|| m.input("dual", u(1)));
        let first = m.input("first", u(1));
        let of = |which: u32| {
            let bits: Vec<_> = (0..4).rev().map(|bit| weight.bit(2 * bit + 1 - which)).collect();
            cat(&bits).as_signed()
        };
        Lane { m, valid, dual, first, weight, both: [of(0), of(1)], values }
    }

    fn held(&self, name: &str, value: Signal<'m>) -> Signal<'m> {
        *self.m.reg(name, value.ty()).no_reset().next(value).enable(self.valid)
    }

    /// Sums of the products of the first weight, and of the second.
    fn sums(&self, first: [Product<'m>; 2], second: [Product<'m>; 2]) {
        let adds = *self.m.reg("adds", u(1)).next(self.valid);
        let begins = self.held("begins", self.first);
        let dual = self.dual.map_or(self.valid, |dual| self.valid & dual);
        let adds_twins = *self.m.reg("adds_twins", u(1)).next(dual);
        for (name, adds, products) in [("sum", adds, first), ("twin", adds_twins, second)] {
            for (p, (value, borrowed)) in products.into_iter().enumerate() {
                let sum = self.m.reg(format!("total_{name}_{p}"), s(SUM_BITS)).no_reset();
                let so_far = begins.mux(self.m.lit(sum.ty(), 0), *sum);
                let summed = so_far + value.extend(SUM_BITS);
                let borrowed = borrowed.map(|bit| bit.extend(SUM_BITS).as_signed());
                sum.next(borrowed.map_or(summed, |bit| summed + bit)).enable(adds);
                self.m.output(format!("{name}_{p}"), sum);
            }
        }
    }
}

/// A product, and what the one below borrowed.
type Product<'m> = (Signal<'m>, Option<Signal<'m>>);

/// `high 2^places + low`.
fn pair<'m>(high: Signal<'m>, low: Signal<'m>, places: u32) -> Signal<'m> {
    let bits = high.width() + 1;
    let above = high.extend(bits) - low.msb().extend(bits).as_signed();
    cat(&[above.as_unsigned(), low.extend(places).as_unsigned()]).as_signed()
}

fn told(bits: u32) -> Arc<Module> {
    let m = ModuleBuilder::new("cnn_lane");
    let lane = Lane::new(&m, true);
    let ([w0, w1], [a0, a1]) = (lane.both, lane.values);
    let dual = lane.dual.unwrap();
    let whole = pair(a1, a0, 16);
    let weight = lane.weight;
    // fields from below, each of a weight and a value
    let (product, fields) = match bits {
        9 => {
            let [low, high] = lane.values.map(|value| value.truncate(7).as_signed());
            let values = pair(high, low, 18).truncate(25).as_signed();
            let weights = pair(w1, w0, 9);
            let wide = dual.mux(values, whole);
            let narrow = dual.mux(weights, weight.extend(weights.width()));
            (wide.mul(narrow), [(w0, a0), (w1, a0), (w0, a1), (w1, a1)])
        }
        _ => {
            let values = pair(a1, a0, 10).truncate(18).as_signed();
            let wide = dual.mux(pair(w1, w0, 20), whole);
            let narrow = dual.mux(values, weight.extend(18));
            (wide.mul(narrow), [(w0, a0), (w0, a1), (w1, a0), (w1, a1)])
        }
    };
    let all = lane.held("all", product);
    // a field with all below it is negative if its product is, or is 0 and those below are
    let mut below: Option<Signal<'_>> = None;
    let mut signs: Vec<Signal<'_>> = vec![];
    for (n, (w, a)) in fields.into_iter().enumerate() {
        let some = (w.any() & a.any()).named(format!("some_{n}"));
        let own = some & (w.msb() ^ a.msb());
        let negative = below.map_or(own, |below| own | (!some & below));
        let negative = negative.named(format!("negative_{n}"));
        signs.push(lane.held(&format!("sign_{n}"), negative));
        below = Some(negative);
    }
    let field = |n: usize| {
        let low = n as u32 * bits;
        let value = cat(&[signs[n], all.slice(low + bits - 1, low)]).as_signed();
        (value, (n > 0).then(|| signs[n - 1]))
    };
    // where the second position's first weight is, and the second weight's products
    let (other, twins) = if bits == 9 { (2, [1, 3]) } else { (1, [2, 3]) };
    let low = dual.mux(field(0).0.extend(16), all.truncate(16).as_signed());
    let (value, borrowed) = field(other);
    let high = dual.mux(value.extend(17), all.slice(32, 16).as_signed());
    let borrowed = dual.mux(borrowed.unwrap(), all.bit(15));
    lane.sums([(low, None), (high, Some(borrowed))], twins.map(field));
    m.finish()
}

fn four() -> Arc<Module> {
    let m = ModuleBuilder::new("cnn_lane");
    let lane = Lane::new(&m, false);
    let [first, second] = [0, 1].map(|w| {
        [0, 1].map(|p| {
            let product = lane.values[p].mul(lane.both[w]);
            (lane.held(&format!("product_{w}_{p}"), product), None)
        })
    });
    lane.sums(first, second);
    m.finish()
}
