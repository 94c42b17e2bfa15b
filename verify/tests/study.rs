//! Accelerators side by side: what is compared, and what is printed of it.

use hwgen_designs::attention::attend::AttendSpec;
use hwgen_verify::attention::data;
use hwgen_verify::attention::synthetic::Clustered;
use hwgen_verify::power::Library;
use hwgen_verify::study::accelerator::Model;
use hwgen_verify::study::point::{self, Point, TARGET};
use hwgen_verify::study::{Ledger, Plan, Record, Split, contenders, plot, report, run};
use std::path::Path;

fn model() -> Model {
    let shape = Clustered { tokens: 48, head_dim: 16, seeds: 2, ..Clustered::default() };
    Model::of(&shape.workload())
}

fn size() -> AttendSpec {
    AttendSpec { head_dim: 16, max_keys: 48, lanes: 16, ..AttendSpec::default() }
}

#[test]
fn the_chosen_setting_is_the_first_of_its_chain_that_is_close() {
    let (model, size) = (model(), size());
    for contender in contenders::all().into_iter().chain(contenders::parts()) {
        let (name, chains) = (contender.name, || (contender.chains)(contender.name));
        let chosen = point::cheapest(chains(), &model, &size).unwrap().unwrap();
        println!("{name}: {} cosine {:.4}", chosen.accelerator.setting(), chosen.cosine);
        assert!(chosen.cosine >= TARGET);
        // no setting of any chain reads fewer bits and is close
        for chain in chains() {
            let mut points = chain.into_iter().map(|s| Point::of(s, &model, &size).unwrap());
            let first = points.find(|point| point.cosine >= TARGET);
            assert!(first.is_none_or(|first| first.work() >= chosen.work()));
        }
    }
}

fn record(accelerator: &str, head: &str, factor: f64) -> Record {
    let part = |energy: f64| energy * factor;
    Record {
        accelerator: accelerator.into(),
        setting: "as made up".into(),
        workload: "none".into(),
        head: head.into(),
        queries: 10,
        seen: 100,
        kept: 40,
        cosine: 0.99,
        mismatches: 0,
        cycles: 1000,
        model_cycles: 1010,
        scoring_cycles: 900,
        cell_area_um2: 1234.0,
        memory_bits: 4096,
        energy_pj: Split {
            predict: part(100.0),
            fetch: part(200.0),
            compute: part(300.0),
            softmax: part(150.0),
            rest: part(250.0),
        },
    }
}

#[test]
fn tables_and_pictures() {
    let heads = ["layer 0 head 0", "layer 0 head 1", "layer 1 head 0"];
    let records: Vec<_> = [("one", 1.0), ("two", 2.5)]
        .into_iter()
        .flat_map(|(name, factor)| heads.map(|head| record(name, head, factor)))
        .collect();
    let sums = report::by_workload(&records);
    insta::assert_snapshot!("table", report::table(&sums, "one"));
    assert_eq!(report::ratio(&sums, &sums[1], "one"), Some(2.5));
    assert_eq!(report::ratio(&sums, &sums[1], "three"), None);
    let layers: Vec<_> = report::by_layer(&records).into_iter().map(|sum| sum.workload).collect();
    assert_eq!(layers, ["none, layer 0", "none, layer 1", "none, layer 0", "none, layer 1"]);
    let csv = String::from_utf8(report::csv(&records).unwrap()).unwrap();
    insta::assert_snapshot!("csv", csv);
    let svg = plot::energy("none", &sums).unwrap();
    for word in ["<svg", "one", "two", "predict", "softmax", "pJ a query"] {
        assert!(svg.contains(word), "{word} in {svg}");
    }
}

/// LAPA on gates, a head a layer of each recorded model: what its predictor takes of the energy. The
/// ledger is kept, so that a run that was stopped goes on.
#[test]
#[ignore = "a quarter of an hour of synthesis and gates"]
fn prediction_takes_at_most_a_fifth() {
    let recorded = data::recorded_workloads().unwrap().expect("recorded models: set HWGEN_DATA");
    let library = data::folder().unwrap().join("liberty/sky130hd_tt.lib.gz");
    let library = Library::read(&library).unwrap();
    let mut ledger = Path::new(env!("CARGO_TARGET_TMPDIR")).to_path_buf();
    ledger.push("prediction_ledger.jsonl");
    let mut ledger = Ledger::open(&ledger).unwrap();
    let mut most = 0f64;
    for workload in &recorded {
        let models = vec![Model::of(workload)];
        let lapa = contenders::all().into_iter().filter(|contender| contender.name == "LAPA");
        let plan =
            Plan { contenders: lapa.collect(), models, library: &library, heads_per_layer: 1 };
        let records = run::run(plan, &mut ledger, |_| ()).unwrap().records;
        let sums = report::by_workload(&records);
        let [sum] = &sums[..] else { panic!("{} sums of one accelerator", sums.len()) };
        println!("{}", report::table(&sums, "LAPA"));
        assert_eq!(sum.mismatches(), 0);
        assert!(sum.model_error().abs() < 0.02, "{:+.4}", sum.model_error());
        most = most.max(sum.predict_share());
    }
    println!("prediction: {:.1} % of attention's energy at most", 100.0 * most);
    assert!(most <= 0.2, "{most}");
}
