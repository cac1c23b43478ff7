//! Golden patches: what was released once decodes for ever.

use std::fs;

use super::*;
use crate::Applied;
use crate::testing::{Noise, golden};

/// Small blocks, so that small files have many of them.
const SMALL: usize = 512;
const NAMES: [&str; 5] = ["blocks", "from-nothing", "moved", "text", "to-nothing"];

#[test]
fn golden_patches_decode_for_ever() -> Result<(), Box<dyn std::error::Error>> {
    for name in NAMES {
        let [old, new, patch] = ["old", "new", "mpatch"].map(|kind| fs::read(golden(name, kind)));
        let (old, new, patch) = (old?, new?, patch?);
        let mut out = Vec::new();
        let limits = Limits::exactly(new.len() as u64);
        let applied = apply(&mut Cursor::new(&old), &patch[..], &mut out, limits)?;
        assert_eq!(out, new, "{name}");
        let expected = Applied {
            bytes: new.len() as u64,
            sha256: Sha256::digest(&new).into(),
        };
        assert_eq!(applied, expected, "{name}");
    }
    Ok(())
}

#[test]
#[ignore = "writes golden patches that are missing; existing ones are never changed"]
fn writes_missing_golden_patches() -> Result<(), Box<dyn std::error::Error>> {
    for name in NAMES {
        let (old, new, max_output) = pair(name);
        if !golden(name, "mpatch").exists() {
            let patch = encode(&old, &new, max_output)?;
            fs::write(golden(name, "old"), &old)?;
            fs::write(golden(name, "new"), &new)?;
            fs::write(golden(name, "mpatch"), patch)?;
        }
    }
    Ok(())
}

fn pair(name: &str) -> (Vec<u8>, Vec<u8>, usize) {
    let old = noise(1, 3000);
    match name {
        "from-nothing" => (Vec::new(), noise(2, 300), MAX_OUTPUT),
        "to-nothing" => (noise(3, 300), Vec::new(), MAX_OUTPUT),
        "text" => {
            let lines: Vec<_> = (0..60)
                .map(|line| format!("line {line} of the old file"))
                .collect();
            let old = lines.join("\n");
            let new = old
                .replace("old", "new")
                .replace("line 30", "the line of number thirty");
            (old.into(), new.into(), MAX_OUTPUT)
        }
        // Parts in another order, so that it reads backwards in the old file, and some new bytes.
        "moved" => {
            let new = [&old[2000..], &noise(4, 100), &old[..1000], &old[1000..2000]].concat();
            (old, new, MAX_OUTPUT)
        }
        // As an executable changes: numbers that all move by the same.
        _ => {
            let mut new = old.clone();
            new.iter_mut()
                .step_by(16)
                .for_each(|byte| *byte = byte.wrapping_add(4));
            new.splice(1500..1500, noise(5, 200));
            (old, new, SMALL)
        }
    }
}

fn noise(seed: u64, length: usize) -> Vec<u8> {
    Noise::new(seed).bytes(length)
}
