//! How a cell was sampled: whether its samples are enough, what ended their
//! taking, and which of them the machine spoiled.

use serde::Serialize;

use crate::analysis::summary::Row;
use crate::analysis::summary::choice::timed;
use crate::precision::Interval;
use crate::record::{Ending, Record, Sample, SampleResult, Taken};

/// Of a machine's time, the share that others may use during a sample before it
/// is marked: with more, a request of ours finds a processor taken every now
/// and then.
const OTHERS: f64 = 0.05;

/// Of a processor's time, the share that the hypervisor may give to others.
const STEAL: f64 = 0.01;

/// Clocks of the system count in ticks of this many seconds.
const TICK: f64 = 0.01;

/// How a cell was sampled.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sampled {
    /// The interval of the median warm runtime, over samples with hardly a failure.
    /// `None` where they are too few.
    pub interval: Option<Interval>,
    /// The same of the cold runtime.
    pub cold_interval: Option<Interval>,
    /// What ended the taking of samples; `None` where the record does not tell.
    pub ended_by: Option<EndedBy>,
    /// Samples that the machine spoiled. They count like the others.
    pub spoilt: usize,
    /// What spoiled the worst of them.
    pub spoilt_by: Option<Spoilt>,
    /// The most others that ran beside one of its samples, 0 where each ran
    /// alone; `None` where the record does not tell.
    pub beside: Option<usize>,
}

/// What ended the taking of a cell's samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EndedBy {
    /// It had as many as were asked for.
    Samples,
    /// The interval of its median was narrow enough.
    Precision,
    /// The time for sampling was over.
    Time,
    /// Many requests failed in all of them, so no more were taken.
    Failures,
    /// The session was stopped.
    Interruption,
}

impl EndedBy {
    /// Its name in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Samples => "samples",
            Self::Precision => "precision",
            Self::Time => "time",
            Self::Failures => "failures",
            Self::Interruption => "interruption",
        }
    }
}

/// What the machine did during a sample, as shares of the sample's time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spoilt {
    /// Processes that are not the session's: a share of all processors' time.
    pub others: f64,
    /// The hypervisor: a share of one processor's time.
    pub steal: f64,
}

impl Spoilt {
    /// What spoiled a sample. `None` where nothing did, or the system did not
    /// tell.
    pub fn of(taken: &Taken) -> Option<Self> {
        let machine = taken.machine?;
        let share = |seconds: f64, processors: f64| {
            let share = (seconds - TICK) / (taken.wall_s * processors);
            if share.is_finite() {
                share.max(0.0)
            } else {
                0.0
            }
        };
        let spoilt = Self {
            others: share(machine.others_s, machine.cores.max(1) as f64),
            steal: share(machine.steal_s, 1.0),
        };
        (spoilt.others > OTHERS || spoilt.steal > STEAL).then_some(spoilt)
    }

    /// How many times over the limit.
    fn severity(&self) -> f64 {
        (self.others / OTHERS).max(self.steal / STEAL)
    }
}

impl Sampled {
    /// Whether others ran beside one of its samples.
    pub fn was_beside(&self) -> bool {
        self.beside.is_some_and(|beside| beside > 0)
    }

    /// How a cell of a record was sampled.
    pub(crate) fn of(record: &Record, samples: &[&Sample]) -> Self {
        let measured = samples.iter().filter_map(|sample| match &sample.result {
            SampleResult::Measured(measured) => Some(measured.as_ref()),
            SampleResult::Error(_) => None,
        });
        let timed = timed(&measured.collect::<Vec<_>>());
        let good: Vec<_> = timed
            .iter()
            .filter(|measured| measured.is_nearly_whole())
            .collect();
        let spoilt: Vec<Spoilt> = samples
            .iter()
            .filter_map(|sample| Spoilt::of(&sample.taken))
            .collect();
        let beside = samples.iter().map(|sample| sample.taken.beside).max();
        let told = |beside: &usize| *beside > 0 || record.session.sampling.is_some();
        Self {
            beside: beside.filter(told),
            interval: Interval::of_median(good.iter().map(|measured| measured.warm_s)),
            cold_interval: Interval::of_median(good.iter().map(|measured| measured.cold_s)),
            ended_by: ended_by(record, samples, good.is_empty()),
            spoilt: spoilt.len(),
            spoilt_by: spoilt
                .into_iter()
                .max_by(|a, b| a.severity().total_cmp(&b.severity())),
        }
    }
}

fn ended_by(record: &Record, samples: &[&Sample], none_succeeded: bool) -> Option<EndedBy> {
    let sampling = record.session.sampling.as_ref()?;
    let cut_short = record.ending != Ending::Complete;
    let enough = |asked: u32| samples.len() >= asked as usize;
    Some(if samples.iter().any(|sample| sample.taken.settled) {
        EndedBy::Precision
    } else if sampling.samples.is_some_and(enough) {
        EndedBy::Samples
    } else if cut_short {
        EndedBy::Interruption
    } else if none_succeeded {
        EndedBy::Failures
    } else {
        EndedBy::Time
    })
}

/// What a reader should know of how cells were sampled.
pub(crate) fn findings(rows: &[Row]) -> Vec<String> {
    let mut notes = Vec::new();
    let ended = |by| {
        let rows = rows.iter().map(|row| row.sampled.ended_by);
        rows.filter(|ended| *ended == Some(by)).count()
    };
    let (time, precision) = (ended(EndedBy::Time), ended(EndedBy::Precision));
    if time + precision > 0 {
        notes.push(format!(
            "sampling ended in {precision} of {} cells because the median is known to 0.5 % (95 % \
             confidence), in {time} because its time was over",
            rows.len()
        ));
    }
    notes.extend(spoilt(rows));
    notes
}

fn spoilt(rows: &[Row]) -> Option<String> {
    let marked = rows.iter().filter(|row| row.sampled.spoilt > 0);
    let worst = marked
        .clone()
        .filter_map(|row| Some((row, row.sampled.spoilt_by?)))
        .max_by(|a, b| a.1.severity().total_cmp(&b.1.severity()))?;
    let samples = rows.iter().map(Row::samples).sum::<usize>();
    let spoilt = marked.clone().map(|row| row.sampled.spoilt).sum::<usize>();
    Some(format!(
        "! marks {} cells: during {spoilt} of {samples} samples the machine did something else as \
         well, which makes times longer; at worst other processes used {:.0} % of it and the \
         hypervisor took {:.0} % of a processor ({})",
        marked.count(),
        100.0 * worst.1.others,
        100.0 * worst.1.steal,
        worst.0.cell
    ))
}

#[cfg(test)]
mod tests {
    use super::{EndedBy, Spoilt};
    use crate::analysis::Summary;
    use crate::analysis::fixture::{RecordBuilder, measured};
    use crate::record::{Ending, MachineUse, Record, Sampling, Taken};

    fn taken(wall_s: f64, others_s: f64, steal_s: f64) -> Taken {
        Taken {
            wall_s,
            machine: Some(MachineUse {
                steal_s,
                others_s,
                cores: 2,
                load: 1.0,
            }),
            ..Taken::default()
        }
    }

    #[test]
    fn a_sample_is_spoilt_by_others_and_by_the_hypervisor_beyond_a_share() {
        assert_eq!(Spoilt::of(&taken(10.0, 1.0, 0.1)), None);
        let others = Spoilt::of(&taken(10.0, 2.01, 0.0)).expect("spoilt");
        assert!((others.others - 0.1).abs() < 1e-9);
        let steal = Spoilt::of(&taken(10.0, 0.0, 0.51)).expect("spoilt");
        assert!((steal.steal - 0.05).abs() < 1e-9);
        // A tick is no share of a short sample.
        assert_eq!(Spoilt::of(&taken(0.1, 0.01, 0.01)), None);
        assert_eq!(Spoilt::of(&taken(0.0, 0.0, 0.0)), None);
        assert_eq!(Spoilt::of(&Taken::default()), None);
    }

    fn sampled(samples: Option<u32>, ending: Ending, change: impl FnOnce(&mut Record)) -> Summary {
        let mut builder = RecordBuilder::new().ending(ending).session(|session| {
            session.sampling = Some(Sampling {
                samples,
                budget_s: samples.is_none().then_some(60.0),
                seed: 1,
                lanes: 16,
                wake_s: None,
            });
        });
        for round in 0..6 {
            builder = builder.sample("tokio", 3, measured(100, 6.84 + 0.001 * f64::from(round)));
        }
        let mut record = builder.build();
        change(&mut record);
        Summary::of(&record)
    }

    #[test]
    fn what_waking_adds_to_samples_alone_is_said_where_it_is_known() {
        let notes = |wake: Option<f64>| {
            let summary = sampled(Some(6), Ending::Complete, |record| {
                record.samples[0].taken.beside = 3;
                record.session.sampling.as_mut().unwrap().wake_s = wake;
            });
            summary.notes.join("\n")
        };
        // Two wake-ups of 0.2 ms in 200 ms.
        let known = notes(Some(0.000_2));
        assert!(known.contains("differ by about 0.20 %"), "{known}");
        assert!(known.contains("∥ marks 1 of 1 cell"), "{known}");
        assert!(known.contains("beside up to 3 others"), "{known}");
        for unknown in [None, Some(-1.0), Some(f64::NAN), Some(5.0)] {
            let unknown = notes(unknown);
            assert!(unknown.contains("some tenths of a per cent"), "{unknown}");
        }
    }

    #[test]
    fn cell_tells_the_most_that_ran_beside_its_samples() {
        let beside = |change: fn(&mut Record)| {
            sampled(Some(6), Ending::Complete, change).rows[0]
                .sampled
                .beside
        };
        assert_eq!(beside(|_| {}), Some(0));
        assert_eq!(beside(|r| r.samples[2].taken.beside = 9), Some(9));
        // A record of another program, which does not tell.
        assert_eq!(beside(|r| r.session.sampling = None), None);
    }

    #[test]
    fn what_ended_the_samples_of_a_cell_is_told() {
        let ended_by = |samples, ending, change: fn(&mut Record)| {
            sampled(samples, ending, change).rows[0].sampled.ended_by
        };
        let nothing = |_: &mut Record| {};
        let settled = |record: &mut Record| record.samples[5].taken.settled = true;
        let (complete, stopped) = (Ending::Complete, Ending::Interrupted);
        assert_eq!(ended_by(Some(6), complete, nothing), Some(EndedBy::Samples));
        assert_eq!(ended_by(None, complete, nothing), Some(EndedBy::Time));
        assert_eq!(ended_by(None, complete, settled), Some(EndedBy::Precision));
        assert_eq!(ended_by(None, stopped, settled), Some(EndedBy::Precision));
        assert_eq!(
            ended_by(Some(7), stopped, nothing),
            Some(EndedBy::Interruption)
        );
        let untold = |record: &mut Record| record.session.sampling = None;
        assert_eq!(ended_by(None, complete, untold), None);
    }

    #[test]
    fn six_samples_have_an_interval_and_five_have_none() {
        let six = sampled(Some(6), Ending::Complete, |_| {});
        let interval = six.rows[0].sampled.interval.expect("an interval");
        assert_eq!((interval.low, interval.high), (6.84, 6.845));
        let five = sampled(Some(5), Ending::Complete, |record| {
            record.samples.pop();
        });
        assert_eq!(five.rows[0].sampled.interval, None);
    }

    #[test]
    fn spoilt_samples_are_counted_noted_and_not_dropped() {
        let summary = sampled(Some(6), Ending::Complete, |record| {
            record.samples[2].taken = taken(7.0, 9.0, 0.0);
            record.samples[4].taken = taken(7.0, 0.0, 0.2);
        });
        let row = &summary.rows[0];
        assert_eq!((row.sampled.spoilt, row.samples()), (2, 6));
        let note = summary.notes.last().expect("a note");
        assert!(note.contains("2 of 6 samples"), "{note}");
        assert!(note.contains("tokio + hyper, w=3"), "{note}");
    }
}
