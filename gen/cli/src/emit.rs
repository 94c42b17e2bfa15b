//! `hwgen emit`

use crate::design::{Named, Size, named};
use crate::failure::Failure;
use crate::files::{write_file, write_folder};
use crate::output::print;
use anyhow::Context;
use std::path::{Path, PathBuf};

/// Print a design's Verilog
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  hwgen emit --design lapa > lapa.v
  hwgen emit --design mac_array --set rows=16 --set columns=16 -o mac_array.v
  hwgen emit --design lapa --spec small.json -o rtl/       one file a module
  hwgen emit --design lapa_attention_axi --registers -o lapa_attention_axi.h   C header of its registers")]
pub(crate) struct Args {
    /// The design
    #[arg(long, value_parser = named())]
    design: Named,
    #[command(flatten)]
    size: Size,
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
    let module = configured.build();
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
