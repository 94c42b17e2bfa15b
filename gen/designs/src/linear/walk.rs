//! The walk of a token over a layer's outputs: for each, one step after the other.

use super::layer::Layer;
use crate::wiring::pack;
use hwgen_hdl::{ModuleBuilder, Signal, Stream, Type, index_bits, u};

/// The type of a step of an output.
pub(super) fn step_type(layer: Layer) -> Type {
    u(index_bits(layer.chunks() as usize))
}

/// Where the walk is. All of it is looked at in cycles with `walking` only.
pub(super) struct Walk<'m> {
    /// There is a token.
    pub(super) walking: Signal<'m>,
    /// A step is done at this edge.
    pub(super) steps: Signal<'m>,
    /// Which step of the output.
    pub(super) step: Signal<'m>,
    /// It is the output's last.
    pub(super) output_ends: Signal<'m>,
    /// And the token's.
    pub(super) token_ends: Signal<'m>,
    /// And the batch's.
    batch_ends: Signal<'m>,
}

impl<'m> Walk<'m> {
    /// Walks a token of the stream `token`, whose outputs' last step is `last_step`, and takes the
    /// next one with the last step. Nothing moves while `advance` is 0. An `empty` token has one step.
    pub(super) fn new(
        m: &'m ModuleBuilder,
        layer: Layer,
        token: &Stream<'m>,
        last_step: impl FnOnce(Signal<'m>) -> Signal<'m>,
        empty: Option<Signal<'m>>,
        advance: Signal<'m>,
    ) -> Walk<'m> {
        let steps = (token.valid & advance).named("steps");
        let step = m.reg("step", step_type(layer));
        let output = m.reg("output_index", u(index_bits(layer.outputs as usize)));
        let or_empty = |ends: Signal<'m>| empty.map_or(ends, |empty| ends | empty);
        let output_ends = or_empty(last_step(*step)).named("output_ends");
        let token_ends = output_ends & output.eq(layer.outputs - 1);
        let token_ends = or_empty(token_ends).named("token_ends");
        let next_output = (steps & output_ends).called("next_output");
        step.next(step + 1).enable(steps).clear(next_output);
        let next_token = (steps & token_ends).called("next_token");
        output.next(output + 1).enable(next_output).clear(next_token);
        token.ready.drive(advance & token_ends);
        let batch_ends = token_ends & token.get("last");
        Walk { walking: token.valid, steps, step: *step, output_ends, token_ends, batch_ends }
    }

    /// What the far end of the pipeline must know of a step; see [`Marks`].
    pub(super) fn marks(&self) -> Signal<'m> {
        pack(&[self.output_ends, self.token_ends, self.batch_ends])
    }
}

/// What is ended by a step, somewhere down the pipeline.
pub(super) struct Marks<'m> {
    /// The output.
    pub(super) output_ends: Signal<'m>,
    /// The token.
    pub(super) token_ends: Signal<'m>,
    /// The batch.
    pub(super) batch_ends: Signal<'m>,
}

impl<'m> Marks<'m> {
    /// The three bits of [`Walk::marks`].
    pub(super) fn of(packed: Signal<'m>) -> Marks<'m> {
        let [output_ends, token_ends, batch_ends] = [0, 1, 2].map(|bit| packed.bit(bit));
        Marks { output_ends, token_ends, batch_ends }
    }
}

/// `count` chunks of a token, the elements beyond its end 0.
pub(super) fn chunks<'m>(layer: Layer, token: Signal<'m>, count: u32) -> Vec<Signal<'m>> {
    let bits = layer.chunk_bits();
    crate::wiring::unpack(token.extend(count * bits), u(bits), count)
}
