//! What Yosys makes of a module on an FPGA, counted as the estimates count: to compare with
//! [`hwgen_designs::area::estimate`].

use crate::cosim::CosimError;
use crate::cosim::kept::{cached, key, read, write};
use crate::cosim::verilog_of;
use crate::tools::{self, run};
use hwgen_designs::area::{Family, Resources};
use hwgen_hdl::Module;
use serde_json::Value;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(3600);

/// Synthesises a module, flattened; a kept result is not made again.
///
/// # Errors
/// If Yosys is missing or fails.
pub fn synthesise(module: &Module, family: Family) -> Result<Resources, CosimError> {
    let yosys = tools::require("yosys")?;
    let verilog = verilog_of(module)?;
    let passes = match family {
        Family::Xilinx7 => "synth_xilinx -flatten",
        Family::Ice40 => "synth_ice40 -dsp",
    };
    let top = &module.name;
    let script = format!("read_verilog design.v; {passes} -top {top}; tee -q -o stat stat -json");
    let folder = cached(&key("yosys-area", &[&verilog, &script, &yosys.version]), |folder| {
        write(folder, "design.v", &verilog)?;
        run(yosys.command().current_dir(folder).args(["-q", "-p", &script]), LIMIT)?;
        Ok(())
    })?;
    let stat = read(&folder, "stat")?;
    count(&stat, family)
        .ok_or_else(|| CosimError::Protocol { what: format!("Yosys' statistics of `{top}`") })
}

/// Counts the cells of `stat -json`.
fn count(stat: &str, family: Family) -> Option<Resources> {
    let stat: Value = serde_json::from_str(stat).ok()?;
    let cells = stat["design"]["num_cells_by_type"].as_object()?;
    let sum = |weight: &dyn Fn(&str) -> u64| -> u64 {
        cells.iter().map(|(cell, count)| weight(cell) * count.as_u64().unwrap_or(0)).sum()
    };
    Some(match family {
        Family::Xilinx7 => Resources {
            lut: sum(&xilinx_tables),
            ff: sum(&|cell| cell.starts_with("FD").into()),
            dsp: sum(&|cell| (cell == "DSP48E1").into()),
            bram: sum(&|cell| match cell {
                "RAMB18E1" => 1,
                "RAMB36E1" => 2,
                _ => 0,
            }),
            carry: sum(&|cell| (cell == "CARRY4").into()),
        },
        Family::Ice40 => Resources {
            lut: sum(&|cell| (cell == "SB_LUT4").into()),
            ff: sum(&|cell| cell.starts_with("SB_DFF").into()),
            dsp: sum(&|cell| (cell == "SB_MAC16").into()),
            bram: sum(&|cell| cell.starts_with("SB_RAM40_4K").into()),
            carry: sum(&|cell| (cell == "SB_CARRY").into()),
        },
    })
}

/// Tables of six inputs that a cell takes: logic, delay lines, RAM.
fn xilinx_tables(cell: &str) -> u64 {
    match cell {
        "LUT1" | "LUT2" | "LUT3" | "LUT4" | "LUT5" | "LUT6" | "INV" => 1,
        "SRL16E" | "SRLC16E" | "SRLC32E" | "RAM32X1S" | "RAM64X1S" => 1,
        "RAM32X1D" | "RAM64X1D" | "RAM128X1S" => 2,
        "RAM32M" | "RAM64M" | "RAM128X1D" | "RAM256X1S" => 4,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_counted() {
        let stat = r#"{"design": {"num_cells_by_type":
            {"LUT2": 3, "INV": 1, "RAM64M": 2, "SRL16E": 1, "FDRE": 7, "RAMB36E1": 2, "CARRY4": 5}}}"#;
        let counted = Resources { lut: 13, ff: 7, dsp: 0, bram: 4, carry: 5 };
        assert_eq!(count(stat, Family::Xilinx7), Some(counted));
        assert_eq!(count("{}", Family::Ice40), None);
    }
}
