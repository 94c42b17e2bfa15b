//! Every operator at widths around one and several machine words.

use super::statement::*;
use super::{ENGINES, Everywhere};
use hwgen_hdl::netlist::Kind;
use hwgen_hdl::passes::{Keep, simplify};
use hwgen_hdl::{Int, Module, ModuleBuilder, Signal, Type, cat, mux, s, u};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::sync::Arc;

const WIDTHS: [u32; 11] = [1, 2, 31, 32, 33, 63, 64, 65, 127, 128, 129];

/// What stands in the expressions: `a` and `b` of the type, `q` of 3 bits and the same sign, the
/// amount `k`, the choices' number `i`, the condition `c`.
struct Operands<'m> {
    a: Signal<'m>,
    b: Signal<'m>,
    q: Signal<'m>,
    k: Signal<'m>,
    i: Signal<'m>,
    c: Signal<'m>,
}

#[derive(Clone, Debug)]
struct Values {
    ty: Type,
    a: Int,
    b: Int,
    q: Int,
    k: u32,
    i: u32,
    c: bool,
}

impl Values {
    fn n(&self) -> u32 {
        self.ty.width
    }
}

const AMOUNT: Type = u(31);

/// An expression of the language, and what it means.
struct Row {
    name: &'static str,
    circuit: for<'m> fn(&Operands<'m>) -> Signal<'m>,
    meaning: fn(&Values) -> Int,
}

macro_rules! rows {
    ($($name:ident: $o:ident => $circuit:expr, $v:ident => $meaning:expr;)*) => {
        &[$(Row { name: stringify!($name), circuit: |$o| $circuit, meaning: |$v| $meaning }),*]
    };
}

#[rustfmt::skip]
const ROWS: &[Row] = rows! {
    sum:         o => o.a + o.b,                 v => into_range(&(&v.a + &v.b), v.ty);
    difference:  o => o.a - o.b,                 v => into_range(&(&v.a - &v.b), v.ty);
    product:     o => o.a * o.b,                 v => &v.a * &v.b;
    square:      o => o.a.mul(o.a),              v => &v.a * &v.a;
    with_short:  o => o.q * o.a,                 v => &v.q * &v.a;
    negative:    o => -o.a.as_signed(),          v => into_range(&-&v.a, s(v.n()));
    inverse:     o => !o.a,                      v => of_bits(&bits(&v.a, v.n()).iter().map(|bit| !bit).collect::<Vec<_>>(), v.ty);
    conjunction: o => o.a & o.b,                 v => bitwise(&v.a, &v.b, v.ty, |a, b| a && b);
    disjunction: o => o.a | o.b,                 v => bitwise(&v.a, &v.b, v.ty, |a, b| a || b);
    exclusive:   o => o.a ^ o.b,                 v => bitwise(&v.a, &v.b, v.ty, |a, b| a != b);
    equal:       o => o.a.eq(o.b),               v => truth(v.a == v.b);
    unequal:     o => o.a.ne(o.b),               v => truth(v.a != v.b);
    less:        o => o.a.lt(o.b),               v => truth(v.a < v.b);
    at_most:     o => o.a.le(o.b),               v => truth(v.a <= v.b);
    greater:     o => o.a.gt(o.b),               v => truth(v.a > v.b);
    at_least:    o => o.a.ge(o.b),               v => truth(v.a >= v.b);
    shifted_up:  o => o.a.shl(o.k),              v => left(&v.a, v.k, v.ty);
    shifted_dn:  o => o.a.shr(o.k),              v => right(&v.a, v.k, v.ty);
    by_short_up: o => o.a.shl(o.i),              v => left(&v.a, v.i, v.ty);
    by_short_dn: o => o.a.shr(o.i),              v => right(&v.a, v.i, v.ty);
    up_by_one:   o => o.a.shl(1),                v => left(&v.a, 1, v.ty);
    down_by_one: o => o.a.shr(1),                v => right(&v.a, 1, v.ty);
    up_by_all:   o => o.a.shl(o.a.width()),      v => left(&v.a, v.n(), v.ty);
    down_by_all: o => o.a.shr(o.a.width()),      v => right(&v.a, v.n(), v.ty);
    up_beyond:   o => o.a.shl(1000),             v => left(&v.a, 1000, v.ty);
    down_beyond: o => o.a.shr(1000),             v => right(&v.a, 1000, v.ty);
    all_ones:    o => o.a.all(),                 v => truth(bits(&v.a, v.n()).iter().all(|bit| *bit));
    any_one:     o => o.a.any(),                 v => truth(bits(&v.a, v.n()).iter().any(|bit| *bit));
    parity:      o => o.a.parity(),              v => truth(bits(&v.a, v.n()).iter().filter(|bit| **bit).count() % 2 == 1);
    middle:      o => o.a.slice(o.a.width() / 2, o.a.width() / 4), v => slice(&v.a, v.n(), v.n() / 2, v.n() / 4);
    whole:       o => o.a.slice(o.a.width() - 1, 0), v => slice(&v.a, v.n(), v.n() - 1, 0);
    lowest:      o => o.a.bit(0),                v => slice(&v.a, v.n(), 0, 0);
    sign:        o => o.a.msb(),                 v => slice(&v.a, v.n(), v.n() - 1, v.n() - 1);
    upper_half:  o => o.a.high(o.a.width().div_ceil(2)), v => slice(&v.a, v.n(), v.n() - 1, v.n() / 2);
    truncated:   o => o.a.truncate(o.a.width().div_ceil(2)), v => into_range(&v.a, v.ty.with_width(v.n().div_ceil(2)));
    extended:    o => o.a.extend(o.a.width() + 3), v => v.a.clone();
    far_wider:   o => o.a.extend(o.a.width() + 64), v => v.a.clone();
    resized:     o => o.a.resize(32),            v => into_range(&v.a, v.ty.with_width(32));
    to_signed:   o => o.a.to_signed(),           v => v.a.clone();
    as_signed:   o => o.a.as_signed(),           v => into_range(&v.a, s(v.n()));
    as_unsigned: o => o.a.as_unsigned(),         v => into_range(&v.a, u(v.n()));
    wide_signed: o => o.a.cast(s(o.a.width() + 1)), v => into_range(&v.a, s(v.n() + 1));
    wide_plain:  o => o.a.cast(u(o.a.width() + 33)), v => into_range(&v.a, u(v.n() + 33));
    narrow_sum:  o => (o.a.extend(o.a.width() + 1) + o.b.extend(o.a.width() + 1)).high(o.a.width()),
                 v => slice(&(&v.a + &v.b), v.n() + 1, v.n(), 1);
    joined:      o => cat(&[o.a, o.q, o.b]),     v => side_by_side(&[(&v.a, v.n()), (&v.q, 3), (&v.b, v.n())]);
    pair:        o => o.q.cat(o.a),              v => side_by_side(&[(&v.q, 3), (&v.a, v.n())]);
    cut_joint:   o => cat(&[o.a, o.q]).slice(o.a.width() + 1, 1), v => slice(&side_by_side(&[(&v.a, v.n()), (&v.q, 3)]), v.n() + 3, v.n() + 1, 1);
    repeated:    o => o.a.repeat(3),             v => side_by_side(&[(&v.a, v.n()); 3]);
    chosen:      o => mux(o.c, o.a, o.b),        v => if v.c { v.a.clone() } else { v.b.clone() };
    or_zero:     o => mux(o.c, o.a, 0),          v => if v.c { v.a.clone() } else { Int::ZERO };
    zero_or:     o => mux(o.c, 0, o.a),          v => if v.c { Int::ZERO } else { v.a.clone() };
    from_zero:   o => 0 - o.a,                   v => into_range(&-&v.a, v.ty);
    largest_and: o => largest(o.a.ty()) & o.a,   v => bitwise(&largest(v.ty), &v.a, v.ty, |a, b| a && b);
    plus_least:  o => o.a + least(o.a.ty()),     v => into_range(&(&v.a + least(v.ty)), v.ty);
    less_largest: o => largest(o.a.ty()) - o.a,  v => into_range(&(largest(v.ty) - &v.a), v.ty);
    times_least: o => o.a * least(o.a.ty()),     v => &v.a * least(v.ty);
    times_largest: o => largest(o.a.ty()) * o.a, v => &v.a * largest(v.ty);
    below_largest: o => o.a.lt(largest(o.a.ty())), v => truth(v.a < largest(v.ty));
    above_least: o => o.a.gt(least(o.a.ty())),   v => truth(v.a > least(v.ty));
    at_least_max: o => o.a.ge(largest(o.a.ty())), v => truth(v.a >= largest(v.ty));
    one_choice:  o => o.i.select(&[o.a]),        v => choose(v.i, &[&v.a]);
    two_choices: o => o.i.select(&[o.a, o.b]),   v => choose(v.i, &[&v.a, &v.b]);
    of_five:     o => o.i.select(&[o.a, o.b, !o.a, !o.b, o.a ^ o.b]), v => choose(v.i, &five(v).iter().collect::<Vec<_>>());
    of_six:      o => o.i.select(&[o.b, !o.b, o.a, !o.a, o.a, o.b]), v => { let [a, b, na, nb, _] = &five(v); choose(v.i, &[b, nb, a, na, a, b]) };
    of_eight:    o => o.i.select(&[o.a, o.b, o.b, o.a, !o.a, o.a, o.b, !o.b]), v => { let [a, b, na, nb, _] = &five(v); choose(v.i, &[a, b, b, a, na, a, b, nb]) };
};

/// Choice `i`; the last one where there is none.
fn choose(i: u32, choices: &[&Int]) -> Int {
    choices.get(i as usize).or(choices.last()).map(|choice| (*choice).clone()).unwrap()
}

/// `a`, `b`, their inverses, and where they differ.
fn five(v: &Values) -> [Int; 5] {
    let inverse = |value| bitwise(value, value, v.ty, |a, _| !a);
    let differ = bitwise(&v.a, &v.b, v.ty, |a, b| a != b);
    [v.a.clone(), v.b.clone(), inverse(&v.a), inverse(&v.b), differ]
}

fn least(ty: Type) -> Int {
    if ty.signed { -power(ty.width - 1) } else { Int::ZERO }
}

fn largest(ty: Type) -> Int {
    power(ty.width - u32::from(ty.signed)) - 1
}

fn types() -> impl Iterator<Item = Type> {
    WIDTHS.into_iter().flat_map(|width| [u(width), s(width)])
}

/// Corners of a type: its ends, around 0, single bits, stripes, and noise.
fn corners(ty: Type, rng: &mut ChaCha8Rng) -> Vec<Int> {
    let stripes: Vec<bool> = (0..ty.width).map(|bit| bit % 2 == 0).collect();
    let noise: Vec<bool> = (0..ty.width).map(|_| rng.random()).collect();
    let (low, high) = (least(ty), largest(ty));
    let all = [low.clone(), high.clone(), low + 1, high - 1, Int::ZERO, 1.into(), (-1).into()];
    let mut corners: Vec<Int> = all.iter().map(|value| into_range(value, ty)).collect();
    corners.extend([power(ty.width / 2), power(ty.width - 1)].map(|v| into_range(&v, ty)));
    corners.extend([stripes, noise].map(|bits| of_bits(&bits, ty)));
    corners.sort();
    corners.dedup();
    corners
}

/// Every pair of corners, with all amounts, choices and conditions among them.
fn cases(ty: Type) -> Vec<Values> {
    let mut rng = ChaCha8Rng::seed_from_u64(u64::from(ty.width));
    let n = ty.width;
    let amounts = [0, 1, n - 1, n, n + 1, 31, 32, 33, 63, 64, 65, 127, 128, 256, (1 << 31) - 1];
    let corners = corners(ty, &mut rng);
    let pairs = corners.iter().flat_map(|a| corners.iter().map(move |b| (a, b)));
    let mut values: Vec<Values> = pairs
        .enumerate()
        .map(|(at, (a, b))| {
            let q = into_range(&Int::from(rng.random_range(0..8)), ty.with_width(3));
            let (k, i) = (amounts[at % amounts.len()], rng.random_range(0..8));
            Values { ty, a: a.clone(), b: b.clone(), q, k, i, c: rng.random() }
        })
        .collect();
    for k in amounts {
        for i in 0..8 {
            let mut one = values[rng.random_range(0..values.len())].clone();
            (one.k, one.i) = (k, i);
            values.push(one);
        }
    }
    values
}

/// All rows on operands of one type.
fn rows_of(ty: Type) -> Arc<Module> {
    let m = ModuleBuilder::new(format!("rows_{ty}"));
    let operands = Operands {
        a: m.input("a", ty),
        b: m.input("b", ty),
        q: m.input("q", ty.with_width(3)),
        k: m.input("k", AMOUNT),
        i: m.input("i", u(3)),
        c: m.input("c", u(1)),
    };
    for row in ROWS {
        m.output(row.name, (row.circuit)(&operands));
    }
    m.finish()
}

/// All rows of all types side by side: one text to compile.
fn table() -> Arc<Module> {
    let m = ModuleBuilder::new("operators");
    for ty in types() {
        let inner = rows_of(ty);
        let rows = m.instance(format!("rows_{ty}"), &inner);
        for port in &inner.inputs {
            rows.input(&port.name, m.input(format!("{}_{ty}", port.name), port.ty));
        }
        for row in ROWS {
            m.output(format!("{}_{ty}", row.name), rows.output(row.name));
        }
    }
    m.finish()
}

#[test]
fn every_operator_means_what_the_language_says() {
    let mut all = Everywhere::open(&table());
    let cases: Vec<Vec<Values>> = types().map(cases).collect();
    let most = cases.iter().map(Vec::len).max().unwrap();
    for at in 0..most {
        let now: Vec<&Values> = cases.iter().map(|of_type| &of_type[at % of_type.len()]).collect();
        for v in &now {
            let (k, i) = (Int::from(v.k), Int::from(v.i));
            let inputs = [("a", &v.a), ("b", &v.b), ("q", &v.q), ("k", &k), ("i", &i)];
            for (input, value) in inputs.into_iter().chain([("c", &truth(v.c))]) {
                all.poke(&format!("{input}_{}", v.ty), value);
            }
        }
        for (block, v) in now.iter().enumerate() {
            for (row, Row { meaning, .. }) in ROWS.iter().enumerate() {
                all.check(block * ROWS.len() + row, &meaning(v), || format!("{v:?}"));
            }
        }
    }
    let (rows, types, engines) = (ROWS.len(), types().count(), ENGINES.len());
    println!(
        "semantics: {rows} rows at {types} types on {engines} engines, {} checks, 0 mismatches",
        all.checks
    );
}

#[test]
fn constant_folding_means_the_same() {
    let mut folded = 0;
    for ty in types() {
        for v in cases(ty).iter().step_by(3) {
            let m = ModuleBuilder::new("constants");
            let operands = Operands {
                a: m.lit(ty, v.a.clone()),
                b: m.lit(ty, v.b.clone()),
                q: m.lit(ty.with_width(3), v.q.clone()),
                k: m.lit(AMOUNT, v.k),
                i: m.lit(u(3), v.i),
                c: m.lit(u(1), truth(v.c)),
            };
            for row in ROWS {
                m.output(row.name, (row.circuit)(&operands));
            }
            let module = simplify(&m.finish(), Keep::Ports);
            for (row, port) in ROWS.iter().zip(&module.outputs) {
                let kind = &module.node(port.node).kind;
                let want = Kind::Constant((row.meaning)(v));
                assert_eq!(*kind, want, "`{}` of constants; {v:?}", row.name);
                folded += 1;
            }
        }
    }
    println!("semantics: {folded} expressions of constants folded, 0 mismatches");
}
