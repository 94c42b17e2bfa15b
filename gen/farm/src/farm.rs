//! The executor: what is asked for, what was tried, what is told.

use crate::attempt::{Attempt, Engine, Over};
use crate::batch::Batch;
use crate::executor::{Death, Ended, Executor, Outcome};
use crate::hq::Hq;
use crate::local::Local;
use crate::patience::Patience;
use crate::slurm::Slurm;
use crate::store::{End, Found, Store};
use crate::{Answer, FarmError, Job, Key, Machines};
use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

/// How a farm goes about it.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How often a job is tried again that died.
    pub retries: u32,
    /// How often Slurm and HyperQueue are asked.
    pub interval: Duration,
    /// What a queue does not have any more and left nothing is given up after this time: files need a
    /// while between machines.
    pub grace: Duration,
    /// How long Slurm or HyperQueue, once they have answered, may fail to before that is an error.
    pub patience: Duration,
    /// Folders that are searched for their commands before all others.
    pub tools: Vec<PathBuf>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            retries: 2,
            interval: Duration::from_secs(2),
            grace: Duration::from_secs(30),
            patience: Duration::from_secs(600),
            tools: vec![],
        }
    }
}

/// A job that a process of somebody else's runs is looked at again after this time.
const BUSY: Duration = Duration::from_millis(250);

/// An executor on a folder of jobs. Others may use the folder at the same time, on any machine that
/// sees it.
pub struct Farm {
    store: Store,
    engine: Box<dyn Engine>,
    retries: u32,
    /// Jobs whose end is not known.
    tasks: HashMap<Key, Task>,
    /// Of these, those to be started, the first first.
    ready: VecDeque<Key>,
    /// Those that others run, and when to look again.
    busy: Vec<(Instant, Key)>,
    /// Those that run, by ticket.
    running: HashMap<String, (Key, Attempt)>,
    told: VecDeque<Ended>,
    nonce: String,
    started: u64,
    starts: Patience,
    looks: Patience,
}

struct Task {
    job: Job,
    deaths: Vec<Death>,
    lines: String,
    /// Whether an attempt of ours was made.
    is_tried: bool,
}

impl Farm {
    /// An executor on a folder, which is made if need be; every machine has to see it under the same
    /// path.
    ///
    /// # Errors
    /// The folder cannot be made; Slurm or HyperQueue are not here.
    pub fn open(folder: &Path, machines: &Machines, settings: Settings) -> Result<Farm, FarmError> {
        let store = Store::open(folder)?;
        let nonce = nonce();
        let name = format!("hwgen-{nonce}");
        let root = store.root().to_path_buf();
        let engine: Box<dyn Engine> = match machines {
            Machines::Local(at_once) => {
                let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
                Box::new(Local::new(at_once.map_or(cores, |at_once| at_once.get())))
            }
            Machines::Slurm(options) => {
                hwgen_tools::require_in("slurm", &settings.tools)?;
                let slurm = Slurm::new(options.clone(), &settings.tools, name, root);
                Box::new(Batch::new(slurm, &settings))
            }
            Machines::Hq => {
                hwgen_tools::require_in("hq", &settings.tools)?;
                Box::new(Batch::new(Hq::new(&settings.tools, name, root), &settings))
            }
        };
        Ok(Farm {
            store,
            engine,
            retries: settings.retries,
            tasks: HashMap::new(),
            ready: VecDeque::new(),
            busy: vec![],
            running: HashMap::new(),
            told: VecDeque::new(),
            nonce,
            started: 0,
            starts: Patience::new(settings.patience),
            looks: Patience::new(settings.patience),
        })
    }

    /// The folder of a job: its request, its result, and `deaths.jsonl`, a line an attempt that came to
    /// nothing.
    pub fn folder(&self, key: &Key) -> PathBuf {
        self.store.folder(key)
    }

    fn end(&mut self, key: &Key, outcome: Outcome) {
        if let Some(task) = self.tasks.remove(key) {
            self.told.push_back(Ended { key: key.clone(), deaths: task.deaths, outcome });
        }
    }

    /// Tells the result of a job, if it is there; a damaged one is removed, and is no result.
    fn finish(&mut self, key: &Key) -> Found {
        let found = self.store.result(key);
        match &found {
            Found::Whole(answer) => {
                let is_ours = self.tasks.get(key).is_some_and(|task| task.is_tried);
                self.end(key, Outcome::Done(Answer { found: !is_ours, ..answer.clone() }));
            }
            Found::Damaged => self.store.discard(key),
            Found::Nothing => {}
        }
        found
    }

    /// What became of an attempt that is over.
    fn settle(&mut self, ticket: &str, over: Over) {
        let Some((key, attempt)) = self.running.remove(ticket) else { return };
        let damaged = match self.finish(&key) {
            Found::Whole(_) => return,
            Found::Damaged => Some(Death::Damaged),
            Found::Nothing => None,
        };
        let (death, lines) = match (damaged, self.store.end(&attempt), over) {
            (Some(death), _, _) => (death, String::new()),
            (None, Some((End::Busy, _)), _) => return self.wait_for(key),
            (None, Some((End::Died(death), lines)), _) => (death, lines),
            (None, None, Over::Died(Death::Exit(0)) | Over::Files) => {
                // it was there, and is not: somebody removed it
                (Death::NoResult, String::new())
            }
            (None, None, Over::Died(death)) => (death, self.store.lines_of(&attempt)),
        };
        self.store.bury(&key, &attempt, &death, &lines);
        let Some(task) = self.tasks.get_mut(&key) else { return };
        task.deaths.push(death);
        task.lines = lines;
        if task.deaths.len() as u64 > u64::from(self.retries) {
            let lines = std::mem::take(&mut task.lines);
            self.end(&key, Outcome::Failed(lines));
        } else {
            self.ready.push_back(key);
        }
    }

    fn wait_for(&mut self, key: Key) {
        if let Some(task) = self.tasks.get_mut(&key) {
            // whatever comes is not of our attempt
            task.is_tried = false;
        }
        self.busy.push((Instant::now() + BUSY, key));
    }

    /// Looks at jobs that others run: they have ended, or it is our turn.
    fn look_at_busy(&mut self) {
        let now = Instant::now();
        let (due, later) =
            std::mem::take(&mut self.busy).into_iter().partition(|(at, _)| *at <= now);
        self.busy = later;
        for (_, key) in due {
            if let Found::Whole(_) = self.finish(&key) {
                continue;
            }
            if self.store.is_busy(&key) {
                self.busy.push((now + BUSY, key));
            } else {
                self.ready.push_back(key);
            }
        }
    }

    fn attempt(&mut self, key: &Key) -> Option<Attempt> {
        let task = self.tasks.get_mut(key)?;
        task.is_tried = true;
        let ticket = format!("{}-{}", self.nonce, self.started);
        self.started += 1;
        Some(Attempt {
            ticket,
            job: self.store.folder(key),
            program: task.job.program.clone(),
            arguments: task.job.arguments.clone(),
            limit: task.job.limit,
        })
    }

    /// Starts as many as there is room for.
    fn start(&mut self) -> Result<(), FarmError> {
        let mut chosen = vec![];
        while chosen.len() < self.engine.room()
            && let Some(key) = self.ready.pop_front()
        {
            // another executor may have been faster
            if let Found::Whole(_) = self.finish(&key) {
                continue;
            }
            if let Some(attempt) = self.attempt(&key) {
                chosen.push((key, attempt));
            }
        }
        if chosen.is_empty() {
            return Ok(());
        }
        let started =
            self.engine.start(chosen.iter().map(|(_, attempt)| attempt.clone()).collect());
        for (key, attempt) in chosen.into_iter().rev() {
            match started {
                Ok(()) => drop(self.running.insert(attempt.ticket.clone(), (key, attempt))),
                Err(_) => self.ready.push_front(key),
            }
        }
        self.starts.bear(started)
    }
}

impl Executor for Farm {
    fn submit(&mut self, jobs: &[Job]) -> Result<Vec<Key>, FarmError> {
        let mut keys = vec![];
        for job in jobs {
            job.check()?;
            let key = job.key();
            let is_told = || self.told.iter().any(|ended| ended.key == key);
            if !self.tasks.contains_key(&key) && !is_told() {
                self.store.put(&key, job)?;
                let mut job = job.clone();
                if job.program.components().count() > 1 {
                    // jobs run in folders of their own
                    let absolute = std::path::absolute(&job.program);
                    job.program = absolute.unwrap_or(job.program);
                }
                let task = Task { job, deaths: vec![], lines: String::new(), is_tried: false };
                self.tasks.insert(key.clone(), task);
                self.ready.push_back(key.clone());
            }
            keys.push(key);
        }
        Ok(keys)
    }

    fn poll(&mut self) -> Result<Vec<Ended>, FarmError> {
        self.look_at_busy();
        for (ticket, over) in self.looks.bear(self.engine.over())? {
            self.settle(&ticket, over);
        }
        self.start()?;
        Ok(self.told.drain(..).collect())
    }

    fn cancel(&mut self, keys: &[Key]) -> Result<(), FarmError> {
        let is_meant = |key: &Key| keys.contains(key);
        self.ready.retain(|key| !is_meant(key));
        self.busy.retain(|(_, key)| !is_meant(key));
        let tickets = self.running.iter().filter(|(_, (key, _))| is_meant(key));
        let tickets: Vec<_> = tickets.map(|(ticket, _)| ticket.clone()).collect();
        for ticket in &tickets {
            self.running.remove(ticket);
        }
        for key in keys {
            self.end(key, Outcome::Cancelled);
        }
        if tickets.is_empty() { Ok(()) } else { self.engine.cancel(&tickets) }
    }

    fn pending(&self) -> usize {
        self.tasks.len() + self.told.len()
    }

    fn pause(&self) -> Duration {
        self.engine.pause()
    }

    fn next(&mut self) -> Result<Option<Ended>, FarmError> {
        loop {
            if let Some(ended) = self.told.pop_front() {
                return Ok(Some(ended));
            }
            if self.tasks.is_empty() {
                return Ok(None);
            }
            let ended = self.poll()?;
            if ended.is_empty() {
                std::thread::sleep(self.pause());
            }
            self.told.extend(ended);
        }
    }
}

/// Tells this executor's attempts from all others': there may be some on other machines.
fn nonce() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let text = format!("{host} {} {} {:p}", std::process::id(), now.as_nanos(), &now);
    hwgen_files::digest(text.as_bytes())[..12].to_owned()
}
