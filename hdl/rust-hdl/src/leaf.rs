//! A rust-hdl block as a leaf: ports, text and behaviour behind one run-time interface.

use crate::port::{FromBits, Port, PortDirection, ProbedPort, atom_bits, probe_ports};
use crate::{Error, verilog};
use num_bigint::BigUint;
use rust_hdl::prelude::*;
use std::sync::Arc;

/// Passes of `update_all` a block may need to settle; rust-hdl's own simulator allows as many.
pub const SETTLE_PASSES: usize = 100;

type Make<U> = Arc<dyn Fn() -> U + Send + Sync>;
type Drive<U> = Arc<dyn Fn(&mut U, &BigUint) + Send + Sync>;

/// What a leaf does: something with run-time ports that settles.
pub trait Model: Send {
    /// Takes all clocks and inputs at once, settles, and gives all outputs, each a bit pattern
    /// and each list in port order.
    ///
    /// A register takes what its inputs are in the very call that raises its clock, so data and
    /// a rising clock given together mean "this data was there before the edge".
    ///
    /// # Errors
    /// [`Error::NotSettled`] if the outputs do not come to rest.
    fn update(&mut self, inputs: &[BigUint], outputs: &mut [BigUint]) -> Result<(), Error>;
}

/// Makes a [`Leaf`] of a rust-hdl block.
///
/// rust-hdl lets a `Probe` read signals but not write them, so each input is bound by hand:
/// ```
/// use hwgen_rust_hdl::LeafBuilder;
/// use rust_hdl::prelude::*;
///
/// let leaf = LeafBuilder::new("bit_synchronizer", BitSynchronizer::default)
///     .input(|block| &mut block.sig_in)
///     .input(|block| &mut block.clock)
///     .build()?;
/// assert!(leaf.verilog().contains("module bit_synchronizer("));
/// # Ok::<(), hwgen_rust_hdl::Error>(())
/// ```
pub struct LeafBuilder<U> {
    name: String,
    make: Make<U>,
    sample: U,
    inputs: Vec<(usize, Drive<U>)>,
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
        }
    }

    /// Binds one input port, data or clock.
    pub fn input<T: FromBits>(
        mut self,
        port: impl Fn(&mut U) -> &mut Signal<In, T> + Send + Sync + 'static,
    ) -> Self {
        let id = Atom::id(port(&mut self.sample));
        let drive = move |block: &mut U, bits: &BigUint| port(block).next = T::from_bits(bits);
        self.inputs.push((id, Arc::new(drive)));
        self
    }

    /// Checks the block with rust-hdl's own checks and prints it.
    ///
    /// # Errors
    /// [`Error::Rejected`], [`Error::InOut`], [`Error::UnboundInput`], [`Error::NotAPort`] and
    /// [`Error::NameClash`].
    pub fn build(self) -> Result<Leaf, Error> {
        let (ids, drives): (Vec<usize>, Vec<Drive<U>>) = self.inputs.into_iter().unzip();
        let (name, make) = (self.name.clone(), self.make);
        let (ports, order) = check(&self.name, &self.sample, &ids)?;
        let drives: Arc<[Drive<U>]> = order
            .into_iter()
            .map(|index| drives[index].clone())
            .collect();
        let verilog = verilog::print(&self.name, &self.sample)?;
        let model = move || -> Box<dyn Model> {
            Box::new(BlockModel::new(name.clone(), make(), drives.clone()))
        };
        Ok(Leaf {
            name: self.name,
            ports,
            verilog,
            model: Box::new(model),
        })
    }
}

/// The ports of `block`, and for each clock and input which of the `bound` signals it is.
fn check(name: &str, block: &dyn Block, bound: &[usize]) -> Result<(Vec<Port>, Vec<usize>), Error> {
    let module = || name.to_string();
    check_all(block).map_err(|e| Error::Rejected {
        module: module(),
        problem: format!("{e:?}"),
    })?;
    let (mut ports, mut order) = (Vec::new(), Vec::new());
    for ProbedPort { port, id, .. } in probe_ports(block) {
        match port.direction {
            PortDirection::InOut => {
                return Err(Error::InOut {
                    module: module(),
                    port: port.name,
                });
            }
            PortDirection::Clock | PortDirection::Input => {
                match bound.iter().rposition(|b| *b == id) {
                    Some(index) => order.push(index),
                    None => {
                        return Err(Error::UnboundInput {
                            module: module(),
                            port: port.name,
                        });
                    }
                }
            }
            PortDirection::Output => {}
        }
        ports.push(port);
    }
    match (0..bound.len()).find(|index| !order.contains(index)) {
        Some(index) => Err(Error::NotAPort {
            module: module(),
            index,
        }),
        None => Ok((ports, order)),
    }
}

/// A rust-hdl block that passed its checks: its ports, its Verilog and its behaviour.
pub struct Leaf {
    name: String,
    ports: Vec<Port>,
    verilog: String,
    model: Box<dyn Fn() -> Box<dyn Model> + Send + Sync>,
}

impl Leaf {
    /// Name of the Verilog module.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// All ports, in the order the module declares them.
    pub fn ports(&self) -> &[Port] {
        &self.ports
    }

    /// Clocks and inputs, in the order [`Model::update`] takes them.
    pub fn inputs(&self) -> impl Iterator<Item = &Port> {
        self.ports
            .iter()
            .filter(|port| port.direction != PortDirection::Output)
    }

    /// Outputs, in the order [`Model::update`] gives them.
    pub fn outputs(&self) -> impl Iterator<Item = &Port> {
        self.ports
            .iter()
            .filter(|port| port.direction == PortDirection::Output)
    }

    /// The module and those it instantiates, as Verilog-2005.
    pub fn verilog(&self) -> &str {
        &self.verilog
    }

    /// A fresh instance in its power-up state, simulated by rust-hdl itself.
    pub fn model(&self) -> Box<dyn Model> {
        (self.model)()
    }
}

/// One instance of a leaf.
struct BlockModel<U> {
    name: String,
    block: U,
    /// One for each clock and input, in port order.
    drives: Arc<[Drive<U>]>,
    previous: Vec<Option<BigUint>>,
    outputs: Vec<Output>,
}

struct Output {
    id: usize,
    bits: BigUint,
}

impl<U: Block> BlockModel<U> {
    fn new(name: String, mut block: U, drives: Arc<[Drive<U>]>) -> Self {
        block.connect_all();
        let (previous, outputs) = (vec![None; drives.len()], find_outputs(&block));
        Self {
            name,
            block,
            drives,
            previous,
            outputs,
        }
    }
}

impl<U: Block + Send> Model for BlockModel<U> {
    fn update(&mut self, inputs: &[BigUint], outputs: &mut [BigUint]) -> Result<(), Error> {
        let mut changed = false;
        for ((drive, bits), previous) in self.drives.iter().zip(inputs).zip(&mut self.previous) {
            if previous.as_ref() != Some(bits) {
                drive(&mut self.block, bits);
                *previous = Some(bits.clone());
                changed = true;
            }
        }
        if changed {
            settle(&self.name, &mut self.block, &mut self.outputs)?;
        }
        for (to, from) in outputs.iter_mut().zip(&self.outputs) {
            to.clone_from(&from.bits);
        }
        Ok(())
    }
}

fn find_outputs(block: &dyn Block) -> Vec<Output> {
    let ports = probe_ports(block).into_iter();
    let outputs = ports.filter(|probed| probed.port.direction == PortDirection::Output);
    outputs
        .map(|probed| Output {
            id: probed.id,
            bits: BigUint::ZERO,
        })
        .collect()
}

fn settle(name: &str, block: &mut dyn Block, outputs: &mut [Output]) -> Result<(), Error> {
    for _ in 0..SETTLE_PASSES {
        block.update_all();
        if !block.has_changed() {
            block.accept("top", &mut OutputProbe { outputs, next: 0 });
            return Ok(());
        }
    }
    Err(Error::NotSettled {
        module: name.to_string(),
        passes: SETTLE_PASSES,
    })
}

/// Refreshes the outputs in one walk; ports come in the same order every time.
struct OutputProbe<'a> {
    outputs: &'a mut [Output],
    next: usize,
}

impl Probe for OutputProbe<'_> {
    fn visit_atom(&mut self, _name: &str, atom: &dyn Atom) {
        if let Some(output) = self.outputs.get_mut(self.next)
            && output.id == atom.id()
        {
            output.bits = atom_bits(atom);
            self.next += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rust_hdl::prelude::EdgeDetector;

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

    #[test]
    fn a_loop_is_named_after_a_bounded_number_of_passes() {
        let leaf = LeafBuilder::new("oscillator", Oscillator::default)
            .input(|block| &mut block.kick)
            .build()
            .unwrap();
        let error = leaf
            .model()
            .update(&[BigUint::ZERO], &mut [BigUint::ZERO])
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "oscillator: did not settle in 100 passes; look for a combinational loop"
        );
    }

    #[test]
    fn every_input_must_be_bound() {
        let error = LeafBuilder::new("edge", || EdgeDetector::new(true))
            .input(|block| &mut block.clock)
            .build()
            .err()
            .unwrap();
        assert_eq!(
            error.to_string(),
            "edge: input `input_signal` is not bound; add `.input(|block| &mut block.input_signal)`"
        );
    }

    #[test]
    fn only_ports_of_the_block_itself_can_be_bound() {
        let error = LeafBuilder::new("oscillator", Oscillator::default)
            .input(|block| &mut block.kick)
            .input(|block| &mut block.inner.a)
            .build()
            .err()
            .unwrap();
        assert_eq!(
            error.to_string(),
            "oscillator: input binding number 1 is not an input port of the block itself"
        );
    }

    #[test]
    fn an_inverter_inverts() {
        let leaf = LeafBuilder::new("inverter", Inverter::default)
            .input(|block| &mut block.a)
            .build()
            .unwrap();
        let mut model = leaf.model();
        let mut y = [BigUint::ZERO];
        for bit in [0_u32, 1, 0] {
            model.update(&[bit.into()], &mut y).unwrap();
            assert_eq!(y, [(1 - bit).into()]);
        }
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
        let error = LeafBuilder::new("open", Open::default)
            .build()
            .err()
            .unwrap();
        assert!(
            error
                .to_string()
                .starts_with("open: rust-hdl's checks reject the block: Open")
        );
    }
}
