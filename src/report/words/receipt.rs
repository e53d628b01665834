//! What a session's figures rest on, line by line: command, server, conditions,
//! machine, build. Every document that holds figures shows these.

use super::sampling;
use crate::analysis::Summary;
use crate::record::Server;
use crate::report::{prose, units};

/// The name of the line that holds the command, which is shown as code.
pub(crate) const COMMAND: &str = "command";

/// The lines by name, in words; foreign text is in them as it is.
pub(crate) fn lines(summary: &Summary) -> Vec<(&'static str, String)> {
    let session = &summary.session;
    let receipt = &session.receipt;
    let memory = if receipt.memory_bytes == 0 {
        String::new()
    } else {
        format!(", {}", units::bytes(receipt.memory_bytes))
    };
    let cores = units::counted(receipt.cores as u64, "core");
    let mut lines = vec![
        (COMMAND, session.command.clone()),
        ("started", session.started_at.clone()),
        ("server", server(&session.server)),
        ("machine", format!("{}, {cores}{memory}", receipt.cpu)),
        (
            "system",
            format!("{}, kernel {}", receipt.os, receipt.kernel),
        ),
        (
            "fanout",
            format!(
                "{}, revision {}, {} build, {}",
                receipt.fanout, receipt.revision, receipt.profile, receipt.rustc
            ),
        ),
        ("samples a cell", prose::samples(summary)),
        ("timeout a request", units::plain_seconds(session.timeout_s)),
    ];
    lines.push(("sampling", sampling::receipt(summary)));
    lines.push(("clients", session.conditions.http.clone()));
    if let Some(limit) = session.conditions.body_limit_bytes {
        let limit = units::bytes(limit);
        lines.push(("bodies", format!("at most {limit} in memory")));
    }
    lines.push(("conditions", prose::conditions(session)));
    lines.retain(|(_, line)| !line.is_empty());
    lines
}

fn server(server: &Server) -> String {
    let url = &server.url;
    match server.service_s {
        Some(service) if server.longest_s.is_some() => format!(
            "{url}, service times drawn, {} on average",
            units::seconds(service)
        ),
        Some(service) => format!(
            "{url}, stated service time {}",
            units::plain_seconds(service)
        ),
        None => url.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::lines;
    use crate::analysis::Summary;
    use crate::analysis::fixture::RecordBuilder;
    use crate::record::Conditions;

    #[test]
    fn conditions_are_told_where_they_are_not_the_usual() {
        let told = |conditions: Conditions| {
            let record = RecordBuilder::new().session(|session| session.conditions = conditions);
            let lines = lines(&Summary::of(&record.build()));
            let found = lines.into_iter().find(|(name, _)| *name == "conditions");
            found.map(|(_, text)| text)
        };
        assert_eq!(told(Conditions::default()), None);
        let all = Conditions {
            workload: "files".to_owned(),
            in_order: true,
            deadline_s: Some(30.0),
            body_limit_bytes: Some(64 << 20),
            retries: 2,
            cpu_per_answer_s: 0.001,
            saved: true,
            fsync: true,
            http: String::new(),
        };
        assert_eq!(
            told(all).expect("conditions"),
            "workload files, 1.000 ms of CPU work an answer, each body saved and flushed, up to 3 \
             attempts a request, a deadline of 30 s, outcomes in the order of their requests"
        );
    }
}
