//! What is told while a patch is made, how it is given up, and that cores do not matter.

use std::ops::ControlFlow;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use moult_delta::{DiffError, Progress, Stage, diff_with};

use super::{made, patch};
use crate::programs::{Format, Noise, Program};

fn told(old: &[u8], new: &[u8]) -> Vec<Progress> {
    let told = Mutex::new(Vec::new());
    let note = |progress| {
        told.lock().unwrap().push(progress);
        ControlFlow::Continue(())
    };
    diff_with(old, new, &mut Vec::new(), &note).unwrap();
    told.into_inner().unwrap()
}

fn pairs() -> Vec<(Vec<u8>, Vec<u8>)> {
    let old = Program::new(Format::ElfX86, 1, 1500);
    let new = old.next(2, 20, 20);
    let text = b"some words that change, and some that do not. ".repeat(5000);
    let mut edited = text.clone();
    edited.splice(1000..1020, *b"other");
    vec![
        (old.link(), new.link()),
        (text, edited),
        (Vec::new(), vec![7; 300_000]),
    ]
}

#[test]
fn progress_grows_in_each_stage_and_reaches_its_end() {
    for (old, new) in pairs() {
        let told = told(&old, &new);
        for pair in told.windows(2) {
            let grows = pair[0].stage == pair[1].stage && pair[0].done <= pair[1].done;
            // Text is coded twice, and the better patch is taken.
            let begins_anew = pair[0].stage != pair[1].stage || pair[0].done == pair[0].total;
            assert!(grows || begins_anew, "{pair:?}");
        }
        assert!(told.iter().all(|progress| progress.done <= progress.total));
        let last = told.iter().rfind(|progress| progress.stage == Stage::Prove);
        assert!(last.is_some_and(|last| last.done == new.len() as u64), "{last:?}");
        let coded = told.iter().rfind(|progress| progress.stage == Stage::Encode);
        assert!(
            coded.is_some_and(|coded| coded.done == new.len() as u64),
            "{coded:?}"
        );
        let stages: Vec<_> = told.iter().map(|progress| progress.stage).collect();
        // Where there is no old file nothing is searched.
        assert!(old.is_empty() || stages.contains(&Stage::Match { pass: 0 }));
    }
}

#[test]
fn a_diff_that_is_given_up_writes_nothing() {
    for (old, new) in pairs() {
        let steps = told(&old, &new).len();
        for stop in 0..steps {
            let count = AtomicUsize::new(0);
            let watch = |_| {
                let at = count.fetch_add(1, Ordering::Relaxed);
                // From then on: who has given up does not change his mind.
                assert!(at < stop + 1000, "giving up at {stop} of {steps} is not heard");
                if at < stop {
                    ControlFlow::Continue(())
                } else {
                    ControlFlow::Break(())
                }
            };
            let mut out = Vec::new();
            let result = diff_with(&old, &new, &mut out, &watch);
            assert!(
                matches!(result, Err(DiffError::Cancelled)),
                "{stop} of {steps}: {result:?}"
            );
            assert!(out.is_empty());
        }
    }
}

/// Files with more than one block for the search, so that two cores share it.
fn large() -> (Vec<u8>, Vec<u8>) {
    let mut noise = Noise::new(1);
    let old = noise.bytes(2_300_000);
    let mut new = old.clone();
    for _ in 0..300 {
        let (from, to) = (noise.below(2_000_000) as usize, noise.below(2_000_000) as usize);
        let piece = old[from..from + 300].to_vec();
        new.splice(to..to + 200, piece);
    }
    (old, new)
}

const TELLS: &str = "the patch has the checksum ";

#[test]
#[ignore = "run by the test below, on one core and on all"]
#[expect(clippy::print_stdout, reason = "another process reads it")]
fn tells_the_checksum_of_a_large_patch() {
    let (old, new) = large();
    println!("{TELLS}{:08x}.", crc32fast::hash(&patch(&old, &new)));
}

#[test]
fn the_same_files_give_the_same_patch_on_any_number_of_cores() {
    let (old, new) = large();
    let (stats, made) = made(&old, &new);
    assert!(stats.segments > 100);
    let expected = format!("{TELLS}{:08x}.", crc32fast::hash(&made));
    let test = "format2::progress::tells_the_checksum_of_a_large_patch";
    let this = std::env::current_exe().unwrap();
    for cores in ["0", "0,1"] {
        let mut command = Command::new("taskset");
        command.args(["-c", cores]).arg(&this);
        // Where cores can't be chosen there is nothing to compare.
        let Some(told) = told_by(&mut command, test) else {
            continue;
        };
        assert!(told.contains(&expected), "on cores {cores}: {told}");
    }
}

fn told_by(command: &mut Command, test: &str) -> Option<String> {
    let output = command
        .args(["--exact", test, "--ignored", "--nocapture"])
        .output()
        .ok()?;
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    output.status.success().then_some(told)
}
