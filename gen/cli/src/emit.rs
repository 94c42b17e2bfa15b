//! `hwgen emit`

use crate::design::{Named, Size, named};
use crate::failure::{Failure, wrong};
use crate::files::{apart, write_files, write_folder};
use crate::network;
use crate::output::print;
use anyhow::Context;
use hwgen_designs::registry::Generate;
use std::path::{Path, PathBuf};

/// Print a design's Verilog
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  hwgen emit --design lapa > lapa.v
  hwgen emit --design mac_array --set rows=16 --set columns=16 -o mac_array.v
  hwgen emit --design lapa --spec small.json -o rtl/       one file a module
  hwgen emit --design cnn --network kws.tflite --multipliers 60 --baked -o kws.v
  hwgen emit --design lapa_attention_axi --registers -o lapa_attention_axi.h   C header of its registers")]
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
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let output = ("--output", args.output.as_deref());
    let read = [args.size.file(), args.network.files()[0], args.network.files()[1]];
    apart(&[("--load", args.load.as_deref()), output], &read)?;
    let configured = args.size.configure(args.design)?;
    if args.registers {
        let Some(map) = configured.registers() else {
            return wrong(format!("design `{}` has no registers", args.design.0.name()));
        };
        return match &args.output {
            None => print(&map.c_header()),
            Some(path) => write_files(&[(path, &map.c_header())]),
        };
    }
    let mut load = None;
    let module = match args.network.plan(args.design.0.name(), &*configured, false)? {
        None => configured.build(),
        Some(planned) => {
            tell!("{}", network::table(&planned));
            let network::Planned { spec, plan, .. } = &planned;
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
        return write_files(&files);
    };
    let modules = module.verilog_modules().context("cannot print the Verilog")?;
    write_files(load.as_slice())?;
    let files = modules.iter().map(|module| (format!("{}.v", module.name), module.text.as_str()));
    write_folder(path, &files.collect::<Vec<_>>())?;
    tell!("wrote {} files into {}, top module {}", modules.len(), path.display(), module.name);
    Ok(())
}

fn names_a_folder(path: &Path) -> bool {
    path != Path::new("-") && (path.is_dir() || path.as_os_str().to_string_lossy().ends_with('/'))
}
