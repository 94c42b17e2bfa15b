//! The language's semantics as a table. Engines that share a definition share its mistakes, so
//! each expression is held against what `docs/language.md` says of it, written down once more in
//! whole-number arithmetic: never against `hwgen_hdl::semantics`.

mod memories;
mod operators;
mod registers;
mod statement;

use hwgen_hdl::sim::{Device, Initial};
use hwgen_hdl::{Int, Module};
use hwgen_verify::cosim::Engine;
use std::sync::Arc;

/// Our two, and two strangers that read the Verilog.
const ENGINES: [Engine; 4] = [Engine::Interpreter, Engine::Jit, Engine::Verilator, Engine::Icarus];

/// A module on every engine; the same is done to all of them.
struct Everywhere {
    module: Arc<Module>,
    devices: Vec<(Engine, Box<dyn Device>)>,
    checks: u64,
}

impl Everywhere {
    fn open(module: &Arc<Module>) -> Everywhere {
        let open = |engine: Engine| (engine, engine.open(module, Initial::Zero).unwrap());
        Everywhere { module: module.clone(), devices: ENGINES.map(open).into(), checks: 0 }
    }

    fn poke(&mut self, input: &str, value: &Int) {
        let position = self.module.inputs.iter().position(|port| *port.name == *input);
        let position = position.unwrap_or_else(|| panic!("no input `{input}`"));
        self.devices.iter_mut().for_each(|(_, device)| device.poke(position, value));
    }

    fn tick(&mut self, clocks: &[&str]) {
        let ticks = self.module.clock_ids().zip(&self.module.clocks);
        let ids: Vec<_> =
            ticks.filter(|(_, clock)| clocks.contains(&&*clock.name)).map(|(id, _)| id).collect();
        assert_eq!(ids.len(), clocks.len(), "clocks {clocks:?}");
        self.devices.iter_mut().for_each(|(_, device)| device.tick(&ids));
    }

    /// Holds the output at a position against what it must be, on every engine.
    fn check(&mut self, output: usize, want: &Int, when: impl Fn() -> String) {
        for (engine, device) in &mut self.devices {
            let (got, unknown) = device.peek_known(output);
            let name = &self.module.outputs[output].name;
            assert!(
                got == *want && unknown == Int::ZERO,
                "{engine}, `{name}`: {got} (unknown bits {unknown:x}), the language says {want}; {}",
                when()
            );
            self.checks += 1;
        }
    }

    fn output(&self, name: &str) -> usize {
        let position = self.module.outputs.iter().position(|port| *port.name == *name);
        position.unwrap_or_else(|| panic!("no output `{name}`"))
    }
}
