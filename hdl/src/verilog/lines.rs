//! Lines that fit.

/// No line is longer.
pub(super) const COLUMNS: usize = 120;

/// What stands before an operand; the next line begins with it.
const OPERATORS: &str = "? : | ^ & && == != < <= > >= << >> >>> + - *";

/// A statement at this indent, on as many lines as it needs: cut behind commas and before operators.
pub(super) fn cut(indent: usize, statement: &str) -> String {
    let mut out = String::new();
    let (mut indent, mut rest) = (indent, statement);
    let further = indent + 4;
    while indent + rest.len() > COLUMNS {
        let Some(at) = place(rest, COLUMNS - indent) else { break };
        let (line, after) = rest.split_at(at);
        out += &format!("{:indent$}{}\n", "", line.trim_end());
        (indent, rest) = (further, after.trim_start());
    }
    out + &format!("{:indent$}{rest}", "")
}

/// Where a line of so many columns ends best: behind a comma or before an operator, inside as few
/// brackets as may be; else at any space.
fn place(text: &str, columns: usize) -> Option<usize> {
    let (mut best, mut depth, mut space) = (None, 0u32, None);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b' ' if at > columns && space.is_some() => break,
            b' ' if at > 0 => {
                space = Some(at);
                let next = text[at + 1..].split(' ').next().unwrap_or_default();
                let good = text[..at].ends_with(',') || OPERATORS.split(' ').any(|o| o == next);
                // a line of a few words only is no line
                let full = at > columns / 3 && at <= columns;
                if good && full && best.is_none_or(|(least, _)| depth <= least) {
                    best = Some((depth, at));
                }
            }
            _ => {}
        }
    }
    best.map(|(_, at)| at).or(space)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_lines_stay() {
        assert_eq!(cut(2, "assign a = b;"), "  assign a = b;");
    }

    #[test]
    fn long_lines_are_cut_at_operators_and_commas() {
        let term = "(a_rather_long_name & another_one)";
        let sum = format!("assign sum = {};", [term; 9].join(" | "));
        let text = cut(2, &sum);
        assert!(text.lines().all(|line| line.len() <= COLUMNS), "{text}");
        assert!(text.lines().skip(1).all(|line| line.starts_with("      | (")), "{text}");
        let words: Vec<_> = text.split_whitespace().collect();
        assert_eq!(words.join(" "), sum);

        let parts = format!("assign cat = {{{}}};", ["part_of_it[7:0]"; 20].join(", "));
        let text = cut(0, &parts);
        assert!(text.lines().all(|line| line.len() <= COLUMNS), "{text}");
        assert!(text.lines().skip(1).all(|line| line.starts_with("    part")), "{text}");
    }

    #[test]
    fn what_has_no_space_stays_whole() {
        let word = "w".repeat(200);
        assert_eq!(cut(0, &format!("{word} + b;")), format!("{word}\n    + b;"));
    }
}
