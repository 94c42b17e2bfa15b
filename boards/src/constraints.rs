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
    let settings = settings(port, ["PULLMODE=UP", "PULLMODE=DOWN", "DRIVE="]);
    format!(
        "LOCATE COMP \"{port}\" SITE \"{}\";\nIOBUF PORT \"{port}\" IO_TYPE={settings};\n",
        port.pin
    )
}

fn cst(port: &Port) -> String {
    let settings = settings(port, ["PULL_MODE=UP", "PULL_MODE=DOWN", "DRIVE="]);
    format!("IO_LOC \"{port}\" {};\nIO_PORT \"{port}\" IO_TYPE={settings};\n", port.pin)
}

fn xdc(port: &Port) -> String {
    let settings = settings(port, ["PULLUP true", "PULLDOWN true", "DRIVE "]);
    format!(
        "set_property -dict {{PACKAGE_PIN {} IOSTANDARD {settings}}} [get_ports {{{port}}}]\n",
        port.pin
    )
}

/// The port's standard, then its resistor and its drivers' strength as a family's tools call them.
fn settings(port: &Port, [up, down, strength]: [&str; 3]) -> String {
    let mut settings = port.standard.unwrap_or_default().to_owned();
    let pull = port.pull.map(|pull| if pull == Pull::Up { up } else { down }.to_owned());
    let drive = port.drive.map(|drive| format!("{strength}{drive}"));
    for setting in pull.into_iter().chain(drive) {
        settings += " ";
        settings += &setting;
    }
    settings
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
