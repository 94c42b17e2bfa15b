//! `hwgen study`

use crate::failure::{Failure, wrong};
use crate::files::write_folder;
use crate::output::{print, print_json};
use anyhow::{Context, anyhow};
use hwgen_verify::attention::synthetic::Clustered;
use hwgen_verify::attention::{Workload, data};
use hwgen_verify::power::Library;
use hwgen_verify::study::accelerator::Model;
use hwgen_verify::study::layer::{self, Crosses, Line, LinearEnergy, Use};
use hwgen_verify::study::report::{Sum, by_layer, by_workload};
use hwgen_verify::study::run::Results;
use hwgen_verify::study::{Ledger, Plan, Progress, Record, contenders, plot, report};
use serde_json::{Value, json};
use std::path::PathBuf;

/// Compare accelerators on the attention of real models, in energy on gates at equal quality
#[derive(clap::Args)]
#[command(after_help = "\
Reads recorded queries, keys and values from the folder that HWGEN_DATA names; without it, synthetic \
heads stand in. For each model and accelerator it takes the setting that reads the fewest bits and \
keeps the output's mean cosine at 0.99 or above, makes gates of it with Yosys, and runs heads \
on them: every answer is compared with the golden model, every toggle is counted.

A study that was stopped goes on where it was: the ledger in the output folder keeps each head. The \
folder also gets study.csv, a table a layer, and a picture a model.

Examples:
  hwgen study lapa --lib sky130hd_tt.lib.gz
  hwgen study lapa --heads 0 --parts          all heads; LAPA's ideas one by one")]
pub(crate) struct Args {
    /// What is studied
    #[arg(value_parser = ["lapa"])]
    study: String,
    /// The standard-cell library, a Liberty file (.lib or .lib.gz)
    #[arg(
        long,
        value_name = "FILE",
        default_value = "/usr/share/qflow/tech/osu018/osu018_stdcells.lib"
    )]
    lib: PathBuf,
    /// Heads of each layer that run on gates; 0: all
    #[arg(long, value_name = "N", default_value_t = 1)]
    heads: usize,
    /// Also LAPA's ideas one by one
    #[arg(long)]
    parts: bool,
    /// Only models whose name contains this
    #[arg(long, value_name = "TEXT", default_value = "")]
    model: String,
    /// Where the ledger, tables and pictures go
    #[arg(long, short, value_name = "DIR", default_value = "study")]
    out: PathBuf,
    /// Print the models' sums as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let library = Library::read(&args.lib)
        .with_context(|| format!("cannot use library {}", args.lib.display()))?;
    let all = workloads()?;
    let known: Vec<_> = all.iter().map(|model| model.name.clone()).collect();
    let models: Vec<_> = all.into_iter().filter(|model| model.name.contains(&args.model)).collect();
    if models.is_empty() {
        let (model, known) = (&args.model, known.join(", "));
        return wrong(format!("--model {model}: no model's name contains it; there are {known}"));
    }
    let mut contenders = contenders::all();
    if args.parts {
        contenders.extend(contenders::parts());
    }
    let plan = Plan {
        contenders,
        models: models.iter().map(Model::of).collect(),
        library: &library,
        heads_per_layer: args.heads,
    };
    let pictures = plan.models.iter().map(|model| picture(&model.name));
    let names: Vec<_> = pictures.chain(TABLES.map(str::to_owned)).collect();
    // known now, not after hours
    hwgen_files::may_write(&args.out, &names)?;
    std::fs::create_dir_all(&args.out)
        .with_context(|| format!("cannot create folder {}", args.out.display()))?;
    let path = args.out.join("ledger.jsonl");
    let mut ledger = Ledger::open(&path)?;
    if ledger.damaged() > 0 {
        tell!("{}: {} damaged lines, whose heads run again", path.display(), ledger.damaged());
    }
    let results = hwgen_verify::study::run::run(plan, &mut ledger, tell);
    let Results { records, uses } = results.map_err(|error| anyhow!("{error}"))?;
    let sums = by_workload(&records);
    tell!("making gates of linear layers");
    let linear = LinearEnergy::measure(&library).map_err(|error| anyhow!("{error}"))?;
    let layers = layer::table(&lines(&linear, &uses, &sums), "LAPA, across stages");
    write_results(args, &records, &layers)?;
    if args.json {
        print_json(&sums.iter().map(|sum| as_json(&sums, sum)).collect())?;
    } else {
        print(&format!("{}\n{layers}", report::table(&sums, "LAPA")))?;
    }
    let differing: u64 = sums.iter().map(|sum| sum.mismatches()).sum();
    if differing == 0 { Ok(()) } else { Err(Failure::Check) }
}

/// An accelerator on a model.
fn as_json(sums: &[Sum], sum: &Sum) -> Value {
    let parts: serde_json::Map<_, _> =
        sum.energy_per_query().map(|(part, pj)| (part.to_owned(), json!(pj))).into_iter().collect();
    json!({
        "model": sum.workload,
        "accelerator": sum.accelerator,
        "setting": sum.setting,
        "kept": sum.kept(),
        "cosine": sum.cosine(),
        "picojoules_a_query": sum.total_per_query(),
        "parts": parts,
        "ratio_to_lapa": report::ratio(sums, sum, "LAPA"),
        "rows_that_differ": sum.mismatches(),
    })
}

/// Recorded models, or a synthetic one.
fn workloads() -> Result<Vec<Workload>, Failure> {
    let recorded = data::recorded_workloads().context("cannot read recordings")?;
    Ok(recorded.unwrap_or_else(|| {
        tell!("no recordings (HWGEN_DATA): a synthetic model instead");
        let shape = Clustered { tokens: 96, head_dim: 32, seeds: 4, ..Clustered::default() };
        vec![shape.workload()]
    }))
}

/// Whole layers, with the mask used around attention and without.
fn lines(linear: &LinearEnergy, uses: &[Use], sums: &[Sum]) -> Vec<Line> {
    let mut lines = vec![];
    for uses in uses {
        let same =
            |sum: &&Sum| sum.workload == uses.workload && sum.accelerator == uses.accelerator;
        let Some(sum) = sums.iter().find(same) else {
            continue;
        };
        let predict_share = sum.predict_share();
        let mut line = |name: String, crosses| {
            let energy = uses.energy(linear, sum.total_per_query(), crosses);
            lines.push(Line { name, uses: uses.clone(), energy, predict_share });
        };
        line(uses.accelerator.clone(), Crosses::Not);
        match &*uses.accelerator {
            "LAPA" => line("LAPA, across stages".to_owned(), Crosses::Keys),
            "FACT" => line("FACT, across stages".to_owned(), Crosses::QueriesAndKeys),
            _ => {}
        }
    }
    lines
}

fn tell(progress: Progress<'_>) {
    match progress {
        Progress::Chosen(point, model) => tell!(
            "{model}: {} at {}: cosine {:.4}, without sinks {:.4}{}",
            point.accelerator.name(),
            point.accelerator.setting(),
            point.cosine,
            point.cosine_without_sinks,
            if point.is_equal() { "" } else { ", above the range of equal quality" },
        ),
        Progress::NotClose(name, model) => tell!("{model}: {name} does not come close"),
        Progress::Synthesis(name, size) => {
            tell!("making gates of {name}, {} keys of {} elements", size.max_keys, size.head_dim)
        }
        Progress::Head(record, done, of) => tell!(
            "[{done}/{of}] {} {} {}: {:.1} pJ a query, {} rows differ",
            record.workload,
            record.accelerator,
            record.head,
            record.energy_pj.total() / record.queries.max(1) as f64,
            record.mismatches,
        ),
    }
}

fn write_results(args: &Args, records: &[Record], layers: &str) -> Result<(), Failure> {
    let csv = report::csv(records).context("cannot write CSV")?;
    let csv = String::from_utf8(csv).context("cannot write CSV")?;
    let sums = by_workload(records);
    let by_layer = report::table(&by_layer(records), "LAPA");
    let tables = [csv, report::table(&sums, "LAPA"), by_layer, layers.to_owned()];
    let mut files: Vec<_> = TABLES.map(str::to_owned).into_iter().zip(tables).collect();
    for same in sums.chunk_by(|a, b| a.workload == b.workload) {
        let svg = plot::energy(&same[0].workload, same).map_err(|error| anyhow!("{error}"))?;
        files.push((picture(&same[0].workload), svg));
    }
    write_folder(&args.out, &files)
}

/// The files of tables.
const TABLES: [&str; 4] = ["study.csv", "study.md", "by_layer.md", "layers.md"];

/// The file of a model's picture.
fn picture(model: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    model.chars().map(plain).collect::<String>() + ".svg"
}
