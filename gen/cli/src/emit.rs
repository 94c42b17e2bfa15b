//! `hwgen emit`

use crate::design::{Named, Size, named};
use crate::failure::{Failure, wrong};
use crate::files::{apart, write_files, write_folder};
use crate::network;
use crate::output::print_json;
use anyhow::Context;
use hwgen_designs::generate::Generate;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Print a design's Verilog
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  hwgen emit --design lapa > lapa.v
  hwgen emit --design mac_array --set rows=16 --set columns=16 -o mac_array.v
  hwgen emit --design lapa --spec small.json -o rtl/       one file a module
  hwgen emit --design cnn --network kws.tflite --multipliers 60 --baked -o kws.v
  hwgen emit --design lapa_attention_axi --registers -o lapa.h   C header of its registers")]
pub(crate) struct Args {
    /// The design
    #[arg(long, value_parser = named())]
    design: Named,
    #[command(flatten)]
    size: Size,
    #[command(flatten)]
    network: network::OnCore,
    /// The network lies in the core's memories; without, they are loaded (see --load)
    #[arg(long, requires = "network")]
    baked: bool,
    /// Write what stream `load` takes to run the network: a line a word, hexadecimal, `last` first
    #[arg(long, value_name = "FILE", requires = "network")]
    load: Option<PathBuf>,
    /// File, or folder if it ends in / or exists, for one file a module; stdout without, or if it is
    /// -
    #[arg(short, long, value_name = "PATH")]
    output: Option<PathBuf>,
    /// Print a C header of the design's registers instead
    #[arg(long)]
    registers: bool,
    /// Print as JSON what was written and what the network takes
    #[arg(long, requires = "output")]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    if args.json && args.output.as_deref() == Some(Path::new("-")) {
        return wrong("--json: stdout takes the text already; name another --output");
    }
    let told = emit(args)?;
    if args.json { print_json(&told) } else { Ok(()) }
}

/// Writes what is asked for; what there is to tell of it.
fn emit(args: &Args) -> Result<Value, Failure> {
    let output = ("--output", args.output.as_deref());
    let read = [args.size.file(), args.network.files()[0], args.network.files()[1]];
    apart(&[("--load", args.load.as_deref()), output], &read)?;
    let configured = args.size.configure(args.design)?;
    if args.registers {
        let Some(map) = configured.registers() else {
            return wrong(format!("design `{}` has no registers", args.design.0.name()));
        };
        let path = args.output.as_deref().unwrap_or(Path::new("-"));
        write_files(&[(path, &map.c_header())])?;
        return Ok(json!({ "files": [path] }));
    }
    let (mut load, mut network) = (None, Value::Null);
    let module = match args.network.plan(&args.size, &*configured, false)? {
        None => configured.build(),
        Some(planned) => {
            args.network.tell(&args.size, &planned.spec);
            tell!("{}", network::table(&planned));
            let network::Planned { spec, plan, kind, .. } = &planned;
            let (multipliers, cycles) = (spec.multipliers_of(*kind), plan.cycles());
            network = json!({ "spec": spec, "multipliers": multipliers, "cycles": cycles });
            load = args.load.as_deref().map(|path| {
                let line = |(word, last)| format!("{:01x}{word:08x}\n", u8::from(last));
                (path, plan.image.load(spec).into_iter().map(line).collect::<String>())
            });
            if args.baked { spec.build_with(&plan.image) } else { spec.build() }
        }
    };
    let load = load.as_ref().map(|(path, text)| (*path, text.as_str()));
    let Some(path) = args.output.as_deref().filter(|path| names_a_folder(path)) else {
        let text = module.verilog().context("cannot print the Verilog")?;
        let output = args.output.as_deref().unwrap_or(Path::new("-"));
        let files: Vec<_> = load.into_iter().chain([(output, text.as_str())]).collect();
        write_files(&files)?;
        let files: Vec<_> = files.iter().map(|(path, _)| path).collect();
        return Ok(json!({ "module": *module.name, "files": files, "network": network }));
    };
    let modules = module.verilog_modules().context("cannot print the Verilog")?;
    write_files(load.as_slice())?;
    let files = modules.iter().map(|module| (format!("{}.v", module.name), module.text.as_str()));
    write_folder(path, &files.collect::<Vec<_>>())?;
    tell!("wrote {} files into {}, top module {}", modules.len(), path.display(), module.name);
    let files = modules.iter().map(|module| path.join(format!("{}.v", module.name)));
    let files: Vec<_> = load.map(|(path, _)| path.to_owned()).into_iter().chain(files).collect();
    Ok(json!({ "module": *module.name, "files": files, "network": network }))
}

fn names_a_folder(path: &Path) -> bool {
    path != Path::new("-") && (path.is_dir() || path.as_os_str().to_string_lossy().ends_with('/'))
}
