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
    /// Times that the line was taken up again.
    pub reconnected: u64,
}

/// What the system may always take.
const LEAST_WAIT: Duration = Duration::from_millis(2);

/// The smallest packets that a bad line gets, in bytes of data.
const LEAST_DATA: usize = 16;

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
        }
    }

    /// Sends a question until it is answered, so often at most; the answer takes about so many bytes.
    pub(super) fn ask(
        &mut self,
        question: &Packet,
        answer_bytes: usize,
        attempts: u32,
    ) -> Result<Packet, BoardError> {
        self.traffic.questions += 1;
        let sent = frame(&question.body());
        let travel = self.transport.travel(sent.len() + answer_bytes);
        let damaged = self.traffic.damaged;
        for attempt in 0..attempts {
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
        }
        let damaged = self.traffic.damaged - damaged;
        Err(BoardError::NoAnswer { attempts, damaged })
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
        let mut bytes = [0; 256];
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let came = self.transport.receive(&mut bytes, left)?;
            let mut damaged = false;
            for &byte in &bytes[..came] {
                let answer = match self.deframer.push(byte) {
                    Some(body) => Packet::read(&body),
                    None => continue,
                };
                let ours = |answer: &Packet| {
                    (answer.session, answer.sequence) == (question.session, question.sequence)
                        && answer.kind & ANSWER != 0
                };
                match answer {
                    Some(answer) if ours(&answer) => return Ok(Some(answer)),
                    // to a frame that was sent twice
                    Some(_) => {}
                    None => damaged = true,
                }
            }
            if damaged {
                // what came was an answer: ask again at once
                self.traffic.damaged += 1;
                return Ok(None);
            }
            if came == 0 && Instant::now() >= until {
                return Ok(None);
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
