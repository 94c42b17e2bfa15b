//! The steps, one after the other, in a folder that is complete or not there.

use super::picture;
use super::{AsicError, Layout, Report};
use hwgen_files::Scratch;
use hwgen_hdl::Module;
use hwgen_tools::{ToolError, run};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// The technology, as qflow calls it.
const TECHNOLOGY: &str = "osu018";

/// Where Debian puts its cells.
const CELLS: &str = "/usr/share/qflow/tech/osu018/osu018_stdcells.lef";

/// Initial densities that are tried until routes, design rules and netlist are in order. With qflow's own
/// many nets stay without a route; a lower one leaves wires more room.
const DENSITIES: &[&str] = &["0.60", "0.55", "0.50"];

/// What qflow is given: the design in one module, its inner names numbers. Its `rc2dly` writes behind the end of names
/// of 40 characters.
fn plain(name: &str) -> String {
    format!(
        "read_verilog {DESIGN}; hierarchy -top {name}; proc; flatten; memory; opt_clean; rename -hide; \
         rename -enumerate -pattern n%; write_verilog -noattr source/{name}.v"
    )
}

/// The design as we print it.
const DESIGN: &str = "design.v";

/// Time for a step.
const LIMIT: Duration = Duration::from_secs(3600);

/// The steps of qflow, in order, and what each is.
const STEPS: &[(&str, &str)] = &[
    ("synthesize", "gates (Yosys)"),
    ("place", "placement (graywolf)"),
    ("sta", "timing before routing (vesta)"),
    ("route", "routing (qrouter)"),
    ("backanno", "timing after routing (vesta)"),
    ("migrate", "layout (magic)"),
    ("drc", "design rules (magic)"),
    ("lvs", "layout against netlist (netgen)"),
    ("gdsii", "GDS (magic)"),
];

/// Steps that fail when they find errors; how many there are is in their logs.
const JUDGES: &[&str] = &["drc", "lvs"];

/// Tools that the steps start.
const TOOLS: &[&str] =
    &["tcsh", "yosys", "qflow", "graywolf", "qrouter", "magic", "netgen", "osu018"];

/// The file that names what a folder was built from.
const KEY: &str = "built_from.txt";

/// That file is short.
const MOST_BYTES: u64 = 1 << 16;

/// What was built.
#[derive(Clone, Debug)]
pub struct Built {
    /// The folder.
    pub folder: PathBuf,
    /// The layout, with the cells' metal.
    pub gds: PathBuf,
    /// A picture of it.
    pub png: PathBuf,
    /// What the tools said.
    pub report: Report,
}

/// Builds a module into `folder`, or takes what is there if it was built from the same text. `say`
/// hears of each step.
///
/// # Errors
/// If a tool is missing (the error says how to get it) or fails, or the folder is not ours.
pub fn build(
    module: &Module,
    folder: &Path,
    mut say: impl FnMut(&str),
) -> Result<Built, AsicError> {
    for name in TOOLS {
        hwgen_tools::require(name).map_err(|source| AsicError::Tool { step: "tools", source })?;
    }
    let text = module.verilog().map_err(|error| AsicError::Emission {
        module: module.name.to_string(),
        reason: error.to_string(),
    })?;
    let key = key(&text);
    if folder.exists() {
        let known = hwgen_files::read_text(&folder.join(KEY), MOST_BYTES);
        let known = known.map_err(|_| AsicError::Taken { path: folder.to_path_buf() })?;
        // what was changed since is neither delivered nor thrown away
        if let Some(path) = hwgen_files::changed_in(folder)? {
            return Err(AsicError::Changed { path });
        }
        if known == key {
            say("nothing changed: the layout that is there is taken");
            return finished(&module.name, folder);
        }
    }
    let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    fs::create_dir_all(parent).map_err(AsicError::file("create folder", parent))?;
    let work = place(module, &text, parent, &mut say)?;
    let path = work.path().join(KEY);
    fs::write(&path, key).map_err(AsicError::file("write", path))?;
    hwgen_files::seal_folder(work.path())?;
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(AsicError::file("replace", folder))?;
    }
    fs::rename(work.path(), folder).map_err(AsicError::file("put in place", folder))?;
    finished(&module.name, folder)
}

/// What a layout depends on.
fn key(text: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(text);
    hash.update(DENSITIES.concat());
    hash.update(plain(""));
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The layout of the first density that gives a clean one, else of the last.
fn place(
    module: &Module,
    text: &str,
    parent: &Path,
    say: &mut impl FnMut(&str),
) -> Result<Scratch, AsicError> {
    let mut latest = None;
    for density in DENSITIES {
        say(&format!("density {density}"));
        let parent = parent.canonicalize().map_err(AsicError::file("use", parent))?;
        let work = Scratch::in_folder(&parent, ".hwgen-asic-");
        let work = work.map_err(AsicError::file("create a folder in", &parent))?;
        let made = make(module, text, density, work.path(), say);
        match made.and_then(|()| report(&module.name, work.path())) {
            Ok(report) if report.is_clean() => return Ok(work),
            Ok(_) => latest = Some(Ok(work)),
            Err(error) => {
                say(&error.to_string());
                latest = Some(Err(error));
            }
        }
    }
    latest.expect("densities are tried")
}

fn make(
    module: &Module,
    text: &str,
    density: &str,
    work: &Path,
    say: &mut impl FnMut(&str),
) -> Result<(), AsicError> {
    let name = &*module.name;
    for folder in ["source", "synthesis", "layout", "log"] {
        let path = work.join(folder);
        fs::create_dir(&path).map_err(AsicError::file("create folder", path))?;
    }
    let design = work.join(DESIGN);
    fs::write(&design, text).map_err(AsicError::file("write", design))?;
    let mut yosys = Command::new("yosys");
    yosys.current_dir(work).args(["-q", "-p", &plain(name)]);
    run(&mut yosys, LIMIT).map_err(|source| AsicError::Tool { step: "plain names", source })?;
    let variables = work.join("project_vars.sh");
    let told = format!("#!/usr/bin/tcsh -f\nset initial_density = {density}\n");
    fs::write(&variables, told).map_err(AsicError::file("write", variables))?;
    for &(step, what) in STEPS {
        say(&format!("{step}: {what}"));
        let mut command = Command::new("qflow");
        command.current_dir(work).args([step, "-T", TECHNOLOGY, name]);
        match run(&mut command, LIMIT) {
            Err(ToolError::Failed { .. }) if JUDGES.contains(&step) => say("it found errors"),
            ended => {
                ended.map_err(|source| AsicError::Tool { step, source })?;
            }
        }
    }
    say("layout with the cells' metal (magic), picture");
    full_gds(work, name)?;
    let layout = Layout::read(&work.join(format!("layout/{name}.def")), Path::new(CELLS))?;
    picture::draw(&layout, &work.join("layout.png"))
}

/// qflow's own GDS has empty cells; with their LEF read, magic writes their metal too.
fn full_gds(work: &Path, name: &str) -> Result<(), AsicError> {
    let script = format!(
        "drc off\nlef read {CELLS}\ndef read {name}.def\nload {name}\nselect top cell\n\
         gds write full.gds\nquit -noprompt\n"
    );
    let folder = work.join("layout");
    let path = folder.join("full.tcl");
    fs::write(&path, script).map_err(AsicError::file("write", path))?;
    let mut command = Command::new("magic");
    command.current_dir(&folder).args(["-dnull", "-noconsole", "full.tcl"]);
    run(&mut command, LIMIT).map_err(|source| AsicError::Tool { step: "GDS", source })?;
    let (from, to) = (folder.join("full.gds"), work.join(format!("{name}.gds")));
    fs::rename(&from, to).map_err(AsicError::file("find", from))
}

/// What the tools said of the layout in a folder.
fn report(name: &str, folder: &Path) -> Result<Report, AsicError> {
    let layout = Layout::read(&folder.join(format!("layout/{name}.def")), Path::new(CELLS))?;
    Report::read(&folder.join("log"), &layout)
}

fn finished(name: &str, folder: &Path) -> Result<Built, AsicError> {
    Ok(Built {
        folder: folder.to_path_buf(),
        gds: folder.join(format!("{name}.gds")),
        png: folder.join("layout.png"),
        report: report(name, folder)?,
    })
}
