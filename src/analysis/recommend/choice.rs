//! Which cell is chosen: a matter of numbers alone.

use crate::analysis::noise::{Comparison, Noise};
use crate::analysis::recommend::{TOLERANCE, sustained};
use crate::analysis::statistics::Sorted;
use crate::analysis::summary::{Figures, Row};
use crate::record::{Cell, Purpose, RateLimit, Session};

/// Runtimes that differ by less than this, as a fraction, are the same to
/// anyone who waits for them.
const SAME: f64 = 0.02;

/// What a cell is chosen for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::analysis) struct Terms {
    /// What the batch is measured for: which runtime decides.
    pub(in crate::analysis) purpose: Purpose,
    /// The rate that a cell must keep to, where there is one.
    pub(in crate::analysis) rate: Option<RateLimit>,
}

impl Terms {
    /// Those of a session.
    pub(in crate::analysis) fn of(session: &Session) -> Self {
        Self {
            purpose: session.purpose,
            rate: sustained::rate(session),
        }
    }
}

/// The chosen cell, and those that it was chosen from.
#[derive(Debug)]
pub(in crate::analysis) struct Choice<'a> {
    pub(in crate::analysis) rows: &'a [Row],
    /// What it was chosen for.
    pub(in crate::analysis) terms: Terms,
    /// Whether cells were left out that do not keep to the rate limit.
    pub(in crate::analysis) beyond_rate: bool,
    /// Places of the cells that fail no more than the best, of one batch size.
    pub(in crate::analysis) eligible: Vec<usize>,
    /// The place of the fastest of them.
    pub(in crate::analysis) fastest: usize,
    /// The place of the chosen one.
    pub(in crate::analysis) chosen: usize,
    /// Places of those with as many workers as the chosen one that are as fast,
    /// itself among them.
    pub(in crate::analysis) equals: Vec<usize>,
    noise: Noise,
}

impl<'a> Choice<'a> {
    /// Chooses. `None` where no cell compares.
    pub(in crate::analysis) fn of(rows: &'a [Row], terms: Terms) -> Option<Self> {
        let compares = |place: &usize| rows[*place].compares();
        let whole: Vec<usize> = (0..rows.len()).filter(compares).collect();
        // Batches of different sizes do not compare: the largest is the one to
        // advise on.
        let requests = whole.iter().map(|place| rows[*place].cell.requests).max()?;
        let mut choice = Self {
            rows,
            terms,
            beyond_rate: false,
            eligible: whole
                .into_iter()
                .filter(|place| rows[*place].cell.requests == requests)
                .collect(),
            fastest: 0,
            chosen: 0,
            equals: Vec::new(),
            noise: Noise::of(rows.iter().filter_map(|row| row.judged(terms.purpose))),
        };
        choice.keep_to_rate(requests);
        choice.eligible = choice.distinct();
        choice.fastest = choice.quickest(&choice.eligible)?;
        let within: Vec<_> = choice.within().collect();
        let fewest = within.iter().map(|place| choice.workers(*place)).min()?;
        let there: Vec<_> = within
            .into_iter()
            .filter(|place| choice.workers(*place) == fewest)
            .collect();
        let quickest = choice.quickest(&there)?;
        choice.equals = there
            .into_iter()
            .filter(|place| choice.alike(*place, quickest))
            .collect();
        let purpose = choice.terms.purpose;
        choice.chosen = choice.least(&choice.maintained(), |figures| cost(figures, purpose))?;
        Some(choice)
    }

    /// Leaves out the cells that a rate limit let through in its burst alone, if any
    /// cell does without. A batch that fits in the burst need not keep to the rate.
    fn keep_to_rate(&mut self, requests: usize) {
        let rate = self.terms.rate;
        let Some(rate) = rate.filter(|rate| !sustained::fits(requests, *rate)) else {
            return;
        };
        let keeps = |place: &usize| sustained::keeps_to(&self.rows[*place], rate);
        let kept: Vec<usize> = self.eligible.iter().copied().filter(keeps).collect();
        if !kept.is_empty() {
            self.beyond_rate = kept.len() < self.eligible.len();
            self.eligible = kept;
        }
    }

    /// Those of the equals whose strategies are maintained, or all where none is:
    /// nobody should begin with what its maintainers have given up.
    fn maintained(&self) -> Vec<usize> {
        let equals = self.equals.iter().copied();
        let maintained: Vec<_> = equals
            .filter(|place| !self.rows[*place].discontinued)
            .collect();
        match maintained.is_empty() {
            true => self.equals.clone(),
            false => maintained,
        }
    }

    /// The figures of an eligible cell.
    pub(in crate::analysis) fn figures(&self, place: usize) -> &'a Figures {
        self.rows[place]
            .figures
            .as_ref()
            .expect("an eligible cell was measured")
    }

    pub(in crate::analysis) fn cell(&self, place: usize) -> &'a Cell {
        &self.rows[place].cell
    }

    /// The workers that have something to do: no more than there are requests.
    pub(in crate::analysis) fn workers(&self, place: usize) -> usize {
        self.rows[place].workers()
    }

    /// The eligible cells that are settings of their own: with more workers than
    /// requests a strategy has the same setting as with one for each, so of
    /// those with as many or more the one with the fewest stands for all.
    fn distinct(&self) -> Vec<usize> {
        let usable = |place: usize| self.cell(place).workers_usable;
        let stands_for = |one: usize, other: usize| {
            usable(one) < usable(other)
                && self.workers(one) == self.workers(other)
                && self.same_line(one, other)
        };
        let places = self.eligible.iter().copied();
        places
            .filter(|other| {
                let mut others = self.eligible.iter();
                !others.any(|one| stands_for(*one, *other))
            })
            .collect()
    }

    /// The runtimes of an eligible cell that decide.
    fn judged(&self, place: usize) -> &'a Sorted {
        self.figures(place).runtimes.judged(self.terms.purpose)
    }

    /// The median of the runtimes of an eligible cell that decide.
    pub(in crate::analysis) fn time(&self, place: usize) -> f64 {
        self.judged(place).median()
    }

    /// Whether two cells differ in their workers alone.
    pub(in crate::analysis) fn same_line(&self, one: usize, other: usize) -> bool {
        self.rows[one].is_like(&self.rows[other])
    }

    /// The eligible cells within the tolerance of the fastest.
    pub(in crate::analysis) fn within(&self) -> impl Iterator<Item = usize> {
        let eligible = self.eligible.iter().copied();
        eligible.filter(|place| self.is_within(*place))
    }

    /// Whether a cell is within the tolerance: its median of the fastest
    /// median, and a high quantile of that one's. So a cell whose median was lucky
    /// does not count, a machine that disturbs all cells alike excludes none, and
    /// few samples favour nobody.
    fn is_within(&self, place: usize) -> bool {
        let (this, fastest) = (self.judged(place), self.judged(self.fastest));
        let limit = 1.0 + TOLERANCE;
        let (high, highest) = this.high_quantiles(fastest);
        this.median() <= fastest.median() * limit && high <= highest * limit
    }

    /// Whether one cell cannot be told from a quicker one, or nobody would notice.
    fn alike(&self, place: usize, quicker: usize) -> bool {
        let (this, quick) = (self.judged(place), self.judged(quicker));
        self.noise.compare(this, quick, 1) != Comparison::Apart
            || self.time(place) <= self.time(quicker) * (1.0 + SAME)
    }

    /// The place with the shortest median; the first of equals.
    pub(in crate::analysis) fn quickest(&self, places: &[usize]) -> Option<usize> {
        let places = places.iter().copied();
        places.min_by(|a, b| self.time(*a).total_cmp(&self.time(*b)))
    }

    /// The place whose value is the least; the first of equals.
    pub(in crate::analysis) fn least(
        &self,
        places: &[usize],
        value: impl Fn(&Figures) -> f64,
    ) -> Option<usize> {
        let value = |place: &usize| value(self.figures(*place));
        let places = places.iter().copied();
        places.min_by(|a, b| value(a).total_cmp(&value(b)))
    }
}

/// What a cell costs in CPU time and memory: their product, so that neither
/// needs a price in the other's unit. Where one is not told, the other alone.
pub(in crate::analysis) fn cost(figures: &Figures, purpose: Purpose) -> f64 {
    let memory = figures.peak_rss_bytes.map_or(1.0, |bytes| bytes as f64);
    // The clock of CPU time is no finer than this.
    paid_cpu_s(figures, purpose).max(1e-6) * memory
}

/// The CPU time that a batch costs: all of it for one that is run once, that of the
/// run for one that is run again and again. Where a record does not tell them apart,
/// all of it.
pub(in crate::analysis) fn paid_cpu_s(figures: &Figures, purpose: Purpose) -> f64 {
    match purpose {
        Purpose::Once => figures.cpu_s,
        Purpose::Repeated => figures.run_cpu_s.unwrap_or(figures.cpu_s),
    }
}
