//! The value unit: weighted sums of the values of a row's keys.
//!
//! Two banks of accumulators take turns: one row is summed up while the row before is divided.

use super::AttendSpec;
use super::scores::{Beats, chunks};
use super::spec::ELEMENT_BITS;
use crate::wiring::{delayed_flag, held, pack};
use hwgen_hdl::{Module, ModuleBuilder, Reg, Signal, index_bits, u};
use std::sync::Arc;

/// Module `attend_values`; never stalls.
///
/// In: `uses` (a key's first beat), `weight`, `first`, `bank`, `value`, all of which stay for the
/// key's beats. Sums show two cycles after a key's last beat.
///
/// In `drain_bank`, `drain_step`; out at once: `sum` of the bank's weights, and `totals`, the elements
/// that the step divides, the first low.
pub(crate) fn module(spec: &AttendSpec) -> Arc<Module> {
    let m = ModuleBuilder::new("attend_values");
    m.doc("Sums of a row's values, weighted, and of its weights.");
    let uses = m.input("uses", u(1));
    let weight = m.input("weight", u(spec.probability_bits));
    let (first, bank) = (m.input("first", u(1)), m.input("bank", u(1)));
    let value = m.input("value", u(spec.vector_bits()));

    let beats = Beats::new(&m, spec.beats(), uses);
    let product_bits = spec.probability_bits + ELEMENT_BITS;
    let products: Vec<_> = (chunks(spec, value, beats.index).iter().enumerate())
        .map(|(lane, value)| {
            // as wide as both magnitudes and a sign: the weight has none
            let product = value.mul(weight.to_signed()).truncate(product_bits);
            held(&m, format!("product_{lane}"), product, beats.active)
        })
        .collect();
    let added = Add {
        spec,
        m: &m,
        valid: delayed_flag(&m, "product_valid", beats.active, 1),
        first: held(&m, "first_product", first, beats.active),
        bank: held(&m, "product_bank", bank, beats.active),
        beat: beats.index.map(|beat| held(&m, "product_beat", beat, beats.active)),
    };
    let totals: Vec<_> =
        (products.iter().enumerate()).map(|(lane, product)| added.lane(lane, *product)).collect();
    let weights = Add { valid: delayed_flag(&m, "weight_valid", uses, 1), beat: None, ..added };
    let weight = held(&m, "weight_added", weight, uses);
    let sums = weights.accumulators("sum", weight, spec.sum_bits(), 1).remove(0);

    let drain_bank = m.input("drain_bank", u(1));
    m.output("sum", drain_bank.select(&sums.map(Signal::from)));
    let of_bank: Vec<Signal<'_>> = (0..spec.head_dim)
        .map(|element| {
            let (beat, lane) = (element / spec.lanes, element % spec.lanes);
            let banks = totals[lane as usize][beat as usize];
            drain_bank.select(&banks.map(Signal::from)).named(format!("total_{element}"))
        })
        .collect();
    m.output("totals", drained(spec, &of_bank));
    m.finish()
}

/// The elements that the division step asks for; 0 beyond the last.
fn drained<'m>(spec: &AttendSpec, totals: &[Signal<'m>]) -> Signal<'m> {
    let m = totals[0].module();
    let steps = spec.division_steps();
    if steps == 1 {
        return pack(totals);
    }
    let step = m.input("drain_step", u(index_bits(steps as usize)));
    let zero = m.lit(totals[0].ty(), 0);
    let element = |place: u32| {
        let of_steps = (0..steps).map(|step| {
            let at = (step * spec.dividers() + place) as usize;
            totals.get(at).copied().unwrap_or(zero)
        });
        step.select(&of_steps.collect::<Vec<_>>())
    };
    pack(&(0..spec.dividers()).map(element).collect::<Vec<_>>())
}

/// An addition into the accumulators, at the end of a cycle.
#[derive(Clone, Copy)]
struct Add<'m, 's> {
    spec: &'s AttendSpec,
    m: &'m ModuleBuilder,
    valid: Signal<'m>,
    /// Starts the sum afresh.
    first: Signal<'m>,
    bank: Signal<'m>,
    beat: Option<Signal<'m>>,
}

impl<'m> Add<'m, '_> {
    /// The accumulators of a lane: for each beat one in each bank.
    fn lane(&self, lane: usize, product: Signal<'m>) -> Vec<[Reg<'m>; 2]> {
        let beats = (0..self.spec.beats()).filter(|beat| {
            let element = beat * self.spec.lanes + lane as u32;
            element < self.spec.head_dim
        });
        let count = beats.count();
        self.accumulators(&format!("lane_{lane}"), product, self.spec.total_bits(), count)
    }

    /// `beats` accumulators in each bank, and the adder they share.
    fn accumulators(
        &self,
        name: &str,
        addend: Signal<'m>,
        bits: u32,
        beats: usize,
    ) -> Vec<[Reg<'m>; 2]> {
        let ty = addend.ty().with_width(bits);
        let register = |beat: usize, bank: usize| {
            let name = if beats == 1 { name.to_owned() } else { format!("{name}_{beat}") };
            self.m.reg(format!("{name}_bank_{bank}"), ty).no_reset()
        };
        let registers: Vec<[Reg<'m>; 2]> =
            (0..beats).map(|beat| [0, 1].map(|bank| register(beat, bank))).collect();
        let chosen: Vec<Signal<'m>> =
            registers.iter().map(|banks| self.bank.select(&banks.map(Signal::from))).collect();
        let before = self.beat.map_or(chosen[0], |beat| beat.select(&chosen));
        let addend = addend.extend(bits);
        let after = self.first.mux(addend, before + addend).named(format!("{name}_next"));
        for (beat, banks) in registers.iter().enumerate() {
            let now = |now: Signal<'m>| {
                (self.valid & now.eq(beat as u32)).called(format!("beat_{beat}_valid"))
            };
            let its_beat = self.beat.map_or(self.valid, now);
            for (bank, register) in banks.iter().enumerate() {
                let its_bank = self.bank.eq(bank as u32).called(format!("to_bank_{bank}"));
                let adds = (its_beat & its_bank).called(format!("adds_{beat}_to_bank_{bank}"));
                register.next(after).enable(adds);
            }
        }
        registers
    }
}
