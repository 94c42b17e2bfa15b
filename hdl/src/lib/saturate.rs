//! Saturation: the nearest value that a type can hold.

use crate::Place;
use crate::build::{ModuleBuilder, Signal};
use crate::netlist::Module;
use crate::ty::Type;
use std::sync::Arc;

/// `x` as a value of type `to`: its largest if `x` is above, its smallest if `x` is below.
/// Combinational. Between any two types, of whatever width and sign.
#[track_caller]
pub fn saturate(x: Signal<'_>, to: Type) -> Signal<'_> {
    let _caller = Place::of_caller();
    let (m, from) = (x.module(), x.part("unbounded").ty());
    let fitting = match to.width < from.width {
        true => x.slice(to.width - 1, 0).cast(to),
        false => x.cast(to),
    };
    let mut value = fitting;
    if from.min() < to.min() {
        value = x.lt(to.min()).mux(m.lit(to, to.min()), value);
    }
    if from.max() > to.max() {
        value = x.gt(to.max()).mux(m.lit(to, to.max()), value);
    }
    value
}

/// Saturation alone: in `x: from`, out `y: to`. Combinational.
pub fn module(from: Type, to: Type) -> Arc<Module> {
    let m = ModuleBuilder::new(format!("saturate_{from}_{to}"));
    m.doc("The value of y's type that is nearest to x.");
    m.parameter("from", from);
    m.parameter("to", to);
    m.output("y", saturate(m.input("x", from), to));
    m.finish()
}

pub(super) fn samples() -> Vec<Arc<Module>> {
    use crate::ty::{s, u};
    vec![module(s(32), s(8)), module(s(1), u(1)), module(u(20), s(9)), module(s(9), u(70))]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lib::testing::{simulate, values};
    use crate::ty::{s, u};

    #[test]
    fn nearest_value_between_all_types() {
        let types: Vec<Type> =
            [1, 2, 3, 7, 8, 9, 40, 70].iter().flat_map(|&width| [u(width), s(width)]).collect();
        for &from in &types {
            for &to in &types {
                let mut sim = simulate(&module(from, to));
                for x in values(from) {
                    sim.poke("x", x.clone());
                    let nearest = x.clone().clamp(to.min(), to.max());
                    assert_eq!(sim.peek("y"), nearest, "{x}: {from} to {to}");
                }
            }
        }
    }
}
