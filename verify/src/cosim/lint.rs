//! Verilator's lint: the text must be without any warning.

use super::cache::write;
use super::{CosimError, Finding, verilog_of};
use hwgen_files::Scratch;
use hwgen_hdl::Module;
use hwgen_tools::{ToolError, run};
use std::sync::Arc;
use std::time::Duration;

/// An error if `verilator --lint-only -Wall` has anything to say about what a module prints.
pub fn verilator_lint(module: &Arc<Module>) -> Result<(), CosimError> {
    lint_text(&module.name, &verilog_of(module)?)
}

/// The same for any text, given with its top module.
pub fn lint_text(top: &str, verilog: &str) -> Result<(), CosimError> {
    let verilator = hwgen_tools::require("verilator")?;
    let folder = Scratch::new().map_err(CosimError::file("create", std::env::temp_dir()))?;
    // A file named as its module, or that would be a warning too.
    let file = &format!("{top}.v");
    write(folder.path(), file, verilog)?;
    let mut command = verilator.command();
    command.current_dir(folder.path()).args(["--lint-only", "-Wall"]);
    command.args(["--default-language", "1364-2005", "--top-module", top, file]);
    let text = match run(&mut command, Duration::from_secs(600)) {
        Ok(output) if output.stderr.trim().is_empty() => return Ok(()),
        Ok(output) => output.stderr,
        Err(ToolError::Failed { tail, .. }) => tail,
        Err(error) => return Err(error.into()),
    };
    let text = text.trim_end().to_string();
    Err(CosimError::Unclean(Finding { tool: "verilator", module: top.to_string(), text }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_is_an_error() {
        let narrow = "module m (input [7:0] a, output [3:0] q); assign q = a; endmodule\n";
        let text = lint_text("m", narrow).unwrap_err().to_string();
        assert!(text.starts_with("verilator, module `m`:\n%Warning-WIDTH"), "{text}");
        let good = "module m (input [7:0] a, output [7:0] q); assign q = a; endmodule\n";
        lint_text("m", good).unwrap();
    }
}
