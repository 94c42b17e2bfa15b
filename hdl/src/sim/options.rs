//! How to simulate.

use super::Initial;

/// Which engine runs the module.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Engine {
    /// The reference: slow and obviously right.
    Interpreter,
    /// Machine code.
    #[default]
    Jit,
}

/// How to simulate.
#[derive(Clone, Copy, Debug)]
pub struct SimOptions {
    /// Which engine runs the module.
    pub engine: Engine,
    /// Whether promises and stream contracts of every level are checked.
    pub check_contracts: bool,
    /// The content of state at power-up.
    pub initial: Initial,
    /// Whether violations are only collected; else a step that sees one panics with its text.
    pub collect_violations: bool,
}

impl Default for SimOptions {
    fn default() -> SimOptions {
        SimOptions {
            engine: Engine::default(),
            check_contracts: true,
            initial: Initial::Zero,
            collect_violations: false,
        }
    }
}
