//! What a session's figures rest on, line by line: command, server, conditions,
//! machine, build. Every document that holds figures shows these.

use crate::analysis::Summary;
use crate::record::{Conditions, Server};
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
        ("samples a cell", prose::samples(summary).to_string()),
        ("timeout a request", units::plain_seconds(session.timeout_s)),
    ];
    let conditions = conditions(&session.conditions);
    if !conditions.is_empty() {
        lines.push(("conditions", conditions.join(", ")));
    }
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

/// What every cell was run under, as far as it is not the usual.
fn conditions(conditions: &Conditions) -> Vec<String> {
    let mut told = Vec::new();
    if !conditions.workload.is_empty() {
        told.push(format!("workload {}", conditions.workload));
    }
    if conditions.in_order {
        told.push("outcomes in the order of their requests".to_owned());
    }
    if let Some(deadline) = conditions.deadline_s {
        let deadline = units::plain_seconds(deadline);
        told.push(format!("at most {deadline} a batch"));
    }
    match conditions.retries {
        0 => {}
        1 => told.push("1 retry".to_owned()),
        retries => told.push(format!("up to {retries} retries")),
    }
    if conditions.cpu_per_answer_s > 0.0 {
        let cpu = units::plain_seconds(conditions.cpu_per_answer_s);
        told.push(format!("{cpu} of CPU an answer"));
    }
    match (conditions.saved, conditions.fsync) {
        (true, true) => told.push("each answer saved and flushed to the disk".to_owned()),
        (true, false) => told.push("each answer saved as a file".to_owned()),
        (false, _) => {}
    }
    told
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
            retries: 2,
            cpu_per_answer_s: 0.001,
            saved: true,
            fsync: true,
        };
        assert_eq!(
            told(all).expect("conditions"),
            "workload files, outcomes in the order of their requests, at most 30 s a batch, \
             up to 2 retries, 1 ms of CPU an answer, each answer saved and flushed to the disk"
        );
    }
}
