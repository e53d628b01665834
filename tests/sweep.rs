//! How `fanout compare` samples a sweep: the order, what runs side by side, when
//! it has enough, and several profiles in one session.

#![cfg(unix)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Output};
use std::sync::atomic::AtomicBool;
use std::time::{Duration, SystemTime};

use common::fanout;
use fanout::analysis::Summary;
use fanout::measure::{
    Behaviour, Bundled, Event, Observer, Plan, ServerProcess, Session, SessionError, Sweep, Target,
    Terms,
};
use fanout::record::{
    Cell, Ending, Measurement, Purpose, Record, Sample, SampleResult, Sampling, Writer,
};
use fanout::strategy::Catalogue;
use fanout::workload::{Expect, Gets, Template};
use tempfile::TempDir;

/// `compare` with a small batch; what it measured, and where that is.
fn compare(arguments: &str) -> (Record, TempDir) {
    let out = tempfile::tempdir().unwrap();
    let output = run(arguments, out.path());
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{stderr}");
    let record = Record::read(&out.path().join("record.jsonl")).unwrap();
    assert_eq!(record.ending, Ending::Complete);
    (record, out)
}

fn run(arguments: &str, out: &Path) -> Output {
    Command::new(fanout())
        .arg("compare")
        .args(arguments.split_whitespace())
        .arg("--out")
        .arg(out)
        .env("NO_COLOR", "1")
        .output()
        .unwrap()
}

fn measured(sample: &Sample) -> &Measurement {
    match &sample.result {
        SampleResult::Measured(measured) => measured,
        SampleResult::Error(error) => panic!("{}: {error}", sample.cell),
    }
}

fn rows(out: &Path) -> Vec<BTreeMap<String, String>> {
    let mut csv = csv::Reader::from_path(out.join("summary.csv")).unwrap();
    csv.deserialize().map(Result::unwrap).collect()
}

#[test]
fn the_order_is_that_of_the_seed_and_each_round_has_every_cell() {
    let order = |seed: u32| -> Vec<Cell> {
        let (record, _) = compare(&format!(
            "--strategies tokio,thread-pool,rayon --workers 1,2,3 --requests 4 --delay 1ms \
             --samples 2 --order-seed {seed}"
        ));
        let sampling = record.session.sampling.unwrap();
        assert_eq!((sampling.seed, sampling.samples), (seed.into(), Some(2)));
        for round in 0..2 {
            let of_round = record.samples.iter().skip(9 * round).take(9);
            let cells: BTreeSet<_> = of_round
                .inspect(|sample| assert_eq!(sample.round as usize, round))
                .map(|sample| &sample.cell)
                .collect();
            assert_eq!(cells.len(), 9);
        }
        record
            .samples
            .into_iter()
            .map(|sample| sample.cell)
            .collect()
    };
    assert_eq!(order(7), order(7));
    assert_ne!(order(7), order(8));
}

#[test]
fn what_the_recommendation_rests_on_has_samples_enough_in_rounds_of_their_own() {
    let (record, _out) = compare("--strategies tokio,thread-pool --requests 6 --delay 2ms");
    let mut taken = BTreeSet::new();
    for sample in &record.samples {
        let first = taken.insert((&sample.cell, sample.round));
        assert!(first, "{}: round {} twice", sample.cell, sample.round);
    }
    let summary = Summary::of(&record);
    let advice = summary.recommendation.expect("a recommendation");
    for row in [advice.row, advice.fastest] {
        assert!(
            summary.rows[row].samples() >= 6,
            "{}",
            summary.rows[row].cell
        );
    }
    let others = summary.rows.iter().filter(|row| row.samples() == 3);
    assert!(others.count() > 0);
}

#[test]
fn idle_samples_run_side_by_side_with_a_server_each_and_serial_ones_do_not() {
    // 1.6 s at least, of which next to nothing is work.
    let job = "--strategies tokio,thread-pool,multiprocess --workers 1 --requests 16 \
               --delay 100ms --samples 1";
    let (record, _) = compare(job);
    assert!(record.session.sampling.unwrap().lanes > 1);
    let beside = record
        .samples
        .iter()
        .map(|sample| sample.taken.beside)
        .max();
    assert_eq!(beside, Some(2));
    for sample in &record.samples {
        let measured = measured(sample);
        assert_eq!((measured.ok, measured.failed()), (16, 0));
        // The journal of each lane was the sample's own, or it would not agree.
        assert!(measured.server.is_some());
        assert!(sample.taken.wall_s >= measured.warm_s);
        let told = Path::new("/proc/stat").exists();
        assert_eq!(sample.taken.machine.is_some(), told);
    }
    let (serial, _) = compare(&format!("{job} --serial --strategies tokio,rayon"));
    assert!(serial.samples.iter().all(|sample| sample.taken.beside == 0));
    assert_eq!(serial.session.sampling.unwrap().lanes, 1);
}

#[test]
fn runtime_variables_change_no_thread_count() {
    let threads = |variables: &[(&str, &str)]| -> BTreeMap<String, Option<u64>> {
        let out = tempfile::tempdir().unwrap();
        let output = Command::new(fanout())
            .args("compare --workers 2 --requests 8 --delay 1ms --samples 1".split(' '))
            .args(["--strategies", "tokio,async-std,smol,rayon,multiprocess"])
            .arg("--out")
            .arg(out.path())
            .envs(variables.iter().copied())
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        let record = Record::read(&out.path().join("record.jsonl")).unwrap();
        let told = record.samples.iter().map(|sample| {
            let threads = measured(sample).runtime_threads;
            (sample.cell.strategy.clone(), threads)
        });
        told.collect()
    };
    let plain = threads(&[]);
    let cores = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    for (strategy, runtime) in [
        ("tokio", Some(cores)),
        ("async-std", Some(cores)),
        ("smol", Some(cores)),
        ("rayon", None),
        ("multiprocess", None),
    ] {
        assert_eq!(plain[strategy], runtime, "{strategy}");
    }
    let set = threads(&[
        ("TOKIO_WORKER_THREADS", "7"),
        ("ASYNC_STD_THREAD_COUNT", "7"),
        ("ASYNC_STD_THREAD_NAME", "other"),
        ("SMOL_THREADS", "7"),
        ("RAYON_NUM_THREADS", "7"),
    ]);
    assert_eq!(plain, set);
}

#[test]
fn results_in_order_have_the_time_that_they_waited() {
    // One in ten takes longer, and holds up those behind it.
    let job = "--strategies tokio,multiprocess --workers 4 --requests 40 --samples 1 \
               --profile long-tail";
    let (record, out) = compare(&format!("{job} --results in-order"));
    for sample in &record.samples {
        let outcomes = &measured(sample).outcomes;
        assert_eq!(outcomes.held_s.len(), 40, "{}", sample.cell);
        assert!(outcomes.held_s.iter().any(|held| *held > 0.001));
    }
    for row in rows(out.path()) {
        assert!(row["held_max_s"].parse::<f64>().unwrap() > 0.001);
        assert!(row["held_mean_s"].parse::<f64>().unwrap() > 0.0);
    }
    let (record, out) = compare(job);
    let held = |sample: &Sample| measured(sample).outcomes.held_s.clone();
    assert!(record.samples.iter().all(|sample| held(sample).is_empty()));
    assert!(
        rows(out.path())
            .iter()
            .all(|row| row["held_mean_s"].is_empty())
    );
}

#[test]
fn server_in_another_process_is_accounted_as_the_server() {
    let behaviour = Behaviour::fixed(Duration::ZERO, 1).unwrap();
    let server = ServerProcess::start(&fanout(), &behaviour).unwrap();
    let (record, out) = compare(&format!(
        "--url {} --strategies tokio,multiprocess --workers 2 --requests 500 --samples 1",
        server.url()
    ));
    assert!(record.samples.len() >= 2);
    for sample in &record.samples {
        let measured = measured(sample);
        let told = measured.local_server_cpu_s;
        assert_eq!(told.is_some(), Path::new("/proc/net/tcp").exists());
        // Each request is at least some system calls.
        assert!(told.is_none_or(|cpu| cpu > 0.0), "{}", sample.cell);
        assert!(measured.server.is_none());
    }
    for row in rows(out.path()) {
        assert_eq!(row["server_cpu_s"].is_empty(), !Path::new("/proc").exists());
    }
}

#[test]
fn short_samples_run_alone() {
    let (record, _) = compare("--strategies tokio,rayon --workers 1,2 --requests 10 --delay 2ms");
    // Three of each, where nothing is said.
    assert_eq!(record.samples.len(), 12);
    assert!(record.samples.iter().all(|sample| sample.taken.beside == 0));
}

#[test]
fn sampling_goes_on_until_medians_are_known_or_time_is_over_and_says_which() {
    let (record, out) =
        compare("--strategies tokio --workers 1,2 --requests 5 --delay 1ms --time 1s");
    let sampling = record.session.sampling.as_ref().unwrap();
    assert_eq!((sampling.samples, sampling.budget_s), (None, Some(1.0)));
    for row in rows(out.path()) {
        let samples: usize = row["samples"].parse().unwrap();
        let has_interval = !row["warm_low_s"].is_empty();
        assert_eq!(has_interval, samples >= 6, "{row:?}");
        match row["ended_by"].as_str() {
            "precision" => {
                let number = |field: &str| -> f64 { row[field].parse().unwrap() };
                let median = number("warm_s");
                assert!(number("warm_high_s") <= median * 1.005 + 1e-8, "{row:?}");
                assert!(number("warm_low_s") >= median * 0.995 - 1e-8, "{row:?}");
            }
            ended_by => assert_eq!(ended_by, "time", "{row:?}"),
        }
    }
    let markdown = std::fs::read_to_string(out.path().join("summary.md")).unwrap();
    assert!(markdown.contains("sampling ended in"), "{markdown}");
}

#[test]
fn a_cell_without_success_is_not_sampled_for_ever() {
    let out = tempfile::tempdir().unwrap();
    let output = run(
        "--strategies tokio --workers 1 --requests 3 --delay 1ms --time 10m --set faults.error=1",
        out.path(),
    );
    assert_eq!(output.status.code(), Some(1));
    let rows = rows(out.path());
    let field = |name: &str| rows[0][name].as_str();
    assert_eq!((field("samples"), field("ended_by")), ("3", "failures"));
    assert_eq!((field("gap"), field("best")), ("", "false"));
}

#[test]
fn several_profiles_are_measured_in_one_session_each_against_its_own_bound() {
    let (record, out) = compare(
        "--profile jittery --profile exponential,jittery --set service_time.mean=4ms \
         --strategies tokio,rayon --workers 2 --requests 8 --samples 1",
    );
    let servers: Vec<_> = record.session.servers().cloned().collect();
    assert_eq!(servers.len(), 2);
    assert_ne!(servers[0].url, servers[1].url);
    for sample in &record.samples {
        let server = record.session.server_of(&sample.cell);
        assert_eq!(server.profile, sample.cell.profile);
        assert!(measured(sample).server.is_some());
    }
    let rows = rows(out.path());
    assert_eq!(rows.len(), 4);
    for row in &rows {
        let server = servers
            .iter()
            .find(|server| server.profile.as_deref() == Some(&row["profile"]))
            .unwrap();
        let bound: f64 = row["bound_s"].parse().unwrap();
        let service = server.service_s.unwrap();
        let expected = (service * 4.0).max(server.longest_s.unwrap_or(0.0));
        assert!((bound - expected).abs() < 1e-6, "{row:?} {server:?}");
    }
    for file in [
        "summary.csv",
        "summary.md",
        "jittery/runtime.svg",
        "exponential/summary.md",
    ] {
        assert!(out.path().join(file).exists(), "{file}");
    }
    let markdown = std::fs::read_to_string(out.path().join("summary.md")).unwrap();
    assert!(
        markdown.contains("[exponential](exponential/summary.md)"),
        "{markdown}"
    );
}

#[test]
fn a_record_that_says_nothing_of_how_it_was_sampled_is_reported_all_the_same() {
    let (_, out) = compare("--strategies tokio --workers 1,2 --requests 4 --delay 1ms --samples 1");
    let path = out.path().join("record.jsonl");
    let mut lines = Vec::new();
    for line in std::fs::read_to_string(&path).unwrap().lines() {
        let mut line: serde_json::Value = serde_json::from_str(line).unwrap();
        if let Some(session) = line.get_mut("session").and_then(|s| s.as_object_mut()) {
            session.remove("sampling").unwrap();
        }
        if let Some(sample) = line.get_mut("sample").and_then(|s| s.as_object_mut()) {
            sample.remove("taken").unwrap();
        }
        lines.push(line.to_string());
    }
    std::fs::write(&path, lines.join("\n") + "\n").unwrap();
    let report = Command::new(fanout())
        .arg("report")
        .arg(out.path())
        .output();
    let report = report.unwrap();
    let said = String::from_utf8_lossy(&report.stderr);
    assert!(report.status.success(), "{said}");
    for row in rows(out.path()) {
        assert_eq!(
            (row["ended_by"].as_str(), row["spoilt"].as_str()),
            ("", "0")
        );
        assert_eq!(row["ok"], "4");
    }
}

#[test]
fn records_stand_side_by_side_and_those_of_two_machines_only_by_force() {
    let job = "--strategies tokio --workers 1 --requests 3 --delay 1ms --samples 1";
    let ((_, before), (_, after)) = (compare(job), compare(job));
    let out = tempfile::tempdir().unwrap();
    let report = |more: &[&str]| {
        let dirs = [before.path(), after.path()];
        let mut command = Command::new(fanout());
        command
            .arg("report")
            .args(dirs)
            .args(more)
            .output()
            .unwrap()
    };
    let to = ["--out", out.path().to_str().unwrap()];
    assert_eq!(report(&[]).status.code(), Some(1));
    assert!(report(&to).status.success());
    assert_eq!(rows(out.path()).len(), 2);

    let path = after.path().join("record.jsonl");
    let record = std::fs::read_to_string(&path).unwrap();
    std::fs::write(
        &path,
        record.replacen("\"cpu\":\"", "\"cpu\":\"Another ", 1),
    )
    .unwrap();
    let refused = report(&to);
    let said = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert!(
        said.contains("Another") && said.contains("--force"),
        "{said}"
    );
    assert!(report(&[&to[..], &["--force"]].concat()).status.success());
    let markdown = std::fs::read_to_string(out.path().join("summary.md")).unwrap();
    assert!(markdown.contains("do not compare"), "{markdown}");
}

struct Deaf;

impl Observer for Deaf {
    fn on(&mut self, _: &Event<'_>) {}
}

#[test]
fn a_build_between_two_plans_of_a_session_ends_it() {
    let dir = tempfile::tempdir().unwrap();
    let program = dir.path().join("fanout");
    std::fs::copy(fanout(), &program).unwrap();
    let behaviour = Behaviour::fixed(Duration::ZERO, 1).unwrap();
    let server = ServerProcess::start(&program, &behaviour).unwrap();
    let url = server.url().to_owned();
    let workload = Gets::new(Template::of_url(&url).unwrap(), 2, Expect::Status);
    let sweep = Sweep {
        strategies: vec!["sequential".to_owned()],
        workers: vec![1],
        requests: 2,
        samples: 1,
        ..Sweep::default()
    };
    let plan = Plan::sweep(&Catalogue::bundled(), &sweep).unwrap();
    let (reference, stop) = (
        Path::new(env!("CARGO_MANIFEST_DIR")),
        AtomicBool::new(false),
    );
    let reference = Record::read(&reference.join("results/reference/record.jsonl")).unwrap();
    let sampling = Sampling {
        samples: Some(1),
        budget_s: None,
        seed: 1,
        lanes: 1,
        wake_s: None,
    };
    let mut writer = Writer::create(dir.path(), &reference.session).unwrap();
    let session = Session {
        plan: plan.clone(),
        sampling: &sampling,
        purpose: Purpose::default(),
        targets: vec![Target {
            profile: None,
            terms: Terms::new(workload, url, Duration::from_secs(10)),
            service_s: None,
            cpu_per_answer_s: 0.0,
            bundled: Some(Bundled {
                behaviour,
                first: server,
            }),
        }],
        program: &program,
        stop: &stop,
    };
    let mut further = || {
        // As a build would leave it.
        let file = std::fs::File::open(&program).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        Some(plan.clone())
    };
    let ran = session.run(&mut writer, &mut Deaf, &mut further);
    assert!(matches!(ran, Err(SessionError::Replaced { .. })), "{ran:?}");
    assert_eq!(writer.samples(), 1);
}

#[test]
fn cpu_time_of_building_and_running_are_parts_of_the_whole() {
    let (record, _out) = compare(
        "--strategies thread-pool,tokio,multiprocess --workers 8 --requests 400 --delay 0 --samples 2",
    );
    for sample in &record.samples {
        let measured = measured(sample);
        let (build, run) = (measured.build_cpu_s.unwrap(), measured.run_cpu_s.unwrap());
        let (cpu, cell) = (measured.cpu_s, &sample.cell);
        assert!(run > 0.0 && build > 0.0, "{cell}: {build} + {run} of {cpu}");
        // The clocks of threads and of processes differ by what the kernel rounds.
        assert!(
            build + run <= cpu * 1.02 + 0.002,
            "{cell}: {build} + {run} of {cpu}"
        );
        let server = measured.server.unwrap();
        let served = server.run_cpu_s.unwrap();
        assert!(served > 0.0 && served <= server.cpu_s, "{cell}: {server:?}");
    }
}
