//! The attacks on patches that have a name and a folder: `tests/hazards/NAME/hazard.toml` says what is done and what must be said.

use std::collections::BTreeSet;
use std::io::{self, Cursor, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::{error, fs};

use moult_delta::format1::MAX_WINDOW_LOG;
use moult_delta::{ApplyError, Limits, apply};

use super::by_hand::{NEW, OLD, applied, block, entry, good, header, number, seek, with_body};

/// `row`, `package`, `attack`, `refused`, `because`.
struct Hazard(toml::Table);

impl Hazard {
    fn read(name: &str) -> Self {
        let text = fs::read_to_string(folder().join(name).join("hazard.toml")).unwrap();
        Self(text.parse().unwrap())
    }

    fn text(&self, field: &str) -> &str {
        self.0[field].as_str().unwrap()
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/hazards")
}

type Refusal = Result<Vec<u8>, ApplyError>;

fn all(bodies: impl IntoIterator<Item = Vec<u8>>) -> Vec<Refusal> {
    bodies
        .into_iter()
        .map(|body| applied(&with_body(&body)))
        .collect()
}

/// What comes of the patches of an attack.
fn attack(name: &str) -> Vec<Refusal> {
    match name {
        // CVE-2014-9862.
        "patch-negative-length" => {
            all([1 << 63, u64::MAX, (1 << 63) + 5].map(|length| entry(&seek(0), &number(length), 0)))
        }
        "patch-huge-length" => all([
            entry(&seek(0), &number((1 << 63) - 1), 0),
            entry(&seek(0), &number(1 << 32), 0),
        ]),
        // CVE-2020-14315.
        "patch-sum-overflow" => {
            let control = [number(u32::MAX.into()), number(14), vec![0, 0], seek(0), seek(0)].concat();
            all([block([2, control.len() as u32, 13, 0], &[&control, &[0; 13]])])
        }
        "patch-writes-beyond" => all([
            block([1, 3, 0, 14], &[&[0, 14, 0], &[0; 14]]),
            [
                block([1, 3, 0, 10], &[&[0, 10, 0], &NEW[..10]]),
                block([1, 3, 0, 4], &[&[0, 4, 0], &[0; 4]]),
            ]
            .concat(),
        ]),
        "patch-larger-than-signed" => {
            let mut out = Vec::new();
            let limits = Limits::exactly(NEW.len() as u64 - 1);
            let applied = apply(&mut Cursor::new(OLD), &good()[..], &mut out, limits).map(|_| Vec::new());
            assert!(out.is_empty());
            vec![applied]
        }
        "patch-reads-outside" => {
            let far = [-1, 6, i64::MAX, i64::MIN].map(|by| entry(&seek(by), &[5], 5));
            all(far)
        }
        "patch-endless" => {
            let frame = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58];
            let start = [&header(NEW.len() as u64, NEW)[..], &frame].concat();
            let limits = Limits {
                output_bytes: NEW.len() as u64,
                patch_bytes: 1_000_000,
            };
            let endless = start.chain(io::repeat(0));
            vec![apply(&mut Cursor::new(OLD), endless, &mut io::sink(), limits).map(|_| Vec::new())]
        }
        "patch-window" => {
            let mut encoder = zstd::Encoder::new(header(NEW.len() as u64, NEW), 1).unwrap();
            encoder.window_log(MAX_WINDOW_LOG + 1).unwrap();
            encoder.write_all(&entry(&seek(0), &[0], 0)).unwrap();
            encoder.flush().unwrap();
            vec![applied(&encoder.finish().unwrap())]
        }
        "patch-wrong-base" => [&b"012345678X"[..], b"", b"01234567890", NEW]
            .into_iter()
            .map(|base| {
                let (mut out, limits) = (Vec::new(), Limits::exactly(NEW.len() as u64));
                let applied =
                    apply(&mut Cursor::new(base), &good()[..], &mut out, limits).map(|_| Vec::new());
                assert!(out.is_empty());
                applied
            })
            .collect(),
        "patch-wrong-result" => {
            let mut other = NEW.to_vec();
            other[0] ^= 1;
            let body = block([1, 3, 0, 13], &[&[0, 13, 0], &other]);
            all([body])
        }
        "patch-cut" => {
            let good = good();
            (0..good.len()).map(|length| applied(&good[..length])).collect()
        }
        other => panic!("nobody knows how to make {other}"),
    }
}

fn all_of(error: &dyn error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text.push_str(": ");
        text.push_str(&next.to_string());
        cause = next.source();
    }
    text
}

#[test]
fn each_attack_on_a_patch_is_refused_for_its_own_reason() {
    let mut met = BTreeSet::new();
    for entry in fs::read_dir(folder()).unwrap() {
        let entry = entry.unwrap();
        if !entry.file_type().unwrap().is_dir() {
            continue;
        }
        let name = entry.file_name().to_string_lossy().into_owned();
        let hazard = Hazard::read(&name);
        if hazard.text("package") != "moult-delta" {
            continue;
        }
        assert_eq!(hazard.0["row"].as_integer(), Some(12), "{name}");
        assert_eq!(hazard.text("refused"), "patch_failed", "{name}");
        assert!(hazard.text("attack").ends_with('.'), "{name}");
        for (place, refusal) in attack(&name).into_iter().enumerate() {
            let text = match refusal {
                Ok(_) => panic!("{name}, {place}: it was applied"),
                Err(error) => all_of(&error),
            };
            assert!(text.contains(hazard.text("because")), "{name}, {place}: {text}");
        }
        // The next good patch is applied.
        assert_eq!(applied(&good()).unwrap(), NEW, "{name}");
        met.insert(name);
    }
    assert_eq!(met.len(), 11, "{met:?}");
}
