//! The environment of the processes that run strategies.

use std::process::Command;

/// What the runtimes here read to choose their threads. One that was left over
/// in a shell would shift every runtime, and no record would show it.
const OF_RUNTIMES: [&str; 8] = [
    "TOKIO_WORKER_THREADS",
    "ASYNC_STD_THREAD_COUNT",
    "ASYNC_STD_THREAD_NAME",
    "ASYNC_GLOBAL_EXECUTOR_THREADS",
    "SMOL_THREADS",
    "BLOCKING_MAX_THREADS",
    "RAYON_NUM_THREADS",
    "RAYON_RS_NUM_CPUS",
];

/// A process that a strategy runs in: runtimes have as many threads as the
/// strategy gives them, whatever the environment says.
pub(crate) fn without_runtime_variables(command: &mut Command) -> &mut Command {
    for name in OF_RUNTIMES {
        command.env_remove(name);
    }
    command
}
