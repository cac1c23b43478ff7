//! The time of each stage, on inputs that are made here: a regression shows, a rank among peers does
//! not.
//!
//! `cargo bench -p moult-delta --bench stages -- --sample-size 10`
#![expect(
    clippy::unwrap_used,
    reason = "a bench whose stage fails has nothing to measure"
)]

#[path = "../tests/it/programs.rs"]
mod programs;

use std::hint::black_box;
use std::io::{self, Cursor};
use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use moult_delta::internals::{Content, Matched, references, regions, segments};
use moult_delta::{Limits, apply};

use programs::{Format, Noise, Program};

/// Functions in the programs: about a megabyte of code.
const FUNCTIONS: usize = 10_000;

fn pair(format: Format) -> (Vec<u8>, Vec<u8>) {
    let old = Program::new(format, 1, FUNCTIONS);
    let new = old.next(2, FUNCTIONS / 50, FUNCTIONS / 50);
    (old.link(), new.link())
}

fn listing(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("list");
    let x86 = Program::new(Format::ElfX86, 1, FUNCTIONS).link();
    let arm = Program::new(Format::MachO, 1, FUNCTIONS).link();
    let words: Vec<u8> = {
        let mut noise = Noise::new(3);
        let pointers = (0..250_000).map(|_| (noise.number() & 0x3f_ffff).to_le_bytes());
        pointers.flatten().collect()
    };
    let inputs = [
        ("x86-64", Content::X86_64, &x86),
        ("arm64", Content::Arm64, &arm),
        ("words", Content::Words, &words),
        ("functions", Content::Functions, &words),
    ];
    for (name, content, bytes) in inputs {
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| references(content, black_box(bytes)).unwrap());
        });
    }
    group.finish();
}

fn layouts(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("layouts");
    for format in Format::ALL {
        let (old, new) = pair(format);
        group.throughput(Throughput::Bytes((old.len() + new.len()) as u64));
        group.bench_function(format!("{format:?}"), |bencher| {
            bencher.iter(|| regions(black_box(&old), black_box(&new)));
        });
    }
    group.finish();
}

fn patches(criterion: &mut Criterion) {
    let (old, new) = pair(Format::ElfX86);
    let mut group = criterion.benchmark_group("patch");
    group.throughput(Throughput::Bytes(new.len() as u64));
    group.bench_function("align", |bencher| {
        bencher.iter(|| segments(black_box(&old), black_box(&new)).unwrap());
    });
    let matched = Matched::new(&old, &new).unwrap();
    group.bench_function("encode", |bencher| bencher.iter(|| matched.encode().unwrap()));
    let patch = matched.encode().unwrap();
    let limits = Limits::exactly(new.len() as u64);
    group.bench_function("apply", |bencher| {
        bencher.iter_batched(
            || Cursor::new(&old),
            |mut old| apply(&mut old, &patch[..], &mut io::sink(), limits).unwrap(),
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

criterion_group! {
    name = stages;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    targets = listing, layouts, patches
}
criterion_main!(stages);
