//! What co-simulation needs to know of a module's interface.

use hwgen_hdl::Module;
use std::fmt::Write;

/// Widths of the ports, and the text that puts the module under a test bench whose own names
/// cannot clash with anyone's: `i0, i1, ..` for inputs, `o0, ..` for outputs, `ck` for all clocks.
pub(super) struct Ports {
    /// The module's name.
    pub(super) module: String,
    /// Widths of the inputs.
    pub(super) inputs: Vec<u32>,
    /// Widths of the outputs.
    pub(super) outputs: Vec<u32>,
    /// The number of clocks.
    pub(super) clocks: usize,
    /// For each input, whether it is a reset and which level asserts it.
    pub(super) resets: Vec<Option<bool>>,
}

impl Ports {
    pub(super) fn of(module: &Module) -> Ports {
        let reset = |node| {
            let mut resets = module.clocks.iter().filter_map(|clock| clock.reset.as_ref());
            resets.find(|reset| reset.signal == node).map(|reset| !reset.active_low)
        };
        Ports {
            module: module.name.to_string(),
            inputs: module.inputs.iter().map(|port| port.ty.width).collect(),
            outputs: module.outputs.iter().map(|port| port.ty.width).collect(),
            clocks: module.clocks.len(),
            resets: module.inputs.iter().map(|port| reset(port.node)).collect(),
        }
    }

    /// `name dut (.clk(ck[0]), .x(i0), .y(o0));`
    pub(super) fn instance(&self, module: &Module) -> String {
        let clocks = module.clocks.iter().enumerate().map(|(k, c)| format!(".{}(ck[{k}])", c.name));
        let inputs = module.inputs.iter().enumerate().map(|(k, p)| format!(".{}(i{k})", p.name));
        let outputs = module.outputs.iter().enumerate().map(|(k, p)| format!(".{}(o{k})", p.name));
        let pins: Vec<String> = clocks.chain(inputs).chain(outputs).collect();
        format!("  {} dut (\n    {}\n  );\n", self.module, pins.join(",\n    "))
    }
}

/// A declaration of a vector: `reg [7:0] i0;`.
pub(super) fn declare(text: &mut String, kind: &str, width: u32, name: &str, end: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "  {kind} [{}:0] {name}{end}", width - 1);
}
