//! A rust-hdl block as a leaf module of hwgen's netlists.

use crate::block_model::{BlockModel, Drive, Drives};
use crate::port::{FromBits, PortDirection, ProbedPort, probe_ports};
use crate::{Error, verilog};
use hwgen_hdl::netlist::{self, LeafModel};
use hwgen_hdl::{Module, ModuleBuilder};
use rust_hdl::prelude::*;
use std::sync::Arc;

type Make<U> = Arc<dyn Fn() -> U + Send + Sync>;

/// Makes an hwgen module of a rust-hdl block: its Verilog is what rust-hdl prints, its behavior
/// what rust-hdl simulates.
///
/// rust-hdl lets a `Probe` read signals but not write them, so each input is bound by hand:
/// ```
/// use hwgen_rust_hdl::LeafBuilder;
/// use rust_hdl::prelude::*;
///
/// let module = LeafBuilder::new("bit_synchronizer", BitSynchronizer::default)
///     .input(|block| &mut block.sig_in)
///     .input(|block| &mut block.clock)
///     .registered()
///     .build()?;
/// assert!(module.verilog().unwrap().contains("module bit_synchronizer("));
/// # Ok::<(), hwgen_rust_hdl::Error>(())
/// ```
pub struct LeafBuilder<U> {
    name: String,
    make: Make<U>,
    sample: U,
    inputs: Vec<(usize, Drive<U>)>,
    registered: bool,
}

impl<U: Block + Send + 'static> LeafBuilder<U> {
    /// Starts a leaf whose Verilog module is called `name`; `make` gives a fresh block.
    pub fn new(name: impl Into<String>, make: impl Fn() -> U + Send + Sync + 'static) -> Self {
        let mut sample = make();
        sample.connect_all();
        Self {
            name: name.into(),
            make: Arc::new(make),
            sample,
            inputs: Vec::new(),
            registered: false,
        }
    }

    /// Binds one input port, data or clock.
    pub fn input<T: FromBits>(
        mut self,
        port: impl Fn(&mut U) -> &mut Signal<In, T> + Send + Sync + 'static,
    ) -> Self {
        let id = Atom::id(port(&mut self.sample));
        let drive: Drive<U> = Arc::new(move |block, bits| port(block).next = T::from_bits(bits));
        self.inputs.push((id, drive));
        self
    }

    /// Says that outputs change with a clock only. Without it every output is taken to depend on
    /// every input at once, which is always right but may look like a combinational loop.
    /// Simulation ends with an error should the claim prove wrong.
    pub fn registered(mut self) -> Self {
        self.registered = true;
        self
    }

    /// Checks the block with rust-hdl's own checks and makes it a module.
    ///
    /// # Errors
    /// [`Error::Rejected`], [`Error::InOut`], [`Error::UnboundInput`], [`Error::NotAPort`],
    /// [`Error::NameClash`], and [`Error::Refused`] for names that Verilog does not allow.
    pub fn build(self) -> Result<Arc<Module>, Error> {
        let (ids, bound): (Vec<usize>, Vec<Drive<U>>) = self.inputs.into_iter().unzip();
        let ports = check(&self.name, &self.sample, &ids)?;
        let drives_of = |wanted: PortDirection| -> Vec<Drive<U>> {
            let wanted = ports.iter().filter(|probed| probed.port.direction == wanted);
            wanted.filter_map(|probed| Some(bound[position(&ids, probed)?].clone())).collect()
        };
        let drives = Arc::new(Drives {
            clocks: drives_of(PortDirection::Clock),
            inputs: drives_of(PortDirection::Input),
        });
        let verilog = verilog::print(&self.name, &self.sample)?;
        let (name, make, registered) = (self.name.clone(), self.make, self.registered);
        let model = move || -> Box<dyn LeafModel> {
            Box::new(BlockModel::new(name.clone(), make(), drives.clone(), registered))
        };
        module(&self.name, &ports, verilog, registered, Box::new(model))
    }
}

/// Which of the `bound` signals the port is.
fn position(bound: &[usize], probed: &ProbedPort) -> Option<usize> {
    bound.iter().position(|id| *id == probed.id)
}

/// The ports of `block`, after all checks; `bound` are the signals that can be driven.
fn check(name: &str, block: &dyn Block, bound: &[usize]) -> Result<Vec<ProbedPort>, Error> {
    let module = || name.to_string();
    check_all(block)
        .map_err(|e| Error::Rejected { module: module(), problem: format!("{e:?}") })?;
    let ports = probe_ports(block);
    let mut used = vec![false; bound.len()];
    for probed in &ports {
        let port = || probed.port.name.clone();
        match (probed.port.direction, position(bound, probed)) {
            (PortDirection::InOut, _) => {
                return Err(Error::InOut { module: module(), port: port() });
            }
            (PortDirection::Output, _) => {}
            (_, Some(index)) => used[index] = true,
            (_, None) => {
                return Err(Error::UnboundInput { module: module(), port: port() });
            }
        }
    }
    match used.iter().position(|used| !used) {
        Some(index) => Err(Error::NotAPort { module: module(), index }),
        None => Ok(ports),
    }
}

type MakeModel = Box<dyn Fn() -> Box<dyn LeafModel> + Send + Sync>;

/// The hwgen module of a block with these ports.
fn module(
    name: &str,
    ports: &[ProbedPort],
    verilog: String,
    registered: bool,
    model: MakeModel,
) -> Result<Arc<Module>, Error> {
    let m = ModuleBuilder::new(name);
    m.doc("A rust-hdl block, printed by rust-hdl 0.46.");
    let (mut outputs, mut inputs) = (Vec::new(), 0);
    for ProbedPort { port, .. } in ports {
        match port.direction {
            PortDirection::Clock => {
                m.clock(&port.name);
            }
            PortDirection::Output => outputs.push((port.name.as_str(), port.ty)),
            PortDirection::Input | PortDirection::InOut => {
                m.input(&port.name, port.ty);
                inputs += 1;
            }
        }
    }
    let dependencies = if registered { Vec::new() } else { (0..inputs).collect() };
    let combinational = vec![dependencies; outputs.len()];
    let leaf = netlist::Leaf { verilog, combinational, model };
    m.finish_leaf(&outputs, leaf)
        .map_err(|e| Error::Refused { module: name.to_string(), problem: e.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use hwgen_hdl::sim::{Engine, Simulator};

    #[derive(LogicBlock, Default)]
    struct Inverter {
        pub a: Signal<In, Bit>,
        pub y: Signal<Out, Bit>,
    }

    impl Logic for Inverter {
        #[hdl_gen]
        fn update(&mut self) {
            self.y.next = !self.a.val();
        }
    }

    #[derive(LogicBlock, Default)]
    struct Oscillator {
        pub kick: Signal<In, Bit>,
        pub out: Signal<Out, Bit>,
        inner: Inverter,
    }

    impl Logic for Oscillator {
        #[hdl_gen]
        fn update(&mut self) {
            self.inner.a.next = self.inner.y.val() ^ self.kick.val();
            self.out.next = self.inner.y.val();
        }
    }

    fn inverter() -> LeafBuilder<Inverter> {
        LeafBuilder::new("inverter", Inverter::default).input(|block| &mut block.a)
    }

    #[test]
    fn an_inverter_inverts() {
        let mut sim = Simulator::new(&inverter().build().unwrap(), Engine::Interpreter);
        for bit in [0, 1, 0] {
            sim.poke("a", bit);
            assert_eq!(sim.peek_u64("y"), 1 - bit);
        }
    }

    #[test]
    #[should_panic(expected = "inverter: `y` is said to be registered, yet it changed without a \
                               clock; leave out `.registered()`")]
    fn a_false_claim_of_registered_outputs_is_found() {
        let module = inverter().registered().build().unwrap();
        let mut sim = Simulator::new(&module, Engine::Interpreter);
        assert_eq!(sim.peek_u64("y"), 1);
        sim.poke("a", 1);
        sim.peek("y");
    }

    #[test]
    #[should_panic(expected = "oscillator: did not settle in 100 passes; look for a \
                               combinational loop")]
    fn a_loop_is_named_after_a_bounded_number_of_passes() {
        let leaf = LeafBuilder::new("oscillator", Oscillator::default);
        let module = leaf.input(|block| &mut block.kick).build().unwrap();
        Simulator::new(&module, Engine::Interpreter).peek("out");
    }

    #[test]
    fn every_input_must_be_bound() {
        let leaf = LeafBuilder::new("edge", || EdgeDetector::new(true));
        let error = leaf.input(|block| &mut block.clock).build().unwrap_err();
        assert_eq!(
            error.to_string(),
            "edge: input `input_signal` is not bound; add `.input(|block| &mut block.input_signal)`"
        );
    }

    #[test]
    fn only_ports_of_the_block_itself_can_be_bound() {
        let leaf = LeafBuilder::new("oscillator", Oscillator::default);
        let leaf = leaf.input(|block| &mut block.kick).input(|block| &mut block.inner.a);
        assert_eq!(
            leaf.build().unwrap_err().to_string(),
            "oscillator: input binding number 1 is not an input port of the block itself"
        );
    }

    #[test]
    fn what_rust_hdl_rejects_is_rejected() {
        #[derive(LogicBlock, Default)]
        struct Open {
            pub y: Signal<Out, Bit>,
        }
        impl Logic for Open {
            fn update(&mut self) {}
        }
        let error = LeafBuilder::new("open", Open::default).build().unwrap_err();
        assert!(error.to_string().starts_with("open: rust-hdl's checks reject the block: Open"));
    }

    #[test]
    fn names_that_verilog_does_not_allow_are_refused() {
        let leaf = LeafBuilder::new("always", Inverter::default).input(|block| &mut block.a);
        let error = leaf.build().unwrap_err().to_string();
        assert!(error.contains("`always`") && error.contains("keyword"), "{error}");
    }
}
