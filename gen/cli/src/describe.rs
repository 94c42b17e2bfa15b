//! `hwgen describe`

use crate::design::{Named, Size, named};
use crate::failure::Failure;
use crate::output::{print, print_json, table};
use crate::size::{Totals, totals};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use hwgen_area::{Family, Resources, estimate};
use hwgen_designs::registry::{Configured, Design};
use hwgen_hdl::Module;
use hwgen_hdl::netlist::{Direction, NodeId, StreamPort};
use serde_json::{Value, json};
use std::sync::Arc;

/// Tell all about a design: parameters, ports, streams, latency, block diagram
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  hwgen describe mac_array
  hwgen describe lapa --set rows=8 --set key_slices=[4,2,2]
  hwgen describe lapa --spec small.json --json
  hwgen describe mac_array --family xilinx7          with LUT, FF, DSP, BRAM estimated
  hwgen describe lapa --schema                       the JSON schema of its --spec")]
pub(crate) struct Args {
    /// The design
    #[arg(value_parser = named())]
    design: Named,
    #[command(flatten)]
    size: Size,
    /// Estimate what it takes on a chip, as Yosys would map it: docs/area.md
    #[arg(long, value_name = "F", value_parser = family())]
    family: Option<Family>,
    /// Print the JSON schema of specification files instead
    #[arg(long, conflicts_with_all = ["spec", "set", "family"])]
    schema: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Reads a family's name.
fn family() -> impl TypedValueParser<Value = Family> {
    let named = |name: String| Family::ALL.into_iter().find(|f| f.name() == name);
    PossibleValuesParser::new(Family::ALL.map(Family::name))
        .try_map(move |name| named(name).ok_or("no such family"))
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    if args.schema {
        return print_json(&args.design.0.schema());
    }
    let configured = args.size.configure(args.design)?;
    let module = configured.build();
    let estimated = args.family.map(|family| (family, estimate(&module, family)));
    if args.json {
        let mut value = as_json(args.design.0, &*configured, &module);
        if let Some((family, resources)) = estimated {
            value["estimate"] = json!(resources);
            value["estimate"]["family"] = json!(family);
        }
        return print_json(&value);
    }
    let mut text = as_text(args.design.0, &*configured, &module);
    if let Some((family, resources)) = estimated {
        text += &format!("\nEstimate for {}\n{}\n", family.name(), describe_estimate(resources));
    }
    print(&text)
}

fn describe_estimate(resources: Resources) -> String {
    let Resources { lut, ff, dsp, bram, .. } = resources;
    format!("  {lut} LUT, {ff} FF, {dsp} DSP, {bram} BRAM (docs/area.md tells how far off)")
}

fn as_text(design: &dyn Design, configured: &dyn Configured, module: &Module) -> String {
    let parameters = design.parameters().into_iter().map(|p| {
        let (name, range) = (p.name.to_string(), p.range.to_string());
        vec![name, p.default, range, p.meaning.to_string()]
    });
    let head = ["parameter", "default", "range", "meaning"].map(str::to_string);
    let parameters: Vec<_> = std::iter::once(head.to_vec()).chain(parameters).collect();
    let mut text = format!("{}: {}\n\n", design.name(), design.summary());
    text += &format!("Parameters\n{}\n", table(&parameters));
    text += &format!("Specification\n{}\n\n", indent(&configured.json()));
    text += &format!("Ports of module {}\n{}\n", module.name, table(&ports(module)));
    if !module.streams.is_empty() {
        let streams: Vec<_> = module.streams.iter().map(|s| stream_row(module, s)).collect();
        text += &format!("Streams (valid/ready)\n{}\n", table(&streams));
    }
    if let Some(map) = configured.registers() {
        let head = ["offset", "register", "access", "bits", "reset", "meaning"];
        let rows = map.rows().into_iter().map(|row| row.to_vec());
        let rows: Vec<_> = std::iter::once(head.map(str::to_string).to_vec()).chain(rows).collect();
        text += &format!("Registers (AXI4-Lite)\n{}\n", table(&rows));
    }
    for (title, body) in [
        ("Latency", configured.latency()),
        ("Block diagram", configured.diagram()),
        ("Netlist", describe_totals(totals(module))),
    ] {
        if !body.is_empty() {
            text += &format!("{title}\n{}\n\n", indent(body.trim_end()));
        }
    }
    text.truncate(text.trim_end().len());
    text + "\n"
}

fn indent(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(|line| format!("  {line}")).collect();
    lines.join("\n")
}

fn ports(module: &Module) -> Vec<Vec<String>> {
    let row = |way: &str, name: &str, ty: String| vec![way.into(), name.into(), ty];
    let clocks = module.clocks.iter().map(|clock| row("in", &clock.name, "clock".into()));
    let inputs = module.inputs.iter().map(|port| row("in", &port.name, port.ty.to_string()));
    let outputs = module.outputs.iter().map(|port| row("out", &port.name, port.ty.to_string()));
    clocks.chain(inputs).chain(outputs).collect()
}

fn direction(stream: &StreamPort) -> &'static str {
    match stream.direction {
        Direction::In => "in",
        Direction::Out => "out",
    }
}

fn stream_row(module: &Module, stream: &StreamPort) -> Vec<String> {
    let fields = stream.payload.iter();
    let fields: Vec<_> = fields.map(|(f, node)| format!("{f}: {}", module.ty(*node))).collect();
    vec![direction(stream).into(), stream.name.to_string(), fields.join(", ")]
}

fn describe_totals(totals: Totals) -> String {
    let Totals { instances, register_bits, memory_bits, multipliers } = totals;
    format!(
        "{instances} instances, {register_bits} register bits, {memory_bits} memory bits, \
         {multipliers} multipliers (counted before synthesis)"
    )
}

fn as_json(design: &dyn Design, configured: &dyn Configured, module: &Module) -> Value {
    let parse = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
    let parameters = design.parameters().into_iter().map(|p| {
        json!({
            "name": p.name,
            "default": parse(&p.default),
            "range": p.range.to_string(),
            "meaning": p.meaning,
        })
    });
    let port = |way: &str, name: &str, ty: hwgen_hdl::Type| json!({"direction": way, "name": name, "bits": ty.width, "signed": ty.signed});
    let inputs = module.inputs.iter().map(|p| port("in", &p.name, p.ty));
    let outputs = module.outputs.iter().map(|p| port("out", &p.name, p.ty));
    let streams = module.streams.iter().map(|s| {
        let field = |(name, node): &(Arc<str>, NodeId)| {
            let ty = module.ty(*node);
            json!({"name": **name, "bits": ty.width, "signed": ty.signed})
        };
        json!({
            "direction": direction(s),
            "name": *s.name,
            "clock": *module.clocks[s.clock.index()].name,
            "fields": s.payload.iter().map(field).collect::<Vec<_>>(),
        })
    });
    let totals = totals(module);
    json!({
        "name": design.name(),
        "summary": design.summary(),
        "parameters": parameters.collect::<Vec<_>>(),
        "spec": parse(&configured.json()),
        "module": *module.name,
        "clocks": module.clocks.iter().map(|clock| &*clock.name).collect::<Vec<_>>(),
        "ports": inputs.chain(outputs).collect::<Vec<_>>(),
        "streams": streams.collect::<Vec<_>>(),
        "registers": configured.registers(),
        "latency": configured.latency(),
        "diagram": configured.diagram(),
        "netlist": {
            "instances": totals.instances,
            "register_bits": totals.register_bits,
            "memory_bits": totals.memory_bits,
            "multipliers": totals.multipliers,
        },
    })
}
