//! `hwgen build`

use crate::asic::{self, Tech};
use crate::board::of_network;
use crate::cores::{cores, multipliers_of, told};
use crate::design::{Named, Size};
use crate::doctor::tell_first_run;
use crate::failure::{Failure, usage, wrong};
use crate::files::write_folder;
use crate::link::Link;
use crate::network::{self, Planned};
use crate::output::{print, print_json, table};
use anyhow::anyhow;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::value_parser;
use hwgen_boards::board::{self, Board};
use hwgen_boards::build::{self, Built, Event, Options, Timing, Verdict};
use hwgen_boards::echo::echo;
use hwgen_boards::top::live::{Live, Pulses};
use hwgen_boards::top::{Line, Payload, TopSpec, hwgen_top};
use hwgen_boards::wrapper::Inner;
use hwgen_designs::cnn::CnnSpec;
use hwgen_designs::generate::Generate;
use hwgen_designs::registry;
use hwgen_designs::speech::listen::ListenSpec;
use hwgen_network::plan::{Budget, SUPPORTED_MULTIPLIERS};
use hwgen_tools::on_first_run;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Build a bitstream for a board, or a layout in standard cells
#[derive(clap::Args)]
#[command(after_help = "\
Yosys, nextpnr and the packer are run, installed ones or those of YoWASP; `hwgen doctor` tells what \
is missing. Steps done before are taken from the cache, so a build that was stopped goes on where it \
was. The exit code is 1 if timing is missed or the part too small, and how much is said.

Examples:
  hwgen build --board hx8k --design echo                  bytes come back one higher
  hwgen build --board ulx3s --design echo --mhz 60 --seeds 8
  hwgen build --board icebreaker --design cnn --network kws.tflite --multipliers 5 --single-port
  hwgen build --board icebreaker --link spi --design cnn --network kws.tflite --single-port
  hwgen build --board colorlight_i5 --design cnn --network kws.tflite --live words.txt
  hwgen build --board icebreaker --design echo --synth-only --json
  hwgen build --board my_board.toml --design echo -o out/
  hwgen build --asic osu018 --design mac_array --set rows=1 --set columns=2 -o layout")]
pub(crate) struct Args {
    /// The board: a name, or a file that ends in .toml (docs/boards.md)
    #[arg(long, value_name = "BOARD", required_unless_present = "asic")]
    board: Option<String>,
    /// No bitstream but a layout in this technology's standard cells, for designs of up to about 3,000
    /// cells (docs/asic.md)
    #[arg(long, value_enum, value_name = "TECH", conflicts_with_all = ["board", "network"])]
    asic: Option<Tech>,
    /// The design; `echo` sends bytes back one higher
    #[arg(long, value_parser = subject())]
    design: Subject,
    #[command(flatten)]
    size: Size,
    #[command(flatten)]
    network: network::OnCore,
    /// Listen: the board's microphone feeds the network, the word that is heard goes out on the
    /// serial line and onto the LEDs; a word a class, one a line
    #[arg(long, value_name = "FILE", requires = "network")]
    live: Option<PathBuf>,
    /// The clock's frequency, made by the PLL; without, the board's own
    #[arg(long, value_name = "F")]
    mhz: Option<f64>,
    /// What the board talks over
    #[arg(long, value_enum, value_name = "LINK", default_value_t = Link::Uart)]
    link: Link,
    /// Rate of the serial line
    #[arg(long, value_name = "BAUD", default_value_t = 115_200)]
    baud: u32,
    /// Placements that are tried until timing is met
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = value_parser!(u32).range(1..=1000))]
    seeds: u32,
    /// Stop after synthesis, and count
    #[arg(long)]
    synth_only: bool,
    /// Folder for the bitstream and what it was made of; ./BOARD or ./asic without
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Folder searched for tools before HWGEN_TOOLS and the PATH; may be repeated
    #[arg(long, value_name = "DIR")]
    tools: Vec<PathBuf>,
    /// Folder that keeps what has been done; HWGEN_CACHE or ~/.cache/hwgen without
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
    /// Print what the tools print, to stderr
    #[arg(short, long)]
    verbose: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What goes onto a board.
#[derive(Clone, Copy)]
enum Subject {
    /// The design that shows the board alive.
    Echo,
    /// One of the registry.
    Design(Named),
}

fn subject() -> impl TypedValueParser<Value = Subject> {
    let names = registry::designs().into_iter().map(|design| design.name());
    PossibleValuesParser::new(names.chain(["echo"])).try_map(|name| match registry::find(&name) {
        _ if name == "echo" => Ok(Subject::Echo),
        Some(design) => Ok(Subject::Design(Named(design))),
        None => Err("no such design"),
    })
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    if let Some(tech) = args.asic {
        let Subject::Design(design) = args.design else {
            return wrong("--asic: `echo` is for boards");
        };
        let folder = args.output.clone().unwrap_or_else(|| PathBuf::from("asic"));
        return asic::layout(tech, (design, &args.size), &folder, args.json);
    }
    let board = args.board.as_deref().unwrap_or_default();
    let board = board::find(board)?;
    let hertz = args.mhz.map(hertz).transpose()?;
    let clocking = board.clocking(hertz).map_err(usage)?;
    let options = Options {
        hertz,
        seeds: args.seeds,
        synth_only: args.synth_only,
        tools: args.tools.iter().map(|folder| absolute(folder)).collect::<Result<_, _>>()?,
        cache: args.cache.clone(),
    };
    on_first_run(tell_first_run);
    let mut planned = planned(args)?;
    let network = planned.as_ref().map(|planned| planned.network.clone());
    let network = network.filter(|_| args.network.sizes_itself(&args.size));
    let single_port = args.network.single_port() || board.fpga.device == "up5k";
    let kind = multipliers_of(board.fpga.family);
    let nibbles = args.network.nibbles();
    let smaller = network.iter().flat_map(|network| {
        let most = SUPPORTED_MULTIPLIERS;
        cores(network, Budget { single_port, kind, nibbles, ..Budget::of(network, most) })
    });
    let mut smaller = smaller.filter(|(spec, _)| build::may_fit(&spec.build(), &board.fpga.device));
    let mut next = |planned: &mut Option<Planned>| {
        let (core, planned) = (smaller.next()?, planned.as_mut()?);
        (planned.spec, planned.plan) = core;
        Some(told(&planned.spec, kind))
    };
    // if nobody says how large the core is: the fastest that the board has room for
    if let Some(core) = next(&mut planned) {
        tell!("the core: {core} (--multipliers N changes that)");
    }
    let built = loop {
        let inner = inner(args, planned.as_ref(), clocking.hertz)?;
        let mut progress = Progress::new(args.verbose);
        let built = build::build(&board, &inner, &options, &mut |event| progress.show(&event));
        progress.finish();
        let built = built.map_err(anyhow::Error::from)?;
        let complaint = built.complaint().filter(|_| matches!(built.verdict, Verdict::TooSmall(_)));
        let Some((complaint, core)) = complaint.and_then(|it| Some((it, next(&mut planned)?)))
        else {
            break built;
        };
        tell!("{complaint}; now {core}");
    };
    let folder = args.output.clone().unwrap_or_else(|| PathBuf::from(&board.name));
    write_folder(&folder, &built.files)?;
    tell!("wrote {} files into {}", built.files.len(), folder.display());
    if args.json {
        print_json(&json!(built))?;
    } else {
        print(&report(&board, &built))?;
    }
    match built.complaint() {
        None => Ok(()),
        Some(complaint) => Err(anyhow!(complaint).into()),
    }
}

/// The network that goes onto the board, if one is named.
fn planned(args: &Args) -> Result<Option<Planned>, Failure> {
    let Subject::Design(design) = args.design else {
        return Ok(None);
    };
    let configured = args.size.configure(design)?;
    args.network.plan(&args.size, &*configured, false)
}

/// The design's Verilog with a board's ports, for a clock of so many Hz.
fn inner(args: &Args, planned: Option<&Planned>, hertz: u32) -> Result<Inner, Failure> {
    let line = match args.link {
        Link::Uart => Line::Uart { divisor: divisor(hertz, args.baud)? },
        Link::Spi => Line::Spi,
    };
    let serial = |what: &str| match line {
        Line::Uart { divisor } => Ok(divisor),
        Line::Spi => wrong(format!("--link spi: {what} sends bytes over a serial line")),
    };
    let design = match args.design {
        Subject::Echo => return Ok(echo(serial("`echo`")?)),
        Subject::Design(design) => design,
    };
    let configured = args.size.configure(design)?;
    let name = design.0.name();
    if let Some(words) = &args.live {
        let planned = planned.ok_or_else(|| usage(anyhow!("--live: which --network?")))?;
        return live(planned, words, hertz, serial("a board that listens")?);
    }
    let payload = match planned {
        None => Payload::new(name, &*configured),
        Some(planned) => of_network(planned)?,
    };
    let top = hwgen_top(&TopSpec::over(line, hertz), &payload).map_err(usage)?;
    let inner = Inner::of(&top).map_err(anyhow::Error::from)?;
    // `cargo xtask bars up5k_netlist`
    Ok(Inner { dsp_blocks: name == CnnSpec::NAME, ..inner })
}

/// The longest list of words, in bytes.
const MOST_WORDS: u64 = 1 << 20;

/// A network that listens to the board's microphone.
fn live(planned: &Planned, words: &Path, hertz: u32, divisor: u32) -> Result<Inner, Failure> {
    let text = hwgen_files::read_text(words, MOST_WORDS)?;
    let words = text.lines().map(str::trim).filter(|word| !word.is_empty());
    let (listen, pulses) = (ListenSpec::default(), Pulses::of(hertz));
    let words = words.map(str::to_owned).collect();
    let live = Live { spec: &planned.spec, plan: &planned.plan, listen, words, pulses, divisor };
    let top = live.build().map_err(usage)?;
    tell!("{:.0} samples a second", pulses.sample_hz(hertz));
    Ok(Inner::of(&top).map_err(anyhow::Error::from)?)
}

fn hertz(mhz: f64) -> Result<u32, Failure> {
    if (1.0..=400.0).contains(&mhz) {
        return Ok((mhz * 1e6).round() as u32);
    }
    wrong(format!("--mhz {mhz}: 1 to 400 are possible"))
}

/// Cycles a bit of the serial line, which the clock must meet to 2 %.
fn divisor(hertz: u32, baud: u32) -> Result<u32, Failure> {
    let near = hertz.checked_add(baud / 2).and_then(|sum| sum.checked_div(baud)).unwrap_or(0);
    let off = (u64::from(near) * u64::from(baud)).abs_diff(hertz.into()) * 50;
    if (4..=1 << 24).contains(&near) && off <= hertz.into() {
        return Ok(near);
    }
    let mhz = f64::from(hertz) / 1e6;
    wrong(format!(
        "--baud {baud} cannot be made of {mhz} MHz to within 2 %, 4 cycles a bit or more"
    ))
}

/// Tools run in folders of their own.
fn absolute(folder: &Path) -> Result<PathBuf, Failure> {
    folder.canonicalize().map_err(|_| usage(anyhow!("--tools: no folder {}", folder.display())))
}

/// Steps on stderr: a spinner with the tool's last line on a terminal, a line a step elsewhere.
struct Progress {
    spinner: Option<ProgressBar>,
    verbose: bool,
}

impl Progress {
    fn new(verbose: bool) -> Progress {
        let spins = std::io::stderr().is_terminal() && !verbose;
        let spinner = spins.then(|| {
            let spinner = ProgressBar::new_spinner();
            if let Ok(style) =
                ProgressStyle::with_template("{spinner} {elapsed} {prefix}: {wide_msg}")
            {
                spinner.set_style(style);
            }
            spinner.enable_steady_tick(Duration::from_millis(100));
            spinner
        });
        Progress { spinner, verbose }
    }

    fn show(&mut self, event: &Event) {
        match (event, &self.spinner) {
            (Event::Begins(step), Some(spinner)) => {
                spinner.set_prefix(step.to_string());
                spinner.set_message("");
            }
            (Event::Begins(step), None) => tell!("{step} ..."),
            (Event::Line(line), Some(spinner)) => spinner.set_message(line.to_string()),
            (Event::Line(line), None) if self.verbose => tell!("  {line}"),
            (Event::Line(_), None) => {}
            (Event::Ends { step, seconds, cached }, spinner) => {
                let how = if *cached { "done before".into() } else { format!("{seconds:.1} s") };
                let line = format!("{step}: {how}");
                match spinner {
                    Some(spinner) => spinner.suspend(|| tell!("{line}")),
                    None => tell!("{line}"),
                }
            }
        }
    }

    fn finish(&self) {
        if let Some(spinner) = &self.spinner {
            spinner.finish_and_clear();
        }
    }
}

fn report(board: &Board, built: &Built) -> String {
    let head = ["", "synthesized", "placed", "available"].map(str::to_string).to_vec();
    let mut rows = vec![head];
    let mut row = |name: &str, synthesized: Option<u64>, placed: Option<u64>, available: u64| {
        let cell = |count: Option<u64>| count.map_or(String::new(), |count| count.to_string());
        rows.push(vec![name.into(), cell(synthesized), cell(placed), available.to_string()]);
    };
    for one in &built.synthesized {
        let placed = built.placed.iter().find(|placed| placed.name == one.name);
        row(one.name, Some(one.used), placed.map(|placed| placed.used), one.available);
    }
    for placed in &built.placed {
        if built.synthesized.iter().all(|one| one.name != placed.name) {
            row(placed.name, None, Some(placed.used), placed.available);
        }
    }
    let mut text = format!("{} on {}, clock {} MHz\n", built.design, board.title, built.clock_mhz);
    if !built.synthesized.is_empty() {
        text += &table(&rows);
    }
    if let Some(Timing { seed, fmax_mhz, by, wanted_mhz, slack_ns, .. }) = &built.timing {
        text += &format!(
            "  Fmax {fmax_mhz:.2} MHz by {by}, {wanted_mhz} MHz wanted, slack {slack_ns:.2} ns, seed {seed}\n"
        );
    }
    let verdict = match (&built.verdict, &built.bitstream) {
        (Verdict::Met, Some(file)) => format!("bitstream {file}, timing met"),
        (Verdict::Missed, Some(file)) => format!("bitstream {file}, timing MISSED"),
        (Verdict::TooSmall(_), _) => "no bitstream: the part is too small".into(),
        (Verdict::Script, _) => "no bitstream: build.tcl is for Vivado".into(),
        _ => "no bitstream: synthesis only".into(),
    };
    text += &format!("  {verdict}\n");
    text + &built.notes.iter().map(|note| format!("  {note}\n")).collect::<String>()
}
