//! The core that networks are to run on.

use super::args::Core;
use super::failure::Failure;
use hwgen_boards::board::{self, Family};
use hwgen_boards::build::multipliers;
use hwgen_designs::cnn::Multiplier;
use hwgen_network::plan::SUPPORTED_MULTIPLIERS;
use hwgen_search::cost::Target;

/// Multipliers, if neither a board nor anybody says.
const MULTIPLIERS: u32 = 49;

/// A core, and the board's name.
pub(super) struct OfBoard {
    pub(super) target: Target,
    pub(super) board: Option<String>,
}

pub(super) fn target(args: &Core) -> Result<OfBoard, Failure> {
    let board = args.target.as_deref().map(board::find).transpose()?;
    let fpga = board.as_ref().map(|board| &board.fpga);
    let most = match fpga {
        // without such blocks they are made of lookup tables
        Some(fpga) => multipliers(&fpga.device).unwrap_or(SUPPORTED_MULTIPLIERS),
        None => MULTIPLIERS,
    };
    let hertz = board.as_ref().map(|board| board.clock.run_hertz.unwrap_or(board.clock.hertz));
    let target = Target {
        multipliers: args.multipliers.unwrap_or(most),
        kind: fpga.map(|fpga| multipliers_of(fpga.family)).or(args.kind).unwrap_or_default(),
        // its large memories have one port
        single_port: args.single_port || fpga.is_some_and(|fpga| fpga.device == "up5k"),
        narrow: !args.wide,
        hertz: hertz.map(u64::from).or(args.mhz).unwrap_or(100_000_000),
        device: fpga.map(|fpga| fpga.device.clone()),
    };
    // the argument, which may be a file, as the other commands take it
    Ok(OfBoard { target, board: args.target.clone() })
}

/// What a board's multipliers are.
fn multipliers_of(family: Family) -> Multiplier {
    match family {
        Family::Xilinx7 => Multiplier::Bits25x18,
        Family::Ecp5 | Family::Gowin => Multiplier::Bits18x18,
        Family::Ice40 => Multiplier::Bits16x16,
    }
}
