//! What the pages docs/add-a-*.md say, done in a copy of the sources: it works, and no more files are
//! touched than the page tells.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Files below a folder but for what was built, as `gen/cli/Cargo.toml`.
fn files(root: &Path) -> Vec<String> {
    let (mut folders, mut found) = (vec![root.to_path_buf()], vec![]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if !path.is_dir() {
                found.push(path.strip_prefix(root).unwrap().to_str().unwrap().to_string());
            } else if !(path.ends_with("target") || path.ends_with(".git")) {
                folders.push(path);
            }
        }
    }
    found
}

/// The sources and what is added to them, in a folder of their own. Of two runs the second finds built
/// what is as it was.
struct Copy {
    folder: PathBuf,
    before: BTreeMap<String, Vec<u8>>,
    now: BTreeMap<String, Vec<u8>>,
}

impl Copy {
    fn new(name: &str) -> Copy {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let read = |file: String| {
            let text = fs::read(root.join(&file)).unwrap();
            (file, text)
        };
        let before: BTreeMap<_, _> = files(&root).into_iter().map(read).collect();
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&folder).unwrap();
        Copy { folder, now: before.clone(), before }
    }

    fn text(&self, file: &str) -> String {
        String::from_utf8(self.now[file].clone()).unwrap()
    }

    /// The page's blocks of Rust, without lines that begin with `# `: those are for the page's own test.
    fn blocks(&self, page: &str) -> Vec<String> {
        let page = self.text(page);
        let blocks = page.split("```rust").skip(1).filter_map(|rest| rest.split_once('\n'));
        let blocks = blocks.map(|(_, block)| block.split("```").next().unwrap());
        let shown = |line: &&str| !line.starts_with("# ");
        blocks
            .map(|block| block.lines().filter(shown).map(|l| format!("{l}\n")).collect())
            .collect()
    }

    /// A new file.
    fn add(&mut self, file: &str, text: &str) {
        assert!(self.now.insert(file.into(), text.into()).is_none(), "{file} was there");
    }

    /// A line behind another one.
    fn line(&mut self, file: &str, before: &str, line: &str) {
        let text = self.text(file);
        assert!(text.contains(before), "{file} has no `{before}`");
        let text = text.replacen(before, &format!("{before}{line}"), 1);
        self.now.insert(file.into(), text.into());
    }

    /// Brings the folder to that state; files that are so already keep their times.
    fn write(&self) {
        for file in files(&self.folder).iter().filter(|file| !self.now.contains_key(*file)) {
            fs::remove_file(self.folder.join(file)).unwrap();
        }
        for (file, text) in &self.now {
            let to = self.folder.join(file);
            if fs::read(&to).ok().as_ref() != Some(text) {
                fs::create_dir_all(to.parent().unwrap()).unwrap();
                fs::write(to, text).unwrap();
            }
        }
    }

    /// Runs cargo there, which writes documents and snapshots anew. In our own target folder it would leave
    /// what we take for ours: paths count from a workspace's root.
    fn cargo(&self, arguments: &str) {
        let (mut cargo, target) = (Command::new("cargo"), self.folder.join("target"));
        cargo.current_dir(&self.folder).args(arguments.split(' ')).env("CARGO_TARGET_DIR", target);
        let status = cargo.env("UPDATE_DOCS", "1").env("INSTA_UPDATE", "always").status().unwrap();
        assert!(status.success(), "cargo {arguments}, in {}", self.folder.display());
    }

    /// Counts files that were there and are not as they were.
    fn touches(&self, bar: &str, most: usize) {
        let same = |file: &str, text: &[u8]| fs::read(self.folder.join(file)).unwrap() == text;
        let touched = self.before.iter().filter(|(file, text)| !same(file, text));
        let touched: Vec<_> = touched.map(|(file, _)| &**file).collect();
        let names = touched.join(", ");
        println!("{bar}: {} files that were there are touched: {names}", touched.len());
        assert!(touched.len() <= most, "{bar}: at most {most} are to be touched: {names}");
    }
}

#[test]
#[ignore = "builds a copy of the library: cargo xtask bars add_a_component"]
fn a_component_is_added_as_the_page_says() {
    let mut copy = Copy::new("add_a_component");
    let blocks = copy.blocks("docs/add-a-component.md");
    copy.add("hdl/src/lib/absolute_difference.rs", &blocks.concat());
    let list = "hdl/src/lib/mod.rs";
    copy.line(list, "at power-up.\n\n", "pub mod absolute_difference;\n");
    copy.line(list, "mod testing;\n\n", "pub use absolute_difference::absolute_difference;\n");
    let row = "(\"absolute_difference\", absolute_difference::samples()),\n";
    copy.line("hdl/src/lib/catalogue.rs", "popcount::samples()),\n", row);
    copy.write();
    copy.cargo(
        "test -p hwgen-hdl --lib --test components --test sim_engines -- absolute_difference component samples",
    );
    let page = fs::read_to_string(copy.folder.join("docs/components.md")).unwrap();
    assert!(page.contains("| absolute_difference | `absolute_difference_w33` | width=33 |"));
    copy.touches("add_a_component", 3);
}

#[test]
#[ignore = "builds a copy of the project: cargo xtask bars add_a_design"]
fn a_design_is_added_as_the_page_says() {
    let mut copy = Copy::new("add_a_design");
    let blocks = copy.blocks("docs/add-a-design.md");
    let [model, design] = &blocks[..] else { panic!("two blocks of code") };
    let design = design.replace("hwgen_designs::", "crate::");
    let text = "//! `vector_sum`: the sum of a vector's elements.\n\n";
    let text = format!("{text}{design}\nmod golden {{\n{model}}}\n");
    copy.add("gen/designs/src/arrays/vector_sum.rs", &text);
    let marks = "<!-- parameters of vector_sum: -->\n<!-- end -->\n";
    copy.add("docs/vector-sum.md", &format!("# Vector sum\n\n{marks}"));
    let family = "gen/designs/src/arrays/mod.rs";
    copy.line(family, "pub mod mac_array;\n", "pub mod vector_sum;\n");
    let row = "of::<crate::arrays::vector_sum::VectorSumSpec>(),\n";
    copy.line("gen/designs/src/registry.rs", "of::<SpattenTokensSpec>(),\n", row);
    let page = "| [arrays.md](arrays.md) | arrays of processing elements: the systolic array |\n";
    copy.line("docs/README.md", page, "| [vector-sum.md](vector-sum.md) | the sum of a vector |\n");
    copy.write();
    let tests = "test --workspace --test documents --test house --test lint -- --skip components";
    copy.cargo(tests);
    let verify = "run -p hwgen -- verify --design vector_sum --engines interpreter,jit,icarus";
    copy.cargo(verify);
    copy.touches("add_a_design", 4);
}

/// The page's operator has the methods that operators have; whether it runs is the bar's to say.
#[test]
fn the_page_s_operator_is_like_others() {
    let copy = Copy::new("an_operator_is_like_others");
    let page = copy.blocks("docs/add-an-operator.md").remove(0);
    let others: String = (copy.now.keys())
        .filter(|file| file.starts_with("gen/network/src/operators/"))
        .map(|file| copy.text(file))
        .collect();
    let methods = page.split("impl Kind for").nth(1).unwrap().lines();
    let methods: Vec<_> = methods.filter(|line| line.starts_with("    fn ")).collect();
    assert!(methods.len() >= 5, "{methods:?}");
    for method in methods {
        assert!(others.contains(method), "no operator has `{}`", method.trim());
    }
}

#[test]
#[ignore = "builds a copy of the project: cargo xtask bars add_an_operator"]
fn an_operator_is_added_as_the_page_says() {
    let mut copy = Copy::new("add_an_operator");
    let blocks = copy.blocks("docs/add-an-operator.md");
    let [operator, arm] = &blocks[..] else { panic!("two blocks of code") };
    copy.add("gen/network/src/operators/absolute.rs", operator);
    let list = "gen/network/src/operators/mod.rs";
    copy.line(list, "\nmod add;\n", "mod absolute;\n");
    copy.line(list, "\npub use add::Add;\n", "pub use absolute::Absolute;\n");
    copy.line(list, "    \"reshape\": Reshape,\n", "    \"absolute\": Absolute,\n");
    let row = "an entry for each integer that x can be: sigmoids and the like |\n";
    copy.line("docs/network.md", row, "| `absolute` | z0 + abs(x - x0) |\n");
    let random = "verify/tests/cnn_rtl/random.rs";
    copy.line(random, "match self.rng.random_range(0..20) {\n", arm);
    copy.line(random, "        \"prelu\",\n", "        \"absolute\",\n");
    copy.write();
    copy.cargo("test -p hwgen-network --test zoo");
    copy.cargo("test -p hwgen-verify --test cnn_rtl random:: -- --nocapture");
    copy.touches("add_an_operator", 8);
}

#[test]
#[ignore = "builds a copy of the project: cargo xtask bars add_a_subcommand"]
fn a_subcommand_is_added_as_the_page_says() {
    let mut copy = Copy::new("add_a_subcommand");
    let blocks = copy.blocks("docs/add-a-subcommand.md");
    copy.add("gen/cli/src/count.rs", &format!("//! `hwgen count`\n\n{}", blocks.concat()));
    let main = "gen/cli/src/main.rs";
    copy.line(main, "mod cores;\n", "mod count;\n");
    copy.line(main, "    Describe(describe::Args),\n", "    Count(count::Args),\n");
    copy.line(main, "describe::run(&args),\n", "Command::Count(args) => count::run(&args),\n");
    let json = "\"list\" | \"doctor\" => with(&[]),\n";
    copy.line("gen/cli/tests/json.rs", json, "\"count\" => with(&[]),\n");
    copy.write();
    copy.cargo("test -p hwgen --test json --test texts");
    copy.cargo("run -p hwgen -- count --with lapa");
    copy.touches("add_a_subcommand", 3);
}
