//! Registers: reset over `clear` over `enable`, synchronous and asynchronous resets of both
//! polarities, four clocks whose edges fall apart and together.

use super::statement::{of_bits, truth};
use super::{ENGINES, Everywhere};
use hwgen_hdl::netlist::ResetKind::{Async, Sync};
use hwgen_hdl::netlist::{Module, ResetKind};
use hwgen_hdl::{Int, ModuleBuilder, Type, s, u};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::sync::Arc;

/// A domain's name, its reset and whether that is active low, and what its registers hold.
const DOMAINS: [(&str, ResetKind, bool, Type); 4] = [
    ("sh", Sync, false, u(8)),
    ("sl", Sync, true, s(33)),
    ("ah", Async, false, s(65)),
    ("al", Async, true, u(129)),
];

/// Values after reset and `clear`.
fn reset_values(ty: Type) -> [Int; 2] {
    let stripes = |phase| (0..ty.width).map(|bit| bit % 3 == phase).collect::<Vec<_>>();
    [0, 1].map(|phase| of_bits(&stripes(phase), ty))
}

fn circuit() -> Arc<Module> {
    let m = ModuleBuilder::new("registers");
    let mut before = None;
    for (name, kind, low, ty) in DOMAINS {
        let domain = m.clock(format!("clk_{name}")).reset(format!("rst_{name}"), kind, low);
        let x = m.input(format!("x_{name}"), ty);
        let enable = m.input(format!("enable_{name}"), u(1));
        let clear = m.input(format!("clear_{name}"), u(1));
        let [full_value, bare_value] = reset_values(ty);
        let full = m.reg(format!("full_{name}"), ty).domain(domain).reset_to(full_value);
        full.next(x).enable(enable).clear(clear);
        let bare = m.reg(format!("bare_{name}"), ty).domain(domain).reset_to(bare_value);
        bare.next(x).enable(enable).clear(clear).no_reset();
        let plain = m.reg(format!("plain_{name}"), ty).domain(domain);
        plain.next(plain ^ x);
        m.output(format!("{name}_full"), full);
        m.output(format!("{name}_bare"), bare);
        m.output(format!("{name}_plain"), plain);
        if let Some(other) = before {
            let seen = m.reg(format!("seen_{name}"), s(1)).domain(domain);
            seen.next(hwgen_hdl::Signal::from(other).bit(0).as_signed());
            m.output(format!("{name}_seen"), seen);
        }
        before = Some(full);
    }
    m.finish()
}

/// A domain as the language describes it.
#[derive(Clone)]
struct Domain {
    ty: Type,
    values: [Int; 2],
    reset: bool,
    x: Int,
    enable: bool,
    clear: bool,
    full: Int,
    bare: Int,
    plain: Int,
    seen: Int,
}

impl Domain {
    fn take_reset(&mut self) {
        self.full = self.values[0].clone();
        (self.plain, self.seen) = (Int::ZERO, Int::ZERO);
    }

    /// A rising edge; `other` is the domain before as it was before the edge.
    fn edge(&mut self, other: Option<&Domain>) {
        if self.clear {
            (self.full, self.bare) = (self.values[0].clone(), self.values[1].clone());
        } else if self.enable {
            (self.full, self.bare) = (self.x.clone(), self.x.clone());
        }
        self.plain = super::statement::bitwise(&self.plain, &self.x, self.ty, |a, b| a != b);
        if let Some(other) = other {
            self.seen = -truth(super::statement::bits(&other.full, 1)[0]);
        }
        if self.reset {
            self.take_reset();
        }
    }
}

#[test]
fn registers_do_what_the_language_says() {
    let mut all = Everywhere::open(&circuit());
    let mut rng = ChaCha8Rng::seed_from_u64(14);
    let mut domains = DOMAINS.map(|(_, _, _, ty)| Domain {
        ty,
        values: reset_values(ty),
        reset: true,
        x: Int::ZERO,
        enable: false,
        clear: true,
        full: Int::ZERO,
        bare: Int::ZERO,
        plain: Int::ZERO,
        seen: Int::ZERO,
    });
    for cycle in 0..400 {
        for ((name, kind, low, ty), domain) in DOMAINS.iter().zip(&mut domains) {
            if cycle > 1 {
                let bits: Vec<bool> = (0..ty.width).map(|_| rng.random()).collect();
                domain.x = of_bits(&bits, *ty);
                domain.reset = rng.random_bool(0.15);
                domain.clear = rng.random_bool(0.2);
                domain.enable = rng.random_bool(0.6);
            }
            all.poke(&format!("x_{name}"), &domain.x);
            all.poke(&format!("enable_{name}"), &truth(domain.enable));
            all.poke(&format!("clear_{name}"), &truth(domain.clear));
            all.poke(&format!("rst_{name}"), &truth(domain.reset != *low));
            if domain.reset && *kind == Async {
                domain.take_reset();
            }
        }
        if cycle > 1 {
            check(&mut all, &domains, &format!("before edge {cycle}"));
        }
        let ticking = DOMAINS.map(|_| cycle < 2 || rng.random_bool(0.6));
        let before = domains.clone();
        for at in (0..domains.len()).filter(|&at| ticking[at]) {
            domains[at].edge(at.checked_sub(1).map(|other| &before[other]));
        }
        let clocks: Vec<String> = (DOMAINS.iter().zip(ticking))
            .filter(|(_, ticks)| *ticks)
            .map(|((name, ..), _)| format!("clk_{name}"))
            .collect();
        all.tick(&clocks.iter().map(String::as_str).collect::<Vec<_>>());
        if cycle > 0 {
            check(&mut all, &domains, &format!("after edge {cycle} of {clocks:?}"));
        }
    }
    println!("semantics: registers on {} engines, {} checks", ENGINES.len(), all.checks);
}

fn check(all: &mut Everywhere, domains: &[Domain], when: &str) {
    for (at, ((name, ..), domain)) in DOMAINS.iter().zip(domains).enumerate() {
        let shown = [("full", &domain.full), ("bare", &domain.bare), ("plain", &domain.plain)];
        let seen = (at > 0).then_some(("seen", &domain.seen));
        for (register, want) in shown.into_iter().chain(seen) {
            all.check(all.output(&format!("{name}_{register}")), want, || when.to_string());
        }
    }
}
