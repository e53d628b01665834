//! Progress on standard error: a bar with the cell being run on a terminal, a
//! line a sample elsewhere, as in a CI log.

use std::io::{self, IsTerminal};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::output::tell;
use crate::measure::{Event, Observer, Plan};
use crate::record::{Cell, Sample, SampleResult};

/// Follows a session.
pub(super) struct Progress {
    /// `None` where standard error is no terminal.
    bar: Option<ProgressBar>,
    samples: usize,
    /// The effort of the samples that have ended.
    finished: u64,
    current: Option<Cell>,
    /// Whether a line without its end stands on standard error.
    line_open: bool,
}

impl Progress {
    /// Progress through a plan.
    pub(super) fn new(plan: &Plan) -> Self {
        let bar = io::stderr().is_terminal().then(|| {
            let effort: u64 = plan.cells.iter().map(effort).sum();
            let bar = ProgressBar::new(effort * u64::from(plan.samples));
            bar.set_style(style());
            bar.enable_steady_tick(Duration::from_millis(250));
            bar
        });
        Self {
            bar,
            samples: plan.len(),
            finished: 0,
            current: None,
            line_open: false,
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
}

impl Observer for Progress {
    fn on(&mut self, event: &Event<'_>) {
        match *event {
            Event::Begun { cell, number } => {
                let place = format!("[{}/{}]", number + 1, self.samples);
                match &self.bar {
                    Some(bar) => {
                        bar.set_prefix(place);
                        bar.set_message(format!("{cell}: 0/{}", cell.requests));
                    }
                    None => {
                        tell(format_args!("{place} {cell}: "));
                        self.line_open = true;
                    }
                }
                self.current = Some(cell.clone());
            }
            Event::Progress(done) => {
                if let (Some(bar), Some(cell)) = (&self.bar, &self.current) {
                    bar.set_message(format!("{cell}: {done}/{}", cell.requests));
                    let part = effort(cell) * done / cell.requests as u64;
                    bar.set_position(self.finished + part);
                }
            }
            Event::Ended(sample) => match &self.bar {
                Some(bar) => {
                    self.finished += effort(&sample.cell);
                    bar.set_position(self.finished);
                    if let SampleResult::Error(error) = &sample.result {
                        bar.suspend(|| tell(format_args!("{}: {error}\n", sample.cell)));
                    }
                }
                None => {
                    tell(format_args!("{}\n", in_words(sample)));
                    self.line_open = false;
                }
            },
        }
    }
}

/// Rounds of requests: what a cell's runtime is about proportional to.
fn effort(cell: &Cell) -> u64 {
    cell.requests.div_ceil(cell.workers_usable) as u64
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
    ProgressStyle::with_template("{prefix} {bar:12} about {eta} left · {wide_msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}
