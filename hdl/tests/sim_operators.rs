//! Operators on both engines, by example.

use hwgen_hdl::sim::{Engine, Simulator};
use hwgen_hdl::{Int, Module, ModuleBuilder, cat, mux, s, u};
use std::sync::Arc;

fn each(module: &Arc<Module>, test: impl Fn(&mut Simulator)) {
    for engine in [Engine::Interpreter, Engine::Jit] {
        test(&mut Simulator::new(module, engine));
    }
}

#[test]
fn narrow_values() {
    let m = ModuleBuilder::new("narrow");
    let (a, b) = (m.input("a", s(8)), m.input("b", s(8)));
    let (x, n) = (m.input("x", u(8)), m.input("n", u(4)));
    m.output("add", a + b);
    m.output("sub", a - b);
    m.output("mul", a.mul(b));
    m.output("conj", a & b);
    m.output("disj", a | b);
    m.output("differ", a ^ b);
    m.output("inverse", !x);
    m.output("neg", -a);
    m.output("eq", a.eq(b));
    m.output("ne", a.ne(b));
    m.output("lt", a.lt(b));
    m.output("le", a.le(b));
    m.output("gt", a.gt(b));
    m.output("ge", a.ge(b));
    m.output("shl", a.shl(n));
    m.output("shr", a.shr(n));
    m.output("shru", x.shr(n));
    m.output("all", x.all());
    m.output("any", x.any());
    m.output("parity", x.parity());
    m.output("slice", a.slice(6, 2));
    m.output("cat", cat(&[a, x, b]));
    m.output("extend", a.extend(12));
    m.output("pattern", a.cast(u(12)));
    m.output("truncate", a.truncate(4));
    m.output("mux", x.bit(0).mux(a, b));
    each(&m.finish(), |sim| {
        sim.poke("a", -128);
        sim.poke("b", 3);
        sim.poke("x", 0xff);
        sim.poke("n", 9);
        let got = |sim: &mut Simulator, names: &[&str]| -> Vec<i64> {
            names.iter().map(|name| sim.peek_i64(name)).collect()
        };
        assert_eq!(got(sim, &["add", "sub", "mul", "neg"]), [-125, 125, -384, -128]);
        assert_eq!(got(sim, &["conj", "disj", "differ", "inverse"]), [0, -125, -125, 0]);
        assert_eq!(got(sim, &["eq", "ne", "lt", "le", "gt", "ge"]), [0, 1, 1, 1, 0, 0]);
        assert_eq!(got(sim, &["shl", "shr", "shru"]), [0, -1, 0]);
        assert_eq!(got(sim, &["all", "any", "parity"]), [1, 1, 0]);
        assert_eq!(got(sim, &["slice", "cat"]), [0, 0x80ff03]);
        assert_eq!(got(sim, &["extend", "pattern", "truncate"]), [-128, 0xf80, 0]);
        assert_eq!(got(sim, &["mux"]), [-128]);
        sim.poke("x", 6);
        sim.poke("n", 1);
        assert_eq!(got(sim, &["shl", "shr", "shru", "mux"]), [0, -64, 3, 3]);
        assert_eq!(got(sim, &["all", "any", "parity", "inverse"]), [0, 1, 0, 0xf9]);
    });
}

#[test]
fn integers_stand_on_either_side() {
    let m = ModuleBuilder::new("sides");
    let (x, c) = (m.input("x", s(8)), m.input("c", u(1)));
    let (r, w) = (m.reg("r", s(8)), m.wire("w", s(8)));
    r.next(r);
    w.drive(x);
    m.output("a", 1 - x);
    m.output("b", 2 * w + (r * x));
    m.output("d", -r ^ -w);
    m.output("e", mux(c, 1, x));
    m.output("f", mux(c, r, -1));
    m.output("g", (1 & x) | (4u32 ^ w));
    m.output("h", Int::from(7) + r);
    each(&m.finish(), |sim| {
        sim.poke("x", 5);
        let got = ["a", "b", "d", "e", "f", "g", "h"].map(|name| sim.peek_i64(name));
        assert_eq!(got, [-4, 10, -5, 5, -1, 1, 7]);
        sim.poke("c", 1);
        assert_eq!((sim.peek_i64("e"), sim.peek_i64("f")), (1, 0));
    });
}

#[test]
fn the_last_choice_stands_for_the_missing() {
    for bits in [1, 2, 3, 4, 5, 6, 9] {
        for count in 1..=33u64.min(1 << bits) {
            let m = ModuleBuilder::new("choices");
            let choices: Vec<_> = (0..count).map(|choice| m.lit(u(8), 100 + choice)).collect();
            m.output("y", m.input("i", u(bits)).select(&choices));
            each(&m.finish(), |sim| {
                for index in 0..1u64 << bits {
                    sim.poke("i", index);
                    let want = 100 + index.min(count - 1);
                    assert_eq!(sim.peek_u64("y"), want, "{count} choices, u{bits} {index}");
                }
            });
        }
    }
}

#[test]
fn wide_values() {
    let m = ModuleBuilder::new("wide");
    let (a, b) = (m.input("a", s(200)), m.input("b", s(200)));
    let n = m.input("n", u(8));
    m.output("add", a + b);
    m.output("sub", a - b);
    m.output("mul", a.mul(b));
    m.output("lt", a.lt(b));
    m.output("shl", a.shl(n));
    m.output("shr", a.shr(n));
    m.output("slice", a.slice(150, 30));
    m.output("cat", cat(&[a, b]));
    m.output("inverse", !a.as_unsigned());
    m.output("parity", a.parity());
    m.output("extend", a.extend(260));
    m.output("pattern", a.cast(u(260)));
    m.output("greater", mux(a.gt(b), a, b));
    each(&m.finish(), |sim| {
        let one = Int::from(1);
        let (a, b): (Int, Int) = (-(&one << 190u32) + 12345, (&one << 130u32) - 7);
        sim.poke("a", a.clone());
        sim.poke("b", b.clone());
        sim.poke("n", 75);
        let modulus = &one << 200u32;
        assert_eq!(sim.peek("add"), &a + &b);
        assert_eq!(sim.peek("sub"), &a - &b);
        assert_eq!(sim.peek("mul"), &a * &b);
        assert_eq!(sim.peek("lt"), one);
        assert_eq!(sim.peek("shl"), s(200).wrap(&a << 75u32));
        assert_eq!(sim.peek("shr"), &a >> 75u32);
        assert_eq!(sim.peek("slice"), u(121).wrap(&a >> 30u32));
        assert_eq!(sim.peek("cat"), ((&a + &modulus) << 200u32) + &b);
        assert_eq!(sim.peek("inverse"), -&a - 1);
        assert_eq!(sim.peek("extend"), a);
        assert_eq!(sim.peek("pattern"), &a + (&one << 260u32));
        assert_eq!(sim.peek("parity"), Int::ZERO, "10 leading ones and 6 of 12345");
        assert_eq!(sim.peek("greater"), b);
    });
}
