//! Round-robin arbiter: who was served last comes last.

use super::naming::check_range;
use super::priority_encoder::lowest_one;
use crate::Place;
use crate::build::{ModuleBuilder, Signal};
use crate::netlist::Module;
use crate::ty::u;
use std::sync::Arc;

/// The one-hot grant among `requests`; 0 if nobody requests. Combinational, with one register
/// `{name}_after_last` in the default domain, which remembers who comes after the last one served.
///
/// An edge with `served` counts the requester granted in that cycle as served. Fair: of `n`
/// requesters, one that keeps requesting is granted after at most `n - 1` others were served.
#[track_caller]
pub fn round_robin<'m>(
    name: &str,
    requests: Signal<'m>,
    served: impl Into<Signal<'m>>,
) -> Signal<'m> {
    let _caller = Place::of_caller();
    let after_last = requests.module().reg(format!("{name}_after_last"), requests.ty());
    let waiting = (requests & *after_last).named(format!("{name}_waiting"));
    let grant = waiting.any().mux(lowest_one(waiting), lowest_one(requests));
    // The bits above the grant; none if nobody was granted, which is as after a reset.
    after_last.next(!(grant | (grant - 1))).enable(served);
    grant.named(format!("{name}_grant"))
}

/// The arbiter alone: in `requests: u(width)`, `served`, out `grant`. The grant is combinational
/// in `requests`.
///
/// # Panics
/// If `width` is outside `1..=1024`.
pub fn module(width: u32) -> Arc<Module> {
    check_range("round_robin", "width", width, 1..=1024);
    let m = ModuleBuilder::new(format!("round_robin_w{width}"));
    m.doc("One-hot grant; the requester served last comes last.");
    m.parameter("width", width);
    let (requests, served) = (m.input("requests", u(width)), m.input("served", u(1)));
    m.output("grant", round_robin("turn", requests, served));
    m.finish()
}

pub(super) fn samples() -> Vec<Arc<Module>> {
    [1, 2, 5, 16].map(module).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lib::testing::{Random, simulate};

    #[test]
    fn takes_turns() {
        for width in [1u32, 2, 3, 4, 5, 8] {
            let mut sim = simulate(&module(width));
            let mut random = Random::new(width.into());
            // The first one to look at: after a reset requester 0.
            let mut next = 0;
            for _ in 0..500 {
                let requests = random.below(1 << width) & random.below(1 << width);
                let served = random.percent(70);
                sim.poke("requests", requests);
                sim.poke("served", u32::from(served));
                let mut order = (next..width).chain(0..next);
                let winner = order.find(|i| requests >> i & 1 == 1);
                assert_eq!(sim.peek_u64("grant"), winner.map_or(0, |i| 1 << i));
                if served {
                    next = winner.map_or(0, |i| (i + 1) % width);
                }
                sim.step();
            }
        }
    }

    #[test]
    fn nobody_waits_longer_than_a_round() {
        let width = 6;
        let mut sim = simulate(&module(width));
        let mut random = Random::new(10);
        sim.poke("served", 1);
        let mut waited = vec![0; width as usize];
        for _ in 0..600 {
            let requests = (0..width).filter(|i| waited[*i as usize] > 0 || random.percent(60));
            let requests: u64 = requests.map(|i| 1 << i).sum();
            sim.poke("requests", requests);
            let grant = sim.peek_u64("grant");
            assert_eq!(grant.count_ones(), u32::from(requests != 0), "one-hot");
            for (i, waited) in waited.iter_mut().enumerate() {
                let (wants, wins) = (requests >> i & 1 == 1, grant >> i & 1 == 1);
                *waited = if wants && !wins { *waited + 1 } else { 0 };
                assert!(*waited < width);
            }
            sim.step();
        }
    }
}
