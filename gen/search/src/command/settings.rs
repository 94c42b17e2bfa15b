//! What is asked for, as a search takes it.

use super::args::Args;
use super::effort;
use super::failure::{Failure, wrong};
use super::target::OfBoard;
use anyhow::anyhow;
use hwgen_data::Parts;
use hwgen_search::search::Settings;
use hwgen_search::space::{PRESETS, Space, preset};
use hwgen_search::supernet::InputScale;
use std::path::Path;

/// The largest space.json.
const MOST_SPACE: u64 = 1 << 20;

/// A search, and the board that it is for.
pub(super) struct Wanted {
    pub(super) settings: Settings,
    pub(super) board: Option<String>,
}

pub(super) fn wanted(args: &Args, parts: &Parts, on: OfBoard) -> Result<Wanted, Failure> {
    let mut space = space(&args.space, parts)?;
    if let Some((weights, activations)) = args.effort.uniform {
        (space.weight_bits, space.activation_bits) = (vec![weights], vec![activations]);
    }
    if args.effort.epochs == Some(0) && args.resume.is_none() {
        return wrong("--epochs 0 is for --resume DIR, whose supernet then stays as it is");
    }
    let OfBoard { target, board } = on;
    let (effort, of) = (&args.effort, effort::of(&space.name));
    let asked = target.multipliers;
    let mut settings = Settings {
        space,
        sharing: effort.sharing,
        target,
        latency: args.core.latency,
        seed: args.seed,
        epochs: effort.epochs.unwrap_or(of.epochs),
        tuning: effort.tuning.unwrap_or(of.tuning),
        rate: effort.rate,
        gates: effort.gates.clone(),
        gating: effort.gating,
        population: effort.population.unwrap_or(of.population),
        generations: effort.generations.unwrap_or(of.generations),
        judged: effort.judged.unwrap_or(of.judged),
        points: effort.points,
        alone: effort.tau,
        threads: effort.threads,
        save_seconds: 30,
    };
    let scale = parts.train.items().scale();
    let input = InputScale { scale: f64::from(scale.scale), zero_point: scale.zero_point };
    settings.make_room(input)?;
    let (now, kind) = (settings.target.multipliers, settings.target.kind.bits());
    match &board {
        Some(board) if now < asked && args.core.multipliers.is_some() => {
            tell!("{board} has no room for cores of {asked} multipliers: {now} of {kind} bits");
        }
        Some(board) => tell!("{board}: cores of up to {now} multipliers of {kind} bits"),
        None => {}
    }
    Ok(Wanted { settings, board })
}

fn space(name: &str, parts: &Parts) -> Result<Space, Failure> {
    let items = parts.train.items();
    let shape = items.shape();
    let (input, classes) = ([shape.height, shape.width, shape.channels], items.classes().len());
    if let Some(space) = preset(name, input, classes) {
        space.check()?;
        return Ok(space);
    }
    if !Path::new(name).exists() {
        return wrong(format!(
            "--space {name}: there is no such file, nor a space of that name: {}",
            PRESETS.join(", ")
        ));
    }
    let space = Space::read(&hwgen_files::read_text(name.as_ref(), MOST_SPACE)?);
    let space = space.map_err(|error| Failure::Usage(anyhow!("--space {name}: {error}")))?;
    if (space.input, space.classes) != (input, classes) {
        return wrong(format!(
            "--space {name}: it is for items of {:?} in {} classes, the data has {input:?} in {classes}",
            space.input, space.classes,
        ));
    }
    Ok(space)
}
