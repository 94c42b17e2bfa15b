//! A memory with a register behind it.

use hwgen_hdl::{Module, ModuleBuilder, Type, index_bits, u};
use std::sync::Arc;

/// A memory of `depth` words. In: `write`, `write_index`, `write_word`; `read`, `read_index`. Out, a
/// cycle after `read` and until the next: `word`.
pub(super) fn module(name: &str, doc: &str, depth: u32, word: Type) -> Arc<Module> {
    let m = ModuleBuilder::new(name);
    m.doc(doc);
    let memory = m.memory("words", depth as usize, word);
    let index = u(index_bits(depth as usize));
    let (write, write_index) = (m.input("write", u(1)), m.input("write_index", index));
    memory.write(write_index, m.input("write_word", word), write);
    let (read, read_index) = (m.input("read", u(1)), m.input("read_index", index));
    m.output("word", memory.read_sync(read_index, read));
    m.finish()
}
