//! The table, functions, fields, ranges and ports in `docs/components.md` are what the sources say.
//! `UPDATE_DOCS=1` rewrites them.

use hwgen_hdl::Module;
use hwgen_hdl::lib::{Sample, catalogue};
use hwgen_hdl::netlist::{Direction, Port};
use std::fmt::Write;
use std::fs;
use std::path::Path;

#[test]
fn every_component_says_what_it_offers() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/components.md");
    let page = fs::read_to_string(&path).unwrap();
    let samples = telling_samples();
    let made = between(&page, "components", &table(&samples));
    let made = between(&made, "functions", &sections(&samples));
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, made).unwrap();
    } else {
        let update = "UPDATE_DOCS=1 cargo test -p hwgen-hdl --test components";
        assert!(page == made, "docs/components.md is out of date: run {update}");
    }
}

/// The page with this text between the mark of that name and the next end.
fn between(page: &str, name: &str, text: &str) -> String {
    let mark = format!("<!-- {name}: kept true by hdl/tests/components.rs -->\n");
    let (before, rest) = page.split_once(&mark).unwrap_or_else(|| panic!("no mark {mark}"));
    let (_, after) = rest.split_once("<!-- end -->").expect("an end behind the mark");
    [before, &mark, text, "<!-- end -->", after].concat()
}

/// A row for each of these samples.
fn table(samples: &[Sample]) -> String {
    let head =
        "| component | module, for example | parameters | what it does |\n|---|---|---|---|\n";
    samples.iter().fold(head.to_string(), |mut table, Sample { component, parameters, module }| {
        let what = module.doc.lines().next().unwrap_or_default();
        let _ = writeln!(table, "| {component} | `{}` | {parameters} | {what} |", module.name);
        table
    })
}

/// Of samples that do the same the last, as the first are the smallest.
fn telling_samples() -> Vec<Sample> {
    let mut kept: Vec<Sample> = vec![];
    let what = |sample: &Sample| {
        let line = sample.module.doc.lines().next().unwrap_or_default();
        (sample.component, line.to_string())
    };
    for sample in catalogue().into_iter().rev() {
        if kept.iter().all(|other| what(other) != what(&sample)) {
            kept.push(sample);
        }
    }
    kept.reverse();
    kept
}

/// A public function, structure or enumeration, with the comments above it.
struct Item {
    text: String,
    docs: Vec<String>,
}

/// Sections for the components of these samples, a module's ports in each.
fn sections(samples: &[Sample]) -> String {
    let mut out = String::new();
    let mut last = "";
    for (at, sample) in samples.iter().enumerate() {
        if sample.component != last {
            last = sample.component;
            let source = source(last);
            let _ = writeln!(out, "\n## {last}\n\n{}\n", summary(&source));
            let _ = writeln!(out, "In `hwgen_hdl::lib::{last}`:\n");
            items(&source).iter().for_each(|item| out += &item.markdown());
            out += "\nPorts:\n";
        }
        let first = samples[..at].iter().all(|other| shape(&other.module) != shape(&sample.module));
        if first {
            let _ = writeln!(out, "- `{}`: {}", sample.module.name, ports(&sample.module));
        }
    }
    out
}

/// Which ports there are, whatever their widths.
fn shape(module: &Module) -> Vec<&str> {
    module.inputs.iter().chain(&module.outputs).map(|port| &*port.name).collect()
}

/// A component's file, and those of its folder.
fn source(component: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib");
    let code = |path: &Path| {
        let text = fs::read_to_string(path).unwrap();
        text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default().to_string()
    };
    let mut text = code(&folder.join(format!("{component}.rs")));
    let inside = fs::read_dir(folder.join(component)).into_iter().flatten();
    let mut inside: Vec<_> = inside.map(|entry| entry.unwrap().path()).collect();
    inside.sort();
    for path in inside {
        // its own introduction is no part of the component's
        let more = code(&path);
        text.extend(more.lines().filter(|line| !line.starts_with("//!")).map(|l| format!("{l}\n")));
    }
    text
}

/// The first paragraph of a file's introduction.
fn summary(source: &str) -> String {
    let lines = source.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim);
    plain(&lines.take_while(|line| !line.is_empty()).collect::<Vec<_>>().join(" "))
}

fn items(source: &str) -> Vec<Item> {
    let (mut found, mut docs) = (vec![], vec![]);
    let mut lines = source.lines();
    while let Some(line) = lines.next() {
        if let Some(doc) = line.strip_prefix("///") {
            docs.push(doc.trim().to_string());
        } else if line.starts_with("pub fn") {
            let mut text = line.to_string();
            while !text.ends_with('{') {
                let next = lines.next().unwrap_or("{").trim();
                let space = if text.ends_with('(') || next.starts_with(')') { "" } else { " " };
                text = text.trim_end_matches(if space.is_empty() { "," } else { "" }).to_string();
                text += &format!("{space}{next}");
            }
            let text = text.trim_end_matches(['{', ' ']).trim_start_matches("pub ");
            found.push(Item { text: text.to_string(), docs: std::mem::take(&mut docs) });
        } else if line.starts_with("pub struct") || line.starts_with("pub enum") {
            let members = lines.by_ref().take_while(|line| !line.starts_with('}'));
            let members = members.map(str::trim).filter(|line| !line.starts_with('#'));
            let text = line.trim_end_matches(['{', ' ']).trim_start_matches("pub ");
            docs.extend(fields(members));
            found.push(Item { text: text.to_string(), docs: std::mem::take(&mut docs) });
        } else if !line.starts_with('#') {
            docs.clear();
        }
    }
    found
}

/// The public members of a structure or enumeration, each with its comment, as a list.
fn fields<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<String> {
    let (mut fields, mut said) = (vec![], vec![]);
    for line in lines {
        match line.strip_prefix("///") {
            Some(doc) => said.push(doc.trim()),
            None => {
                let shown = line.strip_prefix("pub ");
                let variant = line.starts_with(|c: char| c.is_ascii_uppercase()).then_some(line);
                if let Some(member) = shown.or(variant) {
                    let member = member.trim_end_matches(',');
                    fields.push(format!("FIELD`{member}`: {}", said.join(" ")));
                }
                said.clear();
            }
        }
    }
    fields
}

impl Item {
    fn markdown(&self) -> String {
        let fields = self.docs.iter().filter_map(|doc| doc.strip_prefix("FIELD"));
        let fields: String = fields.map(|field| format!("  - {}\n", plain(field))).collect();
        let docs =
            self.docs.iter().filter(|doc| !doc.starts_with("FIELD") && !doc.starts_with('#'));
        let docs = docs.map(String::as_str).filter(|doc| !doc.is_empty()).collect::<Vec<_>>();
        let docs = plain(&docs.join(" ")).replace(" If ", " Refused if ");
        format!("- `{}`: {docs}\n{fields}", self.text)
    }
}

/// Without links of Rust's documentation.
fn plain(text: &str) -> String {
    text.replace("[`", "`").replace("`]", "`").replace("()`", "`")
}

/// Clocks, streams with their fields, then what is left.
fn ports(module: &Module) -> String {
    let mut parts = vec![];
    let resets = || module.clocks.iter().filter_map(|clock| clock.reset.as_ref());
    for clock in &module.clocks {
        let reset = clock.reset.as_ref().and_then(|reset| {
            module.inputs.iter().find(|port| port.node == reset.signal).map(|port| &port.name)
        });
        let reset = reset.map_or(String::new(), |reset| format!(" with reset `{reset}`"));
        parts.push(format!("clock `{}`{reset}", clock.name));
    }
    for stream in &module.streams {
        let direction = if stream.direction == Direction::In { "in" } else { "out" };
        let fields = stream.payload.iter();
        let fields = fields.map(|(name, node)| format!("`{name}: {}`", module.ty(*node)));
        let fields = listed(fields.collect());
        parts.push(format!("stream {direction} `{}` of {fields}", stream.name));
    }
    let streamed = |port: &Port| {
        module.streams.iter().any(|stream| {
            let fields = stream.payload.iter().map(|(name, _)| &**name);
            fields.chain(["valid", "ready"]).any(|field| stream.port(field) == *port.name)
        })
    };
    let own = |port: &&Port| !streamed(port) && resets().all(|reset| reset.signal != port.node);
    for (what, ports) in [("in", &module.inputs), ("out", &module.outputs)] {
        let ports = ports.iter().filter(own).map(|port| format!("`{}: {}`", port.name, port.ty));
        let ports: Vec<_> = ports.collect();
        if !ports.is_empty() {
            parts.push(format!("{what} {}", listed(ports)));
        }
    }
    parts.join("; ")
}

/// Many are told by the first two and the last.
fn listed(mut names: Vec<String>) -> String {
    if names.len() > 6 {
        let last = names.len() - 1;
        names.splice(2..last, ["..".to_string()]);
    }
    names.join(", ")
}
