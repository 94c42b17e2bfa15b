//! Machine code: made by Cranelift, called here, freed with its owner.
#![allow(unsafe_code)] // calling what was compiled, and freeing it

use super::lower::{Function, Program};
use super::words::WordBuilder;
use crate::sim::SimError;
use cranelift_codegen::ir::{AbiParam, types};
use cranelift_codegen::isa::OwnedTargetIsa;
use cranelift_codegen::settings::{self, Configurable};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::{Module, default_libcall_names};

/// A compiled function: slots, memories' words; returns 0 if every assertion holds.
type Compiled = unsafe extern "C" fn(*mut u64, *mut u64) -> u64;

/// A program in machine code.
pub(super) struct Code {
    functions: Vec<Compiled>,
    /// Number of slots the functions use.
    size: usize,
    memory: Option<JITModule>,
}

/// The compiler for this machine.
pub(super) fn target() -> Result<OwnedTargetIsa, SimError> {
    let reason = |error: String| SimError::Engine { reason: error };
    let mut flags = settings::builder();
    for (name, value) in [
        ("opt_level", "speed"),
        ("enable_verifier", if cfg!(debug_assertions) { "true" } else { "false" }),
        ("use_colocated_libcalls", "false"),
        ("is_pic", "false"),
        ("unwind_info", "false"),
    ] {
        flags.set(name, value).map_err(|error| reason(error.to_string()))?;
    }
    let machine = cranelift_native::builder().map_err(|error| reason(error.to_string()))?;
    machine.finish(settings::Flags::new(flags)).map_err(|error| reason(error.to_string()))
}

impl Code {
    pub(super) fn compile(target: OwnedTargetIsa, mut program: Program) -> Result<Code, SimError> {
        let reason =
            |error: cranelift_module::ModuleError| SimError::Engine { reason: error.to_string() };
        let mut jit = JITModule::new(JITBuilder::with_isa(target, default_libcall_names()));
        let mut context = jit.make_context();
        let mut scratch = FunctionBuilderContext::new();
        let mut ids = vec![];
        for index in 0..program.schedule.functions.len() {
            let signature = &mut context.func.signature;
            signature.params = vec![AbiParam::new(types::I64); 2];
            signature.returns = vec![AbiParam::new(types::I64)];
            let id = jit.declare_anonymous_function(signature).map_err(reason)?;
            let target = jit.target_config();
            let ins = FunctionBuilder::new(&mut context.func, &mut scratch);
            Function::emit(&mut program, WordBuilder { ins, target }, index);
            jit.define_function(id, &mut context).map_err(reason)?;
            jit.clear_context(&mut context);
            ids.push(id);
        }
        jit.finalize_definitions().map_err(reason)?;
        let functions = ids.into_iter().map(|id| {
            // SAFETY: every function was declared with this signature and the C calling convention.
            unsafe { std::mem::transmute::<*const u8, Compiled>(jit.get_finalized_function(id)) }
        });
        let functions = functions.collect();
        Ok(Code { functions, size: program.layout.size(), memory: Some(jit) })
    }

    /// Runs the program up to `n` times, ending early after a run in which an assertion failed;
    /// returns how many runs there were and whether one failed.
    ///
    /// # Panics
    /// If there are fewer slots than the program was laid out for.
    pub(super) fn run(&self, slots: &mut [u64], words: &mut [u64], n: u64) -> (u64, bool) {
        assert!(slots.len() >= self.size, "the layout's slots");
        let (slots, words) = (slots.as_mut_ptr(), words.as_mut_ptr());
        for done in 0..n {
            let mut broken = 0;
            for function in &self.functions {
                // SAFETY: the code reads and writes the slots of its layout, which are there, and
                // memories' words at addresses bounded by the padded depth.
                broken |= unsafe { function(slots, words) };
            }
            if broken != 0 {
                return (done + 1, true);
            }
        }
        (n, false)
    }
}

impl Drop for Code {
    fn drop(&mut self) {
        self.functions.clear();
        if let Some(memory) = self.memory.take() {
            // SAFETY: the only pointers into the memory are gone, and nothing runs in it.
            unsafe { memory.free_memory() };
        }
    }
}
