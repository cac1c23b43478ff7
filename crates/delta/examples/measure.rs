//! Makes a patch between two files, applies it, and prints sizes, times and the memory used.
//!
//! `cargo run -p moult-delta --example measure -- OLD NEW [PATCH]`
#![expect(clippy::print_stdout, reason = "it is a program that prints")]

use std::error::Error;
use std::fs::{self, File};
use std::io;
use std::time::Instant;

use moult_delta::{Limits, apply, diff};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [old, new, rest @ ..] = &arguments[..] else {
        return Err("two files are needed: the old one and the new one".into());
    };
    if let [patch, only_apply, ..] = rest
        && only_apply == "--apply"
    {
        return run_apply(old, new, patch);
    }
    if let [patch, only_tell, ..] = rest
        && only_tell == "--breakdown"
    {
        return run_breakdown(old, patch);
    }
    let (old_bytes, new_bytes) = (fs::read(old)?, fs::read(new)?);
    let mut patch = Vec::new();
    let start = Instant::now();
    let stats = diff(&old_bytes, &new_bytes, &mut patch)?;
    println!(
        "{stats:#?}\ndiff: {:.2?}, peak memory {}",
        start.elapsed(),
        peak_memory()
    );
    if let Some(path) = rest.first() {
        fs::write(path, &patch)?;
    }
    Ok(())
}

fn run_breakdown(old: &str, patch: &str) -> Result<(), Box<dyn Error>> {
    let contents = moult_delta::contents(File::open(patch)?)?;
    let breakdown = moult_delta::breakdown(&mut File::open(old)?, File::open(patch)?)?;
    println!(
        "control {} body {} segments {} new bytes {}",
        contents.control_bytes, contents.body_bytes, contents.segments, contents.new_bytes
    );
    for (section, stream, bytes) in breakdown.spent {
        let kind = contents.sections.get(section).map_or("", |section| section.kind);
        println!("{section:3} {kind:14} {:12} {bytes:9}", stream.name());
    }
    Ok(())
}

fn cpu() -> String {
    let stat = fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let nanoseconds: u64 = stat
        .split(' ')
        .next()
        .and_then(|text| text.parse().ok())
        .unwrap_or(0);
    format!("{} ms CPU", nanoseconds / 1_000_000)
}

fn run_apply(old: &str, new: &str, patch: &str) -> Result<(), Box<dyn Error>> {
    let limits = Limits::exactly(fs::metadata(new)?.len());
    let start = Instant::now();
    let applied = apply(&mut File::open(old)?, File::open(patch)?, &mut io::sink(), limits)?;
    println!(
        "apply: {} bytes in {:.2?}, {}, peak memory {}",
        applied.bytes,
        start.elapsed(),
        cpu(),
        peak_memory()
    );
    Ok(())
}

fn peak_memory() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.map_or_else(|| "unknown".to_owned(), |peak| peak.trim().to_owned())
}
