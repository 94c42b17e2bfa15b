//! A pipe that never stalls, with queues behind it that always have room.
//!
//! ```text
//! groups --> issue --> pipe --+--> group queue -----------------> filter --> out
//!    row -----^  ^            +--> limit of the row, its queue --^
//!                +--- credits, one for each place in the queues <--- taken
//! ```
//!
//! A group is issued only if it has a place in the group queue, the last one of a row only if the
//! row has a place in the limit queue.

use hwgen_hdl::lib::fifo::{Storage, fifo, fifo_with};
use hwgen_hdl::{Bundle, Module, ModuleBuilder, Signal, Stream, Wire, bits_for, u};
use std::sync::Arc;

/// A pipe under construction.
pub(crate) struct Pipe<'m> {
    m: &'m ModuleBuilder,
    places: Places,
    out_taken: Wire<'m>,
    row_taken: Wire<'m>,
}

/// Room behind a pipe, and what its parts are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Places {
    /// Before the names of wires and credits: `""` for the only pipe of a module.
    pub(crate) prefix: &'static str,
    /// The queue in which groups wait.
    pub(crate) queue: &'static str,
    /// Groups between issue and filter.
    pub(crate) groups: u32,
    /// Rows between issue of their last group and filter.
    pub(crate) rows: u32,
}

/// When groups enter the pipe.
pub(crate) struct Issue<'m> {
    /// A group does.
    pub(crate) now: Signal<'m>,
    /// And it is its row's last.
    pub(crate) last: Signal<'m>,
}

impl<'m> Issue<'m> {
    /// A group does, and it is its row's first: what is the row's alone changes here and then
    /// holds still while its groups pass.
    pub(crate) fn begins(&self, m: &'m ModuleBuilder) -> Signal<'m> {
        let first = m.reg("row_first", u(1)).reset_to(1);
        first.next(self.last).enable(self.now);
        (self.now & *first).named("row_begins")
    }
}

impl<'m> Pipe<'m> {
    /// A pipe in module `m`.
    pub(crate) fn new(m: &'m ModuleBuilder, places: Places) -> Pipe<'m> {
        let wire = |name| m.wire(format!("{}{name}", places.prefix), u(1));
        let (out_taken, row_taken) = (wire("out_taken"), wire("row_taken"));
        Pipe { m, places, out_taken, row_taken }
    }

    /// Takes a group from `groups` (fields `live`, `last` and others) whenever it has a place
    /// behind the pipe, `row` is there to go with it and nothing is on `hold`.
    pub(crate) fn issue(
        &self,
        groups: &Stream<'m>,
        row: Option<&Stream<'m>>,
        hold: Option<Signal<'m>>,
    ) -> Issue<'m> {
        let name = |name| format!("{}{name}", self.places.prefix);
        let (now, last) = (self.m.wire(name("issue"), u(1)), self.m.wire(name("issue_last"), u(1)));
        let [group_fits, row_fits] = self.room(*now, *last);

        let ends = groups.get("last");
        let fits = row.map_or(group_fits, |row| row.valid & group_fits) & (row_fits | !ends);
        let may_issue = hold.map_or(fits, |hold| fits & !hold).called(name("may_issue"));
        groups.ready.drive(may_issue);
        now.drive(groups.valid & may_issue);
        last.drive(*now & ends);
        if let Some(row) = row {
            row.ready.drive(*last);
        }
        Issue { now: *now, last: *last }
    }

    /// Whether there is a place behind the pipe for one more group, and for one more row; `group` and
    /// `row` tell when one is taken.
    pub(crate) fn room(&self, group: Signal<'m>, row: Signal<'m>) -> [Signal<'m>; 2] {
        let name = |name| format!("{}{name}", self.places.prefix);
        let Places { groups, rows, .. } = self.places;
        [
            self.credits(name("group_credits"), groups, group, *self.out_taken),
            self.credits(name("row_credits"), rows, row, *self.row_taken),
        ]
    }

    /// Whether any of `room` places is free: `take` takes one, `give` frees one.
    fn credits(&self, name: String, room: u32, take: Signal<'m>, give: Signal<'m>) -> Signal<'m> {
        let free = self.m.reg(name, u(bits_for(room.into()))).reset_to(room);
        free.next(give.mux(free + 1, free - 1)).enable(take ^ give);
        free.any()
    }

    /// Groups that left the pipe wait for their row's limit; `filter` makes of a group, its limit
    /// and the wire that tells when it leaves the payload that leaves.
    ///
    /// The fields of a group include `last`.
    pub(crate) fn wait(
        &self,
        groups: &Stream<'m>,
        limit: &Stream<'m>,
        filter: impl FnOnce(&Stream<'m>, &Stream<'m>, Signal<'m>) -> Bundle<'m>,
    ) -> Stream<'m> {
        let prefix = self.places.prefix;
        let depth = self.places.groups as usize;
        let queue = fifo_with(Storage::BlockRam, depth, &groups.payload.shape());
        let groups = self.queue(self.places.queue.to_owned(), &queue, groups);
        let queue = fifo(self.places.rows as usize, &limit.payload.shape());
        let limits = self.queue(format!("{prefix}limit_queue"), &queue, limit);

        let payload = filter(&groups, &limits, *self.out_taken);
        let both = (groups.valid & limits.valid).called(format!("{prefix}out_valid"));
        let out = Stream::source(self.m, &format!("{prefix}out"), both, payload);
        self.out_taken.drive(out.fires());
        self.row_taken.drive(*self.out_taken & out.get("last"));
        groups.ready.drive(*self.out_taken);
        limits.ready.drive(*self.row_taken);
        out
    }

    /// Sends `from` through a queue that has a place for it, as the credits see to.
    fn queue(&self, name: String, queue: &Arc<Module>, from: &Stream<'m>) -> Stream<'m> {
        let instance = self.m.instance(&*name, queue);
        instance.stream_into("in", from.clone());
        self.m.promise(format!("{name} has room"), *from.ready | !from.valid);
        instance.stream_from("out")
    }
}
