//! What a netlist takes on a chip: look-up tables, flip-flops, multipliers, block RAM.
//!
//! [`estimate`] works on any finished module. It does what synthesis does, in the same order but
//! with rules of thumb where synthesis searches: the module is flattened, folded and shared;
//! sums, comparisons, products and memories go to carry chains, multiplier blocks and RAM by the
//! thresholds of Yosys 0.23; the rest becomes two-input gates that a cut-based mapper covers with
//! look-up tables. `docs/area.md` has the rules, and how far off they are.

mod assemble;
mod circuit;
mod compare;
mod cover;
mod delay;
mod exclusive;
mod graph;
mod lower;
mod memory;
mod pack;
mod product;
mod state;
mod sums;

use cover::{MOST_INPUTS, Tables};
use hwgen_hdl::Module;
use hwgen_hdl::passes::{Keep, simplify};
use hwgen_hdl::sim::flatten::flatten;
use product::Blocks;
use serde::Serialize;
use state::{Fate, Known};

/// What is built for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// Xilinx 7 series, as `synth_xilinx -flatten` of Yosys maps to it.
    Xilinx7,
    /// Lattice iCE40, as `synth_ice40 -dsp` maps to it.
    Ice40,
}

impl Family {
    /// Every family.
    pub const ALL: [Family; 2] = [Family::Xilinx7, Family::Ice40];

    /// What it is called on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Family::Xilinx7 => "xilinx7",
            Family::Ice40 => "ice40",
        }
    }

    const fn tables(self) -> Tables {
        match self {
            // Yosys hands these costs to ABC; seven and eight inputs are two and four tables with
            // multiplexers of the slice behind them
            Family::Xilinx7 => Tables {
                inputs: 8,
                cost: [0.0, 2.0, 2.0, 3.0, 5.0, 5.0, 5.0, 10.0, 20.0],
                count: [0, 1, 1, 1, 1, 1, 1, 2, 4],
                kept_percent: 100,
            },
            Family::Ice40 => Tables {
                inputs: 4,
                cost: [1.0; MOST_INPUTS + 1],
                count: [1; MOST_INPUTS + 1],
                kept_percent: 93,
            },
        }
    }

    /// Inputs of a look-up table.
    const fn inputs(self) -> usize {
        match self {
            Family::Xilinx7 => 6,
            Family::Ice40 => 4,
        }
    }

    const fn blocks(self) -> Blocks {
        match self {
            Family::Xilinx7 => Blocks { most: [25, 18], part: [18, 18], least: 9, signed: true },
            Family::Ice40 => Blocks { most: [16, 16], part: [16, 16], least: 11, signed: false },
        }
    }
}

/// Counts of what a chip has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Resources {
    /// Look-up tables, those that hold RAM and shift registers included: of six inputs on Xilinx,
    /// of four on iCE40.
    pub lut: u64,
    /// Flip-flops outside blocks.
    pub ff: u64,
    /// Multiplier blocks: DSP48E1 or SB_MAC16.
    pub dsp: u64,
    /// Block RAM: of 18 kbit on Xilinx (a RAMB36E1 is two), of 4 kbit on iCE40.
    pub bram: u64,
    /// Bits of carry chains.
    pub carry: u64,
}

/// Attempts at finding flip-flops that never change or do the same: what is found in a stage of a
/// pipeline shows in the next at the next attempt.
const ROUNDS: usize = 64;

/// Estimates a module with everything below it.
pub fn estimate(module: &Module, family: Family) -> Resources {
    let flat = simplify(&flatten(module, false).module, Keep::Ports);
    let mut known = Known::new();
    let mut circuit = lower::lower(&flat, family, &known);
    for _ in 0..ROUNDS {
        let mut idle = circuit.idle(&circuit.live());
        // words of memories and of their registered reads stay
        let plain = |&(register, _): &state::Place| {
            !(memory::OF_MEMORIES..memory::HELD).contains(&register)
        };
        idle.retain(|place, fate| match fate {
            Fate::Constant(_) => plain(place),
            Fate::Same(first) => plain(place) && plain(first),
        });
        if idle.is_empty() {
            break;
        }
        known.extend(idle);
        circuit = lower::lower(&flat, family, &known);
    }
    assemble::count(circuit, family)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hwgen_hdl::{ModuleBuilder, s};

    #[test]
    fn signs_are_kept_once_in_every_stage_of_a_pipeline() {
        let m = ModuleBuilder::new("pipeline");
        let mut word = m.input("word", s(8)).extend(32);
        for stage in 0..12 {
            word = m.reg(format!("stage_{stage}"), s(32)).no_reset().next(word).into();
        }
        m.output("out", word);
        assert_eq!(estimate(&m.finish(), Family::Ice40).ff, 12 * 8);
    }
}
