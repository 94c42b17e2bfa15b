//! `hwgen power`

use crate::design::{Named, Size, named};
use crate::failure::Failure;
use crate::number::{not_negative, positive};
use crate::output::{print, print_json, table};
use anyhow::{Context, anyhow};
use clap::value_parser;
use hwgen_designs::golden::Golden;
use hwgen_hdl::Module;
use hwgen_verify::power::{GateDevice, Library, Options, Part, PowerModel, Report};
use hwgen_verify::waves::Recording;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Tell a design's energy and area from its gates in a standard-cell library
#[derive(clap::Args)]
#[command(after_help = "\
Yosys maps the design to the library's cells; memories that are not small stay memories and cost \
what docs/power.md says. The gates run random vectors, each result compared with the golden model, \
or what a test bench recorded, and every change is counted. Not counted: glitches, wires (but see --wire-ff), a clock tree, pads.

Examples:
  hwgen power --design mac_array --lib /usr/share/qflow/tech/osu018/osu018_stdcells.lib
  hwgen power --design lapa_attention --set rows=2 --lib sky130hd_tt.lib.gz --clock-mhz 200 --json
  hwgen sim --design mac_array --cycles 500 --vcd run.vcd
  hwgen power --design mac_array --vectors run.vcd --lib sky130hd_tt.lib.gz   what the waves cost")]
pub(crate) struct Args {
    /// The design
    #[arg(long, value_parser = named())]
    design: Named,
    #[command(flatten)]
    size: Size,
    /// Liberty file, .lib or .lib.gz
    #[arg(long, value_name = "FILE")]
    lib: PathBuf,
    /// What the gates run: `random`, vectors with answers from the golden model; or a wave file
    /// (VCD, FST, GHW) with the design's ports, whose outputs are compared too
    #[arg(long, value_name = "V", default_value = "random")]
    vectors: PathBuf,
    /// What all vectors are made from
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Cycles of random vectors, at least
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = value_parser!(u64).range(1..))]
    cycles: u64,
    /// The clock: leakage lasts as long as the run
    #[arg(long, value_name = "F", default_value_t = 100.0, value_parser = positive)]
    clock_mhz: f64,
    /// Transition time of every input pin, where the library's tables are looked up
    #[arg(long, value_name = "T", default_value_t = 0.1, value_parser = not_negative)]
    slew_ns: f64,
    /// Wire load for each pin that a net drives
    #[arg(long, value_name = "C", default_value_t = 0.0, value_parser = not_negative)]
    wire_ff: f64,
    /// Memories with no more bits than this become flip-flops
    #[arg(long, value_name = "N", default_value_t = 2048)]
    flip_flop_bits: usize,
    /// Let registers that are enabled together share a clock gate
    #[arg(long)]
    clock_gating: bool,
    /// Feature size of the memories; known for the libraries osu018, osu035, osu05, sky130, sg13g2
    #[arg(long, value_name = "L", value_parser = positive)]
    node_nm: Option<f64>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let configured = args.size.configure(args.design)?;
    let module = configured.build();
    let vectors = Vectors::new(args, &module, configured.golden())?;
    let library = Library::read(&args.lib).context("cannot tell the energy")?;
    let options = Options {
        clock_hertz: args.clock_mhz * 1e6,
        slew_seconds: args.slew_ns * 1e-9,
        wire_farads: args.wire_ff * 1e-15,
        flip_flop_bits: args.flip_flop_bits,
        clock_gating: args.clock_gating,
        node_nm: args.node_nm,
    };
    tell!("mapping to {}", library.name);
    let model = PowerModel::new(&module, &library, &options);
    let model = model.context("cannot tell the energy")?;
    tell!("running {} cells", model.cells());
    let mut device = model.device();
    let compared = vectors.run(&mut device, args)?;
    let report = model.report(&device);
    match args.json {
        true => print_json(&as_json(&report, compared)),
        false => print(&as_text(&report, compared, vectors.whose())),
    }
}

/// What the gates run.
enum Vectors<'g> {
    Random(&'g dyn Golden),
    Recorded(Recording),
}

impl Vectors<'_> {
    fn new<'g>(
        args: &Args,
        module: &Module,
        golden: &'g dyn Golden,
    ) -> anyhow::Result<Vectors<'g>> {
        if args.vectors != Path::new("random") {
            let reader = std::env::current_exe().context("cannot take vectors")?;
            let mut reader = Command::new(reader);
            reader.arg("read-waves");
            let recording = Recording::read_apart(&args.vectors, module, &reader);
            return Ok(Vectors::Recorded(recording.context("cannot take vectors")?));
        }
        Ok(Vectors::Random(golden))
    }

    /// Runs the gates; returns the values compared.
    fn run(&self, device: &mut GateDevice, args: &Args) -> anyhow::Result<u64> {
        let golden = match self {
            Vectors::Random(golden) => golden,
            Vectors::Recorded(recording) => {
                return recording.replay(device).context("the gates differ from the recording");
            }
        };
        let (mut compared, mut seed) = (0, args.seed);
        while device.cycles() < args.cycles {
            let batch = golden.batch(device, seed).map_err(|difference| {
                anyhow!("the gates differ from the golden model, seed {seed}: {difference}")
            })?;
            compared += batch.compared;
            seed += 1;
        }
        Ok(compared)
    }

    fn whose(&self) -> &'static str {
        match self {
            Vectors::Random(_) => "the golden model",
            Vectors::Recorded(_) => "the recording",
        }
    }
}

fn as_json(report: &Report, compared: u64) -> Value {
    let mut value = json!(report);
    value["total"] = json!(report.total());
    value["joules"] = json!(report.total().energy.total_joules());
    value["watts"] = json!(report.total().energy.total_joules() / report.seconds());
    value["values_compared"] = json!(compared);
    value
}

fn as_text(report: &Report, compared: u64, whose: &str) -> String {
    let total = report.total();
    let joules = total.energy.total_joules();
    let mut text = format!(
        "{} in {}, {:.2} V, {:.1} MHz\n{} cycles, {compared} values equal to {whose}\n\n",
        report.module,
        report.library,
        report.volts,
        report.clock_hertz / 1e6,
        report.cycles,
    );
    let head = [
        "instance",
        "cells",
        "flip-flops",
        "memory bits",
        "area um2",
        "pJ/cycle",
        "gates",
        "registers",
        "clock",
        "mem read",
        "mem write",
        "leakage",
    ];
    let mut rows = vec![head.map(str::to_string).to_vec()];
    rows.push(row(report, &total, "(all)"));
    // an instance with all below it, as deep as a reader follows
    let shown = report.parts.iter().filter(|part| part.path.matches('.').count() < 2);
    rows.extend(
        shown
            .filter(|part| !part.path.is_empty())
            .map(|part| row(report, &report.under(&[&part.path]), &part.path)),
    );
    text += &table(&rows);
    text += &format!(
        "\n{:.4} mW, {:.4} nJ a run, {:.0} um2\n",
        joules / report.seconds() * 1e3,
        joules * 1e9,
        total.cell_area_um2 + total.memory_area_um2,
    );
    text
}

fn row(report: &Report, part: &Part, name: &str) -> Vec<String> {
    let energy = &part.energy;
    let cycle = |joules: f64| format!("{:.3}", joules * 1e12 / report.cycles.max(1) as f64);
    let joules = [
        energy.total_joules(),
        energy.combinational_joules,
        energy.register_joules,
        energy.clock_joules,
        energy.memory_read_joules,
        energy.memory_write_joules,
        energy.leakage_joules,
    ];
    let counts = [part.cells, part.flip_flops, part.memory_bits].map(|count| count.to_string());
    let area = format!("{:.0}", part.cell_area_um2 + part.memory_area_um2);
    let first = std::iter::once(name.to_string()).chain(counts).chain([area]);
    first.chain(joules.map(cycle)).collect()
}
