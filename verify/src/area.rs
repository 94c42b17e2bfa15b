//! What Yosys makes of a module on an FPGA, counted as the estimates count: to compare with
//! [`hwgen_area::estimate`].

use crate::cosim::CosimError;
use crate::cosim::kept::{cached, key, read, write};
use crate::cosim::verilog_of;
use hwgen_area::{Family, Resources};
use hwgen_hdl::Module;
use hwgen_tools::run;
use serde_json::Value;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(3600);

/// Synthesizes a module, flattened; a kept result is not made again.
///
/// Two passes of Yosys make netlists that are wrong; where they do, what is told is made without:
///
/// - `xilinx_dsp` (0.23) takes a sum and its register before a multiplier into the block, and loses
///   both for whoever else reads them. Where it takes any, sums before multipliers are hidden from it.
/// - `ice40_dsp` (0.23, 0.70) counts the users of a signal before its first change and packs all
///   multipliers by that: two blocks may take the same register, and what was before it is lost.
///   Where fewer blocks are left than there were multipliers, it is run for each of them alone.
///
/// # Errors
/// If Yosys is missing or fails.
pub fn synthesize(module: &Module, family: Family) -> Result<Resources, CosimError> {
    let top = &module.name;
    let passes = match family {
        Family::Xilinx7 => format!("synth_xilinx -flatten -top {top}"),
        Family::Ice40 => format!("synth_ice40 -dsp -top {top}"),
    };
    let made = run_passes(module, &passes, family)?;
    let passes = match family {
        Family::Xilinx7 if made.sums_before => sums_before_hidden(top),
        Family::Ice40 if made.resources.dsp < made.multipliers => {
            multiplier_by_multiplier(top, made.multipliers)
        }
        _ => return Ok(made.resources),
    };
    Ok(run_passes(module, &passes, family)?.resources)
}

/// What a run made.
struct Made {
    resources: Resources,
    /// Whether `xilinx_dsp` took sums before multipliers.
    sums_before: bool,
    /// Multipliers that `ice40_dsp` looked at.
    multipliers: u64,
}

fn run_passes(module: &Module, passes: &str, family: Family) -> Result<Made, CosimError> {
    let yosys = hwgen_tools::require("yosys")?;
    let verilog = verilog_of(module)?;
    let script = format!("read_verilog design.v; {passes}; tee -q -o stat stat -json");
    let folder = cached(&key("yosys-area", &[&verilog, &script], &[&yosys]), |folder| {
        write(folder, "design.v", &verilog)?;
        let arguments = ["-q", "-l", "log", "-p", &script];
        run(yosys.command().current_dir(folder).args(arguments), LIMIT)?;
        Ok(())
    })?;
    let what = || format!("Yosys' statistics of `{}`", module.name);
    let resources = count(&read(&folder, "stat")?, family)
        .ok_or_else(|| CosimError::Protocol { what: what() })?;
    let log = read(&folder, "log")?;
    let looked_at = log.lines().filter(|line| line.ends_with("for iCE40 DSP inference."));
    let sums_before = log.lines().any(|line| line.starts_with("  preadder "));
    Ok(Made { resources, sums_before, multipliers: looked_at.count() as u64 })
}

/// `synth_xilinx -flatten` of Yosys 0.23 with sums before multipliers, behind a register or not,
/// hidden from `xilinx_dsp`.
fn sums_before_hidden(top: &str) -> String {
    let widths = "-D DSP_A_MAXWIDTH=25 -D DSP_B_MAXWIDTH=18 -D DSP_A_MAXWIDTH_PARTIAL=18 \
        -D DSP_A_MINWIDTH=2 -D DSP_B_MINWIDTH=2 -D DSP_Y_MINWIDTH=9 -D DSP_SIGNEDONLY=1 \
        -D DSP_NAME=$__MUL25X18";
    format!(
        "synth_xilinx -flatten -top {top} -run begin:map_dsp; memory_dff; \
         techmap -map +/mul2dsp.v -map +/xilinx/xc7_dsp_map.v {widths}; \
         select a:mul2dsp; setattr -unset mul2dsp; opt_expr -fine; wreduce; select -clear; \
         select -set before t:DSP48E1 %ci4:+[A,B,D,Y,Q,P] t:$add t:$sub %u %i; \
         chtype -set hidden_add @before t:$add %i; chtype -set hidden_sub @before t:$sub %i; \
         xilinx_dsp -family xc7; \
         chtype -set $add t:hidden_add; chtype -set $sub t:hidden_sub; \
         chtype -set $mul t:$__soft_mul; synth_xilinx -flatten -top {top} -run coarse:"
    )
}

/// `synth_ice40 -dsp` of Yosys 0.23 with a run of `ice40_dsp` for each multiplier.
fn multiplier_by_multiplier(top: &str, multipliers: u64) -> String {
    let widths = "-D DSP_A_MAXWIDTH=16 -D DSP_B_MAXWIDTH=16 -D DSP_A_MINWIDTH=2 \
        -D DSP_B_MINWIDTH=2 -D DSP_Y_MINWIDTH=11 -D DSP_NAME=$__MUL16X16";
    let each: String = (0..multipliers)
        .map(|n| format!("select * t:SB_MAC16 %d c:multiplier_{n} %u; ice40_dsp; select -clear; "))
        .collect();
    format!(
        "synth_ice40 -dsp -top {top} -run begin:coarse; \
         opt_expr; opt_clean; check; opt -nodffe -nosdff; fsm; opt; wreduce; peepopt; opt_clean; \
         share; techmap -map +/cmp2lut.v -D LUT_WIDTH=4; opt_expr; opt_clean; memory_dff; \
         wreduce t:$mul; techmap -map +/mul2dsp.v -map +/ice40/dsp_map.v {widths}; \
         select a:mul2dsp; setattr -unset mul2dsp; opt_expr -fine; wreduce; select -clear; \
         cd {top}; rename -enumerate -pattern multiplier_% t:SB_MAC16; {each}cd ..; \
         chtype -set $mul t:$__soft_mul; alumacc; opt; memory -nomap; opt_clean; \
         synth_ice40 -dsp -top {top} -run map_ram:"
    )
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
