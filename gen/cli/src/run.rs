//! `hwgen run`

use crate::design::{Named, Size};
use crate::failure::{Failure, usage};
use crate::inferences::inputs;
use crate::link;
use crate::network::{self, Planned};
use crate::output::{print, print_json, table};
use anyhow::{Context, bail, ensure};
use hwgen_audio::{Extractor, Recipe};
use hwgen_boards::host::cnn::{Inference, class};
use hwgen_boards::host::{Board, Transport};
use hwgen_designs::registry;
use hwgen_network::graph::Tensor;
use hwgen_verify::golden::network::Interpreter;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Classify clips, or any inputs of a network, on a board
#[derive(clap::Args)]
#[command(after_help = "\
The board holds the core `cnn` of the size that the same --network, --multipliers, --spec and --set give
everywhere else; a board with another core is refused. Clips (WAV, FLAC: one channel, 16 bits) become
the features that the network takes: 49 x 10 of the MLPerf Tiny keyword model, 101 x 40 of CENet. Files of bytes
(*.bin) are inputs, one after the other. Of a folder all such files are taken, in the order of their names.

Examples:
  hwgen run --port /dev/ttyUSB1 --network kws.tflite --multipliers 60 --load clip.wav
  hwgen run --port /tmp/board --network kws.tflite --multipliers 60 --names words.txt --json clips/
  hwgen run --port spi:icebreaker --baud 3000000 --network kws.tflite --multipliers 5 --single-port clip.wav")]
pub(crate) struct Args {
    #[command(flatten)]
    board: OnBoard,
    /// Names of the classes, a line each
    #[arg(long, value_name = "FILE")]
    names: Option<PathBuf>,
    /// Run the integer model as well; an output that differs makes the exit code 1
    #[arg(long)]
    check: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Clips, files of bytes, folders of both
    #[arg(value_name = "INPUT")]
    inputs: Vec<PathBuf>,
}

/// Which board, with which network: what `run` and `eembc` share.
#[derive(clap::Args)]
pub(crate) struct OnBoard {
    /// Serial port of the board; or `spi:BOARD`, that board's SPI through its FTDI bridge (docs/boards.md)
    #[arg(long, value_name = "PORT")]
    port: String,
    /// Bits a second; 115,200 of a serial line, 1,000,000 of SPI, whose clock takes four of the board's
    /// cycles at least
    #[arg(long, value_name = "B", value_parser = clap::value_parser!(u32).range(1..))]
    baud: Option<u32>,
    #[command(flatten)]
    size: Size,
    #[command(flatten)]
    network: network::OnCore,
    /// Load the network first; without, the board must have it from before
    #[arg(long)]
    load: bool,
}

/// What is classified.
struct Input {
    name: String,
    elements: Vec<i16>,
}

impl OnBoard {
    /// The network and the board that runs it.
    pub(crate) fn open(&self) -> Result<(Planned, Inference<Box<dyn Transport>>), Failure> {
        let design = registry::find("cnn").context("there is no design `cnn`")?;
        let configured = self.size.configure(Named(design))?;
        let planned = self.network.plan("cnn", &*configured, false)?;
        let none = || usage(anyhow::anyhow!("which network? --network FILE names it"));
        let planned = planned.ok_or_else(none)?;
        let board = Board::open(link::open(&self.port, self.baud)?);
        let board = board.map_err(anyhow::Error::from)?;
        let inference = Inference::new(board, &planned.spec, planned.plan.clone());
        let mut inference = inference.map_err(anyhow::Error::from)?;
        if self.load {
            let mut told = 0;
            let tell = |done: usize, all: usize| {
                let tenth = 10 * done / all.max(1);
                if tenth > told {
                    tell!("loading: {done} of {all} words");
                    told = tenth;
                }
            };
            inference.load(tell).context("cannot load the network")?;
        }
        let counters = inference.counters().map_err(anyhow::Error::from)?;
        if !counters.started {
            return Err(anyhow::anyhow!("the board has no network: use --load").into());
        }
        Ok((planned, inference))
    }
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let names = args.names.as_deref().map(std::fs::read_to_string).transpose();
    let names = names.context("cannot read the names of the classes")?;
    let names: Vec<&str> = names.iter().flat_map(|text| text.lines()).collect();
    let (planned, mut inference) = args.board.open()?;
    let network = &planned.network;
    let tensor = network.inputs.first().and_then(|name| network.tensor(name));
    let tensor = tensor.context("the network has no input")?;
    let mut files = vec![];
    for path in &args.inputs {
        files.extend(files_of(path)?);
    }
    let mut golden = match args.check {
        true => Some(Interpreter::new(network).context("cannot run the network")?),
        false => None,
    };
    let (mut rows, mut results, mut differing) = (vec![], vec![], 0);
    for input in files
        .iter()
        .map(|file| read(file, tensor))
        .collect::<anyhow::Result<Vec<_>>>()?
        .into_iter()
        .flatten()
    {
        let outputs = inference.infer(&input.elements).context("the board stopped")?;
        let cycles = inference.counters().context("the board stopped")?.latest_cycles;
        let scores = outputs.last().context("the network has no output")?;
        let class = class(scores).context("the network's output is empty")?;
        if let Some(golden) = &mut golden {
            golden.run(&[&input.elements]);
            differing += usize::from(!golden.outputs().eq(outputs.iter().map(Vec::as_slice)));
        }
        let name = names.get(class).copied();
        rows.push(vec![
            input.name.clone(),
            class.to_string(),
            name.unwrap_or("").to_owned(),
            format!("score {}, {cycles} cycles", scores[class]),
        ]);
        results.push(json!({
            "input": input.name, "class": class, "name": name, "scores": scores, "cycles": cycles,
        }));
    }
    let traffic = inference.board().traffic();
    if args.json {
        print_json(&json!({
            "results": results,
            "differing": golden.is_some().then_some(differing),
            "questions": traffic.questions,
            "resent": traffic.resent,
        }))?;
    } else {
        print(&table(&rows))?;
        if golden.is_some() {
            print(&format!("golden: {differing} of {} differ\n", rows.len()))?;
        }
    }
    if traffic.resent > 0 {
        let (sent, again) = (traffic.questions, traffic.resent);
        tell!("the line is bad: {sent} questions, {again} more times sent");
    }
    if differing > 0 { Err(Failure::Check) } else { Ok(()) }
}

/// The file, or what a folder has of clips and inputs.
fn files_of(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let cannot = || format!("cannot read folder {}", path.display());
    let mut files = vec![];
    for entry in std::fs::read_dir(path).with_context(cannot)? {
        let file = entry.with_context(cannot)?.path();
        if is_clip(&file) || file.extension().is_some_and(|extension| extension == "bin") {
            files.push(file);
        }
    }
    files.sort();
    ensure!(!files.is_empty(), "folder {} has no *.wav, *.flac or *.bin", path.display());
    Ok(files)
}

fn is_clip(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "wav" || extension == "flac")
}

/// The inputs of a file.
fn read(path: &Path, tensor: &Tensor) -> anyhow::Result<Vec<Input>> {
    let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into());
    if is_clip(path) {
        let elements = features(path, tensor)?;
        return Ok(vec![Input { name, elements }]);
    }
    let all = inputs(path, tensor)?;
    let several = all.len() > 1;
    let numbered = |(at, elements): (usize, Vec<i16>)| {
        let name = if several { format!("{name}:{at}") } else { name.clone() };
        Input { name, elements }
    };
    Ok(all.into_iter().enumerate().map(numbered).collect())
}

/// The features of a clip that the network takes.
fn features(path: &Path, tensor: &Tensor) -> anyhow::Result<Vec<i16>> {
    let recipes = [Recipe::KEYWORDS, Recipe::CENET];
    let fits = |recipe: &&Recipe| recipe.frames * recipe.coefficients == tensor.elements();
    let Some(recipe) = recipes.iter().find(fits) else {
        bail!("{}: no features of clips have {} elements", path.display(), tensor.elements());
    };
    let clip = hwgen_audio::read(path)?;
    let (has, takes) = (clip.sample_hz, recipe.sample_hz);
    ensure!(has == takes, "{}: {has} samples a second, not {takes}", path.display());
    let frames = Extractor::new(*recipe)?.quantised(&clip.samples);
    Ok(frames.concat().into_iter().map(i16::from).collect())
}
