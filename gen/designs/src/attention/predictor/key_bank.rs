//! A bank of keys: one for each key of a group.

use hwgen_hdl::{Module, ModuleBuilder, Type, u};
use std::sync::Arc;

/// A bank of `groups` words: word g is what is kept of key `g * rows + bank`, in a memory `words`.
///
/// In: `write`, `write_group`, `write_keys`; `read`, `read_group`. Out, a cycle after `read`:
/// `keys`, which stay until the next `read`.
pub(crate) fn module(name: &str, doc: &str, words: &str, word: Type, groups: u32) -> Arc<Module> {
    let m = ModuleBuilder::new(name);
    m.doc(doc);
    let bank = m.memory(words, groups as usize, word);
    let (write, write_group) =
        (m.input("write", u(1)), m.input("write_group", bank.address_type()));
    bank.write(write_group, m.input("write_keys", word), write);
    let (read, read_group) = (m.input("read", u(1)), m.input("read_group", bank.address_type()));
    m.output("keys", bank.read_sync(read_group, read));
    m.finish()
}
