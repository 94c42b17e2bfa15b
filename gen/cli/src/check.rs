//! `hwgen check`

use crate::failure::Failure;
use crate::import::read;
use crate::output::{print, print_json};
use hwgen_network::import::{ImportError, Unsupported};
use serde_json::json;
use std::path::PathBuf;

/// List every node of a model that is not supported
///
/// Exit code 0: all are, and `hwgen import` will take it; 1: some are not.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The model
    file: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let report = match read(&args.file)? {
        Ok(network) => {
            let layers = network.layers.len();
            let text = format!("every node is supported: {layers} layers\n");
            let supported = json!({"supported": true, "layers": layers, "unsupported": []});
            return if args.json { print_json(&supported) } else { print(&text) };
        }
        Err(ImportError::Unsupported(report)) => report,
        Err(fault) => {
            let context = format!("cannot import {}", args.file.display());
            return Err(anyhow::Error::from(fault).context(context).into());
        }
    };
    if args.json {
        print_json(&as_json(&report))?;
    } else {
        print(&format!("{report}\n"))?;
    }
    Err(Failure::Check)
}

fn as_json(report: &Unsupported) -> serde_json::Value {
    let nodes = report.nodes.iter().map(|node| {
        json!({
            "node": node.node,
            "operator": node.operator,
            "problem": node.problem,
            "rewrite": node.rewrite,
        })
    });
    let nodes: Vec<_> = nodes.collect();
    json!({"supported": false, "nodes": report.total, "unsupported": nodes})
}
