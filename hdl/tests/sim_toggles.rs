//! Counted changes: both engines against values looked at before every edge.

use hwgen_hdl::sim::{Engine, Simulator};
use hwgen_hdl::{Int, Module, ModuleBuilder, Type, s, u};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use std::sync::Arc;

const NAMES: [&str; 8] = ["sum", "wide", "sign", "count", "word", "in", "same", "five"];

fn circuit() -> Arc<Module> {
    let m = ModuleBuilder::new("circuit");
    let (input, big) = (m.input("in", u(4)), m.input("big", s(70)));
    let count = m.reg("count", u(4));
    count.next(count + input).enable(input.bit(0));
    let sum = (input + count).named("sum");
    let wide = m.reg("wide", s(70));
    wide.next(wide + big);
    let sign = wide.msb().as_signed().named("sign");
    let memory = m.memory("memory", 16, u(4)).write(count, sum, input.bit(1));
    let word = memory.read(input).named("word");
    let five = (m.lit(u(4), 5) + 0).named("five");
    let same = m.wire("same", u(4));
    same.drive(sum);
    for (name, value) in [("o0", wide.as_unsigned()), ("o1", sign.as_unsigned()), ("o2", word)] {
        m.output(name, value);
    }
    m.output("o3", same);
    m.output("o4", five);
    m.finish()
}

fn differing(a: &Int, b: &Int, ty: Type) -> u64 {
    let bits = ty.to_bits(a) ^ ty.to_bits(b);
    bits.iter_u64_digits().map(|digit| u64::from(digit.count_ones())).sum()
}

#[test]
fn toggles_are_the_bits_that_differ_before_edges() {
    let module = circuit();
    for engine in [Engine::Interpreter, Engine::Jit] {
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let mut counting = Simulator::new(&module, engine);
        let mut looking = Simulator::new(&module, Engine::Interpreter);
        counting.count_toggles(&NAMES).unwrap();
        let types = [u(4), s(70), s(1), u(4), u(4), u(4), u(4), u(4)];
        let (mut expected, mut before) = (vec![0; NAMES.len()], None::<Vec<Int>>);
        for cycle in 0..200 {
            let small = rng.next_u32() % 16;
            let big: Int = Int::from(rng.next_u64() as i64) * 31;
            for sim in [&mut counting, &mut looking] {
                sim.poke("rst", u8::from(cycle % 50 < 2));
                sim.poke("in", small);
                sim.poke("big", big.clone());
            }
            let now: Vec<Int> = NAMES.iter().map(|name| looking.peek(name)).collect();
            for (n, before) in before.iter().flatten().enumerate() {
                expected[n] += differing(before, &now[n], types[n]);
            }
            before = Some(now);
            counting.step();
            looking.step();
        }
        assert_eq!(counting.toggles(), expected, "{engine:?}");
        assert!(expected[..7].iter().all(|&n| n > 20) && expected[7] == 0, "{expected:?}");
    }
}

#[test]
fn unknown_signals_are_named() {
    let mut sim = Simulator::new(&circuit(), Engine::Jit);
    let error = sim.count_toggles(&["sum", "summ"]).unwrap_err().to_string();
    assert!(error.contains("summ"), "{error}");
    assert!(sim.toggles().is_empty());
}
