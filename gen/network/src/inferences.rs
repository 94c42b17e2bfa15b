//! Inferences of a planned network on any engine.

use crate::plan::{Plan, Port};
use hwgen_designs::cnn::CnnSpec;
use hwgen_designs::cnn::drive::{beats, sent};
use hwgen_designs::drive::{Feed, run_for, run_patiently};
use hwgen_hdl::Int;
use hwgen_hdl::sim::{Device, SimError};

/// What inferences came to.
pub struct Outcome {
    /// Each one's output tensors, as the interpreter keeps them: sums byte by byte.
    pub outputs: Vec<Vec<Vec<i16>>>,
    /// The cycle of each one's last beat.
    pub cycles: Vec<u64>,
}

/// Inferences of a planned network, back to back.
pub struct Inferences<'i> {
    /// The core.
    pub spec: &'i CnnSpec,
    /// The network on it.
    pub plan: &'i Plan,
    /// Each inference's inputs, one tensor after the other.
    pub inputs: &'i [Vec<i16>],
}

impl Inferences<'_> {
    /// Resets the core, loads the program, runs all inferences.
    ///
    /// # Errors
    /// Nothing comes out for long.
    pub fn run(&self, device: &mut dyn Device, stall: f64, seed: u64) -> Result<Outcome, SimError> {
        let feeds = self.feeds(stall);
        let beats = |port: &Port| port.place.bytes().div_ceil(self.spec.results) as usize;
        let each: usize = self.plan.outputs.iter().map(beats).sum();
        // twenty times what it takes without stalls, loading included
        let patience = 20 * (self.plan.cycles() + feeds[0].beats.len() as u64);
        let all = each * self.inputs.len();
        let run = run_patiently(device, &feeds, (stall, seed), all, patience)?;
        let bytes = sent(self.spec, &run);
        let outputs = bytes.chunks(each * self.spec.results as usize).map(|mut bytes| {
            let port = |port: &Port| {
                let (own, rest) = bytes.split_at(beats(port) * self.spec.results as usize);
                bytes = rest;
                port.elements(own).iter().map(|&element| element as i16).collect()
            };
            self.plan.outputs.iter().map(port).collect()
        });
        let cycles = run.cycles.chunks(each).filter_map(|cycles| cycles.last().copied());
        Ok(Outcome { outputs: outputs.collect(), cycles: cycles.collect() })
    }

    /// Begins as [`Inferences::run`] does and leaves after so many cycles.
    ///
    /// # Errors
    /// What the simulator says.
    pub fn begin(&self, device: &mut dyn Device, cycles: u64) -> Result<(), SimError> {
        run_for(device, &self.feeds(0.0), cycles)
    }

    fn feeds(&self, stall: f64) -> [Feed; 2] {
        let load = self.plan.image.load(self.spec);
        let load =
            load.into_iter().map(|(word, last)| vec![Int::from(word), u8::from(last).into()]);
        let input = self.inputs.iter().flat_map(|input| self.beats(input));
        [
            Feed { stream: "load", beats: load.collect(), stall },
            Feed { stream: "in", beats: input.collect(), stall },
        ]
    }

    /// One inference's beats of stream `in`.
    fn beats(&self, mut input: &[i16]) -> Vec<Vec<Int>> {
        let port = |port: &Port| {
            let elements = (port.place.height * port.place.width * port.place.channels) as usize;
            let (own, rest) = input.split_at(elements);
            input = rest;
            let own: Vec<_> = own.iter().map(|&element| element.into()).collect();
            beats(self.spec, &port.bytes(&own))
        };
        self.plan.inputs.iter().flat_map(port).collect()
    }
}
