//! `hwgen build --asic`: a layout in standard cells.

use crate::design::{Named, Size};
use crate::failure::Failure;
use crate::output::{print, print_json, table};
use anyhow::Context;
use clap::ValueEnum;
use hwgen_boards::asic::{Built, build};
use hwgen_designs::registry::Configured;
use hwgen_verify::power::{Library, Options, PowerModel};
use serde_json::json;
use std::path::Path;

/// The library of the technology, for power.
const LIBRARY: &str = "/usr/share/qflow/tech/osu018/osu018_stdcells.lib";

/// A technology.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Tech {
    /// Oklahoma State University's cells in 0.18 um
    Osu018,
}

/// A layout of a design in a folder, and its report.
pub(crate) fn layout(
    tech: Tech,
    (design, size): (Named, &Size),
    folder: &Path,
    as_json: bool,
) -> Result<(), Failure> {
    let Tech::Osu018 = tech;
    let configured = size.configure(design)?;
    let built = build(&configured.build(), folder, |step| tell!("{step}"));
    let built = built.context("cannot build the layout")?;
    let milliwatts = power(&*configured, &built)?;
    let report = &built.report;
    if as_json {
        let mut value = json!(report);
        value["gds"] = json!(built.gds);
        value["png"] = json!(built.png);
        value["milliwatts"] = json!(milliwatts);
        print_json(&value)?;
    } else {
        print(&as_text(&built, milliwatts))?;
    }
    if report.is_clean() { Ok(()) } else { Err(Failure::Check) }
}

/// Milliwatts at the clock after routing, of random vectors compared with the golden model.
fn power(configured: &dyn Configured, built: &Built) -> Result<f64, Failure> {
    let module = configured.build();
    let library = Library::read(Path::new(LIBRARY)).context("cannot tell the energy")?;
    let hertz = built.report.routed_mhz * 1e6;
    let options = Options { clock_hertz: hertz, ..Options::default() };
    let model = PowerModel::new(&module, &library, &options).context("cannot tell the energy")?;
    let mut device = model.device();
    let batch = configured.golden().batch(&mut device, 1);
    batch.map_err(|difference| anyhow::anyhow!("the gates differ from the model: {difference}"))?;
    let told = model.report(&device);
    Ok(1e3 * told.total().energy.total_joules() / told.seconds())
}

fn as_text(built: &Built, milliwatts: f64) -> String {
    let report = &built.report;
    let [width, height] = report.die_um;
    let row = |name: &str, value: String| vec![name.to_string(), value];
    let rows = [
        row("cells", report.cells.to_string()),
        row("die", format!("{width:.1} x {height:.1} um, {:.0} um2", width * height)),
        row("wire", format!("{:.0} um", report.wire_um)),
        row("failed routes", report.failed_routes.to_string()),
        row("design rule errors", report.drc_errors.to_string()),
        row("netlist errors", report.lvs_errors.to_string()),
        row("clock, placed", format!("{:.1} MHz", report.placed_mhz)),
        row("clock, routed", format!("{:.1} MHz", report.routed_mhz)),
        row("power at that clock, no wires", format!("{milliwatts:.3} mW")),
        row("layout", built.gds.display().to_string()),
        row("picture", built.png.display().to_string()),
    ];
    table(&rows)
}
