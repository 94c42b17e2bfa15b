//! The families' PLLs, and stand-ins for them where there is no FPGA.

use crate::board::{Board, Family};
use crate::clocking::{Clocking, Pll, megahertz};

/// Nets `clk` and `locked`: the PLL, or the oscillator's clock as it is.
pub(super) fn instance(board: &Board, clocking: &Clocking) -> String {
    let Some(pll) = &clocking.pll else {
        return "\n  // the oscillator's clock is used as it is\n  wire clk = clk_in;\n  wire locked = 1'b1;\n"
            .into();
    };
    let body = match board.fpga.family {
        Family::Ice40 => ice40(board, pll),
        Family::Ecp5 => ecp5(board, clocking, pll),
        Family::Gowin => gowin(board, pll),
        Family::Xilinx7 => xilinx7(board, pll),
    };
    format!(
        "\n  // {} MHz of {} MHz, by an oscillator at {} MHz\n  wire clk;\n  wire locked;\n{body}",
        megahertz(clocking.hertz),
        megahertz(board.clock.hertz),
        megahertz(pll.vco_hertz)
    )
}

/// Instances print as `NAME #(parameters) pll (connections);`.
fn print(name: &str, parameters: &[String], connections: &[&str]) -> String {
    format!(
        "  {name} #(\n    {}\n  ) pll (\n    {}\n  );\n",
        parameters.join(",\n    "),
        connections.join(",\n    ")
    )
}

fn dividers(pll: &Pll) -> Vec<String> {
    pll.parameters.iter().map(|(name, value)| format!(".{name}({value})")).collect()
}

fn ice40(board: &Board, pll: &Pll) -> String {
    let bits = |name| match name {
        "DIVF" => 7,
        "DIVR" => 4,
        _ => 3,
    };
    let mut parameters = vec![".FEEDBACK_PATH(\"SIMPLE\")".to_string()];
    let own = pll.parameters.iter();
    parameters.extend(own.map(|(name, value)| format!(".{name}({}'d{value})", bits(*name))));
    let (name, input) = if board.clock.pll_at_pin {
        ("SB_PLL40_PAD", ".PACKAGEPIN(clk_in)")
    } else {
        ("SB_PLL40_CORE", ".REFERENCECLK(clk_in)")
    };
    let others = [".PLLOUTGLOBAL(clk)", ".LOCK(locked)", ".RESETB(1'b1)", ".BYPASS(1'b0)"];
    print(name, &parameters, &[&[input][..], &others].concat())
}

/// Attributes and the unused inputs' levels are those that Trellis' `ecppll` writes.
fn ecp5(board: &Board, clocking: &Clocking, pll: &Pll) -> String {
    let mut parameters: Vec<String> = [
        ("PLLRST_ENA", "DISABLED"),
        ("INTFB_WAKE", "DISABLED"),
        ("STDBY_ENABLE", "DISABLED"),
        ("DPHASE_SOURCE", "DISABLED"),
        ("OUTDIVIDER_MUXA", "DIVA"),
        ("OUTDIVIDER_MUXB", "DIVB"),
        ("OUTDIVIDER_MUXC", "DIVC"),
        ("OUTDIVIDER_MUXD", "DIVD"),
        ("FEEDBK_PATH", "CLKOP"),
        ("CLKOP_ENABLE", "ENABLED"),
    ]
    .map(|(name, value)| format!(".{name}(\"{value}\")"))
    .into();
    parameters.extend(dividers(pll));
    // half a period of the output, in periods of the oscillator
    let out = pll.parameters.iter().find(|(name, _)| *name == "CLKOP_DIV").map_or(2, |(_, d)| *d);
    let phase = (out / 2).saturating_sub(1);
    parameters.extend([format!(".CLKOP_CPHASE({phase})"), ".CLKOP_FPHASE(0)".into()]);
    let attributes = format!(
        "  (* FREQUENCY_PIN_CLKI=\"{}\" *)\n  (* FREQUENCY_PIN_CLKOP=\"{}\" *)\n  (* ICP_CURRENT=\"12\" *) (* LPF_RESISTOR=\"8\" *) (* MFG_ENABLE_FILTEROPAMP=\"1\" *) (* MFG_GMCREF_SEL=\"2\" *)\n",
        megahertz(board.clock.hertz),
        megahertz(clocking.hertz)
    );
    let connections = [
        ".CLKI(clk_in)",
        ".CLKOP(clk)",
        ".CLKFB(clk)",
        ".LOCK(locked)",
        ".RST(1'b0)",
        ".STDBY(1'b0)",
        ".PHASESEL0(1'b0)",
        ".PHASESEL1(1'b0)",
        ".PHASEDIR(1'b1)",
        ".PHASESTEP(1'b1)",
        ".PHASELOADREG(1'b1)",
        ".PLLWAKESYNC(1'b0)",
        ".ENCLKOP(1'b0)",
    ];
    attributes + &print("EHXPLLL", &parameters, &connections)
}

fn gowin(board: &Board, pll: &Pll) -> String {
    let mut parameters = vec![format!(".FCLKIN(\"{}\")", megahertz(board.clock.hertz))];
    parameters.extend(dividers(pll));
    let connections = [
        ".CLKIN(clk_in)",
        ".CLKOUT(clk)",
        ".LOCK(locked)",
        ".CLKFB(1'b0)",
        ".RESET(1'b0)",
        ".RESET_P(1'b0)",
        ".FBDSEL(6'b0)",
        ".IDSEL(6'b0)",
        ".ODSEL(6'b0)",
        ".PSDA(4'b0)",
        ".DUTYDA(4'b0)",
        ".FDLY(4'b0)",
    ];
    print("rPLL", &parameters, &connections)
}

fn xilinx7(board: &Board, pll: &Pll) -> String {
    let period = 1000.0 / megahertz(board.clock.hertz);
    let mut parameters = vec![format!(".CLKIN1_PERIOD({period:.3})")];
    parameters.extend(dividers(pll));
    let connections = [
        ".CLKIN1(clk_in)",
        ".CLKOUT0(made)",
        ".CLKFBOUT(feedback)",
        ".CLKFBIN(feedback)",
        ".LOCKED(locked)",
        ".PWRDWN(1'b0)",
        ".RST(1'b0)",
    ];
    let made = print("MMCME2_BASE", &parameters, &connections);
    format!(
        "  wire made;\n  wire feedback;\n{made}  BUFG buffer (\n    .I(made),\n    .O(clk)\n  );\n"
    )
}

/// Modules named as the family's PLLs whose output is their input and that have always locked: for
/// lint and simulation, where the design runs at the oscillator's rate.
pub fn stand_ins(board: &Board) -> String {
    let module = |name: &str, clock: &str, parameters: &[&str], inputs: &[&str], out: [&str; 2]| {
        let parameters: Vec<_> =
            parameters.iter().map(|parameter| format!("parameter {parameter} = 0")).collect();
        let inputs: Vec<_> = inputs.iter().map(|port| format!(", input wire {port}")).collect();
        let [output, locked] = out;
        format!(
            "module {name} #({}) (input wire {clock}{}, output wire {output}, output wire {locked});\n  assign {output} = {clock};\n  assign {locked} = 1'b1;\nendmodule\n",
            parameters.join(", "),
            inputs.concat()
        )
    };
    match board.fpga.family {
        Family::Ice40 => {
            let parameters = ["FEEDBACK_PATH", "DIVR", "DIVF", "DIVQ", "FILTER_RANGE"];
            let (inputs, out) = (["RESETB", "BYPASS"], ["PLLOUTGLOBAL", "LOCK"]);
            module("SB_PLL40_PAD", "PACKAGEPIN", &parameters, &inputs, out)
                + &module("SB_PLL40_CORE", "REFERENCECLK", &parameters, &inputs, out)
        }
        Family::Ecp5 => {
            let text = ["PLLRST_ENA", "INTFB_WAKE", "STDBY_ENABLE", "DPHASE_SOURCE"];
            let muxes =
                ["OUTDIVIDER_MUXA", "OUTDIVIDER_MUXB", "OUTDIVIDER_MUXC", "OUTDIVIDER_MUXD"];
            let numbers = ["CLKI_DIV", "CLKFB_DIV", "CLKOP_DIV", "CLKOP_CPHASE", "CLKOP_FPHASE"];
            let parameters =
                [&text[..], &muxes, &numbers, &["FEEDBK_PATH", "CLKOP_ENABLE"]].concat();
            let inputs = [
                "CLKFB",
                "RST",
                "STDBY",
                "PHASESEL0",
                "PHASESEL1",
                "PHASEDIR",
                "PHASESTEP",
                "PHASELOADREG",
                "PLLWAKESYNC",
                "ENCLKOP",
            ];
            module("EHXPLLL", "CLKI", &parameters, &inputs, ["CLKOP", "LOCK"])
        }
        Family::Gowin => {
            let parameters = ["FCLKIN", "IDIV_SEL", "FBDIV_SEL", "ODIV_SEL"];
            let inputs = [
                "CLKFB",
                "RESET",
                "RESET_P",
                "[5:0] FBDSEL",
                "[5:0] IDSEL",
                "[5:0] ODSEL",
                "[3:0] PSDA",
                "[3:0] DUTYDA",
                "[3:0] FDLY",
            ];
            module("rPLL", "CLKIN", &parameters, &inputs, ["CLKOUT", "LOCK"])
        }
        Family::Xilinx7 => {
            let parameters =
                ["CLKIN1_PERIOD", "DIVCLK_DIVIDE", "CLKFBOUT_MULT_F", "CLKOUT0_DIVIDE_F"];
            let inputs = ["CLKFBIN", "PWRDWN", "RST"];
            module("MMCME2_BASE", "CLKIN1", &parameters, &inputs, ["CLKOUT0", "LOCKED"])
                .replace("output wire CLKOUT0", "output wire CLKFBOUT, output wire CLKOUT0")
                .replace("  assign LOCKED", "  assign CLKFBOUT = CLKIN1;\n  assign LOCKED")
                + "module BUFG (input wire I, output wire O);\n  assign O = I;\nendmodule\n"
        }
    }
}
