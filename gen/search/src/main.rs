//! `hwgen-search`: what `hwgen search` runs.

use anyhow::{Context, Result, bail};
use clap::Parser;
use hwgen_boards::board::{self, Family};
use hwgen_data::{Augment, FeatureAugment, ImageAugment, Kind, Options, Parts, Source, Wish};
use hwgen_designs::cnn::Multiplier;
use hwgen_search::cost::Target;
use hwgen_search::search::{Progress, Search, Settings};
use hwgen_search::space::{PRESETS, Space, preset};
use hwgen_search::supernet::Sharing;
use std::path::PathBuf;

/// Search architecture and bit widths of a network together, with the generated core as its cost
#[derive(Parser)]
#[command(name = "hwgen search", version)]
struct Args {
    /// Labeled data: a folder or file that docs/data.md tells of, or `shapes` or `tones`, which are generated
    #[arg(long, value_name = "PATH")]
    data: PathBuf,
    /// What is searched: a name (shapes, images, mobile, keywords, cenet) or a file
    #[arg(long, value_name = "SPACE", default_value = "images")]
    space: String,
    /// The board that it is to run on
    #[arg(long, value_name = "BOARD")]
    target: Option<String>,
    /// Multipliers of the core; without a board those of 25 x 18 bits
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    multipliers: Option<u32>,
    /// Longest time of an inference, as 20ms or 800us
    #[arg(long, value_name = "TIME", value_parser = milliseconds)]
    latency: Option<f64>,
    /// Where all is written; a search that is there goes on
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// A search that this one goes on with: on other data, or for another target; --epochs 0: its numbers stay
    #[arg(long, value_name = "DIR")]
    resume: Option<PathBuf>,
    /// What is drawn from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Epochs of the supernet
    #[arg(long, default_value_t = 15)]
    epochs: usize,
    /// Epochs of each point that is trained on
    #[arg(long, default_value_t = 6)]
    tuning: usize,
    /// Training items at most
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Search the architecture only, all weights and activations of so many bits: 8x8, 4x7
    #[arg(long, value_name = "WxA", value_parser = widths)]
    uniform: Option<(u32, u32)>,
    /// A core whose lanes have one weight, whatever its bits
    #[arg(long)]
    wide: bool,
    /// Train gates (HQNAS), too: how much cycles count, several trainings after commas
    #[arg(long, value_name = "WEIGHTS", value_delimiter = ',')]
    gates: Vec<f32>,
    /// Epochs of each training of gates
    #[arg(long, default_value_t = 3)]
    gating: usize,
    /// Choices of a generation
    #[arg(long, default_value_t = 32)]
    population: usize,
    /// Generations after the first
    #[arg(long, default_value_t = 12)]
    generations: usize,
    /// Points that are trained on
    #[arg(long, default_value_t = 3)]
    points: usize,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let data = Source::open(&args.data)?.load(&Options::default())?;
    let parts = data.parts(&Wish { limit: args.limit, seed: args.seed, ..Wish::default() })?;
    let settings = settings(&args, &parts)?;
    std::fs::create_dir_all(&args.out).with_context(|| args.out.display().to_string())?;
    let augment = augment(&parts);
    let before = args.resume.as_deref();
    let search = Search {
        settings: &settings,
        parts: &parts,
        folder: &args.out,
        augment,
        before,
        workers: None,
    };
    let mut last = 0;
    let found = search.run(&mut |progress| tell(&progress, &mut last))?;
    for (n, point) in found.points.iter().enumerate() {
        println!(
            "point {n}: {} cycles, {:.3} ms, {} bytes of weights, {} weights; test {:.2} % as integers, {:.2} % as real numbers, {:.2} % alike",
            point.cycles,
            point.milliseconds,
            point.weight_bytes,
            point.weights,
            100.0 * point.test.integer,
            100.0 * point.test.real,
            100.0 * point.test.same,
        );
    }
    for (stage, seconds) in &found.seconds {
        println!("{stage}: {seconds:.1} s");
    }
    Ok(())
}

fn settings(args: &Args, parts: &Parts) -> Result<Settings> {
    let items = parts.train.items();
    let shape = items.shape();
    let input = [shape.height, shape.width, shape.channels];
    let mut space = match preset(&args.space, input, items.classes().len()) {
        Some(space) => space,
        None if PathBuf::from(&args.space).exists() => {
            Space::read(&hwgen_files::read_text(args.space.as_ref(), 1 << 20)?)?
        }
        None => bail!("no space `{}`: a file, or one of {}", args.space, PRESETS.join(", ")),
    };
    if let Some((weights, activations)) = args.uniform {
        (space.weight_bits, space.activation_bits) = (vec![weights], vec![activations]);
    }
    space.check()?;
    let board = args.target.as_deref().map(board::find).transpose()?;
    let kind = match board.as_ref().map(|board| board.fpga.family) {
        None | Some(Family::Xilinx7) => Multiplier::Bits25x18,
        Some(Family::Ecp5 | Family::Gowin) => Multiplier::Bits18x18,
        Some(Family::Ice40) => Multiplier::Bits16x16,
    };
    let hertz = board.as_ref().map(|board| board.clock.run_hertz.unwrap_or(board.clock.hertz));
    let target = Target {
        multipliers: args.multipliers.unwrap_or(49),
        kind,
        single_port: board.is_some_and(|board| board.fpga.device == "up5k"),
        narrow: !args.wide,
        hertz: hertz.map_or(100_000_000, u64::from),
    };
    Ok(Settings {
        space,
        sharing: Sharing::Free,
        target,
        latency: args.latency,
        seed: args.seed,
        epochs: args.epochs,
        tuning: args.tuning,
        rate: 0.1,
        gates: args.gates.clone(),
        gating: args.gating,
        population: args.population,
        generations: args.generations,
        judged: 2000,
        points: args.points,
        threads: 2,
        save_seconds: 30,
    })
}

fn augment(parts: &Parts) -> Augment {
    match parts.train.items().head().kind {
        Kind::Image => Augment::Image(ImageAugment { shift: 2, flip: true, cutout: 0 }),
        Kind::Audio => Augment::Features(FeatureAugment::default()),
    }
}

fn tell(progress: &Progress, last: &mut usize) {
    match progress {
        Progress::Training { stage, step, steps, loss } => {
            if *step == *steps || step * 20 / steps != *last {
                *last = step * 20 / steps;
                eprintln!("{stage:?}: step {step} of {steps}, loss {loss:.3}");
            }
        }
        Progress::Evolving { generation, generations, best } => {
            eprintln!("generation {generation} of {generations}: {best:?}");
        }
    }
}

fn milliseconds(text: &str) -> Result<f64, String> {
    let (number, scale) = match (text.strip_suffix("ms"), text.strip_suffix("us")) {
        (Some(number), _) => (number, 1.0),
        (_, Some(number)) => (number, 1e-3),
        _ => return Err("a time ends in ms or us: 20ms".to_owned()),
    };
    let number: f64 = number.trim().parse().map_err(|_| format!("`{text}` is no time"))?;
    let range = number.is_finite() && number > 0.0;
    range.then_some(number * scale).ok_or_else(|| format!("`{text}` is no time above 0"))
}

fn widths(text: &str) -> Result<(u32, u32), String> {
    let parts = text.split_once('x').and_then(|(w, a)| Some((w.parse().ok()?, a.parse().ok()?)));
    parts.ok_or_else(|| format!("`{text}`: bits as 4x7"))
}
