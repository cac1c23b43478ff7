//! Golden patches of format 2: what was released once decodes for ever.
//!
//! Code is random bytes, so that what the decoder finds in them can't change unnoticed.

use std::fs;
use std::path::PathBuf;

use super::{applied, patch};
use crate::golden::golden;
use crate::programs::{Format, Noise, Program};

const NAMES: [&str; 9] = [
    "elf-arm64",
    "elf-x86-64",
    "from-nothing",
    "macho-arm64",
    "moved",
    "nothing",
    "pe-arm64",
    "pe-x86-64",
    "text",
];

#[test]
fn golden_patches_decode_for_ever() {
    for name in NAMES {
        let [old, new, patch] = ["old", "new", "mpatch"].map(|kind| fs::read(path(name, kind)).unwrap());
        let out = applied(&old, &patch, new.len()).unwrap();
        assert!(out == new, "{name}");
    }
}

#[test]
#[ignore = "writes golden patches that are missing; existing ones are never changed"]
fn writes_missing_golden_patches() {
    for name in NAMES {
        let (old, new) = pair(name);
        if !path(name, "mpatch").exists() {
            fs::write(path(name, "old"), &old).unwrap();
            fs::write(path(name, "new"), &new).unwrap();
            fs::write(path(name, "mpatch"), patch(&old, &new)).unwrap();
        }
    }
}

fn path(name: &str, kind: &str) -> PathBuf {
    golden(&format!("2-{name}"), kind)
}

fn pair(name: &str) -> (Vec<u8>, Vec<u8>) {
    let program = |format| {
        let old = Program::new(format, 11, 60);
        (old.link(), old.next(12, 4, 3).link())
    };
    let noise = |seed, length| Noise::new(seed).bytes(length);
    match name {
        "elf-arm64" => program(Format::ElfArm),
        "elf-x86-64" => program(Format::ElfX86),
        "pe-arm64" => program(Format::PeArm),
        "pe-x86-64" => program(Format::PeX86),
        "macho-arm64" => program(Format::MachO),
        "nothing" => (noise(3, 300), Vec::new()),
        "from-nothing" => (Vec::new(), noise(2, 300)),
        "text" => {
            let lines: Vec<_> = (0..60)
                .map(|line| format!("line {line} of the old file"))
                .collect();
            let old = lines.join("\n");
            let new = old
                .replace("old", "new")
                .replace("line 30", "the line of number thirty");
            (old.into(), new.into())
        }
        _ => {
            let old = noise(1, 3000);
            let new = [&old[2000..], &noise(4, 100), &old[..1000], &old[1000..2000]].concat();
            (old, new)
        }
    }
}
