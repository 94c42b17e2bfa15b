//! Small designs all the way to a layout.

use hwgen_boards::asic::build;
use hwgen_designs::registry::find;

/// Two processing elements of the MAC array, and predictors of one lane and of two.
const DESIGNS: &[(&str, &[&str])] = &[
    (
        "mac_array",
        &["rows=1", "columns=2", "weight_bits=4", "activation_bits=4", "accumulator_bits=12"],
    ),
    (
        "lapa_predictor",
        &[
            "head_dim=4",
            "max_keys=4",
            "rows=1",
            "query_bits=4",
            "key_slices=[4]",
            "filter.mode=radius",
        ],
    ),
    (
        "lapa_predictor",
        &[
            "head_dim=4",
            "max_keys=4",
            "rows=2",
            "query_bits=2",
            "key_slices=[2]",
            "filter.mode=radius",
        ],
    ),
];

#[test]
#[ignore = "minutes, and qflow with its tools: `cargo xtask bars asic`"]
fn layouts_are_clean() {
    let errors = DESIGNS.iter().map(|(design, sets)| errors(design, sets)).sum::<u64>();
    println!("asic: {errors} errors");
}

/// Failed routes and errors of the design's layout.
fn errors(design: &str, sets: &[&str]) -> u64 {
    let sets: Vec<String> = sets.iter().map(|set| set.to_string()).collect();
    let module = find(design).unwrap().configure(None, &sets).unwrap().build();
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("layout");
    let built = build(&module, &folder, |step| eprintln!("{step}")).unwrap();
    println!("{design}: {:?}", built.report);
    for file in [&built.gds, &built.png] {
        assert!(std::fs::metadata(file).unwrap().len() > 10_000, "{} is empty", file.display());
    }
    let report = &built.report;
    assert!(report.cells > 100 && report.wire_um > 0.0 && report.routed_mhz > 0.0);
    // once more: what is there is taken
    let mut said = vec![];
    let again = build(&module, &folder, |step| said.push(step.to_string())).unwrap();
    assert_eq!((said.len(), &again.report), (1, report));
    report.failed_routes + report.drc_errors + report.lvs_errors
}

#[test]
fn a_folder_of_somebody_else_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let module = find("mac_array").unwrap().configure(None, &[]).unwrap().build();
    // without the tools that is told first
    let error = build(&module, folder.path(), |_| {}).unwrap_err().to_string();
    assert!(error.contains("name another folder") || error.contains("to install it"), "{error}");
}
