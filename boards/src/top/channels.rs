//! The design and the ways into it and out of it.
//!
//! Every incoming channel has a place for one beat, into which bytes move from above. That a channel is
//! another's neighbor costs it nothing: a design may take two streams at once, in any order.

use super::state::{Link, State};
use super::{Payload, TopError};
use crate::link::channel::{Channel, Channels};
use crate::link::packet::Kind;
use crate::link::{CONTENTS_CHANNEL, MOST_DATA};
use hwgen_hdl::lib::{Crc, crc};
use hwgen_hdl::netlist::ResetKind;
use hwgen_hdl::{Bundle, InstanceBuilder, ModuleBuilder, Signal, u};

/// What the link sees of the question's channel.
pub(super) struct Core<'m> {
    /// Incoming: a beat stands in its place.
    pub(super) place_taken: Signal<'m>,
    /// The number of a beat's last byte.
    pub(super) last_byte: Signal<'m>,
    /// Outgoing: a beat is there.
    pub(super) there: Signal<'m>,
    /// Its byte of that index.
    pub(super) byte: Signal<'m>,
    /// It has `last`.
    pub(super) last: Signal<'m>,
    /// Beats that an answer has room for.
    pub(super) most_beats: Signal<'m>,
    /// The design waits for something to do, if it tells.
    pub(super) waits: Option<Signal<'m>>,
    /// A byte is read of the first channel.
    pub(super) first: Signal<'m>,
    /// The check of what was loaded since the reset.
    pub(super) contents: Signal<'m>,
}

impl<'m> Core<'m> {
    pub(super) fn new(
        m: &'m ModuleBuilder,
        link: &Link<'m>,
        payload: &Payload,
        channels: &Channels,
    ) -> Result<Core<'m>, TopError> {
        let resets = link.is(State::Finish) & *link.answers & link.asks(Kind::Reset);
        let resets = resets.named("design_resets");
        let module = &payload.module;
        let reset = module.clocks.first().and_then(|clock| clock.reset.as_ref());
        let reset = reset.filter(|reset| reset.kind == ResetKind::Sync && !reset.active_low);
        let port = reset.and_then(|reset| module.inputs.iter().find(|p| p.node == reset.signal));
        let Some(port) = port else {
            return Err(TopError::Reset { module: module.name.to_string() });
        };
        let design = m.instance("payload", module);
        design.input(&port.name, m.domain().in_reset() | resets);

        let taken: Vec<_> = (channels.incoming.iter().enumerate())
            .map(|(at, channel)| place(m, link, &design, channel, at as u32, resets))
            .collect();
        let ways: Vec<_> = (channels.outgoing.iter().enumerate())
            .map(|(at, channel)| way(m, link, &design, channel, at as u32))
            .collect();

        // of all channels the one that the question names
        let choose = |of: Vec<Signal<'m>>| match of.is_empty() {
            true => None,
            false => Some(link.channel.select(&of)),
        };
        let bit = |value: u32| m.lit(u(1), value);
        let byte = |value: usize| m.lit(u(8), value);
        let ends = |of: &[Channel]| choose(of.iter().map(|c| byte(c.bytes() - 1)).collect());
        let most = channels.outgoing.iter().map(|channel| byte(MOST_DATA / channel.bytes()));
        let incoming = ends(&channels.incoming).unwrap_or_else(|| byte(0));
        let outgoing = ends(&channels.outgoing).unwrap_or_else(|| byte(0));
        let waits = module.outputs.iter().find(|port| &*port.name == "waiting");
        let waits = waits.filter(|port| port.ty == u(1));
        Ok(Core {
            place_taken: choose(taken).unwrap_or_else(|| bit(0)).named("place_taken"),
            last_byte: link.asks(Kind::Read).mux(outgoing, incoming).named("last_byte"),
            there: choose(ways.iter().map(|way| way.valid).collect())
                .unwrap_or_else(|| bit(0))
                .named("beat_there"),
            byte: choose(ways.iter().map(|way| way.byte).collect())
                .unwrap_or_else(|| byte(0))
                .named("beat_byte"),
            last: choose(ways.iter().map(|way| way.last).collect())
                .unwrap_or_else(|| bit(0))
                .named("beat_has_last"),
            most_beats: choose(most.collect()).unwrap_or_else(|| byte(0)).named("most_beats"),
            waits: waits.map(|port| design.output(&port.name)),
            first: *link.takes & link.channel.eq(0),
            contents: contents(m, link, channels, resets),
        })
    }
}

/// The check of all bytes that went into the channel of the core's contents since its reset.
fn contents<'m>(
    m: &'m ModuleBuilder,
    link: &Link<'m>,
    channels: &Channels,
    resets: Signal<'m>,
) -> Signal<'m> {
    let Some(number) = channels.incoming(CONTENTS_CHANNEL) else {
        return m.lit(u(32), 0);
    };
    let register = m.instance("contents", &crc(&Crc::CRC32, 8));
    register.input("clear", resets);
    register.input("valid", *link.shifts & link.channel.eq(u32::from(number)));
    register.input("data", *link.byte);
    register.output("check")
}

/// The place of an incoming channel; returns whether a beat stands in it.
fn place<'m>(
    m: &'m ModuleBuilder,
    link: &Link<'m>,
    design: &InstanceBuilder<'m>,
    channel: &Channel,
    number: u32,
    resets: Signal<'m>,
) -> Signal<'m> {
    let chosen = link.channel.eq(number);
    let shifts = (*link.shifts & chosen).named(format!("{}_shifts", channel.name));
    let bits = 8 * channel.bytes() as u32;
    let place = m.reg(format!("{}_place", channel.name), u(bits)).enable(shifts);
    let moved = match bits {
        8 => *link.byte,
        _ => link.byte.cat(place.slice(bits - 1, 8)),
    };
    place.next(moved);
    let beat = place.truncate(channel.bits());
    if !channel.stream {
        place.clear(resets);
        let (_, ty) = &channel.fields[0];
        design.input(&channel.name, beat.cast(*ty));
        return m.lit(u(1), 0);
    }
    place.no_reset();
    let offers = (shifts & *link.beat_ends).named(format!("{}_offers", channel.name));
    let valid = m.reg(format!("{}_offered", channel.name), u(1)).clear(resets);
    let mut payload = Bundle::unpack(&channel.fields, beat);
    if channel.last {
        let last = m.reg(format!("{}_offered_last", channel.name), u(1)).no_reset();
        last.next(*link.last & link.left.eq(1)).enable(offers);
        payload = payload.with("last", *last);
    }
    let stream = hwgen_hdl::Stream::source(m, &channel.name, *valid, payload);
    valid.next(offers | (*valid & !*stream.ready));
    design.stream_into(&channel.name, stream);
    *valid
}

/// An outgoing channel.
struct Way<'m> {
    valid: Signal<'m>,
    byte: Signal<'m>,
    last: Signal<'m>,
}

fn way<'m>(
    m: &'m ModuleBuilder,
    link: &Link<'m>,
    design: &InstanceBuilder<'m>,
    channel: &Channel,
    number: u32,
) -> Way<'m> {
    let bytes = channel.bytes() as u32;
    let chosen = (*link.takes & link.channel.eq(number)).named(format!("{}_taken", channel.name));
    let wide = |beat: Signal<'m>| beat.as_unsigned().extend(8 * bytes);
    let byte = |beat: Signal<'m>| -> Vec<_> {
        (0..bytes).map(|at| beat.slice(8 * at + 7, 8 * at)).collect()
    };
    let of_index = |bytes: &[Signal<'m>]| link.index.select(bytes);
    if !channel.stream {
        // a value that moves on stays as it was at its first byte
        let now = wide(design.output(&channel.name));
        let mut shown = byte(now);
        if bytes > 1 {
            let begins = chosen & link.index.eq(0);
            let kept = m.reg(format!("{}_kept", channel.name), u(8 * bytes - 8)).no_reset();
            kept.next(now.slice(8 * bytes - 1, 8)).enable(begins);
            let kept = (1..bytes).map(|at| kept.slice(8 * at - 1, 8 * at - 8));
            shown.splice(1.., kept);
        }
        return Way { valid: m.lit(u(1), 1), byte: of_index(&shown), last: m.lit(u(1), 0) };
    }
    let stream = design.stream_from(&channel.name);
    stream.ready.drive(chosen & *link.beat_ends);
    let fields: Vec<_> =
        channel.fields.iter().map(|(name, _)| (name.clone(), stream.get(name))).collect();
    let beat = wide(Bundle::new(fields).pack());
    let last = if channel.last { stream.get("last") } else { m.lit(u(1), 0) };
    Way { valid: stream.valid, byte: of_index(&byte(beat)), last }
}
