//! `hwgen run`

use crate::failure::Failure;
use crate::inputs::{Carried, EXTENSIONS, apart, files, is, runs};
use crate::network::Planned;
use crate::on_board::OnBoard;
use crate::output::{print, print_json, table};
use crate::results::{element, top};
use anyhow::{Context, bail, ensure};
use hwgen_audio::{Extractor, Recipe};
use hwgen_network::graph::{Network, Tensor};
use hwgen_network::interpret::Interpreter;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Elements of an output that are shown; JSON has all.
const MOST_SHOWN: usize = 12;

/// The largest file of names.
const MOST_NAMES: u64 = 1 << 20;

/// What clips' names end with.
const CLIPS: [&str; 2] = ["wav", "flac"];

/// Classify clips, or any inputs of a network, on a board
#[derive(clap::Args)]
#[command(after_help = "\
The board holds the core `cnn` of the size that the same --network, --multipliers, --spec and --set give \
everywhere else, and with --load or from before the network itself; a board with another core, or with another \
network on the same core, is refused. Clips (WAV, FLAC: one channel, 16 bits) become the features that the \
network takes: 49 x 10 of the MLPerf Tiny keyword model, 101 x 40 of CENet. Files of bytes (*.bin) are runs, one \
after the other, each with all inputs in the network's order. Of a folder all such files are taken, in the order \
of their names.

Cycles are the board's, from the first byte of an input in to the last byte of the outputs out, and so count the \
time for which the core waited for the line. Beside them stands the plan's figure, in which nothing waits.

Examples:
  hwgen run --port /dev/ttyUSB1 --network kws.tflite --multipliers 60 --load clip.wav
  hwgen run --port /tmp/board --network kws.tflite --multipliers 60 --names words.txt --json clips/
  hwgen run --port spi:icebreaker --baud 3000000 --network kws.tflite --single-port clip.wav")]
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

/// A run of the network.
struct Input {
    name: String,
    /// All inputs, one behind the other.
    elements: Vec<i16>,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let mut planned = args.board.network()?;
    // what can be wrong without the board is told before it is loaded
    let names = args.names.as_deref().map(|path| names(path, &planned)).transpose()?;
    let network = planned.network.clone();
    let mut carried = Carried::new(&network);
    let mut inputs = vec![];
    for path in &args.inputs {
        for file in files(path, &[&CLIPS[..], &EXTENSIONS].concat())? {
            inputs.extend(read(&file, &network)?);
        }
    }
    let mut golden = match args.check {
        true => Some(Interpreter::new(&network).context("cannot run the network")?),
        false => None,
    };
    let mut inference = args.board.open(&mut planned)?;
    let (mut rows, mut results, mut differing) = (vec![], vec![], 0);
    for input in inputs {
        let all = carried.inputs(&input.elements);
        let outputs = inference.infer(&all).context("the board stopped")?;
        carried.keep(&outputs);
        let cycles = inference.counters().context("the board stopped")?.latest_cycles;
        if let Some(golden) = &mut golden {
            golden.run(&apart(&network, &all));
            differing += usize::from(!golden.outputs().eq(outputs.iter().map(Vec::as_slice)));
        }
        let tensors = network.outputs.iter().filter_map(|name| network.tensor(name));
        let outputs =
            tensors.zip(&outputs).map(|(tensor, stored)| (tensor, tensor.integers(stored)));
        let outputs: Vec<(&Tensor, Vec<i32>)> = outputs.collect();
        let (tensor, scores) = outputs.last().context("the network has no output")?;
        let class = top(tensor, scores).context("the network's output is empty")?;
        let name = names.as_ref().and_then(|names| names.get(class));
        rows.push(vec![
            input.name.clone(),
            class.to_string(),
            name.cloned().unwrap_or_default(),
            format!(
                "score {}, {cycles} cycles, {} planned",
                element(tensor, class, scores[class]),
                planned.plan.cycles()
            ),
        ]);
        if outputs.len() > 1 {
            rows.extend(outputs.iter().map(|(tensor, output)| {
                vec!["".into(), tensor.name.clone(), "".into(), short(output)]
            }));
        }
        let named = outputs.iter().map(|(tensor, output)| (tensor.name.clone(), json!(output)));
        let named: serde_json::Map<String, Value> = named.collect();
        results.push(json!({
            "input": input.name, "class": class, "name": name, "scores": scores, "outputs": named,
            "cycles": cycles,
        }));
    }
    inference.finish().context("the board stopped")?;
    let traffic = inference.board().traffic();
    if args.json {
        print_json(&json!({
            "results": results,
            "planned_cycles": planned.plan.cycles(),
            "differing": golden.is_some().then_some(differing),
            "questions": traffic.questions,
            "resent": traffic.resent,
            "late": traffic.late,
            "damaged": traffic.damaged,
        }))?;
    } else {
        let runs = results.len();
        print(&table(&rows))?;
        if golden.is_some() {
            print(&format!("golden: {differing} of {runs} differ\n"))?;
        }
    }
    if let Some(complaint) = traffic.complaint() {
        tell!("{complaint}");
    }
    if differing > 0 { Err(Failure::Check) } else { Ok(()) }
}

/// A name a class.
fn names(path: &Path, planned: &Planned) -> anyhow::Result<Vec<String>> {
    let text = hwgen_files::read_text(path, MOST_NAMES).context("--names")?;
    let names: Vec<_> = text.lines().map(|line| line.trim().to_owned()).collect();
    let network = &planned.network;
    let scores = network.outputs.last().and_then(|name| network.tensor(name));
    let classes = scores.map_or(0, Tensor::elements);
    let (has, file) = (names.len(), path.display());
    ensure!(
        has == classes,
        "--names {file}: {has} names for {classes} classes: one each, a line a name"
    );
    Ok(names)
}

/// The first elements of an output.
fn short(output: &[i32]) -> String {
    let shown: Vec<_> = output.iter().take(MOST_SHOWN).map(i32::to_string).collect();
    let more = output.len().saturating_sub(MOST_SHOWN);
    let more = if more > 0 { format!(" and {more} more (--json)") } else { String::new() };
    shown.join(" ") + &more
}

fn is_clip(path: &Path) -> bool {
    CLIPS.iter().any(|extension| is(path, extension))
}

/// The runs of a file.
fn read(path: &Path, network: &Network) -> anyhow::Result<Vec<Input>> {
    let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into());
    if is_clip(path) {
        let given: Vec<&Tensor> = network.given().collect();
        let [tensor] = given[..] else {
            bail!("{}: a clip is one input, the network takes {}", path.display(), given.len());
        };
        let elements = features(path, tensor)?;
        return Ok(vec![Input { name, elements }]);
    }
    let all: Vec<Vec<i16>> = runs(path, network)?.into_iter().flat_map(|file| file.runs).collect();
    let several = all.len() > 1;
    let numbered = |(at, elements)| {
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
    let frames = Extractor::new(*recipe)?.quantized(&clip.samples);
    Ok(frames.concat().into_iter().map(i16::from).collect())
}
