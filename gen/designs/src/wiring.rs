//! Small circuits that several designs share: packed vectors, delay lines, constant factors.

use hwgen_hdl::lib::pipeline::Pipeline;
use hwgen_hdl::{Fields, Module, ModuleBuilder, Place, Signal, Type, cat, u};

/// Elements `0..count` of a packed vector, element 0 lowest.
#[track_caller]
pub(crate) fn unpack<'m>(packed: Signal<'m>, element: Type, count: u32) -> Vec<Signal<'m>> {
    let _caller = Place::of_caller();
    let width = element.width;
    let at = |i: u32| packed.slice((i + 1) * width - 1, i * width).cast(element);
    (0..count).map(|i| at(i).called_in(packed, i)).collect()
}

/// The inverse of [`unpack`].
#[track_caller]
pub(crate) fn pack<'m>(elements: &[Signal<'m>]) -> Signal<'m> {
    let _caller = Place::of_caller();
    cat(&elements.iter().rev().copied().collect::<Vec<_>>())
}

/// The values of lanes, called `{name}_0`, `{name}_1`, ..
pub(crate) fn numbered<'m>(
    name: &str,
    values: impl IntoIterator<Item = Signal<'m>>,
) -> Vec<Signal<'m>> {
    let called = |(i, value): (usize, Signal<'m>)| value.called(format!("{name}_{i}"));
    values.into_iter().enumerate().map(called).collect()
}

/// The place behind `place` in a ring of `count`.
pub(crate) fn after<'m>(place: Signal<'m>, count: u32) -> Signal<'m> {
    place.eq(count - 1).mux(place.module().lit(place.ty(), 0), place + 1)
}

/// `value` some cycles ago, for data that a valid bit guards: one register, not reset, that
/// shifts by a value a cycle.
#[track_caller]
pub(crate) fn delayed<'m>(
    m: &'m ModuleBuilder,
    name: &str,
    value: Signal<'m>,
    cycles: u32,
) -> Signal<'m> {
    let _caller = Place::of_caller();
    let width = value.width();
    match cycles {
        0 => value,
        1 => m.reg(name, value.ty()).no_reset().next(value).into(),
        _ => {
            let line = m.reg(name, u(width * cycles)).no_reset();
            line.next(line.truncate(width * (cycles - 1)).cat(value));
            line.high(width).cast(value.ty())
        }
    }
}

/// [`delayed`] in cycles with `advance` only.
#[track_caller]
pub(crate) fn delayed_while<'m>(
    m: &'m ModuleBuilder,
    name: &str,
    value: Signal<'m>,
    cycles: u32,
    advance: Signal<'m>,
) -> Signal<'m> {
    let _caller = Place::of_caller();
    (1..=cycles).fold(value, |value, cycle| {
        let stage = m.reg(format!("{name}_{cycle}"), value.ty());
        stage.no_reset().next(value).enable(advance).into()
    })
}

/// A flag some cycles ago; 0 after reset.
#[track_caller]
pub(crate) fn delayed_flag<'m>(
    m: &'m ModuleBuilder,
    name: &str,
    flag: Signal<'m>,
    cycles: u32,
) -> Signal<'m> {
    let _caller = Place::of_caller();
    if cycles == 0 {
        return flag;
    }
    let line = m.reg(name, u(cycles));
    line.next(match cycles {
        1 => flag,
        _ => line.truncate(cycles - 1).cat(flag),
    });
    line.msb()
}

/// `value` as it was at the last edge with `enable`; not reset.
#[track_caller]
pub(crate) fn held<'m>(
    m: &'m ModuleBuilder,
    name: impl Into<String>,
    value: Signal<'m>,
    enable: Signal<'m>,
) -> Signal<'m> {
    let _caller = Place::of_caller();
    m.reg(name, value.ty()).no_reset().next(value).enable(enable).into()
}

/// A pipeline that never waits, in which stages without valid data hold still.
pub(crate) fn quiet<'m>(valid: Signal<'m>) -> Pipeline<'m> {
    Pipeline::new(valid, valid.module().lit(u(1), 1)).quiet()
}

/// `factor * x` for signed `x`, exactly, by shifts and as few additions as signed digits need.
#[track_caller]
pub(crate) fn times_constant(x: Signal<'_>, factor: i32) -> Signal<'_> {
    let _caller = Place::of_caller();
    let width = x.width() + (i32::BITS - factor.unsigned_abs().leading_zeros()) + 1;
    let x = x.extend(width);
    let mut product = None;
    let (mut rest, mut place) = (factor, 0);
    while rest != 0 {
        if rest & 1 == 1 {
            // digits are -1, 0 or 1: a run of ones costs one subtraction
            let digit = 2 - (rest & 3);
            let term = x.shl(place);
            product = Some(match (product, digit) {
                (None, 1) => term,
                (None, _) => -term,
                (Some(sum), 1) => sum + term,
                (Some(sum), _) => sum - term,
            });
            rest -= digit;
        }
        rest >>= 1;
        place += 1;
    }
    product.unwrap_or_else(|| x.module().lit(x.ty(), 0))
}

/// The fields of a module's stream.
///
/// # Panics
/// If it has no such stream.
pub(crate) fn stream_fields(module: &Module, stream: &str) -> Fields {
    let port = module.streams.iter().find(|port| *port.name == *stream);
    let port = port.unwrap_or_else(|| panic!("`{}` has no stream `{stream}`", module.name));
    port.payload.iter().map(|(name, node)| (name.to_string(), module.node(*node).ty)).collect()
}
