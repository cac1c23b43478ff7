//! Secrets in what is published, by patterns that each belong to one kind of secret and to nothing else. What is found is never
//! printed, only where it is.

use std::path::Path;
use std::sync::LazyLock;

use moult_model::Bundle;
use moult_model::config::Secrets;
use regex::bytes::{Regex, RegexSet};

use super::{Fault, GateError, Rule};
use crate::release::Artifact;

/// Kinds of secrets and their patterns.
const PATTERNS: [(&str, &str); 15] = [
    (
        "a private key",
        r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----[\s\\rn]+[A-Za-z0-9+/=:]{16}",
    ),
    (
        "a key of this tool",
        r#""secret"\s*:\s*"M[A-Za-z0-9+/]{60,}={0,2}""#,
    ),
    (
        "a minisign secret key",
        r"untrusted comment: [^\n]*secret key[^\n]*\n\s*RW[A-Za-z0-9+/]{40}",
    ),
    ("an AWS access key", r"\b(?:AKIA|ASIA)[A-Z2-7]{16}\b"),
    (
        "a GitHub token",
        r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{60,})\b",
    ),
    ("a GitLab token", r"\bglpat-[A-Za-z0-9_-]{20}\b"),
    ("a Google API key", r"\bAIza[A-Za-z0-9_-]{35}\b"),
    (
        "a Google service account",
        r#""type"\s*:\s*"service_account"[\s\S]{0,400}"private_key""#,
    ),
    ("an Azure storage key", r"\bAccountKey=[A-Za-z0-9+/]{86}=="),
    ("a Slack token", r"\bxox[abprs]-[0-9]{6,}-[A-Za-z0-9-]{10,}"),
    ("a Stripe key", r"\b[rs]k_live_[A-Za-z0-9]{20,}\b"),
    ("an npm token", r"\bnpm_[A-Za-z0-9]{36}\b"),
    ("a crates.io token", r"\bcio[A-Za-z0-9]{32}\b"),
    ("a PyPI token", r"\bpypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{20,}"),
    (
        "a password in an address",
        r"\b[a-z]{2,10}://[A-Za-z0-9._-]+:[^\s/@:'\x22]{8,}@[A-Za-z0-9.-]+\.[a-z]{2,}",
    ),
];

/// Longer files are looked through in pieces that overlap by this, in bytes: more than any secret is long.
const OVERLAP: usize = 8 << 10;
const PIECE: usize = 8 << 20;
/// Folders of the sources that hold nothing that was written by hand.
const SKIPPED: [&str; 4] = [".git", "node_modules", "target", "dist"];

static SET: LazyLock<Option<RegexSet>> =
    LazyLock::new(|| RegexSet::new(PATTERNS.map(|(_, pattern)| pattern)).ok());

/// Looks through what is published.
pub(super) fn in_artifact(artifact: &Artifact, rules: &Secrets) -> Vec<Fault> {
    let origin = artifact.origin.display().to_string();
    let Some(bundle) = artifact
        .manifest
        .is_some()
        .then(|| Bundle::parse(artifact.bytes.clone()).ok())
        .flatten()
    else {
        return in_bytes(&origin, &artifact.bytes, true, rules);
    };
    let paths: Vec<_> = bundle.paths().map(str::to_owned).collect();
    let mut faults = Vec::new();
    for path in paths {
        let bytes = bundle.file(&path).unwrap_or_default();
        faults.extend(in_bytes(&format!("{origin}/{path}"), bytes, false, rules));
    }
    faults
}

/// Looks through a file, or every file below a folder. `name` is how it is called in the configuration.
pub(super) fn below(path: &Path, name: &str, rules: &Secrets) -> Result<Vec<Fault>, GateError> {
    let read = |source: std::io::Error| GateError::Read {
        path: path.to_owned(),
        source: source.into(),
    };
    if path.is_file() {
        let bytes = std::fs::read(path).map_err(read)?;
        return Ok(in_bytes(name, &bytes, false, rules));
    }
    let mut faults = Vec::new();
    for entry in std::fs::read_dir(path).map_err(read)? {
        let entry = entry.map_err(read)?;
        let kind = entry.file_type().map_err(read)?;
        let file_name = entry.file_name().to_string_lossy().into_owned();
        let is_left_out = kind.is_symlink() || (kind.is_dir() && SKIPPED.contains(&file_name.as_str()));
        if !is_left_out {
            let name = format!("{}/{file_name}", name.trim_end_matches('/'));
            faults.extend(below(&entry.path(), &name, rules)?);
        }
    }
    Ok(faults)
}

/// Looks through bytes. `is_program`: places are told by offset, not by line.
fn in_bytes(name: &str, bytes: &[u8], is_program: bool, rules: &Secrets) -> Vec<Fault> {
    if rules.ignore.iter().any(|end| name.ends_with(end.as_str())) {
        return Vec::new();
    }
    let mut faults = Vec::new();
    let mut start = 0;
    while start < bytes.len() {
        let end = bytes.len().min(start + PIECE);
        let piece = &bytes[start..end];
        let matches = SET.as_ref().map(|set| set.matches(piece)).into_iter().flatten();
        for at in matches {
            let (what, pattern) = PATTERNS[at];
            let Some(found) = Regex::new(pattern).ok().and_then(|regex| regex.find(piece)) else {
                continue;
            };
            let offset = start + found.start();
            let place = if is_program {
                format!("{name}, byte {offset}")
            } else {
                let line = bytes[..offset].split(|byte| *byte == b'\n').count();
                format!("{name}:{line}")
            };
            faults.push(Fault::new(Rule::Secret, place, format!("it has {what}")));
        }
        if end == bytes.len() {
            break;
        }
        start = end - OVERLAP;
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let faults = in_bytes("x", text.as_bytes(), false, &Secrets::default());
        faults
            .into_iter()
            .map(|fault| format!("{} {}", fault.place, fault.what))
            .collect()
    }

    #[test]
    fn every_pattern_is_one() {
        assert!(SET.is_some());
    }

    // Put together here, so that nobody's scan of this file finds them.
    #[test]
    fn each_kind_of_secret_is_found_with_its_line() {
        let letters =
            "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        let cases = [
            (
                format!("-----BEGIN {} KEY-----\nMIIEvQIBADANBgkqhkiG9w0", "RSA PRIVATE"),
                "a private key",
            ),
            (
                format!("\"secret\": \"MFECAQEw{}\"", &letters[..62]),
                "a key of this tool",
            ),
            (
                format!("key = {}{}", "AKIA", "ABCDEFGHIJKLMNOP"),
                "an AWS access key",
            ),
            (format!("{}{}", "ghp_", &letters[..36]), "a GitHub token"),
            (format!("{}{}", "glpat-", &letters[..20]), "a GitLab token"),
            (format!("{}{}", "AIza", &letters[..35]), "a Google API key"),
            (
                format!("{}={}==", "AccountKey", &letters[..86]),
                "an Azure storage key",
            ),
            (
                format!("{}-123456789-{}", "xoxb", &letters[..12]),
                "a Slack token",
            ),
            (format!("{}_{}", "sk_live", &letters[..24]), "a Stripe key"),
            (format!("{}{}", "npm_", &letters[..36]), "an npm token"),
            (format!("{}{}", "cio", &letters[..32]), "a crates.io token"),
            (
                format!("postgres://me:{}@db.example.com/x", "correct-horse"),
                "a password in an address",
            ),
        ];
        for (text, what) in cases {
            let all = found(&format!("first line\nsecond line\n  {text} \n"));
            assert_eq!(all, [format!("x:3 it has {what}")], "{what}");
        }
    }

    #[test]
    fn what_only_looks_like_one_is_left_alone() {
        for text in [
            "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEF",
            "a parser looks for -----BEGIN PRIVATE KEY----- in the file",
            "https://example.com:8080/path@2x.png",
            "AKIAshort",
            "\"secret\": \"none\"",
        ] {
            assert_eq!(found(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn a_secret_across_two_pieces_is_found() {
        let token = format!("{}{}", "npm_", "a".repeat(36));
        let text = format!("{} {token} ", " ".repeat(PIECE - 20));
        assert_eq!(found(&text).len(), 1);
    }
}
