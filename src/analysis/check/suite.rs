//! A suite: the rows of all cells, and what follows from their pairs.

use serde::Serialize;

use super::row::{Compared, Estimate, Levels, Margins, Tally, Thresholds, Verdict};
use crate::analysis::statistics::Sorted;

/// What limits a cell: whether a slow-down is drowned in waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Group {
    /// Its server takes its time.
    Delayed,
    /// Its server responds at once.
    Busy,
}

/// A figure that is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// The warm runtime.
    Runtime,
    /// User and system CPU time.
    Cpu,
}

impl Measure {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Runtime, Self::Cpu];
}

/// What a row is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// One cell, by its place.
    Cell(usize),
    /// All cells of a group together.
    Pooled(Group),
    /// Base against a copy of itself.
    Control,
}

/// A cell as a suite sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spec {
    /// Which pooled row it belongs to.
    pub group: Group,
    /// Margins of the runtime.
    pub runtime: Margins,
    /// Margins of the CPU time.
    pub cpu: Margins,
}

/// Figures of one side of a pair.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figures {
    /// Warm runtime, in seconds.
    pub runtime_s: f64,
    /// CPU time, in seconds.
    pub cpu_s: f64,
}

/// Base and head, run one right after the other; `None` is a side that failed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pair {
    /// Base's figures.
    pub base: Option<Figures>,
    /// Head's figures.
    pub head: Option<Figures>,
}

impl Pair {
    /// What it says of a measure; `None` where both failed, and where a figure is no
    /// positive number.
    fn compared(&self, measure: Measure) -> Option<Compared> {
        let figure = |figures: Figures| match measure {
            Measure::Runtime => figures.runtime_s,
            Measure::Cpu => figures.cpu_s,
        };
        match (self.base.map(figure), self.head.map(figure)) {
            (Some(base), Some(head)) => {
                let ratio = (head / base).ln();
                ratio.is_finite().then_some(Compared::Ratio(ratio))
            }
            (Some(_), None) => Some(Compared::HeadFailed),
            (None, Some(_)) => Some(Compared::BaseFailed),
            (None, None) => None,
        }
    }
}

/// Pairs in a row of which both sides failed, after which a cell is given up.
const GIVEN_UP: u32 = 3;

struct Row {
    subject: Subject,
    measure: Measure,
    margins: Margins,
    tally: Tally,
}

/// The state of a check as its pairs come in.
pub struct Suite {
    cells: Vec<Spec>,
    /// Pairs in a row of which both sides failed, by cell.
    both_failed: Vec<u32>,
    rows: Vec<Row>,
    /// The runtime's ratios of the present round, by group.
    round: Vec<(Group, f64)>,
}

impl Suite {
    /// A suite before its first pair, with a control where it is to have one. The rows
    /// that share `alpha` are fixed here: one per cell and measure, and one per group
    /// of several cells.
    pub fn new(cells: &[Spec], control: Option<Margins>, levels: Levels) -> Self {
        let mut rows: Vec<(Subject, Measure, Margins)> = Vec::new();
        for (place, cell) in cells.iter().enumerate() {
            rows.push((Subject::Cell(place), Measure::Runtime, cell.runtime));
            rows.push((Subject::Cell(place), Measure::Cpu, cell.cpu));
        }
        for group in [Group::Delayed, Group::Busy] {
            let of_group = cells.iter().filter(|cell| cell.group == group);
            let members: Vec<_> = of_group.collect();
            if let [first, _, ..] = members.as_slice() {
                // A wider margin of one cell is that cell's alone.
                let least = |one: Margins, other: &&Spec| match other.runtime.tolerate {
                    tolerate if tolerate < one.tolerate => other.runtime,
                    _ => one,
                };
                let margins = pooled(members.iter().fold(first.runtime, least));
                rows.push((Subject::Pooled(group), Measure::Runtime, margins));
            }
        }
        let thresholds = Thresholds::new(levels, rows.len());
        rows.extend(control.map(|margins| (Subject::Control, Measure::Runtime, margins)));
        let rows = rows.into_iter().map(|(subject, measure, margins)| Row {
            subject,
            measure,
            margins,
            tally: Tally::new(margins, thresholds),
        });
        Self {
            cells: cells.to_vec(),
            both_failed: vec![0; cells.len()],
            rows: rows.collect(),
            round: Vec::new(),
        }
    }

    /// Takes the next pair of a cell.
    pub fn take(&mut self, cell: usize, pair: &Pair) {
        let failed = pair.base.is_none() && pair.head.is_none();
        let in_a_row = &mut self.both_failed[cell];
        *in_a_row = if failed { *in_a_row + 1 } else { 0 };
        for row in &mut self.rows {
            if row.subject == Subject::Cell(cell)
                && let Some(compared) = pair.compared(row.measure)
            {
                row.tally.take(compared);
            }
        }
        if let Some(Compared::Ratio(ratio)) = pair.compared(Measure::Runtime) {
            self.round.push((self.cells[cell].group, ratio));
        }
    }

    /// Takes a pair of base against its copy.
    pub fn take_control(&mut self, pair: &Pair) {
        for row in &mut self.rows {
            if row.subject == Subject::Control
                && let Some(compared) = pair.compared(row.measure)
            {
                row.tally.take(compared);
            }
        }
    }

    /// Ends a round: the pooled rows take the median of its ratios. Where no cell is
    /// slower than tolerated each ratio lies as likely so far above its margin as
    /// below, by its own coin, and so does their median.
    pub fn end_round(&mut self) {
        let round = std::mem::take(&mut self.round);
        for row in &mut self.rows {
            let Subject::Pooled(group) = row.subject else {
                continue;
            };
            let of_group = round.iter().filter(|(of, _)| *of == group);
            if let Some(ratios) = Sorted::new(of_group.map(|(_, ratio)| *ratio)) {
                row.tally.take(Compared::Ratio(ratios.median()));
            }
        }
    }

    /// Whether a cell has to run on: one of its rows is open, or the pooled row of
    /// its group.
    pub fn is_open(&self, cell: usize) -> bool {
        let its = |subject| {
            subject == Subject::Cell(cell) || subject == Subject::Pooled(self.cells[cell].group)
        };
        !self.is_given_up(cell)
            && self
                .rows
                .iter()
                .any(|row| its(row.subject) && row.tally.is_open())
    }

    /// The cells that have to run on.
    pub fn open_cells(&self) -> Vec<usize> {
        let cells = 0..self.cells.len();
        cells.filter(|cell| self.is_open(*cell)).collect()
    }

    /// Whether the control has to run on.
    pub fn is_control_open(&self) -> bool {
        let control = self.rows.iter().find(|row| row.subject == Subject::Control);
        control.is_some_and(|row| row.tally.is_open())
    }

    /// Whether both sides of a cell failed so often that it is measured no more.
    pub fn is_given_up(&self, cell: usize) -> bool {
        self.both_failed[cell] >= GIVEN_UP
    }

    /// What is known.
    pub fn judgement(&self) -> Judgement {
        let rows: Vec<Judged> = self.rows.iter().map(Row::judged).collect();
        let gating = |row: &&Judged| row.subject != Subject::Control;
        let alarm = rows.iter().any(|row| {
            row.subject == Subject::Control
                && !matches!(row.verdict, Verdict::Ok | Verdict::Undecided)
        });
        let any = |is: fn(&Judged) -> bool| rows.iter().filter(gating).any(is);
        let outcome = if alarm || rows.is_empty() {
            Outcome::Undecided
        } else if any(|row| row.verdict.is_red()) {
            Outcome::Slower
        } else if any(|row| row.verdict == Verdict::Undecided) {
            Outcome::Undecided
        } else {
            Outcome::Ok
        };
        Judgement {
            outcome,
            control_alarmed: alarm,
            rows,
        }
    }
}

/// Margins of a pooled row. Its noise is small, so it finds less than its cells do: what
/// lies a third of the way from their tolerated margin to the one that they find.
fn pooled(margins: Margins) -> Margins {
    let third = (margins.detect - margins.tolerate) / 3.0;
    Margins {
        detect: margins.tolerate + third,
        ..margins
    }
}

impl Row {
    fn judged(&self) -> Judged {
        Judged {
            subject: self.subject,
            measure: self.measure,
            margins: self.margins,
            verdict: self.tally.verdict,
            pairs: self.tally.pairs(),
            slower_in: self.tally.lost(),
            faster_in: self.tally.won(),
            head_failed: self.tally.head_failed,
            base_failed: self.tally.base_failed,
            estimate: self.tally.estimate(),
            excluded: self.tally.excluded(),
        }
    }
}

/// A row with its decision.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Judged {
    /// What it is about.
    pub subject: Subject,
    /// The figure.
    pub measure: Measure,
    /// By how much it was judged.
    pub margins: Margins,
    /// The decision.
    pub verdict: Verdict,
    /// Pairs that counted.
    pub pairs: u64,
    /// Pairs in which head was more than tolerated slower, or failed alone.
    pub slower_in: u64,
    /// Pairs in which head was more than tolerated faster, or base failed alone.
    pub faster_in: u64,
    /// Pairs in which head alone failed.
    pub head_failed: u64,
    /// Pairs in which base alone failed.
    pub base_failed: u64,
    /// The median slow-down.
    pub estimate: Option<Estimate>,
    /// The smallest slow-down that is excluded.
    pub excluded: Option<f64>,
}

/// Decision on a suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Every row was decided, and none is slower or broken.
    Ok,
    /// A row is slower or broken.
    Slower,
    /// A row is open, or the control alarmed.
    Undecided,
}

/// Decisions on all rows of a suite.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Judgement {
    /// The decision on the suite.
    pub outcome: Outcome,
    /// Whether base differed from its own copy.
    pub control_alarmed: bool,
    /// The rows, in the order of cells, with pooled rows and control last.
    pub rows: Vec<Judged>,
}
