//! Yosys: a module synthesized to gates, as a text to run again, and what it finds wrong.

use super::cache::{cached, key, read, write};
use super::{CosimError, Finding, IcarusDevice, VerilatorDevice, verilog_of};
use hwgen_hdl::Module;
use hwgen_tools::run;
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(3600);

/// How far a netlist is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Synthesis {
    /// To gates and flip-flops; memories too, a flip-flop a bit.
    #[default]
    Gates,
    /// To operators on words, memories kept: for designs whose memories are large.
    Words,
}

impl Synthesis {
    fn script(self, top: &str) -> String {
        match self {
            Synthesis::Gates => format!("synth -top {top}"),
            Synthesis::Words => format!("synth -top {top} -run begin:fine"),
        }
    }
}

/// What Yosys makes of a module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The module's name.
    pub module: String,
    /// Cells of the whole hierarchy, before they become gates.
    pub cells: u64,
    /// Latches among them.
    pub latches: u64,
    /// Registers among them.
    pub flip_flops: u64,
    /// Combinational loops.
    pub loops: u64,
    /// Everything `check` complains about, loops included.
    pub problems: Vec<String>,
}

impl Report {
    /// An error if there is a latch, a loop or any other problem.
    pub fn assert_clean(&self) -> Result<(), CosimError> {
        if self.latches == 0 && self.problems.is_empty() {
            return Ok(());
        }
        let latches = (self.latches > 0).then(|| format!("{} latches", self.latches));
        let text: Vec<String> = latches.into_iter().chain(self.problems.clone()).collect();
        Err(CosimError::Unclean(Finding {
            tool: "yosys",
            module: self.module.clone(),
            text: text.join("\n"),
        }))
    }
}

/// The synthesized netlist of a module, as Verilog with the same ports.
pub fn netlist(module: &Arc<Module>, synthesis: Synthesis) -> Result<String, CosimError> {
    netlist_of_text(module, &verilog_of(module)?, synthesis)
}

/// The synthesized netlist of a text with a module's interface.
pub fn netlist_of_text(
    module: &Module,
    verilog: &str,
    synthesis: Synthesis,
) -> Result<String, CosimError> {
    let yosys = hwgen_tools::require("yosys")?;
    let passes = synthesis.script(&module.name);
    let script =
        format!("read_verilog design.v; {passes}; check -assert; write_verilog -noattr netlist.v");
    let folder = cached(&key("yosys", &[verilog, &script], &[&yosys]), |folder| {
        write(folder, "design.v", verilog)?;
        run(yosys.command().current_dir(folder).args(["-q", "-p", &script]), LIMIT)?;
        Ok(())
    })?;
    read(&folder, "netlist.v")
}

/// A module's gates run by Verilator, two-state.
pub fn gates_in_verilator(module: &Arc<Module>) -> Result<VerilatorDevice, CosimError> {
    VerilatorDevice::from_text(module, &netlist(module, Synthesis::Gates)?)
}

/// A module's gates run by Icarus, four-state.
pub fn gates_in_icarus(module: &Arc<Module>) -> Result<IcarusDevice, CosimError> {
    IcarusDevice::from_text(module, &netlist(module, Synthesis::Gates)?)
}

/// Elaborates a module and counts what comes out.
pub fn yosys_check(module: &Arc<Module>) -> Result<Report, CosimError> {
    let text = verilog_of(module)?;
    let mut reports = check_texts(&[(&module.name, &text)])?;
    reports.pop().ok_or_else(|| CosimError::Protocol { what: "no report of Yosys".into() })
}

/// The same for many modules, in one process as long as none fails.
pub fn yosys_check_all(modules: &[Arc<Module>]) -> Vec<Result<Report, CosimError>> {
    let texts: Result<Vec<_>, _> = modules.iter().map(|module| verilog_of(module)).collect();
    let together = texts.and_then(|texts| {
        let named = modules.iter().zip(&texts);
        let named: Vec<_> = named.map(|(module, text)| (&*module.name, text.as_str())).collect();
        check_texts(&named)
    });
    match together {
        Ok(reports) => reports.into_iter().map(Ok).collect(),
        // One of them stopped Yosys: each alone tells which.
        Err(_) => modules.iter().map(yosys_check).collect(),
    }
}

/// Elaborates many texts, given with their top modules, each for itself but in one process; kept
/// results are not made again.
pub fn check_texts(texts: &[(&str, &str)]) -> Result<Vec<Report>, CosimError> {
    let yosys = hwgen_tools::require("yosys")?;
    // Latches and loops are there once processes are gone; mapping them to gates takes minutes. A
    // loop may run through several modules, so the check sees them flattened. So do the
    // statistics: those of a hierarchy are no JSON in Yosys 0.23.
    let each = texts.iter().enumerate().map(|(k, (top, _))| {
        format!(
            "design -reset\nread_verilog {k}.v\nhierarchy -check -top {top}\n\
             proc\nopt_expr\nopt_clean\nflatten\nopt_clean\n\
             tee -q -o {k}.check check\ntee -q -o {k}.stat stat -json\n"
        )
    });
    let script: String = each.collect();
    let made_of: Vec<&str> = texts.iter().map(|(_, text)| *text).collect();
    let made_of = [&made_of[..], &[&script]].concat();
    let folder = cached(&key("yosys-check", &made_of, &[&yosys]), |folder| {
        for (k, (_, text)) in texts.iter().enumerate() {
            write(folder, &format!("{k}.v"), text)?;
        }
        write(folder, "script.ys", &script)?;
        run(yosys.command().current_dir(folder).args(["-q", "-s", "script.ys"]), LIMIT)?;
        Ok(())
    })?;
    let each = texts.iter().enumerate().map(|(k, (top, _))| {
        let check = read(&folder, &format!("{k}.check"))?;
        report(top, &check, &read(&folder, &format!("{k}.stat"))?)
    });
    each.collect()
}

/// Reads what `check` and `stat -json` print.
fn report(module: &str, check: &str, stat: &str) -> Result<Report, CosimError> {
    let wrong = |what: &str| CosimError::Protocol { what: format!("Yosys' {what} of `{module}`") };
    let stat: serde_json::Value =
        serde_json::from_str(stat).map_err(|error| wrong(&format!("statistics ({error})")))?;
    let design = &stat["design"];
    let types = design["num_cells_by_type"].as_object().ok_or_else(|| wrong("statistics"))?;
    let count = |is: &dyn Fn(&str) -> bool| -> u64 {
        types.iter().filter(|(cell, _)| is(cell)).filter_map(|(_, count)| count.as_u64()).sum()
    };
    let latch = |cell: &str| cell.to_lowercase().contains("latch") || cell == "$sr";
    let flip_flop = |cell: &str| cell.to_lowercase().contains("dff");
    if !check.contains("Found and reported") {
        return Err(wrong("check"));
    }
    let problems: Vec<String> = problems(check);
    Ok(Report {
        module: module.to_string(),
        cells: design["num_cells"].as_u64().ok_or_else(|| wrong("statistics"))?,
        latches: count(&latch),
        flip_flops: count(&flip_flop),
        loops: problems.iter().filter(|text| text.contains("logic loop")).count() as u64,
        problems,
    })
}

/// The warnings of `check`, each with the lines that explain it.
fn problems(check: &str) -> Vec<String> {
    let mut problems: Vec<String> = vec![];
    for line in check.lines() {
        if let Some(text) = line.strip_prefix("Warning: ") {
            problems.push(text.to_string());
        } else if let Some(last) = problems.last_mut()
            && line.starts_with(' ')
        {
            *last += &format!("\n{line}");
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    const LATCH: &str = "module m (input g, input d, output reg q);
        always @* if (g) q = d;
        endmodule";
    const LOOP: &str = "module m (input a, output q);
        wire w;
        sub one (.a(w), .q(q));
        assign w = ~(a & q);
        endmodule
        module sub (input a, output q); assign q = a; endmodule";
    const GOOD: &str = "module m (input clk, input d, output reg q);
        always @(posedge clk) q <= ~d;
        endmodule";

    #[test]
    fn latches_and_loops_are_seen_and_neighbors_do_not_mix() {
        let texts = [("m", LATCH), ("m", GOOD), ("m", LOOP)];
        let reports = check_texts(&texts).unwrap();
        let found: Vec<_> = reports.iter().map(|r| (r.latches, r.flip_flops, r.loops)).collect();
        assert_eq!(found, [(1, 0, 0), (0, 1, 0), (0, 0, 1)]);
        reports[1].assert_clean().unwrap();
        assert_eq!(
            reports[0].assert_clean().unwrap_err().to_string(),
            "yosys, module `m`:\n1 latches"
        );
        let text = reports[2].assert_clean().unwrap_err().to_string();
        assert!(text.starts_with("yosys, module `m`:\nfound logic loop"), "{text}");
    }
}
