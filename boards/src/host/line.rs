//! A question and its answer, over a line that may lose and damage both.

use super::{BoardError, Transport};
use crate::link::ANSWER;
use crate::link::MOST_DATA;
use crate::link::packet::Packet;
use crate::link::slip::{Deframer, frame};
use std::io;
use std::time::{Duration, Instant};

/// How patient a driver is.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// What an answer may take beyond its way over the line, at most: the board's patience, and what
    /// the system adds. While answers come sooner, less is waited for, at first.
    pub margin: Duration,
    /// How often a question is sent before the board counts as silent.
    pub attempts: u32,
    /// How long a line that failed is waited for.
    pub reconnect: Duration,
    /// How long a core may neither take nor give.
    pub stall: Duration,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            margin: Duration::from_millis(50),
            attempts: 64,
            reconnect: Duration::from_secs(5),
            stall: Duration::from_secs(10),
        }
    }
}

/// What went over the line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Questions, each counted once.
    pub questions: u64,
    /// Frames sent again.
    pub resent: u64,
    /// Frames that came damaged.
    pub damaged: u64,
    /// Answers that came when the question had been sent again: the board, or what lies before it, is slow.
    pub late: u64,
    /// Times that the line was taken up again.
    pub reconnected: u64,
}

impl Traffic {
    /// What is wrong with the line, in a sentence: damage, or only slowness; `None` if nothing is.
    pub fn complaint(&self) -> Option<String> {
        let Traffic { questions, resent, damaged, late, .. } = self;
        if *resent == 0 {
            return None;
        }
        // an answer to every second repetition at least: nothing was lost
        Some(if *damaged == 0 && 2 * late >= *resent {
            format!(
                "the line is sound but slow: of {questions} questions {resent} were sent again before their answer came"
            )
        } else {
            format!(
                "the line is bad: {questions} questions, {resent} more times sent; {damaged} answers came damaged"
            )
        })
    }
}

/// What the system may always take.
const LEAST_WAIT: Duration = Duration::from_millis(2);

/// The smallest packets that a bad line gets, in bytes of data.
const LEAST_DATA: usize = 16;
/// How much more patience there is with a line that damages what it carries than with silence.
const NOISY: u32 = 4;

/// Bytes that are heard once the time is over: more than an answer has.
const MOST_OVERTIME: usize = 1024;

/// The line, and what is known of it.
pub(super) struct Line<T> {
    pub(super) transport: T,
    pub(super) settings: Settings,
    pub(super) traffic: Traffic,
    /// Bytes of data that a packet is given: fewer on a bad line.
    pub(super) data: usize,
    deframer: Deframer,
    /// What answers took of late beyond their way over the line.
    delay: Duration,
    /// Bytes that came.
    heard: u64,
}

impl<T: Transport> Line<T> {
    pub(super) fn new(transport: T, settings: Settings) -> Line<T> {
        Line {
            transport,
            settings,
            traffic: Traffic::default(),
            data: MOST_DATA,
            deframer: Deframer::default(),
            delay: settings.margin,
            heard: 0,
        }
    }

    /// Sends a question until it is answered, so often at most, or [`NOISY`] times as often if something
    /// was heard; the answer takes about so many bytes.
    pub(super) fn ask(
        &mut self,
        question: &Packet,
        answer_bytes: usize,
        attempts: u32,
    ) -> Result<Packet, BoardError> {
        self.traffic.questions += 1;
        let sent = frame(&question.body());
        let travel = self.transport.travel(sent.len() + answer_bytes);
        let (damaged, heard) = (self.traffic.damaged, self.heard);
        let mut attempt = 0;
        while attempt < if self.heard > heard { NOISY * attempts } else { attempts } {
            self.traffic.resent += u64::from(attempt > 0);
            // longer each time: a slow board must not drown in repetitions
            let patient = (2 * self.delay + LEAST_WAIT) * (1 << (attempt / 4).min(8));
            let (began, wait) = (Instant::now(), travel + patient.min(self.settings.margin));
            match self.exchange(&sent, question, wait) {
                Ok(Some(answer)) => {
                    self.adapt(attempt);
                    if attempt == 0 {
                        let took = began.elapsed().saturating_sub(travel);
                        self.delay = took.max(self.delay * 7 / 8).min(self.settings.margin);
                    }
                    return Ok(answer);
                }
                Ok(None) => {}
                Err(why) => self.take_up(why)?,
            }
            attempt += 1;
        }
        let attempts = attempt;
        let (damaged, bytes) = (self.traffic.damaged - damaged, self.heard - heard);
        Err(BoardError::NoAnswer { attempts, bytes, damaged })
    }

    /// Sends a frame and listens for its answer.
    fn exchange(
        &mut self,
        sent: &[u8],
        question: &Packet,
        wait: Duration,
    ) -> io::Result<Option<Packet>> {
        self.transport.send(sent)?;
        let until = Instant::now() + wait;
        let (mut bytes, mut overtime) = ([0; 256], 0);
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let came = self.transport.receive(&mut bytes, left)?;
            self.heard += came as u64;
            let mut answer = None;
            let mut damaged = false;
            // all of them: what comes behind the answer may be the beginning of another
            for &byte in &bytes[..came] {
                let Some(body) = self.deframer.push(byte) else {
                    continue;
                };
                let Some(heard) = Packet::read(&body) else {
                    damaged = true;
                    continue;
                };
                let Packet { session, sequence, kind, .. } = heard;
                if session != question.session || kind & ANSWER == 0 {
                    continue;
                }
                match sequence == question.sequence && answer.is_none() {
                    true => answer = Some(heard),
                    // to a frame that was sent twice
                    false => self.traffic.late += 1,
                }
            }
            self.traffic.damaged += u64::from(damaged);
            // if damage came, it was an answer: ask again at once
            if answer.is_some() || damaged {
                return Ok(answer);
            }
            if Instant::now() >= until {
                overtime += came;
                // a frame that has begun is heard to its end, a line that never falls silent is not
                if came == 0 || overtime > MOST_OVERTIME {
                    return Ok(None);
                }
            }
        }
    }

    /// Smaller packets on a bad line, larger ones on a good one: about two attempts a packet carry most.
    fn adapt(&mut self, resent: u32) {
        match resent {
            0 | 1 => self.data = (self.data * 9 / 8).min(MOST_DATA),
            2 => {}
            _ => self.data = (self.data * 3 / 4).max(LEAST_DATA),
        }
    }

    /// Waits for a line that failed.
    fn take_up(&mut self, why: io::Error) -> Result<(), BoardError> {
        let began = Instant::now();
        let mut why = why;
        while began.elapsed() < self.settings.reconnect {
            std::thread::sleep(Duration::from_millis(20));
            match self.transport.reconnect() {
                Ok(()) => {
                    self.traffic.reconnected += 1;
                    self.deframer = Deframer::default();
                    return Ok(());
                }
                Err(still) => why = still,
            }
        }
        Err(BoardError::PortLost { waited: self.settings.reconnect, why })
    }
}
