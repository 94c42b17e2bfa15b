//! `hwgen list`

use crate::failure::Failure;
use crate::output::{print, print_json, table};
use hwgen_designs::registry::designs;
use serde_json::{Value, json};

/// List the designs
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    if args.json {
        let list = designs().into_iter();
        let list = list.map(|design| json!({"name": design.name(), "summary": design.summary()}));
        return print_json(&Value::from_iter(list));
    }
    let rows = designs().into_iter();
    let rows = rows.map(|design| vec![design.name().to_string(), design.summary().to_string()]);
    print(&table(&rows.collect::<Vec<_>>()))
}
