//! The command line.

use super::augment::AugmentArgs;
use super::number::{self, megahertz, milliseconds, multipliers, sharing, widths};
use clap::{Parser, ValueEnum, value_parser};
use hwgen_designs::cnn::Multiplier;
use hwgen_farm::Machines;
use hwgen_search::data::{Channels, Features, Labels, Request};
use hwgen_search::supernet::Sharing;
use std::io;
use std::path::{Path, PathBuf};

/// Search architecture and bit widths of a network together, with the generated core as its cost
#[derive(Parser)]
#[command(name = "hwgen search", bin_name = "hwgen search", version, max_term_width = 100)]
#[command(after_help = "\
A supernet is trained that all networks of the space share; networks of it are judged by what they get \
right on a validation part and by the cycles that the planner of the core `cnn` says; some that none beats \
are trained on and become integers, whose test is looked at once. docs/search.md tells more.

DIR gets search.json, search.html, and for each point N point_N.network.json, point_N.core.json and \
point_N.policy.json. A search that was stopped goes on where it was.

Examples:
  hwgen search --data shapes --space shapes --multipliers 12 --out /tmp/found
  hwgen search --data cifar-10-batches-bin --target ulx3s --latency 20ms --out found
  hwgen search --data speech_commands --words twelve --space keywords --target ulx3s --out found
  hwgen search --data shapes --space my_space.json --uniform 8x8 --out found    no bits
  hwgen search --schema space                                   the JSON schema of a space

Exit codes: 0 fine; 1 a file failed, or no network is fast enough; 2 wrong usage or parameter.")]
pub(crate) struct Args {
    /// Labeled data: a file or folder that docs/data.md tells of, or `shapes`, `shapes-rgb`, `tones`,
    /// `tones-cenet`, which are generated
    #[arg(long, value_name = "PATH", required_unless_present = "schema")]
    pub(super) data: Option<PathBuf>,
    /// Where all is written; a search that is there goes on
    #[arg(short, long, value_name = "DIR", required_unless_present = "schema")]
    pub(super) out: Option<PathBuf>,
    /// A search that this one goes on with, on other data or for another target; with --epochs 0 its numbers stay
    #[arg(long, value_name = "DIR")]
    pub(super) resume: Option<PathBuf>,
    /// What judges networks: threads of this process, or jobs: local:4, slurm:partition=NAME, hq (docs/farm.md)
    #[arg(long, value_name = "ENGINE")]
    pub(super) engine: Option<Machines>,
    /// What is searched: shapes, images, mobile, keywords, cenet, or a file (space.json)
    #[arg(long, value_name = "SPACE", default_value = "images")]
    pub(super) space: String,
    /// What is drawn, is drawn by this
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) seed: u64,
    /// Print search.json
    #[arg(long)]
    pub(super) json: bool,
    /// Print a JSON schema instead
    #[arg(long, value_enum, value_name = "WHAT")]
    pub(super) schema: Option<Schema>,
    #[command(flatten)]
    pub(super) core: Core,
    #[command(flatten)]
    pub(super) effort: Effort,
    #[command(flatten)]
    pub(super) loading: Loading,
    #[command(flatten)]
    pub(super) augment: AugmentArgs,
}

/// What has a schema.
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum Schema {
    /// What --space reads
    Space,
    /// search.json
    Search,
}

/// The core that networks run on.
#[derive(clap::Args)]
#[command(next_help_heading = "The core")]
pub(super) struct Core {
    /// The board: its clock, multipliers and memories; the core has to have room in its FPGA
    #[arg(long, value_name = "BOARD")]
    pub(super) target: Option<String>,
    /// Multipliers at most: 49 without, or as many as the board's FPGA has room for
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..=4096))]
    pub(super) multipliers: Option<u32>,
    /// What multipliers are: 25x18 bits (Xilinx), 18x18 (ECP5, Gowin) or 16x16 (iCE40)
    #[arg(long, value_name = "BITS", value_parser = multipliers, conflicts_with = "target")]
    pub(super) kind: Option<Multiplier>,
    /// Memories of one port; the default on iCE40 UltraPlus
    #[arg(long)]
    pub(super) single_port: bool,
    /// The clock in MHz; without a board 100
    #[arg(long, value_name = "F", value_parser = megahertz, conflicts_with = "target")]
    pub(super) mhz: Option<u64>,
    /// Longest time of an inference, as 20ms or 800us
    #[arg(long, value_name = "TIME", value_parser = milliseconds)]
    pub(super) latency: Option<f64>,
    /// Lanes of one weight and activations of a byte, whatever their bits
    #[arg(long)]
    pub(super) wide: bool,
}

/// How long a search goes.
#[derive(clap::Args)]
#[command(next_help_heading = "The search (numbers that are left out follow from the space)")]
pub(super) struct Effort {
    /// Epochs of the supernet
    #[arg(long, value_name = "N", value_parser = number::within::<0, 10_000>)]
    pub(super) epochs: Option<usize>,
    /// Epochs of each point that is trained on
    #[arg(long, value_name = "N", value_parser = number::within::<1, 10_000>)]
    pub(super) tuning: Option<usize>,
    /// Rate of training at its highest
    #[arg(long, value_name = "R", default_value = "0.1", value_parser = number::rate)]
    pub(super) rate: f64,
    /// Train gates, too (HQNAS): how much cycles count, a training for each number after a comma
    #[arg(long, value_name = "WEIGHTS", value_delimiter = ',', value_parser = number::weight)]
    pub(super) gates: Vec<f32>,
    /// Epochs of each training of gates
    #[arg(long, value_name = "N", default_value = "3", value_parser = number::within::<1, 10_000>)]
    pub(super) gating: usize,
    /// Choices of a generation
    #[arg(long, value_name = "N", value_parser = number::within::<2, 4096>)]
    pub(super) population: Option<usize>,
    /// Generations after the first
    #[arg(long, value_name = "N", value_parser = number::within::<0, 10_000>)]
    pub(super) generations: Option<usize>,
    /// Items of the validation part that networks are judged by, at most
    #[arg(long, value_name = "N", value_parser = number::within::<1, 4_194_304>)]
    pub(super) judged: Option<usize>,
    /// Points that are trained on
    #[arg(long, value_name = "N", default_value = "3", value_parser = number::within::<1, 64>)]
    pub(super) points: usize,
    /// Train so many networks alone as well, and tell how well the supernet orders them: 20, say
    #[arg(long, value_name = "N", default_value = "0", hide_default_value = true, value_parser = number::within::<0, 1000>)]
    pub(super) tau: usize,
    /// Search the architecture alone, all weights and activations of so many bits: 8x8, 4x7
    #[arg(long, value_name = "WxA", value_parser = widths)]
    pub(super) uniform: Option<(u32, u32)>,
    /// How weights of few bits come of those of eight: free, residual, top_bits, double_rounding
    #[arg(long, value_name = "HOW", default_value = "free", value_parser = sharing)]
    pub(super) sharing: Sharing,
    /// Threads that judge
    #[arg(long, value_name = "N", default_value = "2", value_parser = number::within::<1, 256>)]
    pub(super) threads: usize,
}

/// How data is read.
#[derive(clap::Args)]
#[command(next_help_heading = "The data")]
pub(super) struct Loading {
    /// Training items at most, those to choose by among them
    #[arg(long, value_name = "N", value_parser = number::within::<2, 4_194_304>)]
    pub(super) limit: Option<usize>,
    /// Rows and columns of images of a folder, as 32x32; else what most have
    #[arg(long, value_name = "HxW", value_parser = number::size)]
    size: Option<(usize, usize)>,
    /// Channels of images of a folder; else gray if all are
    #[arg(long, value_enum, value_name = "COLOR")]
    color: Option<Channels>,
    /// How clips become features: keywords (49 x 10), cenet (101 x 40)
    #[arg(long, value_enum, value_name = "RECIPE", default_value = "keywords")]
    recipe: Features,
    /// What clips are labeled with: their folders, or MLPerf Tiny's twelve words
    #[arg(long, value_enum, value_name = "WORDS", default_value = "folders")]
    words: Labels,
}

impl Loading {
    /// Which items are meant, also on another machine.
    pub(super) fn request(&self, path: &Path, seed: u64) -> io::Result<Request> {
        // what is no file is a name
        let path = if path.exists() { std::path::absolute(path)? } else { path.to_owned() };
        let Loading { limit, size, color, recipe, words } = *self;
        Ok(Request { path, limit, seed, size, color, recipe, words })
    }
}
