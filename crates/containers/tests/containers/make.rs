//! Containers for the tests.

use std::fmt::Write as _;
use std::io::Write;
use std::process::{Command, Stdio};

/// Numbers that look like chance and are the same each time.
fn numbers(seed: u64) -> impl Iterator<Item = u64> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state >> 11
    })
}

/// Bytes that can't be compressed.
pub(crate) fn random(seed: u64, length: usize) -> Vec<u8> {
    numbers(seed + 1000)
        .map(|number| number as u8)
        .take(length)
        .collect()
}

/// Bytes that begin no stream.
pub(crate) fn noise(seed: u64, length: usize) -> Vec<u8> {
    random(seed, length)
        .into_iter()
        .map(|byte| b'a' + byte % 20)
        .collect()
}

/// Lines that compress to about a third.
pub(crate) fn text(seed: u64, lines: usize) -> Vec<u8> {
    const WORDS: [&str; 12] = [
        "window", "release", "keeps", "the", "old", "bytes", "and", "moves", "what", "was", "a", "shell",
    ];
    let mut numbers = numbers(seed);
    let mut next = |below: u64| numbers.next().unwrap_or_default() % below;
    let mut text = String::new();
    for line in 0..lines {
        for _ in 0..=next(6) {
            text += WORDS[next(12) as usize];
            text.push(' ');
        }
        let _ = writeln!(text, "{line} {:x}", next(1 << 24));
    }
    text.into_bytes()
}

/// A gzip file, by miniz_oxide.
pub(crate) fn gzip(plain: &[u8], level: u8) -> Vec<u8> {
    let mut crc = flate2::Crc::new();
    crc.update(plain);
    let mut file = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
    file.extend(miniz_oxide::deflate::compress_to_vec(plain, level));
    file.extend_from_slice(&crc.sum().to_le_bytes());
    file.extend_from_slice(&crc.amount().to_le_bytes());
    file
}

pub(crate) fn zlib(plain: &[u8]) -> Vec<u8> {
    miniz_oxide::deflate::compress_to_vec_zlib(plain, 9)
}

pub(crate) fn xz(plain: &[u8], preset: u32) -> Vec<u8> {
    let stream =
        liblzma::stream::Stream::new_easy_encoder(preset, liblzma::stream::Check::Crc64).expect("xz");
    let mut encoder = liblzma::write::XzEncoder::new_stream(Vec::new(), stream);
    encoder.write_all(plain).expect("xz");
    encoder.finish().expect("xz")
}

pub(crate) fn zstandard(
    plain: &[u8],
    level: i32,
    checksum: bool,
    told: Option<usize>,
    workers: u32,
) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), level).expect("zstd");
    encoder.include_checksum(checksum).expect("zstd");
    encoder
        .set_pledged_src_size(told.map(|told| told as u64))
        .expect("zstd");
    if workers > 0 {
        encoder.multithread(workers).expect("zstd");
    }
    encoder.write_all(plain).expect("zstd");
    encoder.finish().expect("zstd")
}

/// A zip file of deflated entries, with a central directory.
pub(crate) fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    for (name, plain) in entries {
        let packed = miniz_oxide::deflate::compress_to_vec(plain, 6);
        let mut crc = flate2::Crc::new();
        crc.update(plain);
        let mut common = vec![20, 0, 0, 0, 8, 0, 0, 0, 0x21, 0x58];
        for number in [crc.sum(), packed.len() as u32, plain.len() as u32] {
            common.extend_from_slice(&number.to_le_bytes());
        }
        common.extend_from_slice(&(name.len() as u16).to_le_bytes());
        common.extend_from_slice(&[0, 0]);
        directory.extend_from_slice(b"PK\x01\x02\x14\0");
        directory.extend_from_slice(&common);
        directory.extend_from_slice(&[0; 10]);
        directory.extend_from_slice(&(file.len() as u32).to_le_bytes());
        directory.extend_from_slice(name.as_bytes());
        file.extend_from_slice(b"PK\x03\x04");
        file.extend_from_slice(&common);
        file.extend_from_slice(name.as_bytes());
        file.extend_from_slice(&packed);
    }
    let (start, count) = (file.len() as u32, entries.len() as u16);
    file.extend_from_slice(&directory);
    file.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    file.extend_from_slice(&count.to_le_bytes());
    file.extend_from_slice(&count.to_le_bytes());
    file.extend_from_slice(&(directory.len() as u32).to_le_bytes());
    file.extend_from_slice(&start.to_le_bytes());
    file.extend_from_slice(&[0, 0]);
    file
}

/// An archive as deb files are.
pub(crate) fn ar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut file = b"!<arch>\n".to_vec();
    for (name, bytes) in members {
        let head = format!(
            "{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n",
            0,
            0,
            0,
            100_644,
            bytes.len()
        );
        file.extend_from_slice(head.as_bytes());
        file.extend_from_slice(bytes);
        if bytes.len() % 2 == 1 {
            file.push(b'\n');
        }
    }
    file
}

/// A tar file of one file, compressed as dpkg-deb does.
pub(crate) fn deb_member(plain: &[u8], compression: &str) -> Vec<u8> {
    let mut tar = vec![0; 512];
    tar[..5].copy_from_slice(b"./one");
    tar[124..135].copy_from_slice(format!("{:011o}", plain.len()).as_bytes());
    tar[257..262].copy_from_slice(b"ustar");
    tar.extend_from_slice(plain);
    tar.resize(tar.len().next_multiple_of(512) + 1024, 0);
    match compression {
        "gz" => gzip(&tar, 9),
        "xz" => xz(&tar, 6),
        _ => zstandard(&tar, 19, true, None, 0),
    }
}

/// What a program makes of bytes. None if it is not there or can't.
pub(crate) fn by_program(program: &str, arguments: &[&str], plain: &[u8]) -> Option<Vec<u8>> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let mut input = child.stdin.take()?;
    let plain = plain.to_vec();
    let writer = std::thread::spawn(move || input.write_all(&plain));
    let output = child.wait_with_output().ok()?;
    writer.join().ok()?.ok()?;
    output.status.success().then_some(output.stdout)
}

/// A program for 64-bit Linux that does nothing of use: functions that call each other. Those from
/// `moved` on lie 48 bytes farther, so that all calls across that place differ.
pub(crate) fn executable(seed: u64, functions: usize, moved: usize) -> Vec<u8> {
    const FUNCTION: usize = 64;
    const TEXT: usize = 0x1000;
    let place = |function: usize| TEXT + function * FUNCTION + if function >= moved { 48 } else { 0 };
    let mut file = vec![0x90; place(functions)];
    file[..TEXT].fill(0);
    let mut numbers = numbers(seed);
    for function in 0..functions {
        let mut at = place(function);
        for _ in 0..10 {
            let other = numbers.next().unwrap_or_default() as usize % functions;
            let by = place(other).wrapping_sub(at + 5) as u32;
            file[at] = 0xe8;
            file[at + 1..at + 5].copy_from_slice(&by.to_le_bytes());
            at += 5;
        }
        file[at] = 0xc3;
    }
    let length = file.len() as u64;
    file[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
    let mut put = |at: usize, number: u64, bytes: usize| {
        file[at..at + bytes].copy_from_slice(&number.to_le_bytes()[..bytes]);
    };
    // The header: type, machine, version, entry, where segments are, their size and count.
    for (at, number, bytes) in [
        (0x10, 3, 2),
        (0x12, 62, 2),
        (0x14, 1, 4),
        (0x18, TEXT as u64, 8),
        (0x20, 64, 8),
        (0x34, 64, 2),
        (0x36, 56, 2),
        (0x38, 1, 2),
    ] {
        put(at, number, bytes);
    }
    // One segment that is loaded and run: all of the file.
    for (at, number, bytes) in [
        (64, 1, 4),
        (68, 5, 4),
        (96, length, 8),
        (104, length, 8),
        (112, 0x1000, 8),
    ] {
        put(at, number, bytes);
    }
    file
}

/// A tar file of programs.
pub(crate) fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = Vec::new();
    for (name, file) in files {
        let mut head = [0; 512];
        head[..name.len()].copy_from_slice(name.as_bytes());
        head[124..135].copy_from_slice(format!("{:011o}", file.len()).as_bytes());
        head[257..262].copy_from_slice(b"ustar");
        tar.extend_from_slice(&head);
        tar.extend_from_slice(file);
        tar.resize(tar.len().next_multiple_of(512), 0);
    }
    tar.resize(tar.len() + 1024, 0);
    tar
}
