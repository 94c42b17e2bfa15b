//! Synchronisers: a bit, or a reset, from outside the clock domain.

use super::naming::check_range;
use crate::Place;
use crate::build::{Domain, ModuleBuilder, Signal};
use crate::netlist::Module;
use crate::ty::u;
use std::sync::Arc;

/// `signal` through `stages` registers of `domain`, reset to `idle`: `{name}_meta` (which may go
/// metastable), `{name}_sync_1`, .. One bit only, or a bus that changes one bit at a time (Gray
/// code). Latency `stages` cycles; a pulse shorter than a cycle may be lost.
///
/// # Panics
/// If `stages` is outside `2..=8`.
#[track_caller]
pub fn synchronize<'m>(
    domain: Domain<'m>,
    name: &str,
    signal: Signal<'m>,
    stages: u32,
    idle: u32,
) -> Signal<'m> {
    let _caller = Place::of_caller();
    check_range("synchronizer", "stages", stages, 2..=8);
    (0..stages).fold(signal, |from, stage| {
        let name = match stage {
            0 => format!("{name}_meta"),
            _ => format!("{name}_sync_{stage}"),
        };
        let register = signal.module().reg(name, signal.ty()).domain(domain);
        register.reset_to(idle).next(from).into()
    })
}

/// A bit synchroniser: in `async_in` of another clock domain or none, out `sync_out`, `stages`
/// edges of `clk` later; `idle` while in reset.
///
/// # Panics
/// If `stages` is outside `2..=8`.
pub fn module(stages: u32, idle: bool) -> Arc<Module> {
    let m = ModuleBuilder::new(format!("bit_synchronizer_n{stages}_i{}", u32::from(idle)));
    m.doc("Brings a bit from outside into the clock domain.");
    m.parameter("stages", stages);
    m.parameter("idle", u32::from(idle));
    let from = m.input("async_in", u(1));
    m.output("sync_out", synchronize(m.domain(), "bit", from, stages, idle.into()));
    m.finish()
}

/// A reset synchroniser: out `rst` goes to 1 at once with the asynchronous reset `async_rst` (or
/// `async_rst_n`, active low), and back to 0 at the `stages`-th edge of `clk` after its end.
///
/// # Panics
/// If `stages` is outside `2..=8`.
pub fn reset_synchronizer(stages: u32, active_low: bool) -> Arc<Module> {
    check_range("synchronizer", "stages", stages, 2..=8);
    let (suffix, port) = if active_low { ("_low", "async_rst_n") } else { ("", "async_rst") };
    let m = ModuleBuilder::new(format!("reset_synchronizer_n{stages}{suffix}"));
    m.doc("Resets at once, releases at a clock edge.");
    m.parameter("stages", stages);
    m.parameter("active_low", active_low);
    m.clock("clk").reset(port, crate::netlist::ResetKind::Async, active_low).default();
    let released = (0..stages).fold(m.lit(u(1), 0), |from, stage| {
        m.reg(format!("held_{stage}"), u(1)).reset_to(1).next(from).into()
    });
    m.output("rst", released);
    m.finish()
}

pub(super) fn samples() -> Vec<Arc<Module>> {
    vec![
        module(2, false),
        module(2, true),
        module(8, false),
        reset_synchronizer(2, false),
        reset_synchronizer(3, true),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lib::testing::{Random, simulate};

    #[test]
    fn bits_arrive_late() {
        for stages in [2, 3, 8] {
            for idle in [false, true] {
                let mut sim = simulate(&module(stages, idle));
                let mut random = Random::new(stages.into());
                let mut on_the_way = vec![u64::from(idle); stages as usize];
                for _ in 0..100 {
                    assert_eq!(sim.peek_u64("sync_out"), on_the_way[0]);
                    let bit = random.below(2);
                    sim.poke("async_in", bit);
                    on_the_way.remove(0);
                    on_the_way.push(bit);
                    sim.step();
                }
            }
        }
    }

    #[test]
    fn reset_comes_at_once_and_goes_at_an_edge() {
        for (active_low, port) in [(false, "async_rst"), (true, "async_rst_n")] {
            for stages in [2, 3] {
                let mut sim = simulate(&reset_synchronizer(stages, active_low));
                let (on, off) = if active_low { (0, 1) } else { (1, 0) };
                sim.poke(port, off);
                sim.steps(10);
                assert_eq!(sim.peek_u64("rst"), 0);
                sim.poke(port, on);
                assert_eq!(sim.peek_u64("rst"), 1, "without an edge");
                sim.poke(port, off);
                for _ in 0..stages {
                    assert_eq!(sim.peek_u64("rst"), 1);
                    sim.step();
                }
                assert_eq!(sim.peek_u64("rst"), 0);
            }
        }
    }
}
