//! A simulator that dies in the middle of a run.
//!
//! The methods of a [`Device`](hwgen_hdl::sim::Device) return values, as our own engines never fail;
//! whoever runs foreign ones does so inside [`survive`], where a death ends the run with an error.

use super::CosimError;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

thread_local! {
    static SURVIVED: Cell<bool> = const { Cell::new(false) };
}

/// Runs engines; the death of one ends the run there.
///
/// # Errors
/// What `run` returns; the death of a simulator.
pub fn survive<T>(run: impl FnOnce() -> Result<T, CosimError>) -> Result<T, CosimError> {
    let outside = SURVIVED.replace(true);
    let done = catch_unwind(AssertUnwindSafe(run));
    SURVIVED.set(outside);
    done.unwrap_or_else(|cause| match cause.downcast::<CosimError>() {
        Ok(died) => Err(*died),
        Err(panic) => resume_unwind(panic),
    })
}

/// Ends a run; a panic where nobody survives it.
pub(super) fn died(error: CosimError) -> ! {
    if SURVIVED.get() {
        resume_unwind(Box::new(error));
    }
    panic!("{error}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_death_is_an_error_and_a_panic_stays_one() {
        let death = || CosimError::Protocol { what: "it died".into() };
        let run = || -> Result<(), CosimError> { died(death()) };
        assert_eq!(survive(run).unwrap_err().to_string(), death().to_string());
        let panics = || survive(|| -> Result<(), CosimError> { panic!("a fault") });
        assert!(catch_unwind(panics).is_err());
        assert!(catch_unwind(|| died(death())).is_err());
    }
}
