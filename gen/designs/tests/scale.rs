//! Area of long chains and deep hierarchies: time in proportion, and no end of the stack.

use hwgen_area::{Family, estimate};
use hwgen_hdl::{Module, ModuleBuilder, u};
use std::sync::Arc;
use std::time::Instant;

/// One bit through so many gates, each with other inputs.
fn chain(links: u32) -> Arc<Module> {
    let m = ModuleBuilder::new("chain");
    let x = m.input("x", u(64));
    let mut value = m.input("first", u(1));
    for link in 0..links {
        value = (value ^ x.bit(link % 64)) & x.bit((7 * link + 1) % 64);
    }
    m.output("last", value);
    m.finish()
}

/// Registers inside one another.
fn nested(levels: usize) -> Arc<Module> {
    let mut inside: Option<Arc<Module>> = None;
    for level in 0..levels {
        let m = ModuleBuilder::new(format!("level_{level}"));
        let own = m.reg("own", u(1));
        let below = inside.map(|module| m.instance("i", &module).input("x", own).output("y"));
        own.next(m.input("x", u(1)));
        m.output("y", below.unwrap_or(own.into()));
        inside = Some(m.finish());
    }
    inside.unwrap()
}

#[test]
fn long_chains_and_deep_hierarchies_are_estimated() {
    for family in Family::ALL {
        let gates = |links| {
            let start = Instant::now();
            let tables = estimate(&chain(links), family).lut;
            (tables, start.elapsed().as_secs_f64())
        };
        let (short, long) = (gates(2_000), gates(20_000));
        println!("{}: {short:?}, {long:?}", family.name());
        assert!(long.0 > 9 * short.0 && long.0 < 11 * short.0, "{short:?} {long:?}");
        // with the square it is a hundred times
        assert!(long.1 < 30.0 * short.1.max(0.05), "{short:?} {long:?}");
    }
    let area = estimate(&nested(2_500), Family::Ice40);
    assert_eq!((area.ff, area.lut), (2_500, 0));
}
