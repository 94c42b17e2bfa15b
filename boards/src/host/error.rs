//! What can go wrong between host and board.

use crate::link::VERSION;
use std::io;
use std::time::Duration;
use thiserror::Error;

/// Why the board did not do what it was asked to.
#[derive(Debug, Error)]
pub enum BoardError {
    /// The port is not there, or not ours.
    #[error("cannot open port {port}: {why}; {advice}")]
    Port {
        /// The port.
        port: String,
        /// What the system says.
        why: String,
        /// What to do.
        advice: String,
    },
    /// The port failed and did not come back.
    #[error("the port to the board failed and did not come back within {waited:?}: {why}")]
    PortLost {
        /// How long it was waited for.
        waited: Duration,
        /// What the system says.
        why: io::Error,
    },
    /// Nothing that makes sense was heard.
    #[error("the board does not answer: {attempts} questions, {}", heard(*.bytes, *.damaged))]
    NoAnswer {
        /// How often it was asked.
        attempts: u32,
        /// Bytes that came, of whatever.
        bytes: u64,
        /// Frames that came damaged.
        damaged: u64,
    },
    /// The board forgot us: it was reset, or another host opened a session.
    #[error(
        "the board no longer knows this session: it was reset, or another host talks to it; open it again and load it again"
    )]
    SessionLost,
    /// It speaks another version.
    #[error(
        "the board speaks version {found} of the protocol, this is version {VERSION}: build the board's bitstream anew"
    )]
    Version {
        /// Its version.
        found: u8,
    },
    /// Something else stands behind the link.
    #[error("the board has {found}, not {wanted}: program it with the right bitstream")]
    OtherDesign {
        /// What it has.
        found: String,
        /// What was asked for.
        wanted: String,
    },
    /// The core holds another program, other weights or tables.
    #[error(
        "the board holds another network: its contents are {found:08x}, those wanted {wanted:08x}; load the network again"
    )]
    OtherContents {
        /// [`contents`](crate::link::identity::contents) that it has.
        found: u32,
        /// Those wanted.
        wanted: u32,
    },
    /// A packet of the core's that is shorter than asked for.
    #[error("the board ended early: {beats} beats of {wanted} came from channel {channel}")]
    EndsEarly {
        /// The channel.
        channel: u8,
        /// Beats that came.
        beats: usize,
        /// Beats asked for.
        wanted: usize,
    },
    /// A packet of the core's that is longer than asked for.
    #[error(
        "the board sends more than asked for: channel {channel} does not end behind {wanted} beats"
    )]
    SendsMore {
        /// The channel.
        channel: u8,
        /// Beats asked for; 0: behind all outputs.
        wanted: usize,
    },
    /// No channel of that number or name.
    #[error("the board has no channel {channel}")]
    NoChannel {
        /// The channel.
        channel: String,
    },
    /// Bytes that make no whole beats.
    #[error("{bytes} bytes are no whole beats of {beat} bytes for channel {channel}")]
    Beats {
        /// The channel.
        channel: u8,
        /// Bytes given.
        bytes: usize,
        /// Bytes of a beat.
        beat: usize,
    },
    /// The core neither takes nor gives.
    #[error("the core stands still: channel {channel} moved nothing for {waited:?}")]
    Stalled {
        /// The channel.
        channel: u8,
        /// How long.
        waited: Duration,
    },
    /// An answer that is sound but makes no sense.
    #[error("the board's answer makes no sense: {what}")]
    Answer {
        /// What is wrong with it.
        what: String,
    },
    /// An input of the wrong size.
    #[error("an input has {given} elements, the network takes {wanted}")]
    Input {
        /// Elements given.
        given: usize,
        /// Elements wanted.
        wanted: usize,
    },
}

/// What came instead of answers, and what that tells.
fn heard(bytes: u64, damaged: u64) -> String {
    match (bytes, damaged) {
        (0, _) => {
            "nothing was heard; is this the board's port, has the board power and its bitstream?"
                .into()
        }
        (bytes, 0) => format!(
            "{bytes} bytes came that are no answers; is the speed right, or does another design talk there?"
        ),
        (_, damaged) => format!(
            "{damaged} damaged answers, the rest silence; is the speed right, the cable short?"
        ),
    }
}
