//! Variables of a streaming model: what a run reads of them is an input of the network, what it
//! writes an output, and the two are one state.

use super::model::Model;
use super::node::{Node, broken};
use super::schema::{BuiltinOperator as Builtin, TensorType};
use crate::import::report::Problem;
use std::collections::BTreeMap;

/// A variable's name in the file: its container and its own.
type Name<'a> = (&'a str, &'a str);

/// All variables of a model.
#[derive(Default)]
pub(super) struct Variables<'a> {
    /// The tensors that stand for them.
    handles: BTreeMap<usize, Name<'a>>,
    states: BTreeMap<Name<'a>, Variable>,
    /// `CALL_ONCE` was seen.
    initialized: bool,
}

/// A variable during a run.
#[derive(Default)]
struct Variable {
    /// The integer that all elements begin with.
    initial: Option<i32>,
    /// The tensor that was read first, before anything was written.
    read: Option<usize>,
    /// The tensor that was written last.
    written: Option<usize>,
}

/// Tensors of a state.
pub(super) struct Kept {
    pub(super) read: usize,
    pub(super) written: usize,
    pub(super) initial: i32,
}

impl<'a> Variables<'a> {
    /// Takes a node that has to do with variables. `Some((of, other))`: tensor `of` is `other`.
    pub(super) fn node(
        &mut self,
        node: &Node<'a, '_, '_>,
        code: Builtin,
    ) -> Result<Option<(usize, usize)>, Problem> {
        match code {
            Builtin::CALL_ONCE => self.initialize(node)?,
            Builtin::VAR_HANDLE => self.handle(node)?,
            Builtin::READ_VARIABLE => {
                let output = *node.outputs.first().ok_or_else(|| broken("it has no output"))?;
                let variable = self.of(node)?;
                match variable.written.or(variable.read) {
                    Some(known) => return Ok(Some((output, known))),
                    None => variable.read = Some(output),
                }
            }
            _ => {
                let value = node.inputs.get(1).copied().flatten();
                let value = value.ok_or_else(|| broken("it has no value"))?;
                node.activation(1)?;
                self.of(node)?.written = Some(value);
            }
        }
        Ok(None)
    }

    fn handle(&mut self, node: &Node<'a, '_, '_>) -> Result<(), Problem> {
        let options = node.operator.builtin_options_as_var_handle_options();
        let options = options.ok_or_else(|| broken("it has no options"))?;
        let name =
            (options.container().unwrap_or_default(), options.shared_name().unwrap_or_default());
        let &output = node.outputs.first().ok_or_else(|| broken("it has no output"))?;
        self.handles.insert(output, name);
        self.states.entry(name).or_default();
        Ok(())
    }

    fn of(&mut self, node: &Node<'a, '_, '_>) -> Result<&mut Variable, Problem> {
        let handle = node.inputs.first().copied().flatten();
        let name = handle.and_then(|handle| self.handles.get(&handle));
        let name = name.ok_or_else(|| broken("it names no variable"))?;
        Ok(self.states.entry(*name).or_default())
    }

    /// The subgraph that runs once: each variable gets its first value.
    fn initialize(&mut self, node: &Node<'a, '_, '_>) -> Result<(), Problem> {
        if std::mem::replace(&mut self.initialized, true) {
            return Err(Problem::new("it is not the only one", "initialize all at once"));
        }
        let options = node.operator.builtin_options_as_call_once_options();
        let options = options.ok_or_else(|| broken("it has no options"))?;
        let number = options.init_subgraph_index();
        let no_graph = |error: crate::import::ImportError| broken(error.to_string());
        let graph = node.model.called(number).map_err(no_graph)?;
        let (known, mut own) = (BTreeMap::new(), Variables::default());
        for &operator in &graph.operators {
            let node = Node::new(&graph, &known, operator)?;
            match graph.code(operator).map_err(no_graph)? {
                Builtin::VAR_HANDLE => own.handle(&node)?,
                Builtin::ASSIGN_VARIABLE => {
                    own.of(&node)?.initial = Some(first_value(&graph, &node)?)
                }
                other => {
                    let name = other.variant_name().unwrap_or("an unknown operator");
                    let problem = format!("subgraph {number}, which it calls, has {name}");
                    return Err(Problem::new(problem, "begin with constants"));
                }
            }
        }
        for (name, variable) in own.states {
            self.states.entry(name).or_default().initial = variable.initial;
        }
        Ok(())
    }

    /// The states, each with what is wrong with it.
    pub(super) fn kept(&self) -> Vec<(usize, Result<Kept, Problem>)> {
        let kept = |variable: &Variable| {
            let read = variable.read?;
            let state = match (variable.written, variable.initial) {
                (Some(written), Some(initial)) => Ok(Kept { read, written, initial }),
                (None, _) => {
                    let rewrite = "use a constant";
                    Err(Problem::new("its variable is never written", rewrite))
                }
                (_, None) => {
                    let rewrite = "assign it a constant in the model's initialization";
                    Err(Problem::new("its variable has no first value", rewrite))
                }
            };
            Some((read, state))
        };
        self.states.values().filter_map(kept).collect()
    }
}

/// The integer that a variable is filled with.
fn first_value(graph: &Model, node: &Node) -> Result<i32, Problem> {
    let value = node.constant(1)?;
    let integer = |byte: u8| match value.kind {
        TensorType::INT8 => i32::from(byte as i8),
        _ => i32::from(byte),
    };
    let [first, rest @ ..] = value.bytes else { return Err(broken("it has no value")) };
    if rest.iter().any(|byte| byte != first) {
        let what = super::model::shown(graph.tensors[node.inputs[1].unwrap_or(0)].name);
        let problem = format!("a variable begins with the unlike elements of `{what}`");
        return Err(Problem::new(problem, "begin with zeros"));
    }
    Ok(integer(*first))
}
