//! The service model over the wire: refusals, faults, pacing, and what the
//! journal makes of them.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::support::{AT_ONCE, Answer, Client, call, profiled};

#[test]
fn a_rate_limit_refuses_with_everything_a_client_needs_to_wait() {
    let server = profiled(&format!(
        "{AT_ONCE}rate_limit = {{ rate = 0.001, burst = 3 }}"
    ));
    let mut client = Client::connect(server.addr());
    for left in ["2", "1", "0"] {
        let answer = client.call("GET", "/inventory/products?id=1");
        assert_eq!(answer.status, 200);
        assert_eq!(answer.field("x-ratelimit-remaining"), Some(left));
    }
    let refused = client.call("GET", "/inventory/products?id=1");
    assert_eq!(refused.status, 429);
    assert!(refused.json()["error"].is_string());
    let wait: u64 = refused.field("retry-after").unwrap().parse().unwrap();
    assert!((990..=1000).contains(&wait), "{wait}");
    assert_eq!(
        refused.field("ratelimit-policy"),
        Some("\"default\";q=3;w=3000")
    );
    assert!(
        refused
            .field("ratelimit")
            .unwrap()
            .starts_with("\"default\";r=0;t=")
    );
    let summary = server.journal().summary;
    assert_eq!(
        (summary.arrived, summary.completed, summary.rejected),
        (4, 3, 1)
    );
    // A new run begins with a full bucket.
    client.call("DELETE", "/journal");
    assert_eq!(client.call("GET", "/inventory/products?id=1").status, 200);
}

#[test]
fn a_full_queue_is_503_and_a_waiting_request_is_told_how_long_it_waited() {
    let server = profiled(
        "service_time = { kind = \"fixed\", time = \"1s\" }\n\
         capacity = { servers = 1, queue = 1, retry_after = \"7s\" }",
    );
    let mut clients: Vec<_> = (0..3).map(|_| Client::connect(server.addr())).collect();
    for (arrived, client) in clients.iter_mut().enumerate() {
        client.send("GET", "/inventory/products?id=1");
        while server.journal().summary.arrived <= arrived as u64 {
            std::thread::yield_now();
        }
    }
    let answers: Vec<_> = clients
        .iter_mut()
        .map(|client| client.read(false))
        .collect();
    let statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [200, 200, 503]);
    assert_eq!(answers[2].field("retry-after"), Some("7"));
    let timing = answers[1].field("server-timing").unwrap();
    assert!(timing.contains("service;dur=1000.000"), "{timing}");
    assert!(!timing.contains("queue;dur=0.000"), "{timing}");
}

#[test]
fn every_answer_says_where_its_time_went() {
    let server = profiled("service_time = { kind = \"fixed\", time = \"20ms\" }");
    let answer = call(server.addr(), "GET", "/inventory/products?id=1");
    let timing = answer.field("server-timing").unwrap();
    assert!(
        timing.starts_with("queue;dur=0.000, service;dur=20.000, late;dur="),
        "{timing}"
    );
    assert_eq!(server.journal().summary.lateness.count, 1);
}

/// The milliseconds that an answer says of one part of its time.
fn told(answer: &Answer, part: &str) -> f64 {
    let timing = answer.field("server-timing").unwrap();
    let part = timing.split(", ").find_map(|field| {
        let (name, value) = field.split_once(";dur=")?;
        (name == part).then_some(value)
    });
    part.unwrap().parse().unwrap()
}

#[test]
fn the_journal_says_what_held_its_answers_up() {
    for (model, part, least) in [
        ("capacity = { servers = 1 }", "queue", 0.0),
        ("load = { sigma = 1.0 }", "service", 500.0),
    ] {
        let server = profiled(&format!(
            "service_time = {{ kind = \"fixed\", time = \"500ms\" }}\n{model}"
        ));
        let mut clients: Vec<_> = (0..2).map(|_| Client::connect(server.addr())).collect();
        for client in &mut clients {
            client.send("GET", "/inventory/products?id=1");
        }
        let beyond = |client: &mut Client| told(&client.read(false), part) - least;
        let total: f64 = clients.iter_mut().map(beyond).sum();
        let summary = server.journal().summary;
        let held = match part {
            "queue" => summary.queued_mean_ms,
            _ => summary.slowed_mean_ms,
        };
        // Whenever the second came, they agree to the microsecond at which each
        // answer cuts its time.
        assert!((held * 2.0 - total).abs() < 0.01, "{total}: {summary:?}");
        let other = summary.queued_mean_ms + summary.slowed_mean_ms - held;
        assert_eq!((other, summary.paced_mean_ms), (0.0, 0.0));
    }
}

/// What became of one request, as its client saw it.
#[derive(Debug, PartialEq, Eq, Hash, Clone, Copy)]
enum Fate {
    Whole,
    Status(u16),
    NoJson,
    Cut,
    Empty,
    Reset,
}

fn fate(server: &mock_server::Server, id: u32) -> Fate {
    let mut client = Client::connect(server.addr());
    let head =
        format!("GET /inventory/products?id={id} HTTP/1.1\r\nHost: m\r\nConnection: close\r\n\r\n");
    client.write(head.as_bytes());
    let Ok(bytes) = client.try_read_to_end() else {
        return Fate::Reset;
    };
    if bytes.is_empty() {
        return Fate::Empty;
    }
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head[9..12].parse().unwrap();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .unwrap();
    if body.len() < length.parse().unwrap() {
        Fate::Cut
    } else if status != 200 {
        Fate::Status(status)
    } else if serde_json::from_str::<serde_json::Value>(body).is_err() {
        Fate::NoJson
    } else {
        Fate::Whole
    }
}

#[test]
fn every_fault_looks_as_it_should_and_strikes_the_same_requests_again() {
    let text = format!(
        "{AT_ONCE}[faults]\nerror = 0.15\nerror_status = 502\nreset = 0.15\nempty = 0.15\ntruncated = 0.15\nmalformed = 0.15\n"
    );
    let server = profiled(&text);
    let fates: Vec<_> = (0..60).map(|id| fate(&server, id)).collect();
    let mut seen = HashMap::new();
    for fate in &fates {
        *seen.entry(*fate).or_insert(0u64) += 1;
    }
    for kind in [
        Fate::Whole,
        Fate::Status(502),
        Fate::NoJson,
        Fate::Cut,
        Fate::Empty,
        Fate::Reset,
    ] {
        assert!(seen.contains_key(&kind), "{kind:?} in {seen:?}");
    }
    // The journal hears of each, whatever the client made of it.
    let broken = seen[&Fate::Cut] + seen[&Fate::Empty] + seen[&Fate::Reset];
    let summary = server.stop().unwrap().summary;
    assert_eq!(summary.aborted, broken);
    assert_eq!(summary.completed, 60 - broken);
    assert_eq!(summary.faulted, 60 - seen[&Fate::Whole]);

    let again = profiled(&text);
    let reversed: Vec<_> = (0..60).rev().map(|id| fate(&again, id)).collect();
    assert!(reversed.into_iter().rev().eq(fates));
}

#[test]
fn a_retry_is_another_draw() {
    let server = profiled(&format!("{AT_ONCE}faults = {{ error = 0.5 }}"));
    let mut client = Client::connect(server.addr());
    let statuses: Vec<_> = (0..40)
        .map(|_| client.call("GET", "/inventory/products?id=1").status)
        .collect();
    assert!(
        statuses.contains(&200) && statuses.contains(&500),
        "{statuses:?}"
    );
}

#[test]
fn a_hanging_request_ends_without_an_answer() {
    let server = profiled(&format!(
        "{AT_ONCE}faults = {{ hang = 1.0, hang_time = \"50ms\" }}"
    ));
    let mut client = Client::connect(server.addr());
    let asked = Instant::now();
    client.send("GET", "/inventory/products?id=1");
    assert!(client.read_to_end().is_empty());
    assert!(asked.elapsed() >= Duration::from_millis(50));
    let summary = server.stop().unwrap().summary;
    assert_eq!((summary.aborted, summary.faulted), (1, 1));
}

#[test]
fn a_paced_body_takes_at_least_its_time_and_arrives_whole() {
    let started = Instant::now();
    let server = profiled(&format!(
        "{AT_ONCE}body = {{ file_size = 10000, bytes_per_second = 50000 }}"
    ));
    let answer = call(server.addr(), "GET", "/files/7");
    assert_eq!(answer.body.len(), 10_000);
    assert!(started.elapsed() >= Duration::from_millis(200));
    assert_eq!(answer.json()["id"], "7");
    let held = server.journal().summary.paced_mean_ms;
    assert!((held - 200.0).abs() < 0.001, "{held}");
}

#[test]
fn an_answer_from_before_a_reset_is_late_in_its_own_run() {
    let server = profiled("service_time = { kind = \"fixed\", time = \"100ms\" }");
    let mut client = Client::connect(server.addr());
    client.send("GET", "/inventory/products?id=1");
    while server.journal().summary.arrived == 0 {
        std::thread::yield_now();
    }
    server.reset_journal();
    client.read(false);
    let summary = server.journal().summary;
    assert_eq!((summary.arrived, summary.lateness.count), (0, 0));
}

#[test]
fn chunks_leave_a_gap_apart() {
    let started = Instant::now();
    let server = profiled(&format!(
        "{AT_ONCE}body = {{ file_size = 1000, chunk = 100, gap = \"10ms\" }}"
    ));
    assert_eq!(call(server.addr(), "GET", "/files/7").body.len(), 1000);
    assert!(started.elapsed() >= Duration::from_millis(90));
}

#[test]
fn the_journal_proves_a_batch() {
    let server = profiled(AT_ONCE);
    let mut client = Client::connect(server.addr());
    for id in 0..50 {
        client.call("GET", &format!("/inventory/materials?id={id}"));
    }
    let proof = |client: &mut Client, expected: &str| {
        let answer = client.call("GET", &format!("/journal?limit=0&expect={expected}"));
        answer.json()["proof"].clone()
    };
    assert_eq!(proof(&mut client, "materials:0-49")["exactly_once"], true);
    let more = proof(&mut client, "materials:0-51");
    assert_eq!(
        (&more["missing"], &more["exactly_once"]),
        (&2.into(), &false.into())
    );
    assert_eq!(more["missing_ids"][0], "materials:50");
    assert_eq!(
        proof(&mut client, "materials:1-49")["extra_ids"][0],
        "materials:0"
    );
    assert_eq!(client.call("GET", "/journal?expect=x").status, 400);
}
