//! What can go wrong at the bridge, and what to do about it.

use hwgen_hdl::{Int, Type};

/// Everything the bridge refuses, with the offending value, where it stands, and the way out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A parameter outside the table of instances this crate compiles.
    #[error(
        "{leaf}: {parameter} is {got}, allowed is {allowed}: rust-hdl fixes sizes when it is \
         compiled; build other sizes from hwgen's own library"
    )]
    OutOfTable {
        /// The leaf that was asked for.
        leaf: &'static str,
        /// Which of its parameters.
        parameter: &'static str,
        /// The value that was given.
        got: u32,
        /// The values of the table.
        allowed: &'static str,
    },
    /// An SPI clock that the master's strobe cannot make from the system clock.
    #[error(
        "spi_master: {speed_hz} Hz cannot be made from a {clock_hz} Hz clock: \
         clock_hz / (4 * speed_hz), rounded, must be 3 to 4294967295"
    )]
    SpiSpeed {
        /// The system clock, in hertz.
        clock_hz: u64,
        /// The wanted SPI clock, in hertz.
        speed_hz: u64,
    },
    /// rust-hdl's own checks (open signals, loops, written inputs) rejected the block.
    #[error("{module}: rust-hdl's checks reject the block: {problem}")]
    Rejected {
        /// Name of the module.
        module: String,
        /// rust-hdl's finding.
        problem: String,
    },
    /// A bidirectional port: netlists are two-valued and have none.
    #[error("{module}: port `{port}` is an inout; split it into an input, an output and an enable")]
    InOut {
        /// Name of the module.
        module: String,
        /// Name of the port.
        port: String,
    },
    /// An input of the block that nothing can drive from outside.
    #[error("{module}: input `{port}` is not bound; add `.input(|block| &mut block.{port})`")]
    UnboundInput {
        /// Name of the module.
        module: String,
        /// Name of the port.
        port: String,
    },
    /// `.input(..)` was given a signal that is not an input port of the block's own level.
    #[error("{module}: input binding number {index} is not an input port of the block itself")]
    NotAPort {
        /// Name of the module.
        module: String,
        /// Position of the `.input(..)` call, from 0.
        index: usize,
    },
    /// Two names that become one when rust-hdl's `$` is spelled `__`.
    #[error("{module}: `{first}` and `{second}` would both print as `{plain}`; rename a field")]
    NameClash {
        /// Name of the module.
        module: String,
        /// One of the two rust-hdl names.
        first: String,
        /// The other one.
        second: String,
        /// The Verilog name they share.
        plain: String,
    },
    /// hwgen's own checks rejected the ports.
    #[error("{module}: {problem}")]
    Refused {
        /// Name of the module.
        module: String,
        /// hwgen's finding.
        problem: String,
    },
    /// An output of a leaf changed although no clock did, against its `registered` claim.
    #[error(
        "{module}: `{port}` is said to be registered, yet it changed without a clock; \
         leave out `.registered()`"
    )]
    NotRegistered {
        /// Name of the module.
        module: String,
        /// Name of the output.
        port: String,
    },
    /// The simulator inside a block stopped.
    #[error("{module}: {problem}")]
    Simulator {
        /// Name of the module.
        module: String,
        /// What the simulator said.
        problem: String,
    },
    /// A port name that the block does not have.
    #[error("{module}: no {what} `{port}`; there are {known}")]
    NoSuchPort {
        /// Name of the module.
        module: String,
        /// Kind of port that was looked for.
        what: &'static str,
        /// The name that was given.
        port: String,
        /// The names that exist.
        known: String,
    },
    /// A value outside its port's type.
    #[error("{module}: {value} does not fit `{port}: {ty}` ({} to {})", Type::min(*ty), Type::max(*ty))]
    DoesNotFit {
        /// Name of the module.
        module: String,
        /// Name of the port.
        port: String,
        /// Type of the port.
        ty: Type,
        /// The value that was given.
        value: Int,
    },
    /// A block that still changes after the allowed number of passes.
    #[error("{module}: did not settle in {passes} passes; look for a combinational loop")]
    NotSettled {
        /// Name of the module.
        module: String,
        /// Passes of `update_all` that were made.
        passes: usize,
    },
}
