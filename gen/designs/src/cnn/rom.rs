//! Contents that a core has from the start.

use hwgen_hdl::{Int, ModuleBuilder, Signal, u};

/// Reads `words` of so many bits, a cycle after `enable`, from module `cnn_<name>`: one of its own,
/// since Yosys takes time with the product of a module's power-up words and its registers.
/// Addresses have bits for `depth` words.
#[track_caller]
pub(super) fn rom<'m, T: Into<Int>>(
    m: &'m ModuleBuilder,
    name: &str,
    (depth, bits): (usize, u32),
    words: impl IntoIterator<Item = T>,
    address: Signal<'m>,
    enable: Signal<'m>,
) -> Signal<'m> {
    let inner = ModuleBuilder::new(format!("cnn_{name}"));
    inner.doc("What a core holds from the start.");
    inner.parameter("depth", depth);
    let words = words.into_iter().map(Into::into);
    let memory = inner.memory("words", depth, u(bits)).init(words);
    let at = inner.input("address", address.ty());
    inner.output("word", memory.read_sync(at, inner.input("enable", u(1))));
    let part = m.instance(name, &inner.finish());
    part.input("address", address).input("enable", enable).output("word")
}
