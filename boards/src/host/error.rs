//! What can go wrong between host and board.

use crate::link::VERSION;
use std::io;
use std::time::Duration;
use thiserror::Error;

/// Why the board did not do what it was asked to.
#[derive(Debug, Error)]
pub enum BoardError {
    /// The port is not there, or not ours.
    #[error(
        "cannot open port {port}: {why}; is the board plugged in, and is nobody else using the port?"
    )]
    Port {
        /// The port.
        port: String,
        /// What the system says.
        why: String,
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
    #[error(
        "the board does not answer: {attempts} questions, {damaged} damaged answers, the rest silence; is the speed right?"
    )]
    NoAnswer {
        /// How often it was asked.
        attempts: u32,
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
