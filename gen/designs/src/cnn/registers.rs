//! What a host reads of the core: a word, one cycle after its address.

use hwgen_hdl::{ModuleBuilder, Signal, cat, u};

/// What the words tell of.
pub(super) struct Events<'m> {
    /// The program runs.
    pub(super) started: Signal<'m>,
    /// It waits for an input's first beat.
    pub(super) waiting: Signal<'m>,
    /// A first beat comes.
    pub(super) first_beat: Signal<'m>,
    /// The program's last beat goes.
    pub(super) last_beat: Signal<'m>,
    /// The array makes a step; and one of two weights a lane. Counted if there.
    pub(super) steps: Option<[Signal<'m>; 2]>,
}

/// Ports `status_address` and `status`: 0, bits `waiting`, `started`; 1, inferences done; 2, cycles
/// of the latest, from its first beat in to its last beat out; 3, cycles since the reset; 4, steps of
/// the array since then; 5, those of two weights a lane. All wrap at 32 bits.
pub(super) fn registers<'m>(m: &'m ModuleBuilder, events: &Events<'m>) {
    let word = u(32);
    let since_reset = m.reg("cycles_since_reset", word);
    since_reset.next(*since_reset + 1);
    let inferences = m.reg("inferences_done", word);
    inferences.next(*inferences + 1).enable(events.last_beat);
    // the network's first input begins the count, others go on
    let counting = m.reg("counting", u(1));
    let begins = (events.first_beat & !*counting).called("count_begins");
    counting.next(!events.last_beat).enable(begins | events.last_beat);
    let running = m.reg("cycles_running", word).no_reset();
    let cycles = (*running + 1).called("cycles_now");
    running.next(begins.mux(m.lit(word, 1), cycles));
    let latest = m.reg("latest_cycles", word).next(cycles).enable(events.last_beat);
    let status = cat(&[m.lit(u(30), 0), events.started, events.waiting]);
    let mut words = vec![status, *inferences, *latest, *since_reset];
    let which = m.input("status_address", u(if events.steps.is_some() { 3 } else { 2 }));
    if let Some(steps) = events.steps {
        for (name, steps) in ["steps_made", "double_steps_made"].into_iter().zip(steps) {
            let count = m.reg(name, word);
            words.push(*count.next(*count + 1).enable(steps));
        }
        words.resize(8, m.lit(word, 0));
    }
    let value = which.select(&words);
    m.output("status", m.reg("status_read", word).next(value));
}
