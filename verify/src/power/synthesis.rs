//! Yosys: a module to cells of a library, its hierarchy and its larger memories kept.

use super::error::PowerError;
use super::gating;
use super::json::Design;
use super::liberty::Library;
use crate::cosim::kept::{cached, key, read, write};
use crate::cosim::{CosimError, verilog_of};
use hwgen_hdl::Module;
use hwgen_tools::run;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(3600);

/// The module's cells, as Yosys writes them, and the same in a file as Verilog.
pub(super) fn synthesize(
    module: &Arc<Module>,
    library: &Library,
    flip_flop_bits: usize,
    gated: Option<[(&str, String); 3]>,
) -> Result<(Design, PathBuf), PowerError> {
    let yosys = hwgen_tools::require("yosys").map_err(CosimError::from)?;
    let verilog = verilog_of(module)?;
    let script = script(module, flip_flop_bits, gated.is_some());
    let gated = gated.iter().flatten();
    let texts: Vec<&str> = gated.clone().map(|(_, text)| text.as_str()).collect();
    let made_of = [&verilog, library.text.as_str(), &script];
    let key = key("gates", &[&made_of, &texts[..]].concat(), &[&yosys]);
    let folder = cached(&key, |folder| {
        write(folder, "design.v", &verilog)?;
        write(folder, "cells.lib", &library.text)?;
        for (name, text) in gated {
            write(folder, name, text)?;
        }
        write(folder, "script.ys", &script)?;
        run(yosys.command().current_dir(folder).args(["-q", "-s", "script.ys"]), LIMIT)?;
        // it is an ingredient, and large
        let _ = std::fs::remove_file(folder.join("cells.lib"));
        Ok(())
    })?;
    let design = serde_json::from_str(&read(&folder, "netlist.json")?)?;
    Ok((design, folder.join("netlist.v")))
}

fn script(module: &Arc<Module>, flip_flop_bits: usize, gated: bool) -> String {
    let [words, bits] = if gated { gating::scripts() } else { Default::default() };
    let top = &module.name;
    let small = small_memories(module, flip_flop_bits);
    let small = small
        .iter()
        .map(|(words, bits)| format!("memory_map t:$mem_v2 r:SIZE={words} %i r:WIDTH={bits} %i\n"));
    let small: String = small.collect();
    // Yosys makes memories of tables too, which are gates here;
    // `synth` would map to its own gates first and have them optimized, only to be mapped again;
    // `opt` after `techmap` would take multiplexers for enables
    format!(
        "read_verilog design.v\n\
         synth -top {top} -run begin:fine\n\
         opt -fast -full\n\
         memory_map t:$mem_v2 r:WR_PORTS=0 %i\n\
         {small}\
         opt -undriven -fine\n\
         {words}\
         techmap\n\
         opt_expr\n\
         opt_merge\n\
         opt_clean\n\
         {bits}\
         dfflibmap -liberty cells.lib\n\
         abc -liberty cells.lib\n\
         setundef -zero\n\
         opt_clean -purge\n\
         write_verilog -noattr netlist.v\n\
         write_json netlist.json\n"
    )
}

/// Words and bits of all memories with no more bits than that.
fn small_memories(module: &Module, most: usize) -> BTreeSet<(usize, u32)> {
    let memories = module.memories.iter().map(|memory| (memory.depth, memory.word.width));
    let mut small: BTreeSet<_> =
        memories.filter(|(words, bits)| words.saturating_mul(*bits as usize) <= most).collect();
    let mut seen = BTreeSet::new();
    for instance in &module.instances {
        if seen.insert(Arc::as_ptr(&instance.module)) {
            small.extend(small_memories(&instance.module, most));
        }
    }
    small
}
