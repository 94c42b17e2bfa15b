//! Everything we can print is clean: no warning of Verilator, no latch, loop or complaint of Yosys.

use hwgen_designs::registry::{designs, find};
use hwgen_hdl::Module;
use hwgen_hdl::lib::catalogue;
use hwgen_verify::cosim::verilator_lint;
use hwgen_verify::cosim::yosys::{Synthesis, netlist, yosys_check_all};
use std::sync::{Arc, Mutex};

/// Sizes of each design, as `--set` takes them; small, since every one is elaborated and linted.
#[rustfmt::skip]
const SIZES: &[(&str, &[&[&str]])] = &[
    ("attend", &[
        &["max_keys=8", "head_dim=4", "rows=2", "lanes=4"],
        &["max_keys=13", "head_dim=5", "rows=4", "lanes=2", "probability_bits=6"],
        &["max_keys=1", "head_dim=1", "rows=1", "lanes=1", "window=2"],
    ]),
    ("cnn", &[
        &["lanes=2", "results=1", "activation_words=4", "weight_rows=2", "scale_rows=2", "jobs=2", "narrow_weights=false",
          "accumulator_bits=20", "additions=false", "softmax_tables=0", "matrices=false"],
        &["lanes=4", "results=4", "pixels=1", "packed=false", "activation_words=7", "weight_rows=5", "scale_rows=3", "jobs=2", "softmax_tables=3"],
        &["lanes=4", "results=2", "activation_words=8", "weight_rows=8", "scale_rows=4", "jobs=2"],
    ]),
    ("fact_attention", &[
        &["max_keys=8", "head_dim=4", "rows=2", "lanes=4"],
        &["max_keys=5", "head_dim=3", "rows=1", "lanes=2", "keep256=200", "counters=false"],
        &["max_keys=16", "head_dim=4", "rows=4", "lanes=4", "queries=1"],
    ]),
    ("fact_predictor", &[
        &["max_keys=8", "head_dim=4", "rows=2"],
        &["max_keys=13", "head_dim=3", "rows=1", "keep256=256"],
        &["max_keys=1", "head_dim=1", "rows=4", "keep256=1"],
    ]),
    ("feed_forward", &[
        &["inputs=1", "hidden=1", "outputs=1", "first_lanes=1", "second_lanes=1"],
        &["inputs=5", "hidden=3", "outputs=2", "first_lanes=2", "second_lanes=4"],
        &["inputs=4", "hidden=8", "outputs=4", "first_lanes=4", "second_lanes=2"],
    ]),
    ("importance", &[
        &["max_keys=1", "rows=1", "max_queries=1"],
        &["max_keys=11", "rows=4", "max_queries=20", "factor256=300"],
        &["max_keys=8", "rows=8", "max_queries=100", "factor256=0"],
    ]),
    ("lapa_attention", &[
        &["max_keys=8", "head_dim=4", "rows=2", "lanes=4"],
        &["max_keys=12", "head_dim=3", "rows=1", "lanes=2", "filter.mode=radius", "counters=false"],
        &["max_keys=16", "head_dim=4", "rows=4", "lanes=4", "filter.mode=top_k", "queries=1"],
    ]),
    ("lapa_attention_axi", &[
        &["max_keys=8", "head_dim=4", "rows=2", "lanes=4", "bus_bits=32"],
        &["max_keys=9", "head_dim=3", "rows=1", "lanes=2", "bus_bits=64", "counters=false"],
        &["max_keys=16", "head_dim=9", "rows=4", "lanes=4", "filter.mode=radius", "bus_bits=32"],
    ]),
    ("lapa", &[
        &["inputs=3", "max_keys=4", "head_dim=2", "rows=2", "lanes=2", "log_lanes=2", "query_lanes=2", "key_value_lanes=2",
          "max_heads=2", "row_window=3", "hidden=3", "first_lanes=2", "second_lanes=2"],
        &["inputs=2", "max_keys=5", "head_dim=1", "rows=4", "lanes=1", "log_lanes=1", "query_lanes=1", "key_value_lanes=2",
          "max_heads=3", "queries_per_key=2", "causal=true", "counters=false", "row_window=1", "hidden=0"],
        &["inputs=1", "max_keys=1", "head_dim=1", "rows=1", "lanes=1", "query_lanes=1", "key_value_lanes=1", "max_heads=1",
          "predict_keys=false", "filter.mode=radius", "hidden=0"],
    ]),
    ("lapa_axi", &[
        &["inputs=5", "max_keys=2", "head_dim=1", "rows=1", "lanes=1", "log_lanes=1", "query_lanes=1", "key_value_lanes=1",
          "max_heads=1", "hidden=2", "first_lanes=1", "second_lanes=1", "bus_bits=32"],
        &["inputs=1", "max_keys=2", "head_dim=3", "rows=1", "lanes=1", "log_lanes=1", "query_lanes=1", "key_value_lanes=1",
          "max_heads=1", "predict_keys=false", "counters=false", "hidden=0", "bus_bits=32"],
        &["inputs=1", "max_keys=1", "head_dim=1", "rows=1", "lanes=1", "query_lanes=1", "key_value_lanes=1", "max_heads=1",
          "predict_keys=false", "filter.mode=radius", "hidden=0", "bus_bits=64"],
    ]),
    ("lapa_predictor", &[
        &["max_keys=8", "head_dim=4", "rows=2"],
        &["max_keys=16", "head_dim=8", "rows=4", "query_bits=6"],
        &["max_keys=12", "head_dim=3", "rows=1", "filter.mode=radius"],
        &["max_keys=16", "head_dim=4", "rows=4", "filter.mode=sigma", "key_slices=[4,2,2]"],
        &["max_keys=16", "head_dim=2", "rows=4", "filter.mode=top_k", "key_slices=[8]"],
        &["max_keys=8", "head_dim=5", "rows=8", "approx_mean=true", "round_leading_one=true"],
        &["max_keys=9", "head_dim=3", "rows=2", "filter.mode=mass"],
        &["max_keys=12", "head_dim=4", "rows=4", "filter.mode=mass", "key_slices=[8]"],
    ]),
    ("linear", &[
        &["inputs=1", "outputs=1", "lanes=1"],
        &["inputs=5", "outputs=3", "lanes=2"],
        &["inputs=16", "outputs=4", "lanes=8"],
    ]),
    ("listen", &[
        &["clip=64", "stride=16", "slack=8", "window=24", "hop=10", "fft=32", "mels=6", "coefficients=4", "frames=3"],
        &["clip=1", "stride=1", "slack=1", "window=2", "hop=1", "fft=16", "mels=1", "coefficients=1", "frames=1"],
        &["clip=100", "stride=99", "slack=29", "window=16", "hop=16", "fft=16", "mels=3", "coefficients=3", "frames=2"],
    ]),
    ("log_linear", &[
        &["inputs=1", "outputs=1", "lanes=1"],
        &["inputs=5", "outputs=3", "lanes=2"],
        &["inputs=16", "outputs=4", "lanes=8"],
    ]),
    ("mac_array", &[
        &["rows=1", "columns=1"],
        &["rows=2", "columns=3", "weight_bits=4"],
        &["rows=4", "columns=4", "activation_bits=5", "accumulator_bits=24"],
    ]),
    ("mfcc", &[
        &["window=12", "hop=5", "fft=16", "mels=3", "coefficients=2", "frames=2", "high_hz=8000", "fraction_bits=1"],
        &["window=16", "hop=16", "fft=16", "mels=4", "coefficients=4", "frames=3", "lead=7", "multipliers=2",
          "high_hz=8000", "fraction_bits=0", "table_bits=3", "weight_bits=4"],
        &["window=2", "hop=1", "fft=16", "mels=1", "coefficients=1", "frames=1", "high_hz=8000", "fraction_bits=0",
          "rotations=2", "table_bits=2", "weight_bits=4"],
    ]),
    ("sanger_attention", &[
        &["max_keys=8", "head_dim=4", "rows=2", "lanes=4"],
        &["max_keys=5", "head_dim=3", "rows=1", "lanes=2", "estimate_bits=5", "counters=false"],
        &["max_keys=16", "head_dim=2", "rows=4", "lanes=2", "row_normalise=false", "queries=1"],
    ]),
    ("sanger_predictor", &[
        &["max_keys=8", "head_dim=4", "rows=2"],
        &["max_keys=13", "head_dim=3", "rows=1", "row_normalise=false", "threshold65536=1311"],
        &["max_keys=1", "head_dim=1", "rows=4", "probability_bits=16", "threshold65536=65535"],
    ]),
    ("spatten_attention", &[
        &["max_keys=8", "head_dim=4", "rows=2", "lanes=4"],
        &["max_keys=13", "head_dim=5", "rows=4", "lanes=2", "probability_bits=6", "keep256=256"],
        &["max_keys=1", "head_dim=1", "rows=1", "lanes=1", "window=2", "tau256=0"],
    ]),
    ("spatten_tokens", &[&["max_keys=1"], &["max_keys=8"], &["max_keys=13"]]),
];

/// Modules checked in one process of Yosys: enough to spread its start, few enough to share work.
const BATCH: usize = 12;

/// Runs a check over batches on two threads; the complaints.
fn complaints(
    modules: &[Arc<Module>],
    check: impl Fn(&[Arc<Module>]) -> Vec<String> + Sync,
) -> Vec<String> {
    let (batches, found) = (Mutex::new(modules.chunks(BATCH)), Mutex::new(vec![]));
    let work = || {
        loop {
            let batch = batches.lock().unwrap().next();
            let Some(batch) = batch else { return };
            let texts = check(batch);
            found.lock().unwrap().extend(texts);
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(work);
        scope.spawn(work);
    });
    found.into_inner().unwrap()
}

fn assert_clean(modules: &[Arc<Module>]) {
    let linted = complaints(modules, |batch| {
        let results = batch.iter().map(verilator_lint);
        results.filter_map(|result| result.err().map(|error| error.to_string())).collect()
    });
    let checked = complaints(modules, |batch| {
        let results = yosys_check_all(batch).into_iter();
        let results = results.map(|report| report.and_then(|report| report.assert_clean()));
        results.filter_map(|result| result.err().map(|error| error.to_string())).collect()
    });
    let found = [linted, checked].concat();
    assert!(found.is_empty(), "{} complaints:\n{}", found.len(), found.join("\n\n"));
    println!("{} modules are clean", modules.len());
}

#[test]
fn components_are_clean() {
    let samples = catalogue();
    let modules: Vec<_> = samples.iter().map(|sample| sample.module.clone()).collect();
    assert!(modules.len() > 30, "the catalogue lost its samples");
    assert_clean(&modules);
}

#[test]
fn designs_are_clean() {
    let mut modules = vec![];
    for (design, sizes) in SIZES {
        let design = find(design).unwrap_or_else(|| panic!("no design `{design}`"));
        for size in *sizes {
            let size: Vec<String> = size.iter().map(|set| set.to_string()).collect();
            modules.push(design.configure(None, &size).unwrap().build());
        }
    }
    assert_clean(&modules);
}

/// The sizes people get who set nothing. Verilator only: Yosys takes longer.
#[test]
fn default_designs_pass_the_linter() {
    for design in designs() {
        let module = design.configure(None, &[]).unwrap().build();
        verilator_lint(&module).unwrap_or_else(|error| panic!("{}: {error}", design.name()));
    }
}

/// People read texts side by side, and look up what they note.
#[test]
fn lines_fit_and_note_who_asked() {
    for design in designs() {
        let text = design.configure(None, &[]).unwrap().build().verilog().unwrap();
        let long = text.lines().enumerate().find(|(_, line)| line.len() > 120);
        assert_eq!(long, None, "{}", design.name());
        // neither the language nor the circuits that designs share
        let helper = |line: &&str| line.contains("// build/") || line.contains("// wiring.rs");
        assert_eq!(text.lines().find(helper), None, "{}", design.name());
    }
}

#[test]
#[ignore = "minutes: `cargo xtask bars synthesis`"]
fn default_designs_are_clean() {
    for design in designs() {
        let module = design.configure(None, &[]).unwrap().build();
        let start = std::time::Instant::now();
        // mapped to gates, too, which the lint of small sizes leaves out
        netlist(&module, Synthesis::Gates)
            .unwrap_or_else(|error| panic!("{}: {error}", design.name()));
        assert_clean(&[module]);
        let seconds = start.elapsed().as_secs_f64();
        println!("{}: default size synthesized and clean in {seconds:.0} s", design.name());
    }
    println!("synthesis: {} designs clean at their default size", designs().len());
}

#[test]
fn every_design_is_checked_in_three_sizes() {
    for design in designs() {
        let sizes = SIZES.iter().find(|(name, _)| *name == design.name());
        let sizes = sizes.map_or(0, |(_, sizes)| sizes.len());
        assert!(sizes >= 3, "`{}` has {sizes} sizes in this file's table", design.name());
    }
}
