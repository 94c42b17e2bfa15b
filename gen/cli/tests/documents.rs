//! Tables in the documents say what the code says. `UPDATE_DOCS=1` rewrites them.

use hwgen_designs::registry::{designs, find};
use std::fs;
use std::path::Path;

/// Compares, or rewrites, what stands between `<!-- {name}: ..` and `<!-- end -->`.
fn check_table(file: &str, name: &str, table: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(file);
    let text = fs::read_to_string(&path).unwrap();
    let start = text.find(&format!("<!-- {name}: ")).expect("the table's mark");
    let start = start + text[start..].find('\n').unwrap() + 1;
    let end = start + text[start..].find("<!-- end -->").unwrap();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, [&text[..start], table, &text[end..]].concat()).unwrap();
    } else {
        let update = "UPDATE_DOCS=1 cargo test -p hwgen --test documents";
        assert_eq!(&text[start..end], table, "{file} is out of date: run {update}");
    }
}

#[test]
fn the_readme_lists_the_designs() {
    let mut table = "| design | what it is |\n|---|---|\n".to_string();
    for design in designs() {
        table += &format!("| `{}` | {} |\n", design.name(), design.summary());
    }
    check_table("README.md", "designs", &table);
}

#[test]
fn each_design_s_page_lists_its_parameters() {
    for design in designs() {
        let mut table =
            "| parameter | default | range | meaning |\n|---|---|---|---|\n".to_string();
        for row in design.parameters() {
            let default = row.default.replace('"', "");
            table += &format!("| `{}` | {default} | {} | {} |\n", row.name, row.range, row.meaning);
        }
        check_table(design.page(), &format!("parameters of {}", design.name()), &table);
    }
}

#[test]
fn the_registers_of_lapa_behind_axi_are_listed() {
    let design = find("lapa_attention_axi").unwrap().configure(None, &[]).unwrap();
    check_table("docs/axi.md", "registers", &design.registers().unwrap().markdown());
}

#[test]
fn the_index_names_every_page() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let index = fs::read_to_string(docs.join("README.md")).unwrap();
    for entry in fs::read_dir(&docs).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(name == "README.md" || index.contains(&format!("]({name}")), "{name}");
    }
}
