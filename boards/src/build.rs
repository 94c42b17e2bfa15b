//! From a design's Verilog to a bitstream: Yosys, nextpnr and the family's packer, driven, their
//! reports read, and a verdict: timing met or missed and by how much, or which part is too small.
//!
//! - `flow`: which tool with which arguments;
//! - `cache`: steps done before are not done again, a killed build resumes;
//! - `part`, `report`: what the FPGA has and what the design takes;
//! - `vivado`: for Xilinx no bitstream but a script.

mod cache;
mod flow;
mod part;
mod report;
mod run;
mod vivado;

pub use flow::{bitstream_ending, placed_name, tool, tools};
pub(crate) use part::capacity;
pub use part::{Resource, may_fit, multipliers};

use crate::board::{Board, Family};
use crate::clocking::{ClockError, Clocking, megahertz};
use crate::wrapper::{self, Inner, WrapError};
use cache::{Cache, Done, Step, StepError};
use flow::Flow;
use hwgen_files::{FileError, cache_folder};
use hwgen_tools::ToolError;
use report::Report;
use serde::Serialize;
use std::path::PathBuf;

/// How to build.
#[derive(Clone, Debug)]
pub struct Options {
    /// The clock's frequency in Hz; the board's own without.
    pub hertz: Option<u32>,
    /// Placements that are tried, seeds 1, 2, .., until timing is met.
    pub seeds: u32,
    /// Stop after synthesis.
    pub synth_only: bool,
    /// Folders searched for tools before all others.
    pub tools: Vec<PathBuf>,
    /// The folder that keeps what has been done; [`cache_folder`] without.
    pub cache: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Options {
        Options { hertz: None, seeds: 1, synth_only: false, tools: vec![], cache: None }
    }
}

/// What happens during a build.
#[derive(Clone, Debug)]
pub enum Event<'a> {
    /// A step begins.
    Begins(&'a str),
    /// Its tool printed a line.
    Line(&'a str),
    /// It is done.
    Ends {
        /// The step.
        step: &'a str,
        /// How long it took.
        seconds: f64,
        /// Whether it had been done before.
        cached: bool,
    },
}

/// How a build ended.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// There is a bitstream, and it is fast enough.
    Met,
    /// There is a bitstream, and it is too slow.
    Missed,
    /// The design takes more than there is.
    TooSmall(Vec<Resource>),
    /// As asked, nothing was placed.
    SynthesisOnly,
    /// A script for the vendor's tool was written, which nobody has run.
    Script,
}

/// How fast a placement is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Timing {
    /// Its seed.
    pub seed: u32,
    /// The highest frequency of its slowest clock, in MHz: the lower, if two tools tell.
    pub fmax_mhz: f64,
    /// Who says so.
    pub by: &'static str,
    /// The frequency it has to run at.
    pub wanted_mhz: f64,
    /// What is left of a cycle, in ns; below 0 it is missed.
    pub slack_ns: f64,
    /// Whether icetime was heard.
    #[serde(skip)]
    icetime: bool,
}

/// What came of a build.
#[derive(Clone, Debug, Serialize)]
pub struct Built {
    /// The board.
    pub board: String,
    /// The design's top module.
    pub design: String,
    /// How it ended.
    pub verdict: Verdict,
    /// The clock, in MHz.
    pub clock_mhz: f64,
    /// What Yosys counted.
    pub synthesized: Vec<Resource>,
    /// What nextpnr placed.
    pub placed: Vec<Resource>,
    /// The placement that was taken.
    pub timing: Option<Timing>,
    /// All placements that were tried.
    pub tried: Vec<Timing>,
    /// What is worth knowing beside.
    pub notes: Vec<String>,
    /// The bitstream's file.
    pub bitstream: Option<String>,
    /// Files by name, the bitstream among them.
    #[serde(skip)]
    pub files: Vec<(String, Vec<u8>)>,
}

impl Built {
    /// What is wrong with it, in a sentence; `None` if nothing is.
    pub fn complaint(&self) -> Option<String> {
        match (&self.verdict, &self.timing) {
            (Verdict::TooSmall(over), _) => {
                let each = |Resource { name, used, available }: &Resource| {
                    format!("{used} {name} of {available}, {} too many", used - available)
                };
                let all: Vec<_> = over.iter().map(each).collect();
                Some(format!("board {} is too small: {}", self.board, all.join("; ")))
            }
            (Verdict::Missed, Some(Timing { fmax_mhz, wanted_mhz, slack_ns, .. })) => {
                Some(format!(
                    "timing is missed by {:.2} ns a cycle: {fmax_mhz:.2} MHz of {wanted_mhz} MHz, the best of {} placements",
                    -slack_ns,
                    self.tried.len()
                ))
            }
            _ => None,
        }
    }
}

/// Why nothing came of a build.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The clock cannot be made.
    #[error(transparent)]
    Clock(#[from] ClockError),
    /// The design does not go onto the board.
    #[error(transparent)]
    Wrap(#[from] WrapError),
    /// A tool is missing or failed.
    #[error(transparent)]
    Tool(#[from] ToolError),
    /// A tool's output is missing, or not what it should be.
    #[error("{step} ended well, but its {what}")]
    Output {
        /// The step.
        step: String,
        /// Which output, and what is wrong with it.
        what: String,
    },
    /// The cache cannot be used.
    #[error(transparent)]
    Cache(#[from] FileError),
    /// Too many or no seeds.
    #[error("{0} seeds: 1 to 1000 are possible")]
    Seeds(u32),
}

/// Builds a design for a board.
///
/// That timing is missed or the part too small is no error but the [`Verdict`].
pub fn build(
    board: &Board,
    inner: &Inner,
    options: &Options,
    on_event: &mut dyn FnMut(Event),
) -> Result<Built, BuildError> {
    if !(1..=1000).contains(&options.seeds) {
        return Err(BuildError::Seeds(options.seeds));
    }
    let clocking = board.clocking(options.hertz)?;
    let wrapper = wrapper::wrap(board, inner, &clocking)?;
    let flow = Flow::new(board, &options.tools);
    let mut built = Built {
        board: board.name.clone(),
        design: inner.top.clone(),
        verdict: Verdict::SynthesisOnly,
        clock_mhz: megahertz(clocking.hertz),
        synthesized: vec![],
        placed: vec![],
        timing: None,
        tried: vec![],
        notes: board.untested.iter().map(|what| format!("UNTESTED: {what}")).collect(),
        bitstream: None,
        files: vec![],
    };
    let texts =
        [("board.v".to_string(), wrapper.clone()), ("design.v".into(), inner.verilog.clone())];
    let texts = texts.into_iter().chain(flow.constraints(inner.uses));
    built.files = texts.map(|(name, text)| (name, text.into_bytes())).collect();
    if board.fpga.family == Family::Xilinx7 && !options.synth_only {
        built.files.push(("build.tcl".into(), vivado::script(board).into_bytes()));
        built.verdict = Verdict::Script;
        return Ok(built);
    }
    flow.require(if options.synth_only { 1 } else { 3 })?;
    let cache = Cache::open(&options.cache.clone().unwrap_or_else(cache_folder))?;
    let mut work = Work { cache, on_event };

    let netlist = synthesize(&flow, &mut work, board, &wrapper, inner, &mut built)?;
    let over = built.synthesized.iter().filter(|resource| resource.used > resource.available);
    let over: Vec<_> = over.cloned().collect();
    if !over.is_empty() {
        built.verdict = Verdict::TooSmall(over);
    } else if !options.synth_only {
        place(&flow, &mut work, (board, &clocking, inner), &netlist, options.seeds, &mut built)?;
    }
    Ok(built)
}

/// The cache, and who listens.
struct Work<'a> {
    cache: Cache,
    on_event: &'a mut dyn FnMut(Event),
}

impl Work<'_> {
    fn run(&mut self, step: &Step) -> Result<Done, StepError> {
        (self.on_event)(Event::Begins(&step.name));
        let done = self.cache.run(step, &mut |line| (self.on_event)(Event::Line(line)))?;
        let Done { seconds, cached, .. } = done;
        (self.on_event)(Event::Ends { step: &step.name, seconds, cached });
        Ok(done)
    }

    /// A step whose failure is an error.
    fn must(&mut self, step: &Step) -> Result<Done, BuildError> {
        self.run(step).map_err(|error| error.of(step))
    }
}

impl StepError {
    fn of(self, step: &Step) -> BuildError {
        match self {
            StepError::Tool(failed) => failed.error.into(),
            StepError::Missing(what) => unreadable(step, format!("file {what} is not there")),
            StepError::Disk(error) => error.into(),
        }
    }
}

fn unreadable(step: &Step, what: String) -> BuildError {
    BuildError::Output { step: step.name.clone(), what }
}

fn synthesize(
    flow: &Flow,
    work: &mut Work,
    board: &Board,
    wrapper: &str,
    inner: &Inner,
    built: &mut Built,
) -> Result<Vec<u8>, BuildError> {
    let step = flow.synthesis(wrapper, inner)?;
    let mut files = work.must(&step)?.files;
    let cells = report::cells(&files[1])
        .ok_or_else(|| unreadable(&step, "statistics cannot be read".into()))?;
    if let Some(capacity) = capacity(&board.fpga.device) {
        built.synthesized = part::resources(&cells, capacity);
    }
    Ok(files.swap_remove(0))
}

/// Tries seeds until timing is met; packs the fastest.
fn place(
    flow: &Flow,
    work: &mut Work,
    (board, clocking, inner): (&Board, &Clocking, &Inner),
    netlist: &[u8],
    seeds: u32,
    built: &mut Built,
) -> Result<(), BuildError> {
    let pins = crate::constraints::constraints(board, inner.uses);
    let mut best: Option<(Timing, Vec<u8>, Vec<Resource>)> = None;
    for seed in 1..=seeds {
        let step = flow.place(netlist, &pins, megahertz(clocking.hertz), seed)?;
        let done = match work.run(&step) {
            Err(StepError::Tool(failed)) => {
                let over = report::overfull(&failed.log);
                if over.is_empty() {
                    return Err(failed.error.into());
                }
                built.verdict = Verdict::TooSmall(over);
                return Ok(());
            }
            done => done.map_err(|error| error.of(&step))?,
        };
        let report = Report::read(&done.files[1]);
        let report = report.ok_or_else(|| unreadable(&step, "report cannot be read".into()))?;
        let placed = done.files.into_iter().next().unwrap_or_default();
        let timing = time(flow, work, &report, &placed, clocking, seed)?;
        built.tried.push(timing.clone());
        let met = timing.slack_ns >= 0.0;
        if best.as_ref().is_none_or(|(best, ..)| timing.fmax_mhz > best.fmax_mhz) {
            best = Some((timing, placed, report.placed()));
        }
        if met {
            break;
        }
    }
    let Some((timing, placed, resources)) = best else {
        return Ok(());
    };
    built.verdict = if timing.slack_ns >= 0.0 { Verdict::Met } else { Verdict::Missed };
    if board.fpga.family == Family::Ice40 && !timing.icetime {
        built.notes.push("icetime did not run; it is often more careful than nextpnr".into());
    }
    (built.timing, built.placed) = (Some(timing), resources);
    let bitstream = work.must(&flow.packing(&placed)?)?.files;
    built.files.push((flow::placed_name(board.fpga.family).into(), placed));
    let name = format!("{}.{}", board.name, bitstream_ending(board.fpga.family));
    built.bitstream = Some(name.clone());
    built.files.extend(bitstream.into_iter().map(|bytes| (name.clone(), bytes)));
    Ok(())
}

const NEXTPNR: &str = "nextpnr";

/// The lower of the frequencies that nextpnr and, for iCE40, icetime tell.
fn time(
    flow: &Flow,
    work: &mut Work,
    report: &Report,
    placed: &[u8],
    clocking: &Clocking,
    seed: u32,
) -> Result<Timing, BuildError> {
    let wanted_mhz = megahertz(clocking.hertz);
    let mut said: Vec<_> = report.fmax().map(|mhz| (NEXTPNR, mhz)).into_iter().collect();
    if let Some(step) = flow.second_opinion(placed) {
        // without its tables icetime fails: one opinion is left
        let log = work.run(&step).ok().map(|done| done.log).unwrap_or_default();
        said.extend(report::icetime(&log).map(|mhz| ("icetime", mhz)));
    }
    let icetime = said.iter().any(|(by, _)| *by != NEXTPNR);
    let lowest = said.into_iter().min_by(|one, other| one.1.total_cmp(&other.1));
    let (by, fmax_mhz) = lowest.ok_or_else(|| BuildError::Output {
        step: "place and route".into(),
        what: "report names no clock".into(),
    })?;
    let slack_ns = 1000.0 / wanted_mhz - 1000.0 / fmax_mhz;
    Ok(Timing { seed, fmax_mhz, by, wanted_mhz, slack_ns, icetime })
}
