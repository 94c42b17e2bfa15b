//! One name, one thing: settled when a module is finished, so that the text, `peek` and the waves
//! call everything alike.

use crate::netlist::Module;
use crate::verilog::reserved;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Names in use.
#[derive(Clone, Default)]
pub(crate) struct Names {
    taken: HashSet<Arc<str>>,
    /// For each name that was wished for twice, the number given last.
    last: HashMap<Arc<str>, usize>,
}

impl Names {
    /// All names that stand in a finished module.
    pub(crate) fn of(module: &Module) -> Names {
        let ports = module.inputs.iter().chain(&module.outputs).map(|port| &port.name);
        let nodes = module.nodes.iter().filter_map(|node| node.name.as_ref());
        let clocks = module.clocks.iter().map(|clock| &clock.name);
        let memories = module.memories.iter().map(|memory| &memory.name);
        let instances = module.instances.iter().map(|instance| &instance.name);
        let all = ports.chain(nodes).chain(clocks).chain(memories).chain(instances);
        Names { taken: all.cloned().collect(), last: HashMap::new() }
    }

    /// The wished name if it is free, else the first free one of `wish_2`, `wish_3`, ..
    pub(crate) fn take(&mut self, wish: &str) -> Arc<str> {
        if reserved(wish).is_none() && !self.taken.contains(wish) {
            let name: Arc<str> = wish.into();
            self.taken.insert(name.clone());
            return name;
        }
        let last = self.last.entry(wish.into()).or_insert(1);
        loop {
            *last += 1;
            let name: Arc<str> = format!("{wish}_{last}").into();
            if self.taken.insert(name.clone()) {
                return name;
            }
        }
    }
}

/// Gives everything in a module a name of its own. Ports keep theirs; of several other things of
/// one name the first keeps it, signals before memories before instances.
pub(crate) fn settle(module: &mut Module) {
    let ports = module.inputs.iter().chain(&module.outputs);
    let mut names = Names::default();
    names.taken.extend(ports.clone().map(|port| port.name.clone()));
    names.taken.extend(module.clocks.iter().map(|clock| clock.name.clone()));
    // What a port shows under the port's name is the port.
    let shown = ports.filter(|port| module.node(port.node).name.as_ref() == Some(&port.name));
    let shown: HashSet<_> = shown.map(|port| port.node.index()).collect();
    for (index, node) in module.nodes.iter_mut().enumerate() {
        if let Some(name) = node.name.as_mut().filter(|_| !shown.contains(&index)) {
            *name = names.take(name);
        }
    }
    module.memories.iter_mut().for_each(|memory| memory.name = names.take(&memory.name));
    module.instances.iter_mut().for_each(|instance| instance.name = names.take(&instance.name));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_free_number_is_found_past_taken_ones() {
        let mut names = Names::default();
        let mut take = |wish: &str| names.take(wish).to_string();
        assert_eq!(
            [take("a"), take("a_3"), take("a"), take("a"), take("a_3")],
            ["a", "a_3", "a_2", "a_4", "a_3_2"]
        );
        assert_eq!([take("always"), take("always")], ["always_2", "always_3"]);
    }
}
