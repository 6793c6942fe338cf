//! Command lines as `seatunnel.sh` takes them.
//!
//! A command line without a subcommand runs a job. Flags of SeaTunnel that mean something else here, or
//! nothing, are refused with what to use instead: SeaTunnel ignores what it does not know, which hides slips.

use std::ffi::OsString;

/// Global options that take a value, so that the value is not taken for a subcommand.
const GLOBAL: [&str; 2] = ["--log-format", "--log-level"];
const INFORMATIVE: [&str; 4] = ["-h", "--help", "-V", "--version"];

/// Flags of SeaTunnel that have no equal of the same name.
const REFUSED: &[(&[&str], &str)] = &[
    (&["-can", "--cancel-job", "-f", "--force-cancel"], "use `seatun stop JOB-NAME`"),
    (&["-s", "--savepoint"], "use `seatun stop JOB-NAME --savepoint NAME`"),
    (
        &["-r", "--restore-with-checkpoint"],
        "use `seatun run JOB --restore SAVEPOINT`; without it a job goes on from its last checkpoint by itself",
    ),
    (&["-l", "--list"], "use `seatun state list`"),
    (
        &["-j", "--job-id", "--metrics", "--get_running_job_metrics"],
        "use `seatun state inspect JOB-NAME`, or /metrics of `seatun run --http PORT`",
    ),
    (&["--set-job-id"], "use `--name NAME`: a job's name is what its state is kept under"),
    (&["-d", "--dry-run"], "use `seatun check JOB`, `seatun check JOB --connect` or `seatun preview JOB`"),
    (&["--sample-limit", "--sample-print-data"], "use `seatun preview JOB --rows N`"),
    (
        &["--encrypt", "--decrypt"],
        "secrets do not stand in the job file: use `${?NAME}` or `file:/path` for their values",
    ),
    (
        &["--async", "-cj", "--close-job", "-cn", "--cluster"],
        "there is no cluster: a job runs in this process",
    ),
];

/// The command line as the parser takes it: with `run` where no subcommand is named.
///
/// # Errors
/// Says what to use instead of a flag that only SeaTunnel has.
pub fn translate(arguments: Vec<OsString>) -> Result<Vec<OsString>, String> {
    let at = first_of_command(&arguments);
    let runs = match arguments.get(at).and_then(|argument| argument.to_str()) {
        None => false,
        Some("run") => true,
        Some(flag) if !flag.starts_with('-') => return Ok(arguments),
        Some(flag) => !INFORMATIVE.contains(&flag),
    };
    if !runs {
        return Ok(arguments);
    }
    for argument in &arguments[at..] {
        refuse(&argument.to_string_lossy())?;
    }
    let mut arguments = arguments;
    if arguments[at] != "run" {
        arguments.insert(at, "run".into());
    }
    Ok(arguments)
}

fn first_of_command(arguments: &[OsString]) -> usize {
    let mut at = 1;
    while let Some(argument) = arguments.get(at).and_then(|argument| argument.to_str()) {
        let name = argument.split('=').next().unwrap_or(argument);
        if !GLOBAL.contains(&name) {
            break;
        }
        at += if argument == name { 2 } else { 1 };
    }
    at
}

fn refuse(argument: &str) -> Result<(), String> {
    let flag = argument.split('=').next().unwrap_or(argument);
    match REFUSED.iter().find(|(flags, _)| flags.contains(&flag)) {
        Some((_, instead)) => {
            Err(format!("`{flag}` is a flag of SeaTunnel that seatun does not have: {instead}"))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn translated(line: &str) -> Result<String, String> {
        let arguments = line.split(' ').map(OsString::from).collect();
        translate(arguments)
            .map(|list| list.iter().map(|argument| argument.to_string_lossy()).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn a_line_without_a_subcommand_runs_a_job() {
        for (line, expected) in [
            ("seatun -c job.conf", "seatun run -c job.conf"),
            ("seatun -i a=1 -c job.conf -m local", "seatun run -i a=1 -c job.conf -m local"),
            ("seatun --log-level debug -c job.conf", "seatun --log-level debug run -c job.conf"),
            ("seatun --log-format=json --config job.conf", "seatun --log-format=json run --config job.conf"),
            ("seatun run job.conf", "seatun run job.conf"),
            ("seatun --log-level debug check job.conf", "seatun --log-level debug check job.conf"),
            ("seatun --help", "seatun --help"),
            ("seatun -V", "seatun -V"),
            ("seatun", "seatun"),
        ] {
            assert_eq!(translated(line).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn flags_that_only_seatunnel_has_are_refused_with_what_to_use() {
        for (line, instead) in [
            ("seatun -can 1234", "seatun stop"),
            ("seatun -s 1234", "--savepoint NAME"),
            ("seatun -c job.conf -r 1234", "--restore"),
            ("seatun run job.conf --dry-run=static", "seatun check"),
            ("seatun -l", "seatun state list"),
            ("seatun -c job.conf --async", "no cluster"),
        ] {
            let text = translated(line).expect_err(line);
            assert!(text.contains(instead), "{line}: {text}");
        }
    }
}
