//! `hwgen cost`

mod answer;
mod costs;
mod request;
mod serve;

use crate::design::{Named, Size};
use crate::failure::{Failure, usage, wrong};
use crate::network::{load, one_weights};
use crate::output::{print, print_json, table};
use crate::policy;
use answer::{Area, Cost};
use anyhow::{Context, anyhow};
use clap::{ValueEnum, value_parser};
use costs::{Costs, Subject, Target};
use hwgen_boards::board;
use hwgen_designs::cnn::CnnSpec;
use hwgen_designs::registry;
use hwgen_network::candidate::{self, Candidate};
use hwgen_network::graph::is_candidate;
use hwgen_network::plan::SUPPORTED_MULTIPLIERS;
use std::path::{Path, PathBuf};

/// The largest candidate.
const MOST_CANDIDATE: u64 = 1 << 24;

/// Tell what a network costs on a core, with weights or without: cycles, memories, area
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  hwgen cost --network kws.tflite --board ulx3s          the fastest core that the board has room for
  hwgen cost --network candidate.json --multipliers 60   a network whose weights nobody knows yet
  hwgen cost --network net.json --spec core.json --json
  hwgen cost --serve --spec core.json < requests         a line an answer: docs/cost.md
  hwgen cost --schema candidate                          the JSON schema of candidate.json")]
pub(crate) struct Args {
    /// candidate.json, network.json, or a file that `hwgen import` takes; with --serve what requests
    /// without a candidate mean
    #[arg(long, value_name = "FILE", required_unless_present_any = ["serve", "schema"])]
    network: Option<PathBuf>,
    /// Bits of the weights by layer: policy.json
    #[arg(long, value_name = "FILE", requires = "network")]
    policy: Option<PathBuf>,
    /// The board: its clock, and, if nobody sizes the core, the fastest that it has room for
    #[arg(long, value_name = "BOARD")]
    board: Option<String>,
    /// The fastest core within so many multipliers of 25 x 18 bits: 256 without
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..))]
    multipliers: Option<u32>,
    /// Memories of one port, as iCE40 UltraPlus has large ones; with --spec or --set, say it there
    #[arg(long)]
    single_port: bool,
    #[command(flatten)]
    size: Size,
    /// Answer requests, a line of JSON each, on stdin: a line each on stdout
    #[arg(long)]
    serve: bool,
    /// Print a JSON schema instead
    #[arg(long, value_enum, value_name = "WHAT", conflicts_with = "serve")]
    schema: Option<Schema>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What has a schema.
#[derive(Clone, Copy, ValueEnum)]
enum Schema {
    /// candidate.json
    Candidate,
    /// A line that --serve reads
    Request,
    /// A line that --serve writes
    Answer,
    /// What --json prints
    Cost,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    if let Some(schema) = args.schema {
        return print_json(&match schema {
            Schema::Candidate => candidate::schema(),
            Schema::Request => request::schema(),
            Schema::Answer => answer::schema(),
            Schema::Cost => answer::cost_schema(),
        });
    }
    let target = target(args)?;
    let subject = args.network.as_deref().map(|path| read(path, args.policy.as_deref()));
    let subject = subject.transpose()?;
    if args.serve {
        return serve::serve(subject, &target);
    }
    let Some(subject) = subject else { return wrong("which network? --network FILE names it") };
    let mut costs = Costs::default();
    let cost = costs.cost(&subject, &target).map_err(|error| anyhow!("{error}"))?;
    let cost = cost.told(true, costs.areas(&cost, &target));
    match args.json {
        true => print_json(&serde_json::to_value(&cost).context("cannot write the cost")?),
        false => print(&text(&cost)),
    }
}

/// The core that is asked for.
fn target(args: &Args) -> Result<Target, Failure> {
    let board = args.board.as_deref().map(board::find).transpose()?;
    let single_port = args.single_port;
    if args.size.is_given() {
        if args.multipliers.is_some() {
            return wrong("--multipliers beside --spec or --set: the core is sized there");
        }
        if single_port {
            return wrong("--single-port beside --spec or --set: say --set single_port=true");
        }
        let configured = args.size.configure(Named(registry::of::<CnnSpec>()))?;
        let spec = configured.as_any().downcast_ref::<CnnSpec>().cloned();
        let spec = spec.ok_or_else(|| usage(anyhow!("the core is no `cnn`")))?;
        return Ok(Target::core(spec, board));
    }
    Ok(match (args.multipliers, board) {
        (None, Some(board)) => Target::board(board, single_port),
        (multipliers, board) => {
            Target::within(multipliers.unwrap_or(SUPPORTED_MULTIPLIERS), single_port, board)
        }
    })
}

/// Reads what is costed.
fn read(path: &Path, with: Option<&Path>) -> Result<Subject, Failure> {
    let is_json = path.extension().is_some_and(|extension| extension == "json");
    let text = if is_json { Some(hwgen_files::read(path, 1 << 25)?) } else { None };
    let subject = match text.filter(|text| is_candidate(text)) {
        Some(text) if text.len() as u64 > MOST_CANDIDATE => {
            return wrong(format!("{}: a candidate has at most 16 MiB", path.display()));
        }
        Some(text) => {
            let text = String::from_utf8_lossy(&text);
            let candidate = Candidate::read(&text).map_err(anyhow::Error::from);
            Subject::Candidate(candidate.with_context(|| path.display().to_string())?)
        }
        None => {
            let network = load(path)?;
            Subject::Network(network.with_context(|| format!("cannot import {}", path.display()))?)
        }
    };
    match with {
        None => Ok(subject),
        Some(path) => {
            let policy = policy::read(path)?;
            Ok(subject
                .with(&policy)
                .map_err(|error| anyhow!("cannot apply the policy: {error}"))?)
        }
    }
}

/// The cost as a table and some lines.
fn text(cost: &Cost) -> String {
    let percent = |share: f64| format!("{:.1} %", 100.0 * share);
    let head = ["layer", "jobs", "cycles", "products", "of the array"].map(str::to_string);
    let layers = cost.layers.iter().flatten().map(|layer| {
        let numbers = [layer.jobs as u64, layer.cycles, layer.products].map(|n| n.to_string());
        let [jobs, cycles, products] = numbers;
        vec![layer.layer.clone(), jobs, cycles, products, percent(layer.used)]
    });
    let rows: Vec<_> = std::iter::once(head.to_vec()).chain(layers).collect();
    let milliseconds = cost.milliseconds.map_or(String::new(), |ms| format!(", {ms:.3} ms"));
    let mut text = table(&rows);
    let (needs, core) = (&cost.needs, &cost.core);
    text += &format!(
        "  {} cycles an inference{milliseconds}, {} of {} products a cycle, {} multipliers\n",
        cost.cycles,
        percent(cost.used),
        core.products_a_cycle,
        core.multipliers,
    );
    text += &format!(
        "  {} bytes of activations, {} of weights, {} of scales; {} jobs, {} tables, sums of {} bits, \
         multipliers of {}\n",
        needs.activation_bytes,
        needs.weight_bytes,
        needs.scale_bytes,
        needs.jobs,
        needs.tables,
        needs.sum_bits,
        needs.multiplier_bits,
    );
    let layers = cost.layers.iter().flatten();
    text += &one_weights(layers.map(|layer| (&layer.layer[..], layer.one_weight.as_deref())));
    for Area { family, resources } in cost.area.iter().flatten() {
        text += &format!(
            "  {family}: {} LUT, {} FF, {} DSP, {} BRAM estimated (docs/area.md tells how far off)\n",
            resources.lut, resources.ff, resources.dsp, resources.bram
        );
    }
    text
}
