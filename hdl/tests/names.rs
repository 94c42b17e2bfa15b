//! What things are called: the same in the text, in `peek` and in the waves; and never so that a
//! tool cannot read it.

use hwgen_hdl::lib::adder_tree;
use hwgen_hdl::sim::{Engine, Simulator};
use hwgen_hdl::{Module, ModuleBuilder, u};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

/// Two registers, wires, memories and instances of one name, a register that is called like a
/// port, and one whose name would be the next free one.
fn doubles() -> Arc<Module> {
    let m = ModuleBuilder::new("inner");
    let count = m.reg("count", u(8));
    count.next(count + m.input("by", u(8)));
    m.output("on", count);
    let inner = m.finish();
    let m = ModuleBuilder::new("doubles");
    let x = m.input("x", u(8));
    let registers: Vec<_> = ["n", "n_2", "n", "x", "y", "part"]
        .into_iter()
        .zip(1u32..)
        .map(|(name, by)| {
            let register = m.reg(name, u(8));
            register.next(register + by)
        })
        .collect();
    let words = |value: u32| m.memory("n", 2, u(8)).init([value, value + 1]).read(x.bit(0));
    let (one, two) = (words(3), words(5));
    // the net of output `on` would be a keyword
    let inner = |name, by| m.instance(name, &inner).input("by", by).output("on");
    let parts = inner("accept", x) + inner("part", one) + inner("part", two);
    let sum = registers.iter().fold(parts, |sum, register| (sum ^ **register).named("sum"));
    m.output("y", sum + 1);
    m.output("sum", sum.shr(1));
    m.finish()
}

/// Names that a module's text declares as nets and registers, memories aside.
fn declared(text: &str) -> Vec<String> {
    let code = text.lines().map(|line| line.split("//").next().unwrap_or_default());
    let code = code.collect::<Vec<_>>().join("\n");
    let mut names = vec![];
    for statement in code.split([';', '(', ')']) {
        let statement = statement.split('=').next().unwrap_or_default();
        let mut words = statement.split_whitespace().filter(|word| !word.starts_with('['));
        if matches!(words.next(), Some("reg" | "wire")) && !statement.contains(" [0:") {
            let words = words.filter(|word| *word != "signed");
            names.extend(words.map(|word| word.trim_end_matches(',').to_string()));
        }
    }
    names
}

#[test]
fn one_name_twice_is_two_names_everywhere() {
    let module = doubles();
    let text = module.verilog_modules().unwrap().pop().unwrap().text;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("doubles.vcd");
    let mut sim = Simulator::new(&module, Engine::Interpreter);
    sim.trace_vcd(&path).unwrap();
    sim.reset();
    sim.steps(3);
    // each register counts by its own step, whatever it is called
    let after = |name| sim.peek_u64(name);
    let names = ["n", "n_2", "n_3", "x_2", "y_2", "part"];
    assert_eq!(names.map(after).map(|value| value / 3), [1, 2, 3, 4, 5, 6]);
    sim.finish_trace().unwrap();
    let waves = std::fs::read_to_string(path).unwrap();
    let waves: Vec<_> = waves.lines().filter(|line| line.starts_with("$var")).collect();
    let names = declared(&text);
    assert!(names.len() > 15, "{names:?}");
    // what the text made up aside
    let made = |name: &str| ["x_0", "part_2_by", "part_3_by"].contains(&name);
    for name in names.iter().filter(|name| !made(name)) {
        assert_eq!(names.iter().filter(|other| *other == name).count(), 1, "{name}");
        assert!(sim.try_peek(name).is_ok(), "`{name}` cannot be peeked at:\n{text}");
        assert!(waves.iter().any(|line| line.contains(&format!(" {name} "))), "`{name}`");
    }
    for instance in ["accept", "part_2", "part_3"] {
        assert!(text.contains(&format!("  inner {instance} (")), "{text}");
        assert!(sim.try_peek(&format!("{instance}.count")).is_ok(), "{instance}");
    }
    assert!(sim.try_peek("accept_on_2").is_ok() && text.contains(" accept_on_2"), "{text}");
    read_by_all(folder.path(), "doubles", &module.verilog().unwrap());
}

/// Nets that are read twice and named by nobody.
#[test]
fn made_names_are_not_made_of_made_names() {
    let m = ModuleBuilder::new("chain");
    let x = m.input("x", u(16));
    let mut value = x;
    for link in 0..1000 {
        value = if link % 2 == 0 { value + value.shr(1) } else { value ^ value.shl(3) };
    }
    m.output("y", value);
    let text = m.finish().verilog().unwrap();
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let longest = words.map(str::len).max().unwrap();
    assert!(longest <= 20 && text.len() < 200_000, "{longest} characters, {} bytes", text.len());
}

#[test]
fn words_that_a_tool_keeps_are_refused_with_the_reason() {
    for (word, why) in [
        ("always", "keyword of Verilog"),
        ("logic", "keyword of SystemVerilog"),
        ("bool", "Icarus"),
        ("wreal", "Icarus"),
        ("std", "Verilator"),
        ("process", "Verilator"),
    ] {
        let m = ModuleBuilder::new("words");
        m.output("y", m.input(word, u(4)) + 1);
        let error = m.try_finish().unwrap_err().to_string();
        assert!(error.contains(&format!("`{word}`")) && error.contains(why), "{error}");
    }
    let m = ModuleBuilder::new("TOP");
    m.output("y", m.input("x", u(4)));
    assert!(m.try_finish().is_err());
}

/// Ports that are called like words of C++, and text of the author's that would end its comment or
/// is an order to a tool.
#[test]
fn tools_read_whatever_the_author_wrote() {
    let folder = tempfile::tempdir().unwrap();
    for (number, (doc, parameter, value)) in [
        ("synopsys translate_off", "p", "1"),
        ("Counts\rbytes", "p", "1"),
        ("Counts bytes", "p\nq", "2\u{2028}endmodule"),
        ("verilator lint_on x\n/* synthesis translate_off", "*/ p", "\\"),
        ("of `undefined macros`, 64 % of \"quotes", "p\u{0}", "\u{85}q\u{c}r"),
    ]
    .into_iter()
    .enumerate()
    {
        let m = ModuleBuilder::new(format!("comment_{number}"));
        m.doc(doc);
        m.parameter(parameter, value);
        let (set, switch) = (m.input("set", u(4)), m.input("switch", u(4)));
        m.output("register", set + switch);
        let module = m.finish();
        read_by_all(folder.path(), &module.name, &module.verilog().unwrap());
    }
}

/// Has Icarus, Yosys and Verilator read a text; they find its module, and lint is clean.
fn read_by_all(folder: &Path, top: &str, text: &str) {
    let path = folder.join(format!("{top}.v"));
    std::fs::write(&path, text).unwrap();
    let file = path.to_str().unwrap();
    let find = format!("read_verilog {file}; hierarchy -check -top {top}");
    for command in [
        vec!["iverilog", "-g2005", "-s", top, "-o", "/dev/null", file],
        vec!["yosys", "-q", "-p", &find],
        vec!["verilator", "--lint-only", "-Wall", "--top-module", top, file],
    ] {
        let run = Command::new(command[0]).args(&command[1..]).output();
        let run = run.unwrap_or_else(|error| panic!("{}: {error}; see scripts/setup", command[0]));
        let said = String::from_utf8_lossy(&run.stderr);
        assert!(run.status.success() && said.is_empty(), "{command:?}: {said}\n{text}");
    }
}

/// What is called something stays in place unless the text needs a net for it.
#[test]
fn nets_are_called_what_they_carry_or_are_part_of() {
    let m = ModuleBuilder::new("called");
    let bits: Vec<_> = (0..16).map(|i| m.input(format!("x{i}"), u(1))).collect();
    let hits: Vec<_> = (1..16).map(|i| (bits[i] ^ bits[0]).called(format!("hit_{i}"))).collect();
    let several = (hits[0] & hits[1]).called("both");
    let count = m.reg("count", u(5));
    count.next(count + adder_tree(&hits).called("hits").extend(5)).enable(several);
    m.output("both_or_first", several | hits[0]);
    m.output("other", (hits[2] & hits[3]).called("in_place") | hits[4]);
    m.output("count", count);
    let text = m.finish().verilog().unwrap();
    let names = declared(&text);
    let has = |name: &str| names.iter().any(|known| known == name);
    assert!(["hit_1", "both", "hits", "hits_of_0_to_3"].iter().all(|name| has(name)), "{text}");
    assert!(!has("in_place"), "{text}");
}
