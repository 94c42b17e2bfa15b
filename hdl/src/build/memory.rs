//! Memories.

use super::{Domain, ModuleBuilder, Signal};
use crate::error::HdlError;
use crate::netlist::{ClockId, Kind, Memory, MemoryId, ReadPort, WritePort};
use crate::place::Place;
use crate::ty::{Int, Type, index_bits, u};
use std::sync::Arc;

/// The deepest memory, in words; it bounds allocation.
pub const MAX_DEPTH: usize = 1 << 24;

/// A memory under construction. Addresses have [`index_bits`]`(depth)` bits.
#[derive(Clone, Copy)]
pub struct MemoryBuilder<'m> {
    builder: &'m ModuleBuilder,
    id: MemoryId,
    depth: usize,
    word: Type,
}

impl ModuleBuilder {
    /// A memory of `depth` words of type `word`.
    #[track_caller]
    pub fn memory(&self, name: impl Into<String>, depth: usize, word: Type) -> MemoryBuilder<'_> {
        let (name, at) = (name.into(), Place::here());
        self.check_name(&name, at);
        let word = self.check_type(&format!("memory `{name}`"), word, at);
        let mut bounded = depth;
        if !(1..=MAX_DEPTH).contains(&depth) {
            let (name, max) = (name.clone(), MAX_DEPTH);
            self.error(HdlError::MemoryDepth { at, name, depth, max });
            bounded = 1;
        }
        let mut draft = self.draft.borrow_mut();
        let id = MemoryId::new(draft.module.memories.len());
        draft.module.memories.push(Memory {
            name: name.into(),
            depth: bounded,
            word,
            init: vec![],
            writes: vec![],
            reads: vec![],
            place: at,
        });
        MemoryBuilder { builder: self, id, depth: bounded, word }
    }
}

impl<'m> MemoryBuilder<'m> {
    /// Type of an address.
    pub fn address_type(&self) -> Type {
        u(index_bits(self.depth))
    }

    fn name(&self) -> String {
        self.builder.draft.borrow().module.memories[self.id.index()].name.to_string()
    }

    fn with<T>(&self, change: impl FnOnce(&mut Memory) -> T) -> T {
        change(&mut self.builder.draft.borrow_mut().module.memories[self.id.index()])
    }

    /// Gives the words values at power-up. A memory that is never written is a ROM.
    #[track_caller]
    pub fn init(self, words: impl IntoIterator<Item = impl Into<Int>>) -> MemoryBuilder<'m> {
        let at = Place::here();
        let words: Vec<Int> = words.into_iter().take(MAX_DEPTH + 1).map(Into::into).collect();
        let (name, given, depth, ty) = (self.name(), words.len(), self.depth, self.word);
        if given > depth {
            let name = name.clone();
            self.builder.error(HdlError::MemoryInit { at, name, given, depth });
            return self;
        }
        if let Some((index, word)) = words.iter().enumerate().find(|(_, word)| !ty.holds(word)) {
            let (name, value) = (name.clone(), word.clone());
            self.builder.error(HdlError::MemoryWord { at, name, index, value, ty });
            return self;
        }
        let what = format!("memory `{name}`");
        if self.builder.first_time("init", self.id.index(), what, at) {
            self.with(|memory| memory.init = words);
        }
        self
    }

    /// Whether the address has this memory's address type.
    fn check_address(&self, address: Signal<'m>, at: Place) -> bool {
        if !self.builder.owns(address, at) {
            return false;
        }
        let fits = address.ty() == self.address_type();
        if !fits {
            let (name, want) = (self.name(), self.address_type().width);
            let got = self.builder.describe(address.id());
            self.builder.error(HdlError::MemoryAddress { at, name, want, got });
        }
        fits
    }

    /// A write port in the default clock domain.
    #[track_caller]
    pub fn write(
        self,
        address: impl Into<Signal<'m>>,
        data: impl Into<Signal<'m>>,
        enable: impl Into<Signal<'m>>,
    ) -> MemoryBuilder<'m> {
        self.add_write(None, [address.into(), data.into(), enable.into()], None)
    }

    /// A write port with a lane mask (byte enables), in the default clock domain: bit `i` of
    /// `mask` lets lane `i` of the word through, lane 0 being the lowest.
    #[track_caller]
    pub fn write_masked(
        self,
        address: impl Into<Signal<'m>>,
        data: impl Into<Signal<'m>>,
        enable: impl Into<Signal<'m>>,
        mask: impl Into<Signal<'m>>,
    ) -> MemoryBuilder<'m> {
        self.add_write(None, [address.into(), data.into(), enable.into()], Some(mask.into()))
    }

    /// A write port in the given clock domain. All write ports of a memory have one clock.
    #[track_caller]
    pub fn write_in(
        self,
        domain: Domain<'m>,
        address: impl Into<Signal<'m>>,
        data: impl Into<Signal<'m>>,
        enable: impl Into<Signal<'m>>,
    ) -> MemoryBuilder<'m> {
        self.add_write(Some(domain), [address.into(), data.into(), enable.into()], None)
    }

    /// A write port with a lane mask in the given clock domain.
    #[track_caller]
    pub fn write_masked_in(
        self,
        domain: Domain<'m>,
        address: impl Into<Signal<'m>>,
        data: impl Into<Signal<'m>>,
        enable: impl Into<Signal<'m>>,
        mask: impl Into<Signal<'m>>,
    ) -> MemoryBuilder<'m> {
        let ports = [address.into(), data.into(), enable.into()];
        self.add_write(Some(domain), ports, Some(mask.into()))
    }

    /// A port in the given clock domain, or in the default one.
    #[track_caller]
    fn add_write(
        self,
        domain: Option<Domain<'m>>,
        [address, data, enable]: [Signal<'m>; 3],
        mask: Option<Signal<'m>>,
    ) -> MemoryBuilder<'m> {
        let place = Place::here();
        let clock = match domain {
            Some(domain) if !self.builder.owns_domain(domain, place) => return self,
            Some(domain) => domain.id,
            None => self.builder.default_clock_later(place),
        };
        let name = self.name();
        let enable_role = format!("write enable of memory `{name}`");
        let owned = [Some(data), Some(enable), mask].into_iter().flatten();
        if !owned.map(|signal| self.builder.owns(signal, place)).fold(true, |all, own| all & own)
            || !self.check_address(address, place)
            || !self.builder.check_bit(&enable_role, enable, place)
        {
            return self;
        }
        if data.ty() != self.word {
            let target = format!("word of memory `{name}: {}`", self.word);
            let value = self.builder.describe(data.id());
            self.builder.error(HdlError::DriveType { at: place, target, value });
            return self;
        }
        if let Some(mask) = mask
            && (mask.ty().signed || !self.word.width.is_multiple_of(mask.width()))
        {
            let (mask, width) = (mask.width(), self.word.width);
            self.builder.error(HdlError::MemoryMask { at: place, name, mask, width });
            return self;
        }
        let (address, data, enable) = (address.id(), data.id(), enable.id());
        let mask = mask.map(|mask| mask.id());
        let port = WritePort { clock, address, data, enable, mask, place };
        self.with(|memory| memory.writes.push(port));
        self
    }

    /// A read port that shows the addressed word at once.
    #[track_caller]
    pub fn read(self, address: impl Into<Signal<'m>>) -> Signal<'m> {
        self.add_read(None, address.into(), Place::here())
    }

    /// A registered read port in the default domain: the word addressed at a rising edge with
    /// `enable` shows until the next such edge. It is not reset.
    #[track_caller]
    pub fn read_sync(
        self,
        address: impl Into<Signal<'m>>,
        enable: impl Into<Signal<'m>>,
    ) -> Signal<'m> {
        let at = Place::here();
        let clock = self.builder.default_clock_later(at);
        self.add_read(Some((clock, enable.into())), address.into(), at)
    }

    /// A registered read port in the given clock domain.
    #[track_caller]
    pub fn read_sync_in(
        self,
        domain: Domain<'m>,
        address: impl Into<Signal<'m>>,
        enable: impl Into<Signal<'m>>,
    ) -> Signal<'m> {
        let at = Place::here();
        if !self.builder.owns_domain(domain, at) {
            return self.builder.poison(self.word, at);
        }
        self.add_read(Some((domain.id, enable.into())), address.into(), at)
    }

    fn add_read(
        self,
        sync: Option<(ClockId, Signal<'m>)>,
        address: Signal<'m>,
        place: Place,
    ) -> Signal<'m> {
        let name = self.name();
        let role = format!("read enable of memory `{name}`");
        let enable_fits = sync.is_none_or(|(_, enable)| {
            self.builder.owns(enable, place) && self.builder.check_bit(&role, enable, place)
        });
        if !self.check_address(address, place) || !enable_fits {
            return self.builder.poison(self.word, place);
        }
        let port = self.with(|memory| memory.reads.len());
        let kind = Kind::MemoryRead { memory: self.id, port };
        // Named after the memory: a registered read is a register in the text.
        let suffix = if port == 0 { "word".to_string() } else { format!("word_{port}") };
        let name = sync.is_some().then(|| Arc::from(format!("{name}_{suffix}")));
        let signal = self.builder.add(kind, self.word, name, place);
        let sync = sync.map(|(clock, enable)| (clock, enable.id()));
        let read = ReadPort { node: signal.id(), address: address.id(), sync };
        self.with(|memory| memory.reads.push(read));
        signal
    }
}
