//! The author's text as comments: whatever it holds, tools read past it.

use super::lines::COLUMNS;
use std::fmt::Write;

/// First words by which tools take a comment for an order to themselves.
const ORDERS: &str = "
    altera ambit cadence coverage exemplar formality icarus leda magma mentor pragma psl quartus
    rtl_synthesis spyglass surelint synopsys synplify synthesis vcs verific verilator verilint vlint
    xilinx yosys
";

/// The text as lines of comment. What would end a comment or hide in it is left out; a line that
/// reads like an order to a tool begins with `|`.
pub(super) fn comment(text: &str) -> String {
    let mut out = String::new();
    // These end a line for one tool or another.
    let ends = ['\n', '\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}'];
    let text = text.trim_end();
    if text.is_empty() {
        return out;
    }
    for line in text.replace("\r\n", "\n").split(ends) {
        let shown: String = line.replace('\t', "  ").chars().filter(|&c| is_shown(c)).collect();
        for part in broken(shown.trim_end()) {
            let lead = if is_order(part) { "// | " } else { "// " };
            // A backslash at the end of a line would go on in the next.
            let end = if part.ends_with('\\') { "." } else { "" };
            let _ = writeln!(out, "{}", format!("{lead}{part}{end}").trim_end());
        }
    }
    out
}

/// Neither a control character nor one that hides or reorders its neighbors.
fn is_shown(c: char) -> bool {
    let hides = matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}');
    !c.is_control() && !hides
}

fn is_order(line: &str) -> bool {
    let line = line.trim_start().to_lowercase();
    let word = line.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
    // `verilator_lint`, `translate_off`
    let begins = |order: &str| {
        let rest = word.strip_prefix(order);
        rest.is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
    };
    ORDERS.split_whitespace().any(begins) || line.contains("translate_o")
}

/// A line in parts that fit, cut at spaces where there are any.
fn broken(line: &str) -> Vec<&str> {
    let (mut parts, mut rest) = (vec![], line);
    // a port's comment stands two columns in
    let room = COLUMNS - "  // | .".len();
    while let Some((limit, _)) = rest.char_indices().nth(room) {
        let indent = rest.len() - rest.trim_start().len();
        let space = rest[..limit].rfind(' ').filter(|&at| at > indent);
        let (part, after) = rest.split_at(space.unwrap_or(limit));
        parts.push(part.trim_end());
        rest = after.trim_start();
    }
    parts.push(rest);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_inside_its_comment() {
        assert_eq!(
            comment("Counts\rbytes\r\n\n  of\u{2028}all\n"),
            "// Counts\n// bytes\n//\n//   of\n// all\n"
        );
        assert_eq!(comment("p\u{0}q\u{202e}\u{1b}[1m\\"), "// pq[1m\\.\n");
        assert_eq!(comment(""), "");
    }

    #[test]
    fn orders_to_tools_are_marked() {
        for order in ["synopsys translate_off", " Verilator lint_off ALL", "verilator_x", "pragma"]
        {
            assert_eq!(comment(order), format!("// | {order}\n"));
        }
        for text in ["Synthesized by Yosys", "a synopsys", "coverages", "leda2 x"] {
            assert_eq!(comment(text), format!("// {text}\n"));
        }
    }

    #[test]
    fn long_lines_are_broken() {
        let text = comment(&format!("{}synopsys {}", "word ".repeat(22), "x".repeat(300)));
        assert!(
            text.lines().all(|line| line.len() <= COLUMNS && line.starts_with("// ")),
            "{text}"
        );
        assert_eq!(text.matches('x').count(), 300);
    }
}
