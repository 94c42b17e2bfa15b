//! A batch's two halves: a load, then tokens until the last.

use hwgen_hdl::lib::register_slice::{Cut, slice_stream};
use hwgen_hdl::{ModuleBuilder, Signal, Stream, bits_for, u};

/// Which half a layer is in.
pub(super) struct Batch<'m> {
    /// Loads are taken.
    pub(super) loading: Signal<'m>,
    /// Tokens are taken.
    serving: Signal<'m>,
}

impl<'m> Batch<'m> {
    /// The state of a layer whose load ends at the edges with `load_ends`, whose last result is
    /// taken at those with `batch_ends`.
    pub(super) fn new(
        m: &'m ModuleBuilder,
        load_ends: Signal<'m>,
        tokens: &Stream<'m>,
        batch_ends: Signal<'m>,
    ) -> Batch<'m> {
        let loading = m.reg("loading", u(1)).reset_to(1);
        loading.next(batch_ends).enable(load_ends | batch_ends);
        let serving = m.reg("serving", u(1));
        let tokens_end = (tokens.fires() & tokens.get("last")).named("tokens_end");
        serving.next(load_ends).enable(load_ends | tokens_end);
        Batch { loading: *loading, serving: *serving }
    }

    /// The token that is worked on, in a register.
    pub(super) fn hold(&self, tokens: &Stream<'m>) -> Stream<'m> {
        let valid = (tokens.valid & self.serving).called("token_offered");
        let payload = tokens.payload.clone();
        let gated = Stream::source(valid.module(), "gated", valid, payload);
        tokens.ready.drive(self.serving & *gated.ready);
        slice_stream(Cut::Forward, "token", &gated)
    }
}

/// Where a load's beats go: the n-th to address n; those past `places` are forgotten.
pub(super) struct Place<'m> {
    pub(super) address: Signal<'m>,
    pub(super) store: Signal<'m>,
}

/// The places of a stream's beats, `name` that of their counter.
pub(super) fn places<'m>(
    m: &'m ModuleBuilder,
    name: &str,
    stream: &Stream<'m>,
    places: u32,
) -> Place<'m> {
    let filled = m.reg(format!("{name}_filled"), u(bits_for(places.into())));
    let store = (stream.fires() & filled.lt(places)).named(format!("{name}_store"));
    filled.next(filled + 1).enable(store).clear(stream.fires() & stream.get("last"));
    let address = filled.truncate(hwgen_hdl::index_bits(places as usize));
    Place { address, store }
}
