//! What a part has, and what a netlist of Yosys takes of it.
//!
//! A count that is over tells before place and route that a part is too small; place and route
//! packs logic and has the last word.

use hwgen_area::{Family, Resources, estimate};
use hwgen_hdl::Module;
use serde::Serialize;
use std::collections::BTreeMap;

/// Something a part has a number of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Resource {
    /// LUT, FF, BRAM, SPRAM, DSP.
    pub name: &'static str,
    /// How many the design takes.
    pub used: u64,
    /// How many there are.
    pub available: u64,
}

/// What a part has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Capacity {
    /// Lookup tables; of four inputs, of six in Xilinx'.
    lut: u64,
    /// Flip-flops.
    ff: u64,
    /// Block RAMs: 4 Kibit in iCE40, 18 in ECP5 and Gowin, 36 in Xilinx.
    bram: u64,
    /// Single-port RAMs of 256 Kibit.
    spram: u64,
    /// Multipliers of 16 x 16 (iCE40), 18 x 18 or 25 x 18 bits.
    dsp: u64,
}

/// What the device has, as nextpnr counts it; Xilinx: DS180.
pub(crate) fn capacity(device: &str) -> Option<Capacity> {
    let [lut, ff, bram, spram, dsp] = match device {
        "up5k" => [5_280, 5_280, 30, 4, 8],
        "hx8k" => [7_680, 7_680, 32, 0, 0],
        "25k" => [24_288, 24_288, 56, 0, 28],
        "85k" => [83_640, 83_640, 208, 0, 156],
        "GW1N-9C" => [8_640, 6_480, 26, 0, 20],
        "GW2A-18C" => [20_736, 15_552, 46, 0, 48],
        "xc7a35t" => [20_800, 41_600, 50, 0, 90],
        _ => return None,
    };
    Some(Capacity { lut, ff, bram, spram, dsp })
}

/// Multipliers that the device has, if it is known and has any.
pub fn multipliers(device: &str) -> Option<u32> {
    let dsp = capacity(device)?.dsp;
    u32::try_from(dsp).ok().filter(|&dsp| dsp > 0)
}

/// Part of a device's lookup tables that a design may be estimated at and still be worth a try.
const WORTH_A_TRY: f64 = 0.9;

/// Whether a design is small enough for the device to be worth Yosys' time: by the products, lookup tables and
/// block RAMs of `hwgen_area`, which knows neither the link nor the board. Where there are RAMs of 256 Kibit, memories
/// are not counted. A device that is not known has room.
pub fn may_fit(module: &Module, device: &str) -> bool {
    let Some(capacity) = capacity(device) else {
        return true;
    };
    let family = if device.starts_with("xc7") { Family::Xilinx7 } else { Family::Ice40 };
    let Resources { lut, ff, dsp, bram, .. } = estimate(module, family);
    let blocks = match device {
        _ if capacity.spram > 0 => 0,
        "hx8k" => bram,
        // of 18 Kibit, as Xilinx' halves are
        "25k" | "85k" | "GW1N-9C" | "GW2A-18C" => estimate(module, Family::Xilinx7).bram,
        _ => bram.div_ceil(2),
    };
    let room = |count: u64, of: u64| count as f64 <= WORTH_A_TRY * of as f64;
    // without such blocks products become lookup tables, more than are counted here
    let products = if capacity.dsp == 0 { 300 * dsp } else { 0 };
    let multiplies = capacity.dsp == 0 || dsp <= capacity.dsp;
    // a cell of iCE40 has a table and a flip-flop; half of these find no table of their own
    let alone = if matches!(device, "up5k" | "hx8k") { ff / 2 } else { 0 };
    let logic = room(lut + products + alone, capacity.lut) && room(ff, capacity.ff);
    multiplies && blocks <= capacity.bram && logic
}

/// Counts of cells by type, as resources of the part.
pub(super) fn resources(cells: &BTreeMap<String, u64>, capacity: Capacity) -> Vec<Resource> {
    let [mut lut, mut ff, mut bram, mut spram, mut dsp] = [0f64; 5];
    for (cell, count) in cells {
        let (of, times) = match cell.as_str() {
            "SB_LUT4" | "LUT4" | "LUT3" | "LUT2" | "LUT1" | "LUT5" | "LUT6" | "ALU" | "INV" => {
                (&mut lut, 1.0)
            }
            "CCU2C" => (&mut lut, 2.0),
            "TRELLIS_DPR16X4" => (&mut lut, 4.0),
            "RAM16SDP4" | "RAM16S4" => (&mut lut, 4.0),
            "RAM32M" | "RAM64M" => (&mut lut, 4.0),
            "TRELLIS_FF" => (&mut ff, 1.0),
            "SB_RAM40_4K" | "SB_RAM40_4KNR" | "SB_RAM40_4KNW" | "SB_RAM40_4KNRNW" | "DP16KD"
            | "RAMB36E1" => (&mut bram, 1.0),
            "SP" | "SPX9" | "DPB" | "DPX9B" | "SDPB" | "SDPX9B" | "pROM" | "pROMX9" => {
                (&mut bram, 1.0)
            }
            "RAMB18E1" => (&mut bram, 0.5),
            "SB_SPRAM256KA" => (&mut spram, 1.0),
            "SB_MAC16" | "MULT18X18D" | "DSP48E1" | "MULT18X18" => (&mut dsp, 1.0),
            "MULT9X9" | "MULT9X9D" => (&mut dsp, 0.5),
            "MULT36X36" => (&mut dsp, 4.0),
            "MULTADDALU18X18" | "MULTALU36X18" => (&mut dsp, 2.0),
            "MULTALU18X18" => (&mut dsp, 1.0),
            name if name.starts_with("SB_DFF") || name.starts_with("DFF") => (&mut ff, 1.0),
            "FDRE" | "FDSE" | "FDCE" | "FDPE" => (&mut ff, 1.0),
            _ => continue,
        };
        *of += times * *count as f64;
    }
    let Capacity { lut: luts, ff: ffs, bram: brams, spram: sprams, dsp: dsps } = capacity;
    let all = [
        ("LUT", lut, luts),
        ("FF", ff, ffs),
        ("BRAM", bram, brams),
        ("SPRAM", spram, sprams),
        ("DSP", dsp, dsps),
    ];
    let resource = |(name, used, available): (_, f64, _)| Resource {
        name,
        used: used.ceil() as u64,
        available,
    };
    let kept = all.into_iter().map(resource);
    kept.filter(|resource| resource.used + resource.available > 0).collect()
}
