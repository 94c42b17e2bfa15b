//! The multipliers, which all phases share.

use hwgen_hdl::{ModuleBuilder, Signal, Wire, s, u};

/// A use of a multiplier; uses of one multiplier are never at once.
#[derive(Clone, Copy)]
pub(super) struct Work<'m> {
    /// It is used in this cycle.
    pub(super) uses: Signal<'m>,
    /// A factor, signed.
    pub(super) left: Signal<'m>,
    /// The other.
    pub(super) right: Signal<'m>,
}

/// Cycles from a use to its product.
pub(super) const PRODUCT_CYCLES: u32 = 2;

/// A multiplier whose uses are not yet known.
pub(super) struct Multiplier<'m> {
    name: String,
    operands: (u32, u32),
    product: Wire<'m>,
}

impl<'m> Multiplier<'m> {
    /// Number `n`, with factors of so many bits.
    pub(super) fn new(m: &'m ModuleBuilder, n: u32, operands: (u32, u32)) -> Multiplier<'m> {
        let name = format!("multiplier_{n}");
        let product = m.wire(format!("{name}_product"), s(operands.0 + operands.1));
        Multiplier { name, operands, product }
    }

    /// The product of the use two cycles ago.
    pub(super) fn product(&self) -> Signal<'m> {
        *self.product
    }

    /// Says who uses it; at least one does.
    pub(super) fn serve(self, m: &'m ModuleBuilder, works: &[Work<'m>]) {
        let (name, (left_bits, right_bits)) = (self.name, self.operands);
        let left = choose(works, |work| work.left.extend(left_bits));
        let right = choose(works, |work| work.right.extend(right_bits));
        let uses = works.iter().map(|work| work.uses).reduce(|a, b| a | b);
        let uses = uses.unwrap_or_else(|| m.lit(u(1), 0)).named(format!("{name}_uses"));
        let operand = |side: &str, value: Signal<'m>| -> Signal<'m> {
            let register = m.reg(format!("{name}_{side}"), value.ty());
            register.no_reset().next(value).enable(uses).into()
        };
        let product = operand("left", left).mul(operand("right", right));
        let multiplies = m.reg(format!("{name}_multiplies"), u(1)).next(uses);
        let register = m.reg(format!("{name}_register"), product.ty()).no_reset();
        self.product.drive(Signal::from(register.next(product).enable(multiplies)));
    }
}

/// The factor of the work that uses the multiplier, the last's if none does.
fn choose<'m>(works: &[Work<'m>], factor: impl Fn(&Work<'m>) -> Signal<'m>) -> Signal<'m> {
    let factors = works.iter().rev().map(|work| (work.uses, factor(work)));
    let chosen = factors.reduce(|(_, rest), (uses, factor)| (uses, uses.mux(factor, rest)));
    chosen.expect("a multiplier has work").1
}
