//! `hwgen board info`

use crate::failure::Failure;
use crate::link::Port;
use crate::output::{print, print_json, table};
use hwgen_boards::host::Board;
use hwgen_boards::link::identity::Identity;
use serde_json::json;

/// Tell who is behind a port: the design, its clock, what was loaded into it
#[derive(clap::Args)]
#[command(after_help = "\
It opens a session and resets nothing; another program that talks to the board loses its own.

Examples:
  hwgen board info --port /dev/ttyUSB1
  hwgen board info --port spi:icebreaker --json")]
pub(crate) struct Info {
    #[command(flatten)]
    port: Port,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn info(args: &Info) -> Result<(), Failure> {
    let board = Board::open(args.port.open()?).map_err(anyhow::Error::from)?;
    let Identity { version, clock_hz, spec_hash, incoming, outgoing, design, contents } =
        board.identity();
    if args.json {
        return print_json(&json!({
            "design": design,
            "specification": format!("{spec_hash:08x}"),
            "contents": (*contents != 0).then(|| format!("{contents:08x}")),
            "clock_hz": clock_hz,
            "protocol": version,
            "incoming_bytes": incoming,
            "outgoing_bytes": outgoing,
        }));
    }
    let row = |name: &str, value: String| vec![name.to_string(), value];
    let beats = |bytes: &[u8]| {
        let each: Vec<_> = bytes.iter().map(u8::to_string).collect();
        format!("{} channels, beats of {} bytes", bytes.len(), each.join(", "))
    };
    let loaded = match contents {
        0 => "nothing loaded since the reset".to_owned(),
        contents => format!("{contents:08x}"),
    };
    print(&table(&[
        row("design", design.clone()),
        row("specification", format!("{spec_hash:08x}")),
        row("contents", loaded),
        row("clock", format!("{} MHz", f64::from(*clock_hz) / 1e6)),
        row("in", beats(incoming)),
        row("out", beats(outgoing)),
        row("protocol", format!("version {version}")),
    ]))
}
