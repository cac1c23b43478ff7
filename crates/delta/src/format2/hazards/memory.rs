//! What a decoder holds, added up, and held against small patches that claim much.

use std::io::Read as _;
#[cfg(target_os = "linux")]
use std::process::{Command, Stdio};

use super::super::body::Body;
use super::super::{Description, MAX_MEMORY, MAX_SEGMENTS, MAX_SEGMENTS_UNLED, encode, literal_bits, old};
use super::*;
use crate::layout::{Form, HASH_BYTES, MAX_PAGES, MAX_PROBES, MAX_REGIONS, MAX_SPANS, Probe};

/// What a decoder holds at most, whatever a patch says, in bytes: of a patch whose layouts have regions,
/// and of one without.
const HELD: &[(&str, [usize; 2])] = &[
    ("tables of logits", [152_000; 2]),
    ("models and habits of segments", [215_000; 2]),
    (
        "segments of a part",
        [
            MAX_SEGMENTS * size_of::<Segment>(),
            MAX_SEGMENTS_UNLED * size_of::<Segment>(),
        ],
    ),
    ("where they lead", [MAX_SEGMENTS * size_of::<Segment>(), 0]),
    ("layouts", [LAYOUTS * LAYOUT, 0]),
    ("hashes of a table", [(MAX_PAGES * HASH_BYTES) as usize; 2]),
    ("windows and blocks of the old file", old::BYTES),
    ("models of the body", MODELS),
    ("buffers of patch and output, a part's streams", [3 * 65_536; 2]),
];

/// How often a layout is held: those of both files, and what windows, guesses and new bytes need of them.
const LAYOUTS: usize = 6;
const LAYOUT: usize = MAX_SPANS * size_of::<Span>()
    + MAX_REGIONS * (size_of::<Region>() + size_of::<Vec<Probe>>() + MAX_PROBES * size_of::<Probe>());

/// What all models of the body may hold, in bytes: copied tokens, guesses, new bytes and new references.
/// Held against what they do hold by the tests below.
const MODELS: [usize; 2] = [6_000_000, 16_500_000];

#[test]
fn a_decoder_holds_no_more_than_20_mib() {
    for kind in 0..2 {
        let sum: usize = HELD.iter().map(|(_, bytes)| bytes[kind]).sum();
        let most = usize::from(if kind == 0 { 18 } else { MAX_MEMORY }) << 20;
        assert!(sum <= most, "{sum} bytes of {HELD:?}");
    }
}

/// Patches of a few bytes that claim 4 GiB.
fn bombs() -> Vec<(&'static str, Vec<u8>)> {
    let all = u32::MAX;
    let copies: Vec<_> = (0..1000).map(|at| segment(at * 20, 0, 10)).collect();
    let zeros = control(&[]);
    let mut patches: Vec<_> = [&[][..], &[0; 5], &[0xff; 5], &[0x80, 1, 2, 3, 4], &[0x55; 30]]
        .into_iter()
        .map(|body| {
            (
                "a body that ends",
                patch(all, &[(all, zeros.clone(), body.to_vec())]),
            )
        })
        .collect();
    patches.push(("copies", patch(all, &[(all, control(&copies), vec![0; 20])])));
    patches.push(("no control at all", patch(all, &[(all, vec![], vec![])])));
    let none = Layout::default();
    let table = HashTable {
        begin: 0,
        covered: MAX_PAGES << 12,
        page_bits: 12,
        at: MAX_PAGES << 12,
    };
    let hashes = control_with(&none, &none, &[table], &[]);
    patches.push(("page hashes", patch(all, &[(all, hashes, vec![0x55; 100_000])])));
    let mut announced = patch(all, &[]);
    for number in [0, all, all] {
        put_number(&mut announced, number);
    }
    patches.push(("streams that are announced", announced.clone()));
    announced.extend_from_slice(&control(&[]));
    patches.push(("streams that are not there", announced));
    let mut bodyless = patch(all, &[]);
    for number in [0, zeros.len() as u32, all] {
        put_number(&mut bodyless, number);
    }
    patches.push(("a body that is announced", [bodyless, zeros].concat()));
    patches
}

#[test]
fn a_small_patch_that_claims_much_ends_early() {
    for (what, bomb) in bombs() {
        let (result, written) = applied(&bomb, u32::MAX);
        assert!(
            matches!(result, Err(ApplyError::Truncated | ApplyError::Part { .. })),
            "{what}: {result:?}"
        );
        assert!(written < 32 << 20, "{what}: {written} bytes were written");
    }
}

/// A patch with as many segments, regions, probes and references of a window as there may be. Gives the
/// old file as well.
fn crowd(led: bool) -> (Vec<u8>, Vec<u8>) {
    let count = if led { MAX_SEGMENTS } else { MAX_SEGMENTS_UNLED } as u32;
    // Words that lead to words, so that each is a reference.
    let old: Vec<u8> = (0..count * 2)
        .flat_map(|word| (word.wrapping_mul(0x9e37_79b1) % (count * 8)).to_le_bytes())
        .collect();
    let length = old.len() as u32;
    // The pieces of the old file in another order, and a new byte before each.
    let segments: Vec<_> = (0..count)
        .map(|at| segment(at * 9 + 1, (at ^ 1) * 8, 8))
        .collect();
    let mut new = Vec::new();
    for segment in &segments {
        new.push(segment.new as u8);
        new.extend_from_slice(&old[segment.old as usize..][..8]);
    }
    let mut description = Description {
        segments,
        ..Description::default()
    };
    if led {
        let probe = Probe {
            form: Form::Absolute32 { base: 0 },
            high: u32::MAX,
            ..Probe::NONE
        };
        let size = length / MAX_REGIONS as u32;
        let regions = (0..MAX_REGIONS as u32).map(|at| {
            let probes = vec![probe; MAX_PROBES];
            region(at * size, size, Kind::Words(probes))
        });
        description.old = layout(&[(0, length, 0)], regions.collect());
        description.new = description.old.clone();
    }
    (old.clone(), encode(&old, &new, &description, |_| true).unwrap())
}

/// Segments of one byte, alike, so that they cost next to nothing: as many parts of as many as there
/// may be, without bodies.
fn bodyless() -> Vec<u8> {
    let count = MAX_SEGMENTS_UNLED as u32;
    let mut model = Control::new();
    let parts: Vec<_> = (0..PARTS)
        .map(|part| {
            let mut coder = Encoder::new();
            if part == 0 {
                super::super::layouts::layouts(&mut coder, &Layout::default(), &Layout::default());
                super::super::hashes::tables(&mut coder, &[]);
            }
            coder.raw(count, COUNT_BITS);
            for at in 0..count {
                model.segment(&mut coder, segment(part * count + at, 3, 1));
            }
            (count, coder.finish(), Vec::new())
        })
        .collect();
    patch(PARTS * count, &parts)
}

const PARTS: u32 = 40;

/// Patches that are hostile, with their old files.
#[cfg(target_os = "linux")]
fn hostile() -> Vec<(&'static str, Vec<u8>, Vec<u8>)> {
    let mut patches: Vec<_> = bombs()
        .into_iter()
        .map(|(what, bomb)| (what, OLD.to_vec(), bomb))
        .collect();
    patches.push(("parts without bodies", OLD.to_vec(), bodyless()));
    for (what, led) in [("references", true), ("segments", false)] {
        let (old, patch) = crowd(led);
        patches.push((what, old, patch));
    }
    patches
}

#[test]
fn a_crowd_is_applied() {
    assert_eq!(
        contents(&bodyless()[..]).unwrap().segments,
        u64::from(PARTS) * MAX_SEGMENTS_UNLED as u64
    );
    for led in [true, false] {
        let (old, patch) = crowd(led);
        let contents = contents(&patch[..]).unwrap();
        let most = if led { MAX_SEGMENTS } else { MAX_SEGMENTS_UNLED };
        assert_eq!(contents.segments, most as u64);
        let limits = Limits::exactly(9 * most as u64);
        apply(&mut Cursor::new(old), &patch[..], &mut io::sink(), limits).unwrap();
    }
}

/// What a process holds by itself, in bytes: 0.4 MiB, and the stack of a test.
#[cfg(target_os = "linux")]
const PROCESS: usize = 5 << 19;

#[test]
#[ignore = "run by the tests below, with little memory"]
fn what_is_given_is_applied() {
    let mut input = io::stdin().lock();
    let mut length = [0; 8];
    let mut files = [(); 2].map(|()| {
        input.read_exact(&mut length).unwrap();
        let mut file = vec![0; u64::from_le_bytes(length) as usize];
        input.read_exact(&mut file).unwrap();
        file
    });
    let [old, patch] = &mut files;
    if let Ok(header) = crate::inspect(&patch[..]) {
        let limits = Limits {
            output_bytes: header.new.bytes,
            patch_bytes: 1 << 30,
        };
        // Whether they are good is no question here.
        let _ = apply(&mut Cursor::new(old), &patch[..], &mut io::sink(), limits);
        let _ = contents(&patch[..]);
    }
}

/// How many bytes of memory this process has that it may write to.
fn data_bytes() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(5).unwrap().parse::<usize>().unwrap() * 4096
}

fn models_hold(kind: usize, layout: &Layout) {
    let before = data_bytes();
    let body = Body::new(layout, layout, Vec::new(), literal_bits(u32::MAX, layout));
    let held = data_bytes() - before;
    assert!(held <= MODELS[kind], "{held} bytes");
    drop(body);
}

#[test]
#[ignore = "run by the test below, alone in its process"]
fn models_of_code_hold_what_is_added_up() {
    models_hold(0, &layout(&[(0, 1, 0)], vec![region(0, 1, Kind::X86_64)]));
}

#[test]
#[ignore = "run by the test below, alone in its process"]
fn models_of_text_hold_what_is_added_up() {
    models_hold(1, &Layout::default());
}

/// Runs a test of this file in a process of its own, which may have so much memory, in bytes. If it
/// fails, gives what it tells.
#[cfg(target_os = "linux")]
fn alone(test: &str, memory: usize, input: &[u8]) -> Result<(), String> {
    let this = std::env::current_exe().unwrap();
    let run = "ulimit -d $2 && exec \"$0\" --test-threads 1 --ignored --exact \"$1\"";
    let mut child = Command::new("sh")
        .args(["-c", run])
        .arg(this)
        .arg(format!("format2::hazards::memory::{test}"))
        .arg((memory / 1024).to_string())
        .env("RUST_BACKTRACE", "0")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // One that has failed reads no more: what it tells says why.
    let _ = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output().unwrap();
    let told = [output.stdout, output.stderr].concat();
    let told = String::from_utf8_lossy(&told).into_owned();
    if output.status.success() && told.contains("1 passed") {
        Ok(())
    } else {
        Err(told)
    }
}

#[test]
#[cfg(target_os = "linux")]
fn no_number_of_a_patch_decides_how_much_is_allocated() {
    for (what, old, patch) in hostile() {
        let mut input = Vec::new();
        for file in [&old, &patch] {
            input.extend_from_slice(&(file.len() as u64).to_le_bytes());
            input.extend_from_slice(file);
        }
        let applied = alone(
            "what_is_given_is_applied",
            (usize::from(MAX_MEMORY) << 20) + PROCESS + input.len(),
            &input,
        );
        assert_eq!(applied, Ok(()), "{what}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn models_hold_what_is_added_up() {
    for of in ["code", "text"] {
        let held = alone(&format!("models_of_{of}_hold_what_is_added_up"), 1 << 30, &[]);
        assert_eq!(held, Ok(()), "{of}");
    }
}
