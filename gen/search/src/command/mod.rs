//! The command: arguments become settings, a search runs, what it found is told.
//!
//! - `args`: the command line; `number`: its numbers; `effort`: how long a search of each space goes; `augment`: how
//!   items are varied; `target`: the core; `settings`: all of it; `inputs`: what points are compared on; `told`: what is printed at the end; `failure`: exit
//!   codes.

mod args;
mod augment;
mod effort;
mod failure;
mod inputs;
mod number;
mod settings;
mod target;
mod told;

pub(crate) use args::Args;
pub(crate) use failure::report;

use crate::output::print;
use crate::view::View;
use anyhow::Context;
use args::Schema;
use failure::{Failure, wrong};
use hwgen_data::{Parts, Source};
use hwgen_search::data::Request;
use hwgen_search::report::page;
use hwgen_search::search::{Found, Search, Workers};
use hwgen_search::space::Space;
use settings::Wanted;
use std::cell::RefCell;
use std::path::Path;

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    if let Some(schema) = args.schema {
        let schema = match schema {
            Schema::Space => Space::schema(),
            Schema::Search => Found::schema(),
        };
        let schema = serde_json::to_string_pretty(&schema).context("cannot write the schema")?;
        return Ok(print(&(schema + "\n"))?);
    }
    let (Some(data), Some(out)) = (&args.data, &args.out) else {
        return wrong("which data, and where is all to be written? --data PATH --out DIR");
    };
    // what is wrong with it is said before data is read
    let on = target::target(&args.core)?;
    let request = args.loading.request(data, args.seed).context("where is the data?")?;
    let parts = parts(&request)?;
    let augment = augment::augment(&args.augment, &parts)?;
    let Wanted { settings, board } = settings::wanted(args, &parts, on)?;
    std::fs::create_dir_all(out)
        .with_context(|| format!("cannot create folder {}", out.display()))?;
    let mut view = View::new(&settings);
    let before = args.resume.as_deref();
    let workers = workers(args, request, out)?;
    let folder = out.as_path();
    let search = Search { settings: &settings, parts: &parts, folder, augment, before, workers };
    let found = search.run(&mut |progress| view.show(&progress));
    view.finish();
    let found = found?;
    inputs::write(out, found.points.len(), &parts.validation, args.seed)?;
    let page = page(&found).map_err(anyhow::Error::from)?;
    hwgen_files::write(&out.join("search.html"), page.as_bytes())?;
    told::notes(&found);
    match args.json {
        true => Ok(print(&found.text())?),
        false => Ok(print(&told::text(&found, out, board.as_deref()))?),
    }
}

/// A job's folder: what is asked there is answered there.
pub(crate) fn work(folder: &Path) -> Result<(), Failure> {
    Ok(hwgen_search::search::work(folder)?)
}

/// The farm that judges, if one is asked for.
fn workers(args: &Args, request: Request, out: &Path) -> Result<Option<RefCell<Workers>>, Failure> {
    let Some(machines) = &args.engine else { return Ok(None) };
    Ok(Some(RefCell::new(Workers::open(&out.join("jobs"), machines, request)?)))
}

fn parts(request: &Request) -> Result<Parts, Failure> {
    let source = Source::open(&request.path)?;
    tell!("{source}");
    let parts = request.parts(&source)?;
    let [train, validation, test] =
        [&parts.train, &parts.validation, &parts.test].map(|part| part.len());
    tell!("{train} items to train on, {validation} to choose by, {test} to test");
    Ok(parts)
}
