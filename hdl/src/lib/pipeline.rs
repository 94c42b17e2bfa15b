//! A pipeline whose stages move together: registers that all advance or all wait.

use crate::Place;
use crate::build::{Bundle, Signal, Stream, Wire};
use crate::ty::u;

/// A pipeline under construction. Every [`Pipeline::stage`] delays what it is given, and the
/// valid bit beside it, by one cycle in which `advance` is 1. Valid bits are reset, data is not.
pub struct Pipeline<'m> {
    valid: Signal<'m>,
    advance: Signal<'m>,
    latency: u32,
    /// Data registers take over valid data only.
    quiet: bool,
    /// To be driven from the sink, if the pipeline was made from a stream.
    wait_for: Option<Wire<'m>>,
}

impl<'m> Pipeline<'m> {
    /// A pipeline fed with `valid`, all of whose registers hold while `advance` is 0.
    pub fn new(valid: impl Into<Signal<'m>>, advance: impl Into<Signal<'m>>) -> Pipeline<'m> {
        let (valid, advance) = (valid.into(), advance.into());
        Pipeline { valid, advance, latency: 0, quiet: false, wait_for: None }
    }

    /// From here on data registers take over valid data only: stages without work hold still, which
    /// saves the energy of their logic and costs an AND gate a stage.
    pub fn quiet(self) -> Pipeline<'m> {
        Pipeline { quiet: true, ..self }
    }

    /// A pipeline fed from a stream; end it with [`Pipeline::into_stream`].
    #[track_caller]
    pub fn from_stream(stream: &Stream<'m>) -> Pipeline<'m> {
        let _caller = Place::of_caller();
        let advance = stream.valid.module().wire("advance", u(1));
        stream.ready.drive(*advance);
        let (valid, advance_now) = (stream.valid, *advance);
        let wait_for = Some(advance);
        Pipeline { valid, advance: advance_now, latency: 0, quiet: false, wait_for }
    }

    /// Registers `signals`; the results are named after the stage: `{name}_1`, or `{name}_1_0`,
    /// `{name}_1_1`, .. if there are several.
    #[track_caller]
    pub fn stage(&mut self, name: &str, signals: &[Signal<'m>]) -> Vec<Signal<'m>> {
        let _caller = Place::of_caller();
        self.latency += 1;
        let (module, stage) = (self.valid.module(), self.latency);
        let valid = module.reg(format!("{name}_valid_{stage}"), u(1));
        let take = match self.quiet {
            true => self.takes().called(format!("{name}_takes_{stage}")),
            false => self.advance,
        };
        let register = |(position, signal): (usize, &Signal<'m>)| {
            let name = match signals {
                [_] => format!("{name}_{stage}"),
                _ => format!("{name}_{stage}_{position}"),
            };
            let data = module.reg(name, signal.ty()).no_reset();
            data.enable(take).next(*signal).into()
        };
        let registers = signals.iter().enumerate().map(register).collect();
        self.valid = valid.enable(self.advance).next(self.valid).into();
        registers
    }

    /// Whether what left the last stage is valid.
    pub fn valid(&self) -> Signal<'m> {
        self.valid
    }

    /// Whether the next stage takes over something valid at this edge.
    #[track_caller]
    pub fn takes(&self) -> Signal<'m> {
        let _caller = Place::of_caller();
        self.advance & self.valid
    }

    /// Stages so far: the latency in cycles in which the pipeline advances.
    pub fn latency(&self) -> u32 {
        self.latency
    }

    /// Ends a pipeline made with [`Pipeline::from_stream`]: it advances while the last stage is
    /// empty or its payload passes. Throughput is one a cycle.
    ///
    /// # Panics
    /// If the pipeline was made with [`Pipeline::new`].
    #[track_caller]
    pub fn into_stream(self, name: &str, payload: Bundle<'m>) -> Stream<'m> {
        let _caller = Place::of_caller();
        let stream = Stream::source(self.valid.module(), name, self.valid, payload);
        let wait_for = self.wait_for.expect("a pipeline that ends in a stream starts from one");
        wait_for.drive(*stream.ready | !self.valid);
        stream
    }
}
