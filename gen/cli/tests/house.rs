//! The house is as its page says: who knows whom, and no circle between rooms.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Our crates that a crate needs.
fn dependencies(manifest: &toml::Table) -> BTreeSet<String> {
    let needed = manifest.get("dependencies").and_then(toml::Value::as_table);
    let names = needed.into_iter().flat_map(|table| table.keys());
    names.filter(|name| name.starts_with("hwgen")).cloned().collect()
}

#[test]
fn crates_know_whom_the_page_says() {
    let workspace: toml::Table = read("Cargo.toml").parse().unwrap();
    let mut built = BTreeMap::new();
    for member in workspace["workspace"]["members"].as_array().unwrap() {
        let manifest = Path::new(member.as_str().unwrap()).join("Cargo.toml");
        let manifest: toml::Table = read(manifest).parse().unwrap();
        let name = manifest["package"]["name"].as_str().unwrap().to_string();
        built.insert(name, dependencies(&manifest));
    }
    let page = read("docs/house.md");
    let rows = page.lines().skip_while(|line| *line != "| crate | may know |").skip(2);
    let rows = rows.take_while(|line| line.starts_with('|'));
    let told: BTreeMap<String, BTreeSet<String>> = rows
        .map(|row| {
            let cells: Vec<&str> = row.split('|').map(str::trim).collect();
            let known = cells[2].split(", ").filter(|name| !name.is_empty());
            (cells[1].to_string(), known.map(str::to_string).collect())
        })
        .collect();
    assert_eq!(built, told, "docs/house.md and the manifests differ");
}

/// Training takes minutes to build: only the program that trains is to need it.
#[test]
fn the_command_builds_without_what_trains() {
    let mut cargo = std::process::Command::new(env!("CARGO"));
    cargo.args(["tree", "--offline", "-p", "hwgen", "-e", "normal,build", "--prefix", "none"]);
    let output = cargo.current_dir(root()).output().unwrap();
    let tree = String::from_utf8(output.stdout).unwrap();
    let names: BTreeSet<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(names.contains("hwgen-network"), "{}", String::from_utf8_lossy(&output.stderr));
    let trains = |name: &&&str| name.starts_with("burn") || **name == "hwgen-search";
    let found: Vec<_> = names.iter().filter(trains).collect();
    assert!(found.is_empty(), "hwgen needs {found:?}");
    println!("{} crates, none of which trains", names.len());
}

/// Every file of a crate, as `gen/designs`, and its modules: `attention/lapa_predictor/cost.rs` and
/// `[attention, lapa, cost]`.
fn files(member: &str) -> Vec<(PathBuf, Vec<String>)> {
    let source = root().join(member).join("src");
    let (mut folders, mut found) = (vec![source.clone()], vec![]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let below = path.strip_prefix(&source).unwrap().with_extension("");
            let modules = below.iter().map(|name| name.to_string_lossy().into_owned());
            let modules = modules.filter(|name| name != "mod" && name != "lib").collect();
            found.push((path, modules));
        }
    }
    found
}

/// The code of a file, comments left out. Paths from `super` on begin with `crate`.
fn code(path: &Path, modules: &[String]) -> String {
    let text = fs::read_to_string(path).unwrap();
    // tests inside a file may name what they like
    let mut text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_string();
    for up in (1..=modules.len()).rev() {
        let above: String =
            modules[..modules.len() - up].iter().map(|m| format!("{m}::")).collect();
        text = text.replace(&"super::".repeat(up), &format!("crate::{above}"));
    }
    text.lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join("\n")
}

/// Paths that begin with `crate::`, each as far as names go; a group's names count one by one.
fn paths(code: &str) -> Vec<Vec<String>> {
    let names = |path: &str| path.split("::").map(str::to_string).collect::<Vec<_>>();
    let mut found = vec![];
    for rest in code.split("crate::").skip(1) {
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
        let path = &rest[..end.unwrap_or(rest.len())];
        let Some(group) = path.strip_suffix("::") else {
            found.push(names(path));
            continue;
        };
        let inside =
            rest[path.len()..].trim_start_matches('{').split('}').next().unwrap_or_default();
        for name in inside.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            found.push([names(group), names(name)].concat());
        }
    }
    found
}

/// The room that modules lie in: a design's folder, or what stands beside the rooms.
fn room(modules: &[String]) -> String {
    let family = ["attention", "speech", "arrays"].contains(&modules[0].as_str());
    // what lies in a family's own `mod.rs` are names of types, which are no rooms
    let inner = modules.get(1).filter(|name| name.starts_with(char::is_lowercase));
    match inner {
        Some(inner) if family => format!("{}/{inner}", modules[0]),
        _ => modules[0].clone(),
    }
}

#[test]
fn there_is_no_circle_between_rooms() {
    let (designs, network) = (no_circle("gen/designs"), no_circle("gen/network"));
    assert!(designs >= 18, "only {designs} rooms of designs were found");
    assert!(network >= 9, "only {network} rooms of networks were found");
}

/// How many rooms a crate has; panics if some know each other in a circle.
fn no_circle(member: &str) -> usize {
    let mut knows: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (path, modules) in files(member).iter().filter(|(_, modules)| !modules.is_empty()) {
        let own = room(modules);
        let others = paths(&code(path, modules)).into_iter().map(|path| room(&path));
        let others: Vec<_> = others.filter(|other| *other != own && other != "spec").collect();
        knows.entry(own).or_default().extend(others);
    }
    // rooms that know only rooms which are already out go out, until none is left
    let mut out = BTreeSet::new();
    loop {
        let ready = |known: &BTreeSet<String>| {
            known.iter().all(|room| out.contains(room) || !knows.contains_key(room))
        };
        let next: Vec<_> = knows
            .iter()
            .filter(|(room, known)| !out.contains(*room) && ready(known))
            .map(|(room, _)| room.clone())
            .collect();
        if next.is_empty() {
            break;
        }
        out.extend(next);
    }
    let circle: BTreeMap<_, _> = knows.iter().filter(|(room, _)| !out.contains(*room)).collect();
    assert!(circle.is_empty(), "rooms of {member} know each other in a circle: {circle:#?}");
    out.len()
}

/// A golden model is written from the definition: it sees integers, specifications and other models.
#[test]
fn golden_models_do_not_use_circuits() {
    let golden = |(_, modules): &&(PathBuf, Vec<String>)| {
        modules.len() > 1 && modules.iter().any(|name| name == "golden")
    };
    let all = files("gen/designs");
    let models: Vec<_> = all.iter().filter(golden).collect();
    assert!(models.len() >= 20, "only {} files of golden models were found", models.len());
    for (path, modules) in models {
        let code = code(path, modules);
        let circuit = ["ModuleBuilder", "Signal", "Module", "Simulator", "Device", "build("];
        for word in circuit {
            let uses = code.split(word).zip(code.split(word).skip(1)).any(|(before, after)| {
                let joined = |c: char| c.is_alphanumeric() || c == '_';
                !before.ends_with(joined) && !after.starts_with(joined)
            });
            assert!(!uses, "{}: a golden model uses `{word}`", path.display());
        }
        for known in paths(&code) {
            let name = known.last().unwrap();
            let model = known.iter().any(|part| part == "golden");
            // types and constants of a design say numbers and formats; its functions make circuits
            let data = name.starts_with(char::is_uppercase);
            assert!(
                model || data,
                "{}: a golden model uses crate::{}",
                path.display(),
                known.join("::")
            );
        }
    }
}
