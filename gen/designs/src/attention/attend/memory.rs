//! A head's keys, or its values: a vector a word.

use super::AttendSpec;
use hwgen_hdl::{Module, ModuleBuilder, u};
use std::sync::Arc;

/// Module `attend_memory`. In: `write`, `write_index`, `write_vector`; `read`, `read_index`. Out, a
/// cycle after `read` and until the next: `vector`.
pub(crate) fn module(spec: &AttendSpec) -> Arc<Module> {
    let m = ModuleBuilder::new("attend_memory");
    m.doc("Vectors of a head, one a word.");
    let memory = m.memory("vectors", spec.max_keys as usize, u(spec.vector_bits()));
    let index = memory.address_type();
    let (write, write_index) = (m.input("write", u(1)), m.input("write_index", index));
    memory.write(write_index, m.input("write_vector", u(spec.vector_bits())), write);
    let (read, read_index) = (m.input("read", u(1)), m.input("read_index", index));
    m.output("vector", memory.read_sync(read_index, read));
    m.finish()
}
