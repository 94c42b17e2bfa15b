//! What one sees while a search goes: on a terminal a line that stays in its place, elsewhere a line an epoch, a
//! generation, or a minute.
//!
//! - `stage`: where a search is, in words; `pace`: how long it still takes.

mod pace;
mod stage;

use hwgen_search::search::{Progress, Settings};
use indicatif::{ProgressBar, ProgressStyle};
use pace::{Pace, span};
use stage::Stage;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// A search that says nothing for longer seems to hang.
const SILENCE: Duration = Duration::from_secs(60);

/// The view, on stderr.
pub(crate) struct View {
    bar: Option<ProgressBar>,
    epochs: [usize; 3],
    now: Option<(Stage, Pace)>,
    /// Cycles and accuracy of the most accurate so far.
    best: Option<(u64, f64)>,
    said: Instant,
}

impl View {
    pub(crate) fn new(settings: &Settings) -> View {
        let bar = std::io::stderr().is_terminal().then(bar);
        let epochs = [settings.epochs, settings.gating, settings.tuning];
        View { bar, epochs, now: None, best: None, said: Instant::now() }
    }

    pub(crate) fn show(&mut self, progress: &Progress) {
        if let Progress::Evolving { best: Some(best), .. } = progress {
            self.best = Some(*best);
        }
        let stage = Stage::of(progress, self.epochs);
        let last = self.now.take().filter(|(last, _)| last.name == stage.name);
        let is_news = match &last {
            Some((last, _)) => last.part != stage.part || stage.is_done(),
            None => true,
        };
        let pace = match last {
            Some((_, pace)) => pace,
            None => self.begin(&stage),
        };
        let left = pace.left(stage.done, stage.all, Instant::now());
        self.tell(&stage, left, is_news);
        self.now = Some((stage, pace));
    }

    /// The line goes; what was printed stays.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn begin(&self, stage: &Stage) -> Pace {
        if let Some(bar) = &self.bar {
            bar.set_prefix(stage.name.clone());
            bar.set_length(stage.all);
        }
        Pace::begin(stage.done, Instant::now())
    }

    fn tell(&mut self, stage: &Stage, left: Option<Duration>, is_news: bool) {
        let text = self.text(stage, left);
        match &self.bar {
            Some(bar) => {
                bar.set_position(stage.done);
                bar.set_message(text.clone());
                if stage.is_done() {
                    bar.suspend(|| tell!("{}: {text}", stage.name));
                }
            }
            None if is_news || self.said.elapsed() >= SILENCE => {
                tell!("{}: {text}", stage.name);
                self.said = Instant::now();
            }
            None => {}
        }
    }

    fn text(&self, stage: &Stage, left: Option<Duration>) -> String {
        let best = self
            .best
            .map(|(cycles, accuracy)| format!("best {:.2} % in {cycles} cycles", 100.0 * accuracy));
        let left = left.filter(|_| !stage.is_done()).map(|left| format!("{} left", span(left)));
        // what a narrow terminal cuts off is what changes least
        let parts = [Some(stage.text.clone()), left, best];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::new(0);
    let template = "{spinner} {elapsed} {prefix} [{bar:24}] {wide_msg}";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
