//! Clock gating, as synthesis would do it: registers that are enabled together share a gate, and
//! their clock pins move only in cycles in which they are.

use super::liberty::{Cell, Function, Library, Pin};
use std::collections::HashMap;

/// What a flip-flop behind a clock gate is called in the netlist.
pub(super) const GATED: &str = "hwgen_gated_flip_flop";

/// Its enable, which in hardware is the gate's.
pub(super) const ENABLE: &str = "HWGEN_ENABLE";

/// The library's flip-flop that gated ones are made of: the smallest that takes over one pin.
fn plain(library: &Library) -> Option<&Cell> {
    let plain = library.cells.values().filter(|cell| {
        let outputs = cell.pins.iter().filter(|pin| pin.output).count();
        cell.flip_flop.as_ref().is_some_and(|flip_flop| {
            let names = [&flip_flop.next, &flip_flop.clock];
            let named = names.iter().all(|function| matches!(function, Function::Name(_)));
            let free = flip_flop.clear.is_none() && flip_flop.preset.is_none();
            named && free && outputs == 1 && cell.pins.len() == 3 && cell.other_state.is_none()
        })
    });
    plain.min_by(|a, b| a.area.total_cmp(&b.area).then_with(|| a.name.cmp(&b.name)))
}

/// The library with a gated flip-flop among its cells; `None` if it has no plain one.
pub(super) fn with_gated(library: &Library) -> Option<Library> {
    let mut cell = plain(library)?.clone();
    cell.name = GATED.to_string();
    let flip_flop = cell.flip_flop.as_mut()?;
    let name = |name: &str| Function::Name(name.to_string());
    let hold = name(&flip_flop.state[0]);
    flip_flop.next = Function::Or(vec![
        Function::And(vec![name(ENABLE), flip_flop.next.clone()]),
        Function::And(vec![Function::Not(Box::new(name(ENABLE))), hold]),
    ]);
    let (name, powers) = (ENABLE.to_string(), [].into());
    cell.pins.push(Pin { name, output: false, capacitance: 0.0, function: None, powers });
    let mut library = library.clone();
    library.cells.insert(GATED.to_string(), cell);
    Some(library)
}

/// Verilog for Yosys, as files' names and texts: the gated flip-flop as a black box, and what is
/// mapped to it.
pub(super) fn verilog(library: &Library) -> Option<[(&'static str, String); 3]> {
    let cell = library.cells.get(GATED)?;
    let Function::Name(clock) = &cell.flip_flop.as_ref()?.clock else { return None };
    let output = cell.pins.iter().find(|pin| pin.output)?;
    let data =
        cell.pins.iter().find(|pin| !pin.output && pin.name != *clock && pin.name != ENABLE)?;
    let (data, output) = (&data.name, &output.name);
    let ports = format!("input {clock}, input {data}, input {ENABLE}, output {output}");
    Some([
        ("reset.v", include_str!("reset_over_enable.v").to_string()),
        ("gated.v", format!("(* blackbox *) module {GATED} ({ports}); endmodule\n")),
        (
            "gate.v",
            format!(
                "(* techmap_celltype = \"$_DFFE_PP_\" *)\nmodule gate (input D, C, E, output Q);\n  \
             {GATED} _TECHMAP_REPLACE_ (.{data}(D), .{clock}(C), .{ENABLE}(E), .{output}(Q));\n\
             endmodule\n"
            ),
        ),
    ])
}

/// Yosys' commands for registers of words, and of bits.
pub(super) fn scripts() -> [String; 2] {
    [
        // Yosys itself gives up the enable of a register whose synchronous reset goes before it
        "techmap -map reset.v t:$sdffe\n\
         dffunmap -srst-only\n"
            .to_string(),
        "read_verilog gated.v\n\
         dfflegalize -cell $_DFF_P_ 01 -cell $_DFF_???_ 01 -cell $_DFFE_PP_ 01\n\
         techmap -map gate.v\n"
            .to_string(),
    ]
}

/// Flip-flops that share a gate: those of one enable in one instance. For each bank its first.
#[derive(Debug, Default)]
pub(super) struct Banks {
    known: HashMap<(u32, u32), usize>,
    /// The first flip-flop of each.
    pub(super) firsts: Vec<usize>,
}

impl Banks {
    /// Whether it is the first of its bank.
    pub(super) fn add(&mut self, instance: u32, enable: u32, cell: usize) -> bool {
        let mut new = false;
        self.known.entry((instance, enable)).or_insert_with(|| {
            new = true;
            cell
        });
        if new {
            self.firsts.push(cell);
        }
        new
    }
}
