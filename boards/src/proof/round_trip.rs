//! Bitstreams unpacked by the families' own tools.

use super::{CHIP, LIMIT, ProofError};
use crate::board::{Board, Family};
use hwgen_files::Scratch;
use hwgen_tools::{require, require_in, run};
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::PathBuf;

fn only(family: Family, board: &Board) -> Result<(), ProofError> {
    if board.fpga.family == family {
        return Ok(());
    }
    Err(ProofError::Family(family.title(), board.name.clone()))
}

/// Reads an iCE40's bitstream back as Verilog: module [`CHIP`], ports as the constraints name the
/// pins. icestorm knows neither DSP blocks nor PLLs: build without.
pub fn read_back(board: &Board, bitstream: &[u8], pcf: &str) -> Result<String, ProofError> {
    only(Family::Ice40, board)?;
    let folder = Scratch::new()?;
    let at = |name: &str| folder.path().join(name);
    // icebox_vlog knows `set_io NAME PIN` alone
    let plain = pcf.lines().filter(|line| line.starts_with("set_io "));
    let plain: String = plain.map(|line| line.replace("-pullup yes ", "") + "\n").collect();
    fs::write(at("board.bin"), bitstream)?;
    fs::write(at("pins.pcf"), plain)?;
    let mut unpack = require("iceunpack")?.command();
    unpack.current_dir(folder.path()).args(["board.bin", "board.asc"]);
    run(&mut unpack, LIMIT)?;
    let mut decode = require("icebox_vlog")?.command();
    decode.current_dir(folder.path());
    decode.args(["-s", "-c", "-n", CHIP, "-d", &board.fpga.package, "-p", "pins.pcf", "board.asc"]);
    let chip = run(&mut decode, LIMIT)?.stdout;
    if !chip.contains("SB_RAM40_4K") {
        return Ok(chip);
    }
    // block RAMs, and what they hold, as Yosys models them
    fs::write(at("chip.v"), chip)?;
    let script = format!(
        "read_verilog chip.v +/ice40/cells_sim.v; hierarchy -top {CHIP}; proc; opt_clean; write_verilog -noattr whole.v"
    );
    let mut join = require("yosys")?.command();
    run(join.current_dir(folder.path()).args(["-q", "-p", &script]), LIMIT)?;
    Ok(fs::read_to_string(at("whole.v"))?)
}

/// Unpacks an ECP5's bitstream and packs it again: the same bytes, if nothing was lost.
pub fn repack(board: &Board, bitstream: &[u8], folders: &[PathBuf]) -> Result<Vec<u8>, ProofError> {
    only(Family::Ecp5, board)?;
    let folder = Scratch::new()?;
    fs::write(folder.path().join("board.bit"), bitstream)?;
    let mut unpack = require_in("ecpunpack", folders)?.command();
    unpack.current_dir(folder.path());
    run(unpack.args(["--input", "board.bit", "--textcfg", "board.config"]), LIMIT)?;
    let mut pack = require_in("ecppack", folders)?.command();
    pack.current_dir(folder.path()).args(["--compress", "--freq", "38.8"]);
    run(pack.args(["--input", "board.config", "--bit", "again.bit"]), LIMIT)?;
    Ok(fs::read(folder.path().join("again.bit"))?)
}

/// Lookup tables of a Gowin bitstream, compared with what was placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tables {
    /// At their place, with their function.
    pub equal: usize,
    /// Placed with a constant output, which gowin_unpack does not print.
    pub constant: usize,
}

/// Unpacks a Gowin bitstream; an error unless it has exactly the lookup tables that were placed, each
/// at its place and with its function.
pub fn compare_tables(
    board: &Board,
    placed: &[u8],
    bitstream: &[u8],
    folders: &[PathBuf],
) -> Result<Tables, ProofError> {
    only(Family::Gowin, board)?;
    let folder = Scratch::new()?;
    fs::write(folder.path().join("board.fs"), bitstream)?;
    let mut unpack = require_in("gowin_unpack", folders)?.command();
    unpack.current_dir(folder.path());
    run(unpack.args(["-d", &board.fpga.device, "-o", "back.v", "board.fs"]), LIMIT)?;
    let text = fs::read_to_string(folder.path().join("back.v"))?;
    let mut unpacked: HashMap<String, u16> = text.lines().filter_map(unpacked_table).collect();
    let mut tables = Tables { equal: 0, constant: 0 };
    for (place, function) in placed_tables(placed)? {
        match unpacked.remove(&place) {
            Some(found) if found == function => tables.equal += 1,
            None if function == 0 || function == 0xffff => tables.constant += 1,
            found => {
                return Err(ProofError::Differs(format!(
                    "{place} is {function:04x}, read back {found:04x?}"
                )));
            }
        }
    }
    match unpacked.into_iter().next() {
        None => Ok(tables),
        Some((place, _)) => Err(ProofError::Differs(format!("nothing was placed at {place}"))),
    }
}

/// `defparam R8C2_LUT4_0.INIT = 16'h5555;`
fn unpacked_table(line: &str) -> Option<(String, u16)> {
    let (place, value) = line.strip_prefix("defparam ")?.split_once(".INIT = 16'h")?;
    let table = place.contains("_LUT4_").then(|| place.to_string())?;
    Some((table, u16::from_str_radix(value.trim_end_matches(';'), 16).ok()?))
}

#[derive(Deserialize)]
struct Netlist {
    modules: BTreeMap<String, Placed>,
}

#[derive(Deserialize)]
struct Placed {
    cells: BTreeMap<String, Cell>,
}

#[derive(Deserialize)]
struct Cell {
    r#type: String,
    parameters: BTreeMap<String, serde_json::Value>,
    attributes: BTreeMap<String, serde_json::Value>,
}

/// Lookup tables of what nextpnr placed: where, as gowin_unpack names it, and their functions.
fn placed_tables(placed: &[u8]) -> Result<Vec<(String, u16)>, ProofError> {
    let unreadable = |what: &str| ProofError::Unreadable(format!("what nextpnr placed: {what}"));
    let netlist: Netlist =
        serde_json::from_slice(placed).map_err(|error| unreadable(&error.to_string()))?;
    let cells = netlist.modules.values().flat_map(|module| module.cells.values());
    let mut tables = vec![];
    for cell in cells {
        let inputs = match cell.r#type.as_str() {
            "LUT1" => 1,
            "LUT2" => 2,
            "LUT3" => 3,
            "LUT4" => 4,
            _ => continue,
        };
        let bel = cell.attributes.get("NEXTPNR_BEL").and_then(|bel| bel.as_str());
        let place = bel.and_then(place).ok_or_else(|| unreadable("a place"))?;
        let bits = cell.parameters.get("INIT").and_then(|bits| bits.as_str());
        let function = bits.and_then(|bits| function(bits, inputs));
        tables.push((place, function.ok_or_else(|| unreadable("a function"))?));
    }
    Ok(tables)
}

/// `X3Y14/LUT5`, counted from 0, as `R15C4_LUT4_5`, counted from 1.
fn place(bel: &str) -> Option<String> {
    let (x, rest) = bel.strip_prefix('X')?.split_once('Y')?;
    let (y, table) = rest.split_once("/LUT")?;
    let [x, y, table] = [x, y, table].map(|number| number.parse::<u16>().ok());
    Some(format!("R{}C{}_LUT4_{}", y? + 1, x? + 1, table?))
}

/// The lowest bits of a constant, repeated until they are a table of four inputs.
fn function(bits: &str, inputs: u32) -> Option<u16> {
    let length = 1usize << inputs;
    let bits = bits.get(bits.len().saturating_sub(length)..)?;
    let bits = format!("{bits:0>length$}").repeat(16 / length);
    u16::from_str_radix(&bits, 2).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_read() {
        assert_eq!(place("X3Y14/LUT5").as_deref(), Some("R15C4_LUT4_5"));
        assert_eq!(place("X0Y14/IOBA"), None);
        assert_eq!(function("0001", 1), Some(0x5555));
        assert_eq!(function("00000000000000001111111100000000", 4), Some(0xff00));
        assert_eq!(function("1x", 1), None);
        let line = "defparam R8C2_LUT4_3.INIT = 16'hff00;";
        assert_eq!(unpacked_table(line), Some(("R8C2_LUT4_3".into(), 0xff00)));
        assert_eq!(unpacked_table("defparam R8C2_ALU_3.MODE = 1;"), None);
        assert!(placed_tables(b"{}").is_err());
    }
}
