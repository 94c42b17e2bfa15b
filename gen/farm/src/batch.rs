//! What Slurm and HyperQueue have in common: arrays of attempts that run somewhere, a list of those
//! that are not over, and files that tell the rest.

use crate::attempt::{Attempt, Engine, Over};
use crate::executor::Death;
use crate::{FarmError, Settings};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// An attempt's place: its array and its number in it.
pub(crate) type Place = (u64, usize);

/// The commands of a batch system.
pub(crate) trait Queue {
    /// Submits an array; its number.
    fn submit(&mut self, attempts: &[Attempt]) -> Result<u64, FarmError>;

    /// Which of these places are not over, as the queue says.
    fn alive(&mut self, places: &BTreeSet<Place>) -> Result<BTreeSet<Place>, FarmError>;

    /// Ends attempts; `others` are not to be touched.
    fn cancel(&mut self, places: &[Place], others: &BTreeSet<Place>) -> Result<(), FarmError>;
}

/// Attempts in a queue.
pub(crate) struct Batch<Q: Queue> {
    queue: Q,
    flights: BTreeMap<Place, Flight>,
    looked: Option<Instant>,
    interval: Duration,
    grace: Duration,
}

struct Flight {
    attempt: Attempt,
    /// Since when the queue does not have it, while files of another machine may be on their way.
    missing: Option<Instant>,
}

/// Attempts in the queue at most; Slurm takes arrays of up to 1000 unless it is told otherwise.
const MOST: usize = 1000;

impl<Q: Queue> Batch<Q> {
    pub(crate) fn new(queue: Q, settings: &Settings) -> Batch<Q> {
        let (interval, grace) = (settings.interval, settings.grace);
        Batch { queue, flights: BTreeMap::new(), looked: None, interval, grace }
    }

    fn places(&self) -> BTreeSet<Place> {
        self.flights.keys().copied().collect()
    }

    /// Those that left something.
    fn landed(&self) -> Vec<(Place, Over)> {
        let ended = self.flights.iter().filter(|(_, flight)| flight.attempt.has_ended());
        ended.map(|(place, _)| (*place, Over::Files)).collect()
    }

    /// Those that the queue does not have any more and that left nothing.
    fn lost(&mut self) -> Result<Vec<(Place, Over)>, FarmError> {
        if self.flights.is_empty() {
            return Ok(vec![]);
        }
        let alive = self.queue.alive(&self.places())?;
        let mut lost = vec![];
        for (place, flight) in &mut self.flights {
            if alive.contains(place) {
                flight.missing = None;
            } else if flight.missing.get_or_insert_with(Instant::now).elapsed() >= self.grace {
                lost.push((*place, Over::Died(Death::Vanished)));
            }
        }
        Ok(lost)
    }

    fn take(&mut self, over: Vec<(Place, Over)>) -> Vec<(String, Over)> {
        let flights = over.into_iter().filter_map(|(place, over)| {
            let flight = self.flights.remove(&place)?;
            Some((flight.attempt.ticket, over))
        });
        flights.collect()
    }
}

impl<Q: Queue> Engine for Batch<Q> {
    fn room(&self) -> usize {
        MOST.saturating_sub(self.flights.len())
    }

    fn start(&mut self, attempts: Vec<Attempt>) -> Result<(), FarmError> {
        let array = self.queue.submit(&attempts)?;
        for (number, attempt) in attempts.into_iter().enumerate() {
            self.flights.insert((array, number), Flight { attempt, missing: None });
        }
        Ok(())
    }

    fn over(&mut self) -> Result<Vec<(String, Over)>, FarmError> {
        if self.looked.is_some_and(|looked| looked.elapsed() < self.interval) {
            return Ok(vec![]);
        }
        self.looked = Some(Instant::now());
        let landed = self.landed();
        let mut over = self.take(landed);
        match self.lost() {
            Ok(lost) => over.extend(self.take(lost)),
            // the rest can wait until it answers again
            Err(error) if over.is_empty() => return Err(error),
            Err(_) => {}
        }
        Ok(over)
    }

    fn cancel(&mut self, tickets: &[String]) -> Result<(), FarmError> {
        let named = |flight: &Flight| tickets.contains(&flight.attempt.ticket);
        let chosen = self.flights.iter().filter(|(_, flight)| named(flight));
        let chosen: Vec<_> = chosen.map(|(place, _)| *place).collect();
        for place in &chosen {
            self.flights.remove(place);
        }
        self.queue.cancel(&chosen, &self.places())
    }

    fn pause(&self) -> Duration {
        self.interval.min(Duration::from_millis(200))
    }
}

impl<Q: Queue> Drop for Batch<Q> {
    fn drop(&mut self) {
        let places: Vec<_> = self.flights.keys().copied().collect();
        if !places.is_empty() {
            // nobody waits for them; if the queue does not answer they end by themselves
            let _ = self.queue.cancel(&places, &BTreeSet::new());
        }
    }
}
