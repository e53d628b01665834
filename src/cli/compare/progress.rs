//! Progress on standard error: a bar with the running samples on a terminal, a line
//! per sample elsewhere, as in a CI log.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::{Duration, Instant};

use indicatif::{HumanDuration, ProgressBar, ProgressState, ProgressStyle};

use crate::cli::output::tell;
use crate::measure::{Event, Observer};
use crate::record::{Cell, Sample, SampleResult};

/// Follows a session.
pub(super) struct Progress {
    /// `None` where standard error is no terminal that can draw one.
    bar: Option<ProgressBar>,
    /// Samples in all, where their number is fixed.
    samples: Option<usize>,
    begun_at: Instant,
    ended: usize,
    /// The samples that run, and their requests that have an outcome.
    running: BTreeMap<usize, (Cell, u64)>,
    /// Set while a line on standard error is not ended.
    line_open: bool,
    /// Set once the message that samples run side by side was printed.
    side_by_side: bool,
}

impl Progress {
    /// Progress of a session, with a fixed number of samples or not.
    pub(super) fn new(fixed: bool) -> Self {
        // Without a length until it is known how long it takes.
        let bar = ProgressBar::no_length();
        // As it is where TERM is `dumb` or not set.
        let bar = (!bar.is_hidden()).then(|| {
            bar.set_style(style());
            // Rarely: what wakes while a sample runs takes a core from it.
            bar.enable_steady_tick(Duration::from_secs(1));
            bar
        });
        Self {
            bar,
            samples: fixed.then_some(0),
            begun_at: Instant::now(),
            ended: 0,
            running: BTreeMap::new(),
            line_open: false,
            side_by_side: false,
        }
    }

    /// Takes the bar off the screen.
    pub(super) fn clear(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        if std::mem::take(&mut self.line_open) {
            tell(format_args!("stopped\n"));
        }
    }

    /// The sample that ends next, of how many.
    fn place(&self) -> String {
        let next = self.ended + 1;
        match self.samples {
            // After the last there is none next.
            Some(samples) => format!("[{}/{samples}]", next.min(samples)),
            None => format!("[{next}]"),
        }
    }

    fn begun(&mut self, cell: &Cell, alone: bool) {
        if self.bar.is_some() {
            return;
        }
        if alone {
            tell(format_args!("{} {cell}: ", self.place()));
            self.line_open = true;
            self.side_by_side = false;
        } else if !std::mem::replace(&mut self.side_by_side, true) {
            tell(format_args!(
                "samples run side by side; a line as each ends:\n"
            ));
        }
    }

    fn has_ended(&mut self, sample: &Sample) {
        if let Some(bar) = &self.bar {
            if let SampleResult::Error(error) = &sample.result {
                bar.suspend(|| tell(format_args!("{}: {error}\n", sample.cell)));
            }
        } else if std::mem::take(&mut self.line_open) {
            tell(format_args!("{}\n", in_words(sample)));
        } else {
            let place = self.place();
            tell(format_args!(
                "{place} {}: {}\n",
                sample.cell,
                in_words(sample)
            ));
        }
        self.ended += 1;
    }

    fn move_bar(&self, remaining: Option<Duration>) {
        let Some(bar) = &self.bar else {
            return;
        };
        let elapsed = milliseconds(self.begun_at.elapsed());
        if let Some(remaining) = remaining {
            bar.set_length(elapsed.saturating_add(milliseconds(remaining)));
        }
        bar.set_position(elapsed.min(bar.length().unwrap_or(u64::MAX)));
        bar.set_prefix(self.place());
        let Some((cell, done)) = self.running.values().next_back() else {
            return;
        };
        let others = match self.running.len() {
            1 => String::new(),
            running => format!("{running} samples, the last "),
        };
        bar.set_message(format!("{others}{cell}: {done}/{}", cell.requests));
    }
}

impl Observer for Progress {
    fn on(&mut self, event: &Event<'_>) {
        match *event {
            Event::Planned(more) => {
                if let Some(samples) = &mut self.samples {
                    *samples += more;
                }
            }
            Event::Begun {
                cell,
                number,
                alone,
                remaining,
            } => {
                self.begun(cell, alone);
                self.running.insert(number, (cell.clone(), 0));
                self.move_bar(remaining);
            }
            Event::Progress {
                number,
                done,
                remaining,
            } => {
                if let Some((_, requests)) = self.running.get_mut(&number) {
                    *requests = done;
                }
                self.move_bar(remaining);
            }
            Event::Ended {
                number,
                sample,
                remaining,
            } => {
                self.running.remove(&number);
                self.has_ended(sample);
                self.move_bar(remaining);
            }
        }
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn in_words(sample: &Sample) -> String {
    match &sample.result {
        SampleResult::Measured(measured) => {
            let failed = match measured.failed() {
                0 => String::new(),
                failed => format!(", {failed} failed"),
            };
            format!("{:.3} s{failed}", measured.warm_s)
        }
        SampleResult::Error(error) => error.clone(),
    }
}

fn style() -> ProgressStyle {
    // The message gives way where the terminal is narrow.
    let style = ProgressStyle::with_template("{prefix} {bar:12} {left}{wide_msg}");
    let left = |state: &ProgressState, text: &mut dyn Write| {
        if let Some(length) = state.len() {
            let left = Duration::from_millis(length.saturating_sub(state.pos()));
            // A String takes all that is written.
            let _ = write!(text, "about {:#} left · ", HumanDuration(left));
        }
    };
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
    style.with_key("left", left)
}
