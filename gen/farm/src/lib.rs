//! Jobs of seconds to hours, on this machine, on Slurm or on HyperQueue, each counted once.
//!
//! - [`Job`]: a program, a request that it reads, a result that it writes ([`work`] is its side). Its
//!   [`Key`] is the digest of version, kind and request, and names its folder, so that the same job is
//!   run once, and a search that was killed finds what it had.
//! - [`Executor`]: jobs submitted, ends told, jobs cancelled; [`Farm`] is the one there is.
//! - [`Machines`]: `local:4`, `slurm:partition=NAME`, `hq`.
//!
//! Folders tell it all: what lives in a job's folder is what executors share. A job's processes hold
//! its lock, so it runs once at a time whoever asks for it; a result takes its place whole and sealed, the first
//! stays, and one that was changed since is no result.
//!
//! ```
//! use hwgen_farm::{Executor, Farm, Job, Settings};
//!
//! let folder = tempfile::tempdir().unwrap();
//! let mut farm = Farm::open(folder.path(), &"local:2".parse()?, Settings::default())?;
//! let double = |number: u32| Job {
//!     program: "sh".into(),
//!     arguments: ["-c", "echo $((2 * $(cat request.json))) > result.json"].map(Into::into).into(),
//!     version: "1".into(),
//!     kind: "double".into(),
//!     request: number.to_string().into(),
//!     limit: None,
//! };
//! let keys = farm.submit(&[double(2), double(4), double(2)])?;
//! assert_eq!(keys[0], keys[2]);
//! let mut sum = 0;
//! while let Some(ended) = farm.next()? {
//!     let text = String::from_utf8_lossy(&ended.answer().unwrap().result).into_owned();
//!     sum += text.trim().parse::<u32>().unwrap();
//! }
//! assert_eq!(sum, 4 + 8);
//! # Ok::<(), hwgen_farm::FarmError>(())
//! ```

mod attempt;
mod batch;
mod error;
mod executor;
mod farm;
mod hq;
mod job;
mod local;
mod machines;
mod patience;
mod script;
mod slurm;
mod store;
pub mod work;

pub use error::FarmError;
pub use executor::{Answer, Death, Ended, Executor, Outcome};
pub use farm::{Farm, Settings};
pub use job::{Job, Key};
pub use machines::{Machines, SlurmOptions};
