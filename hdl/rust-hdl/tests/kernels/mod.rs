//! The kernels: each assignment is one, named by its output and independent of the others.

#![allow(clippy::precedence, reason = "precedence is what some kernels are about")]

use rust_hdl::prelude::*;

/// What follows is read as text too, so that reports show each kernel as it is written here.
const SOURCE: &str = include_str!("mod.rs");

/// The right-hand side of the kernel called `name`, without rust-hdl's ceremony.
pub(crate) fn source(name: &str) -> String {
    let assignment = format!("self.{name}.next =");
    let start = SOURCE.find(&assignment).map_or(0, |at| at + assignment.len());
    let text = SOURCE[start..].split(';').next().unwrap_or_default();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    text.replace("self.", "").replace(".val()", "").replace("( ", "(").replace(", )", ")")
}

/// Rust binds `&`, `^` and `|` closer than comparisons, Verilog looser; nothing is parenthesised.
#[derive(LogicBlock, Default)]
pub(crate) struct Precedence {
    pub(crate) a: Signal<In, Bits<4>>,
    pub(crate) b: Signal<In, Bits<4>>,
    pub(crate) c: Signal<In, Bits<4>>,
    and_equal: Signal<Out, Bit>,
    or_less: Signal<Out, Bit>,
    xor_unequal: Signal<Out, Bit>,
    ok_parenthesised: Signal<Out, Bit>,
    ok_xor_of_and: Signal<Out, Bits<4>>,
    ok_or_of_xor: Signal<Out, Bits<4>>,
    ok_shift_of_sum: Signal<Out, Bits<4>>,
    ok_reductions: Signal<Out, Bit>,
}

impl Logic for Precedence {
    #[hdl_gen]
    fn update(&mut self) {
        self.and_equal.next = self.a.val() & self.b.val() == self.c.val();
        self.or_less.next = self.a.val() | self.b.val() < self.c.val();
        self.xor_unequal.next = self.a.val() ^ self.b.val() != self.c.val();
        self.ok_parenthesised.next = (self.a.val() & self.b.val()) == self.c.val();
        self.ok_xor_of_and.next = self.a.val() ^ self.b.val() & self.c.val();
        self.ok_or_of_xor.next = self.a.val() | self.b.val() ^ self.c.val();
        self.ok_shift_of_sum.next = self.a.val() + self.b.val() >> 1;
        self.ok_reductions.next = self.a.val().any() & self.b.val().xor() | self.c.val().all();
    }
}

/// Verilog computes at the width of the whole expression, so bits that rust-hdl drops survive.
///
/// `sum` is a `Local` that holds `a + b`.
#[derive(LogicBlock, Default)]
pub(crate) struct Widths {
    pub(crate) a: Signal<In, Bits<8>>,
    pub(crate) b: Signal<In, Bits<8>>,
    pub(crate) n: Signal<In, Bits<3>>,
    sum: Signal<Local, Bits<8>>,
    sum_widened: Signal<Out, Bits<16>>,
    difference_widened: Signal<Out, Bits<16>>,
    inverse_widened: Signal<Out, Bits<16>>,
    shift_widened: Signal<Out, Bits<16>>,
    narrowed_sum_widened: Signal<Out, Bits<8>>,
    sum_compared: Signal<Out, Bit>,
    difference_compared: Signal<Out, Bit>,
    inverse_compared: Signal<Out, Bit>,
    shift_compared: Signal<Out, Bit>,
    increment_equal: Signal<Out, Bit>,
    ok_sum: Signal<Out, Bits<8>>,
    ok_sum_of_widened: Signal<Out, Bits<9>>,
    ok_sum_less: Signal<Out, Bit>,
    ok_narrowed: Signal<Out, Bits<4>>,
    ok_shifted: Signal<Out, Bits<8>>,
    ok_bit: Signal<Out, Bit>,
    ok_bit_replaced: Signal<Out, Bits<8>>,
    ok_local_widened: Signal<Out, Bits<16>>,
    ok_local_compared: Signal<Out, Bit>,
}

impl Logic for Widths {
    #[hdl_gen]
    fn update(&mut self) {
        self.sum.next = self.a.val() + self.b.val();
        self.sum_widened.next = bit_cast::<16, 8>(self.a.val() + self.b.val());
        self.difference_widened.next = bit_cast::<16, 8>(self.a.val() - self.b.val());
        self.inverse_widened.next = bit_cast::<16, 8>(!self.a.val());
        self.shift_widened.next = bit_cast::<16, 8>(self.a.val() << 4);
        self.narrowed_sum_widened.next =
            bit_cast::<8, 4>(bit_cast::<4, 8>(self.a.val()) + bit_cast::<4, 8>(self.b.val()));
        self.sum_compared.next = self.a.val() + self.b.val() > 100;
        self.difference_compared.next = self.a.val() - self.b.val() < 16;
        self.inverse_compared.next = !self.a.val() < 16;
        self.shift_compared.next = (self.a.val() << 1) > 99;
        self.increment_equal.next = self.a.val() + 255 == self.b.val();
        self.ok_sum.next = self.a.val() + self.b.val();
        self.ok_sum_of_widened.next =
            bit_cast::<9, 8>(self.a.val()) + bit_cast::<9, 8>(self.b.val());
        self.ok_sum_less.next = self.a.val() + self.b.val() < self.a.val();
        self.ok_narrowed.next = bit_cast::<4, 8>(self.a.val());
        self.ok_shifted.next = self.a.val() << self.n.val();
        self.ok_bit.next = self.a.val().get_bit(self.n.val().index());
        self.ok_bit_replaced.next = self.a.val().replace_bit(self.n.val().index(), true);
        self.ok_local_widened.next = bit_cast::<16, 8>(self.sum.val());
        self.ok_local_compared.next = self.sum.val() > 100;
    }
}

/// Signs and full-width products get lost in casts.
///
/// `product` is a `Local` that holds `x * y`.
#[derive(LogicBlock, Default)]
pub(crate) struct Arithmetic {
    pub(crate) x: Signal<In, Signed<16>>,
    pub(crate) y: Signal<In, Signed<16>>,
    pub(crate) z: Signal<In, Signed<16>>,
    pub(crate) wide: Signal<In, Signed<48>>,
    pub(crate) a: Signal<In, Bits<16>>,
    pub(crate) b: Signal<In, Bits<16>>,
    product: Signal<Local, Signed<32>>,
    negative: Signal<Out, Bit>,
    product_widened: Signal<Out, Signed<48>>,
    product_accumulated: Signal<Out, Signed<48>>,
    sum_multiplied: Signal<Out, Signed<32>>,
    product_high: Signal<Out, Bits<16>>,
    ok_signed_cast: Signal<Out, Signed<16>>,
    ok_unsigned_cast: Signal<Out, Bits<16>>,
    ok_product: Signal<Out, Signed<32>>,
    ok_unsigned_product: Signal<Out, Bits<32>>,
    ok_less: Signal<Out, Bit>,
    ok_minus: Signal<Out, Signed<16>>,
    ok_local_product: Signal<Out, Signed<48>>,
}

impl Logic for Arithmetic {
    #[hdl_gen]
    fn update(&mut self) {
        self.product.next = self.x.val() * self.y.val();
        self.negative.next = self.x.val() < 0.into();
        self.product_widened.next = signed_bit_cast::<48, 32>(self.x.val() * self.y.val());
        self.product_accumulated.next =
            signed_bit_cast::<48, 32>(self.x.val() * self.y.val()) + self.wide.val();
        self.sum_multiplied.next = (self.x.val() + self.y.val()) * self.z.val();
        self.product_high.next = bit_cast::<16, 32>((self.a.val() * self.b.val()) >> 16);
        self.ok_signed_cast.next = signed_cast(self.a.val()) + self.x.val();
        self.ok_unsigned_cast.next = unsigned_cast(self.x.val() + self.y.val()) >> 4;
        self.ok_product.next = self.x.val() * self.y.val();
        self.ok_unsigned_product.next = self.a.val() * self.b.val();
        self.ok_less.next = self.x.val() < self.y.val();
        self.ok_minus.next = -self.x.val();
        self.ok_local_product.next =
            signed_bit_cast::<48, 32>(self.product.val()) + self.wide.val();
    }
}

/// A `Constant` prints with its width and sign, unlike a literal.
#[derive(LogicBlock)]
pub(crate) struct Constants {
    pub(crate) a: Signal<In, Bits<8>>,
    pub(crate) b: Signal<In, Bits<8>>,
    pub(crate) x: Signal<In, Signed<8>>,
    hundred: Constant<Bits<8>>,
    zero: Constant<Signed<8>>,
    ok_compared_to_constant: Signal<Out, Bit>,
    ok_negative_by_constant: Signal<Out, Bit>,
}

impl Default for Constants {
    fn default() -> Self {
        Self {
            a: Signal::default(),
            b: Signal::default(),
            x: Signal::default(),
            hundred: Constant::new(100.into()),
            zero: Constant::new(0.into()),
            ok_compared_to_constant: Signal::default(),
            ok_negative_by_constant: Signal::default(),
        }
    }
}

impl Logic for Constants {
    #[hdl_gen]
    fn update(&mut self) {
        self.ok_compared_to_constant.next = self.a.val() + self.b.val() > self.hundred.val();
        self.ok_negative_by_constant.next = self.x.val() < self.zero.val();
    }
}

/// A part of a sum prints as `(a + b)[..]`, which no Verilog knows.
#[derive(LogicBlock, Default)]
pub(crate) struct PartOfSum {
    pub(crate) a: Signal<In, Bits<8>>,
    pub(crate) b: Signal<In, Bits<8>>,
    high_nibble_of_sum: Signal<Out, Bits<4>>,
}

impl Logic for PartOfSum {
    #[hdl_gen]
    fn update(&mut self) {
        self.high_nibble_of_sum.next = (self.a.val() + self.b.val()).get_bits::<4>(4);
    }
}
