//! A rust-hdl block's Verilog, made fit to live beside hwgen's own.

use crate::Error;
use rust_hdl::prelude::*;
use std::collections::BTreeMap;

/// Warnings that rust-hdl's printing provokes by design; the equivalence tests stand in for them.
const LINT_OFF: [&str; 4] = ["WIDTH", "UNUSED", "DECLFILENAME", "VARHIDDEN"];

/// Prints `block` under the name `module`, with its inner modules named `module__inner`.
pub(crate) fn print(module: &str, block: &dyn Block) -> Result<String, Error> {
    let mut defines = ModuleDefines::default();
    block.accept(module, &mut defines);
    let text = isolate_assignments(&plain_names(module, &defines.defines())?);
    let mut out = String::from("// verilator lint_save\n");
    for rule in LINT_OFF {
        out += &format!("// verilator lint_off {rule}\n");
    }
    out += text.trim();
    out += "\n// verilator lint_restore\n";
    Ok(out)
}

/// rust-hdl writes all of a module's logic as one `always @(*)` block, so an output that gates an
/// input looks like a loop to Verilator (UNOPTFLAT). This makes it look at each signal by itself.
fn isolate_assignments(text: &str) -> String {
    let is_variable = |line: &str| {
        let line = line.trim_start();
        line.starts_with("output reg ") || line.starts_with("reg ")
    };
    let isolate = |line: &str| match line.strip_suffix(';') {
        Some(signal) if is_variable(line) => {
            format!("{signal} /*verilator isolate_assignments*/;\n")
        }
        _ => format!("{line}\n"),
    };
    let module = |text: &str| match text.contains("always @(*)") {
        true => text.lines().map(isolate).collect(),
        false => text.to_string(),
    };
    text.split_inclusive("endmodule").map(module).collect()
}

/// rust-hdl joins names with `$`, which many tools dislike in ports; we spell it `__`.
pub(crate) fn plain_name(name: &str) -> String {
    name.replace('$', "__")
}

/// Applies [`plain_name`] to every identifier of `text`; two names must not become one.
fn plain_names(module: &str, text: &str) -> Result<String, Error> {
    let mut taken: BTreeMap<String, &str> = BTreeMap::new();
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(is_name_char) {
        let length = rest[start..].find(|c| !is_name_char(c)).unwrap_or(rest.len() - start);
        let name = &rest[start..start + length];
        out += &rest[..start];
        if name.starts_with('$') {
            out += name; // a system function such as $signed
        } else {
            let plain = plain_name(name);
            let first = *taken.entry(plain.clone()).or_insert(name);
            if first != name {
                let (first, second) = (first.to_string(), name.to_string());
                return Err(Error::NameClash { module: module.into(), first, second, plain });
            }
            out += &plain;
        }
        rest = &rest[start + length..];
    }
    out += rest;
    Ok(out)
}

fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '$'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dollars_inside_names_go_and_system_functions_stay() {
        let text = "module top$ram(a$b); assign q = $signed(a$b) & 8'hff;";
        assert_eq!(
            plain_names("top", text).unwrap(),
            "module top__ram(a__b); assign q = $signed(a__b) & 8'hff;"
        );
    }

    #[test]
    fn only_combinational_modules_have_their_variables_isolated() {
        let text = "module a(y);\n  output reg y;\n  reg [3:0] t;\n  always @(*) y = t;\nendmodule\n\
                    module b(q);\n  output reg q;\nendmodule";
        let isolated = isolate_assignments(text);
        let note = "/*verilator isolate_assignments*/;";
        assert_eq!(isolated.matches(note).count(), 2);
        assert!(isolated.contains(&format!("reg [3:0] t {note}")));
    }

    #[test]
    fn two_names_that_would_become_one_are_refused() {
        let clash = plain_names("top", "wire a$b; wire a__b;").unwrap_err();
        assert_eq!(
            clash.to_string(),
            "top: `a$b` and `a__b` would both print as `a__b`; rename a field"
        );
    }
}
