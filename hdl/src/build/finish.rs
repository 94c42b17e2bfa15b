//! The checks at the end: everything driven, nothing open, no loop.

use super::{Draft, ModuleBuilder};
use crate::check;
use crate::error::{BuildErrors, HdlError};
use crate::names;
use crate::netlist::*;
use std::sync::Arc;

impl ModuleBuilder {
    /// The finished module.
    ///
    /// # Panics
    /// With the text of every mistake in the circuit. [`ModuleBuilder::try_finish`] returns them.
    #[track_caller]
    pub fn finish(self) -> Arc<Module> {
        self.try_finish().unwrap_or_else(|errors| panic!("{errors}"))
    }

    /// The finished module, or every mistake made while building it.
    pub fn try_finish(self) -> Result<Arc<Module>, BuildErrors> {
        let default = self.resolve_default();
        self.resolve_instances();
        self.resolve_registers();
        let Draft { mut module, mut errors, .. } = self.draft.into_inner();
        errors.extend(undriven_wires(&module));
        errors.extend(check::memory_writers(&module));
        if let Some((default, unnamed)) = default.filter(|_| errors.is_empty()) {
            errors.extend(check::of_other_domains(&module, default, unnamed));
        }
        resets_first(&mut module);
        if errors.is_empty() {
            match check::combinational_order(&module) {
                Ok(order) => {
                    module.combinational = check::combinational_inputs(&module, &order);
                    errors.extend(check::valid_waits_for_ready(&module));
                }
                Err(error) => errors.push(error),
            }
        }
        if errors.is_empty() {
            names::settle(&mut module);
            return Ok(Arc::new(module));
        }
        Err(BuildErrors { module: module.name.to_string(), errors })
    }

    /// A module whose text and behavior are given: only its ports are taken from this builder,
    /// and `outputs` names those it drives.
    pub fn finish_leaf(
        self,
        outputs: &[(&str, crate::ty::Type)],
        leaf: Leaf,
    ) -> Result<Arc<Module>, BuildErrors> {
        for (port, (name, ty)) in outputs.iter().enumerate() {
            let kind = Kind::LeafOutput { leaf: LeafId::new(0), port };
            let node = self.add(kind, *ty, None, crate::place::Place::here());
            self.output(*name, node);
        }
        {
            let module = &mut self.draft.borrow_mut().module;
            module.leaves.push(LeafUse {
                name: module.name.clone(),
                leaf: Arc::new(leaf),
                inputs: module.inputs.iter().map(|port| port.node).collect(),
                outputs: outputs.iter().map(|(_, ty)| *ty).collect(),
                clocks: (0..module.clocks.len()).map(ClockId::new).collect(),
            });
        }
        self.try_finish()
    }
}

/// Resets appear when something needs them; readers look for them beside the clocks.
fn resets_first(module: &mut Module) {
    let resets: Vec<_> =
        module.clocks.iter().filter_map(|c| c.reset.as_ref()).map(|r| r.signal).collect();
    module.inputs.sort_by_key(|port| !resets.contains(&port.node));
}

fn undriven_wires(module: &Module) -> impl Iterator<Item = HdlError> {
    let open = module.nodes.iter().filter(|node| node.kind == Kind::Wire(None));
    open.map(|node| HdlError::Undriven {
        at: node.place,
        what: "wire",
        name: describe(node),
        how: "drive",
    })
}
