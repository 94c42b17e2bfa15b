//! Files decoded on all cores.

use std::num::NonZero;
use std::thread::{available_parallelism, scope};

/// What each of `items` becomes, in their order, or the first error.
pub(crate) fn map<T: Sync, R: Send, E: Send>(
    items: &[T],
    work: impl Fn(&T) -> Result<R, E> + Sync,
) -> Result<Vec<R>, E> {
    let cores = available_parallelism().map_or(1, NonZero::get);
    let share = items.len().div_ceil(cores).max(1);
    let chunk = |items| -> Result<Vec<R>, E> { <[T]>::iter(items).map(&work).collect() };
    let mut done = Vec::with_capacity(items.len());
    scope(|scope| {
        let start = |items| scope.spawn(move || chunk(items));
        let running: Vec<_> = items.chunks(share).map(start).collect();
        for thread in running {
            match thread.join() {
                Ok(results) => done.extend(results?),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        Ok(done)
    })
}
