//! The keys' slices of one round: a bank for each key of a group.

use super::LapaSpec;
use hwgen_hdl::{Module, ModuleBuilder, u};
use std::sync::Arc;

/// A bank: word g is the slice of key `g * rows + bank`.
///
/// In: `write`, `write_group`, `write_keys` (the slices of the key's elements, element 0 low);
/// `read`, `read_group`. Out, a cycle after `read`: `keys`, which stay until the next `read`.
pub(super) fn module(spec: &LapaSpec, round: usize) -> Arc<Module> {
    let m = ModuleBuilder::new(format!("lapa_key_bank_{round}"));
    m.doc(format!("Slice {round} of every key of one row."));
    let word = u(spec.head_dim * spec.key_slices[round]);
    let bank = m.memory("slices", spec.max_groups() as usize, word);
    let (write, write_group) =
        (m.input("write", u(1)), m.input("write_group", bank.address_type()));
    bank.write(write_group, m.input("write_keys", word), write);
    let (read, read_group) = (m.input("read", u(1)), m.input("read_group", bank.address_type()));
    m.output("keys", bank.read_sync(read_group, read));
    m.finish()
}
