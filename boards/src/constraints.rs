//! Constraint files: which port is at which pin, and how fast the oscillator is.
//!
//! The files in `constraints/` are these texts; a test holds them equal.

use crate::board::{Board, Family, Port, Pull, Uses};
use crate::clocking::megahertz;

/// The constraints of a board in the form of its family's tools, for the pins that are used.
pub fn constraints(board: &Board, uses: Uses) -> String {
    let ports = board.ports(uses);
    let comment = if board.fpga.family == Family::Gowin { "//" } else { "#" };
    let head = format!("{comment} {}, from boards/boards/{}.toml\n", board.title, board.name);
    let print = match board.fpga.family {
        Family::Ice40 => pcf,
        Family::Ecp5 => lpf,
        Family::Gowin => cst,
        Family::Xilinx7 => xdc,
    };
    let lines: String = ports.iter().map(print).collect();
    head + &lines + &clock(board)
}

/// The name of the board's file in `constraints/`.
pub fn file_name(board: &Board, uses: Uses) -> String {
    let line = if uses.spi { "_spi" } else { "" };
    format!("{}{line}.{}", board.name, board.fpga.family.constraints_ending())
}

/// Timing constraints for tools that keep them apart: Gowin's own, and Vivado's clock in the XDC.
pub fn sdc(board: &Board) -> Option<String> {
    (board.fpga.family == Family::Gowin).then(|| {
        let period = 1000.0 / megahertz(board.clock.hertz);
        format!("create_clock -name clk_in -period {period:.3} [get_ports {{clk_in}}]\n")
    })
}

fn pcf(port: &Port) -> String {
    let pull = if port.pull == Some(Pull::Up) { "-pullup yes " } else { "" };
    format!("set_io {pull}{port} {}\n", port.pin)
}

fn lpf(port: &Port) -> String {
    let standard = port.standard.unwrap_or_default();
    let pull = match port.pull {
        None => "",
        Some(Pull::Up) => " PULLMODE=UP",
        Some(Pull::Down) => " PULLMODE=DOWN",
    };
    let drive = port.drive.map_or(String::new(), |drive| format!(" DRIVE={drive}"));
    format!(
        "LOCATE COMP \"{port}\" SITE \"{}\";\nIOBUF PORT \"{port}\" IO_TYPE={standard}{pull}{drive};\n",
        port.pin
    )
}

fn cst(port: &Port) -> String {
    let standard = port.standard.unwrap_or_default();
    let pull = match port.pull {
        None => "",
        Some(Pull::Up) => " PULL_MODE=UP",
        Some(Pull::Down) => " PULL_MODE=DOWN",
    };
    let drive = port.drive.map_or(String::new(), |drive| format!(" DRIVE={drive}"));
    format!(
        "IO_LOC \"{port}\" {};\nIO_PORT \"{port}\" IO_TYPE={standard}{pull}{drive};\n",
        port.pin
    )
}

fn xdc(port: &Port) -> String {
    let standard = port.standard.unwrap_or_default();
    let pull = match port.pull {
        None => "",
        Some(Pull::Up) => " PULLUP true",
        Some(Pull::Down) => " PULLDOWN true",
    };
    let drive = port.drive.map_or(String::new(), |drive| format!(" DRIVE {drive}"));
    format!(
        "set_property -dict {{PACKAGE_PIN {} IOSTANDARD {standard}{pull}{drive}}} [get_ports {{{port}}}]\n",
        port.pin
    )
}

/// The oscillator; what the PLL makes of it the tools work out, but for iCE40's, which are told.
fn clock(board: &Board) -> String {
    let hertz = megahertz(board.clock.hertz);
    match board.fpga.family {
        // nextpnr 0.4 takes set_frequency for nets only by their names after packing
        Family::Ice40 | Family::Gowin => String::new(),
        Family::Ecp5 => format!("FREQUENCY PORT \"clk_in\" {hertz} MHZ;\n"),
        Family::Xilinx7 => {
            let period = 1000.0 / hertz;
            format!("create_clock -period {period:.3} -name clk_in [get_ports {{clk_in}}]\n")
        }
    }
}
