//! What a program costs: processor seconds and memory, as the kernel counted them.
//!
//! It knows nothing of patches, and no wall clock: other work on the machine would be in it.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};

use crate::command::{command, quiet};

/// What one run of a program cost.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Cost {
    /// User and system time of the process and its children, in seconds.
    pub(crate) seconds: f64,
    /// The largest resident set, in KiB.
    pub(crate) memory: u64,
}

/// What a process held at most while it was watched, in KiB.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Held {
    /// Resident and private: what the machine can't take back.
    pub(crate) anonymous: u64,
    /// Resident altogether, pages of files included.
    pub(crate) resident: u64,
}

/// A program of the table with its words, and where its standard output goes if not to nothing.
pub(crate) struct Call<'a> {
    pub(crate) program: &'a str,
    pub(crate) arguments: &'a [String],
    pub(crate) output: Option<&'a Path>,
}

impl Call<'_> {
    fn words(&self) -> Vec<&str> {
        let arguments = self.arguments.iter().map(String::as_str);
        std::iter::once(self.program).chain(arguments).collect()
    }

    fn output(&self) -> Result<Stdio> {
        let Some(path) = self.output else {
            return Ok(Stdio::null());
        };
        let file =
            File::create(path).with_context(|| format!("`{}` could not be created", path.display()))?;
        Ok(file.into())
    }
}

/// Runs it once. GNU time starts it, not this program, so that nothing of ours is counted; `notes` is
/// where time writes to.
pub(crate) fn cost(call: &Call<'_>, notes: &Path) -> Result<Cost> {
    let notes_text = notes.to_string_lossy();
    let time = ["--quiet", "--format", "%U %S %M", "--output", &*notes_text, "--"];
    let mut timed = command("time", &[&time[..], &call.words()].concat());
    run(timed.stdout(call.output()?), call)?;
    let written = fs::read_to_string(notes).context("GNU time wrote nothing")?;
    parse_time(&written).with_context(|| format!("GNU time wrote `{}`", written.trim()))
}

fn run(command: &mut Command, call: &Call<'_>) -> Result<()> {
    let shown = call.words().join(" ");
    let output = command
        .stderr(Stdio::piped())
        .output()
        .with_context(|| format!("`{shown}` could not be started"))?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        bail!("`{shown}` ended with {}\n{}", output.status, stderr.trim_end());
    }
    Ok(())
}

/// `user system memory`, in seconds and KiB.
fn parse_time(written: &str) -> Option<Cost> {
    let mut words = written.lines().last()?.split_whitespace();
    let (user, system): (f64, f64) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    let memory = words.next()?.parse().ok()?;
    Some(Cost {
        seconds: user + system,
        memory,
    })
}

/// Runs it once with no more private writable memory than `limit` bytes, and watches what it holds.
/// An error is a run that failed: that memory was too little for it is one of the reasons.
pub(crate) fn held(call: &Call<'_>, limit: u64) -> Result<Held> {
    let shown = call.words().join(" ");
    // `prlimit` becomes the program, so the process that is watched is the program's.
    let data = format!("--data={limit}");
    let mut limited = command("prlimit", &[&[&*data, "--"], &call.words()[..]].concat());
    let mut child = limited
        .stdout(call.output()?)
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("`{shown}` could not be started"))?;
    let status = format!("/proc/{}/status", child.id());
    let mut held = Held::default();
    while child.try_wait()?.is_none() {
        let now = fs::read_to_string(&status).unwrap_or_default();
        held.anonymous = held.anonymous.max(field(&now, "RssAnon:").unwrap_or(0));
        held.resident = held.resident.max(field(&now, "VmHWM:").unwrap_or(0));
        std::thread::sleep(Duration::from_millis(1));
    }
    let output = child.wait_with_output()?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        bail!(
            "`{shown}` with at most {limit} bytes of data ended with {}\n{}",
            output.status,
            stderr.trim_end()
        );
    }
    Ok(held)
}

fn field(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The middle one of an odd number of runs: seconds and memory each for themselves.
pub(crate) fn median(costs: &[Cost]) -> Option<Cost> {
    let mut seconds: Vec<f64> = costs.iter().map(|cost| cost.seconds).collect();
    let mut memory: Vec<u64> = costs.iter().map(|cost| cost.memory).collect();
    seconds.sort_by(f64::total_cmp);
    memory.sort_unstable();
    Some(Cost {
        seconds: *seconds.get(costs.len() / 2)?,
        memory: *memory.get(costs.len() / 2)?,
    })
}

/// The machine in a few words.
pub(crate) fn machine() -> Result<String> {
    let processor = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = processor
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let gigabytes = field(&memory, "MemTotal:").unwrap_or(0) / (1 << 20);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let kernel = quiet(&mut command("uname", &["--kernel-name", "--machine"]))?;
    Ok(format!(
        "{}, {cores} cores, {gigabytes} GiB, {}",
        model.map_or("unknown processor", |(_, model)| model.trim()),
        kernel.trim()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_gnu_time_writes_is_read() {
        for (written, expected) in [
            ("0.50 0.25 1234\n", Some((0.75, 1234))),
            ("Command terminated by signal 9\n1.00 0.00 8\n", Some((1.0, 8))),
            ("", None),
            ("0.50 0.25\n", None),
        ] {
            let cost = parse_time(written).map(|cost| (cost.seconds, cost.memory));
            assert_eq!(cost, expected, "{written:?}");
        }
    }

    #[test]
    fn the_median_of_three_is_the_middle_one_of_each() {
        let cost = |seconds, memory| Cost { seconds, memory };
        assert_eq!(
            median(&[cost(3.0, 1), cost(1.0, 9), cost(2.0, 5)]),
            Some(cost(2.0, 5))
        );
        assert_eq!(median(&[cost(3.0, 1)]), Some(cost(3.0, 1)));
        assert_eq!(median(&[]), None);
    }

    #[test]
    fn a_field_of_the_status_is_read_by_its_whole_name() {
        let status = "VmPeak:\t  9 kB\nVmHWM:\t   77 kB\nRssAnon:\t     12 kB\n";
        assert_eq!(field(status, "VmHWM:"), Some(77));
        assert_eq!(field(status, "RssAnon:"), Some(12));
        assert_eq!(field(status, "RssFile:"), None);
    }
}
