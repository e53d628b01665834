//! Options of other load tools, with their counterparts: the nearest option in spelling
//! often means something else.

use clap::Error;
use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Options of other tools, and their counterparts.
const HINTS: &[(&[&str], &str)] = &[
    (
        &["--rate", "--rate-limit", "--max-rate", "--rps", "--qps"],
        "requests go out as fast as workers are free; fewer --workers send fewer at once; \
         --rate-limit-rate and --rate-limit-burst limit the bundled server",
    ),
    (
        &[
            "-H",
            "--header",
            "--headers",
            "-u",
            "--user",
            "--auth",
            "--token",
            "--cookie",
        ],
        "requests have no custom headers; put a proxy that adds them before the server, or a key \
         into the URL (--secret NAME hides its value)",
    ),
    (
        &["-X", "--method", "-d", "--data", "--body", "--json"],
        "requests are GET without a body",
    ),
    (&["--retry"], "`--retries N` sets the number of retries"),
    (
        &[
            "-c",
            "--concurrency",
            "--connections",
            "--threads",
            "--parallel",
            "-j",
            "--jobs",
        ],
        "`--workers N,…` sets the number of requests in flight",
    ),
    (
        &["-n", "--number", "--count"],
        "`--requests N` sets the number of requests in a batch",
    ),
    (
        &["-k", "--insecure", "--cacert", "--cert"],
        "requests are plain HTTP/1.1; run a proxy that terminates TLS on this machine",
    ),
];

/// Adds a hint to an error about an option of another tool.
pub(super) fn mend(mut error: Error) -> Error {
    if error.kind() != ErrorKind::UnknownArgument {
        return error;
    }
    let Some(ContextValue::String(given)) = error.get(ContextKind::InvalidArg) else {
        return error;
    };
    let given = given.split(['=', ' ']).next().unwrap_or_default();
    let Some((_, hint)) = HINTS.iter().find(|(words, _)| words.contains(&given)) else {
        return error;
    };
    error.remove(ContextKind::SuggestedArg);
    error.insert(
        ContextKind::Suggested,
        ContextValue::StyledStrs(vec![StyledStr::from(*hint)]),
    );
    error
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::{HINTS, mend};
    use crate::cli::Cli;

    fn error(option: &str) -> String {
        let words = [
            "fanout",
            "compare",
            "--url",
            "http://127.0.0.1",
            option,
            "9",
        ];
        let parsed = Cli::command().try_get_matches_from(words);
        mend(parsed.expect_err(option)).to_string()
    }

    #[test]
    fn options_of_other_tools_get_a_hint_that_holds() {
        for (words, hint) in HINTS {
            for option in *words {
                let error = error(option);
                let said = error.split_whitespace().collect::<Vec<_>>().join(" ");
                assert!(said.contains(hint), "{error}");
                assert!(!said.contains("similar argument"), "{error}");
            }
        }
        assert!(error("--worker").contains("--workers"));
    }

    #[test]
    fn hints_name_options_that_exist() {
        let command = Cli::command();
        let compare = command.find_subcommand("compare").expect("a verb");
        let hints = HINTS.iter().flat_map(|(_, hint)| hint.split_whitespace());
        for word in hints.map(|word| word.trim_matches(['`', ';', ',', ':'])) {
            if let Some(name) = word.strip_prefix("--") {
                let known = |arg: &clap::Arg| arg.get_long() == Some(name);
                assert!(compare.get_arguments().any(known), "{word}");
            }
        }
    }
}
