//! `hwgen emit`

use crate::design::{Named, Size, named};
use crate::failure::Failure;
use crate::files::{write_file, write_folder};
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
    /// File, or folder if it ends in / or exists, for one file a module; stdout without
    #[arg(short, long, value_name = "PATH")]
    output: Option<PathBuf>,
    /// Print a C header of the design's registers instead
    #[arg(long)]
    registers: bool,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let configured = args.size.configure(args.design)?;
    if args.registers {
        let name = args.design.0.name();
        let map = configured.registers();
        let map = map.with_context(|| format!("design `{name}` has no registers"))?;
        return match &args.output {
            None => print(&map.c_header()),
            Some(path) => {
                write_file(path, &map.c_header())?;
                eprintln!("wrote {}", path.display());
                Ok(())
            }
        };
    }
    let module = match args.network.plan(args.design.0.name(), &*configured, false)? {
        None => configured.build(),
        Some(planned) => {
            eprint!("{}", network::table(&planned));
            let network::Planned { spec, plan, .. } = &planned;
            if let Some(path) = &args.load {
                let line = |(word, last)| format!("{:01x}{word:08x}\n", u8::from(last));
                write_file(path, &plan.image.load(spec).into_iter().map(line).collect::<String>())?;
            }
            if args.baked { spec.build_with(&plan.image) } else { spec.build() }
        }
    };
    let Some(path) = &args.output else {
        return print(&module.verilog().context("cannot print the Verilog")?);
    };
    if !names_a_folder(path) {
        write_file(path, &module.verilog().context("cannot print the Verilog")?)?;
        eprintln!("wrote {}", path.display());
        return Ok(());
    }
    let modules = module.verilog_modules().context("cannot print the Verilog")?;
    let files = modules.iter().map(|module| (format!("{}.v", module.name), module.text.as_str()));
    write_folder(path, &files.collect::<Vec<_>>())?;
    eprintln!("wrote {} files into {}, top module {}", modules.len(), path.display(), module.name);
    Ok(())
}

fn names_a_folder(path: &Path) -> bool {
    path.is_dir() || path.as_os_str().to_string_lossy().ends_with('/')
}
