//! Memories that synthesis keeps: Yosys' `$mem_v2`.

use super::error::{PowerError, netlist as refused};
use super::json;
use super::netlist::NetId;

/// Bits of a memory, at most.
const BITS: u64 = 1 << 30;

/// A memory with its ports.
#[derive(Debug)]
pub(super) struct MemoryCell {
    pub(super) instance: u32,
    /// The author's name.
    pub(super) name: String,
    pub(super) words: usize,
    pub(super) bits: usize,
    /// The first words at power-up.
    pub(super) init: Vec<bool>,
    pub(super) reads: Vec<Read>,
    pub(super) writes: Vec<Write>,
}

/// A read port.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) address: Vec<NetId>,
    pub(super) data: Vec<NetId>,
    /// The clock and the enable of a registered read.
    pub(super) sync: Option<(NetId, NetId)>,
    /// Write ports whose new word a registered read of the same address takes.
    pub(super) transparent: Vec<usize>,
}

/// A write port.
#[derive(Debug)]
pub(super) struct Write {
    pub(super) clock: NetId,
    pub(super) address: Vec<NetId>,
    pub(super) data: Vec<NetId>,
    /// A bit each.
    pub(super) enable: Vec<NetId>,
}

impl MemoryCell {
    pub(super) fn nets_mut(&mut self) -> impl Iterator<Item = &mut NetId> {
        let reads = self.reads.iter_mut().flat_map(|read| {
            let sync = read.sync.iter_mut().flat_map(|(clock, enable)| [clock, enable]);
            read.address.iter_mut().chain(&mut read.data).chain(sync)
        });
        let writes = self.writes.iter_mut().flat_map(|write| {
            let buses = write.address.iter_mut().chain(&mut write.data).chain(&mut write.enable);
            buses.chain([&mut write.clock])
        });
        reads.chain(writes)
    }
}

/// Reads a `$mem_v2`; what our language does not print is refused.
pub(super) fn read(
    cell: &json::Cell,
    instance: u32,
    name: &str,
    pins: &[(&String, Vec<NetId>)],
    at: impl Fn() -> String,
) -> Result<MemoryCell, PowerError> {
    let (words, bits) = (cell.number("SIZE"), cell.number("WIDTH"));
    if words == 0 || bits == 0 || words.saturating_mul(bits) > BITS {
        return Err(refused(at(), format!("a memory of {words} words of {bits} bits")));
    }
    let (words, bits) = (words as usize, bits as usize);
    let (reads, writes) = (cell.number("RD_PORTS") as usize, cell.number("WR_PORTS") as usize);
    let address = cell.number("ABITS") as usize;
    let pin = |wanted: &str, width: usize| {
        let found = pins.iter().find(|(pin, _)| *pin == wanted).map(|(_, bits)| bits.clone());
        let found = found.unwrap_or_default();
        match found.len() >= width {
            true => Ok(found),
            false => Err(refused(at(), format!("its port {wanted} is too narrow"))),
        }
    };
    let flag = |name: &str, port: usize| cell.bits(name).get(port).copied().unwrap_or(false);
    let refuse = |what: &str| Err(refused(at(), format!("a memory with {what}")));
    if cell.number("OFFSET") != 0 {
        return refuse("an offset");
    }
    for name in ["RD_WIDE_CONTINUATION", "WR_WIDE_CONTINUATION"] {
        if cell.bits(name).contains(&true) {
            return refuse(&format!("a set {name}"));
        }
    }
    let port = |bus: &[NetId], width: usize, n: usize| bus[n * width..][..width].to_vec();
    let (rd_address, rd_data) = (pin("RD_ADDR", reads * address)?, pin("RD_DATA", reads * bits)?);
    let (rd_clock, rd_enable) = (pin("RD_CLK", reads)?, pin("RD_EN", reads)?);
    let resets = [pin("RD_ARST", reads)?, pin("RD_SRST", reads)?];
    let mut memory = MemoryCell {
        instance,
        name: name.trim_start_matches('\\').to_string(),
        words,
        bits,
        init: cell.bits("INIT"),
        reads: vec![],
        writes: vec![],
    };
    for n in 0..reads {
        let clocked = flag("RD_CLK_ENABLE", n);
        if clocked && !flag("RD_CLK_POLARITY", n) {
            return refuse("a falling clock");
        }
        if resets.iter().any(|reset| reset[n] != 0) {
            return refuse("a reset");
        }
        memory.reads.push(Read {
            address: port(&rd_address, address, n),
            data: port(&rd_data, bits, n),
            sync: clocked.then(|| (rd_clock[n], rd_enable[n])),
            transparent: (0..writes)
                .filter(|w| flag("RD_TRANSPARENCY_MASK", n * writes + w))
                .collect(),
        });
    }
    let (wr_address, wr_data) = (pin("WR_ADDR", writes * address)?, pin("WR_DATA", writes * bits)?);
    let (wr_clock, wr_enable) = (pin("WR_CLK", writes)?, pin("WR_EN", writes * bits)?);
    for (n, &clock) in wr_clock.iter().enumerate().take(writes) {
        if !flag("WR_CLK_ENABLE", n) || !flag("WR_CLK_POLARITY", n) {
            return refuse("a write that is not at a rising clock");
        }
        memory.writes.push(Write {
            clock,
            address: port(&wr_address, address, n),
            data: port(&wr_data, bits, n),
            enable: port(&wr_enable, bits, n),
        });
    }
    Ok(memory)
}
