//! The attacks that have a name and a folder: `tests/hazards/NAME/hazard.toml` says what is done and what must be said. Here each is
//! made with the real publishing side, and met by the real client: one that has checked before, and one that starts.

mod clock;
mod floor;
mod indexes;
mod metadata;
mod signature;

use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use moult_model::ErrorCode;
use moult_trust::{Anchor, TrustError};
use serde::Deserialize;

use crate::support::{Computer, Files, Mirror, Outcome, Site, TRIPLE, add_release, at, subject};

/// `hazard.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Hazard {
    /// The row of the fault matrix.
    row: u8,
    /// The crate whose tests make it.
    package: String,
    /// What is done.
    attack: String,
    /// The code of the error.
    refused: ErrorCode,
    /// What the error or one of its causes says.
    because: String,
}

/// An attack on somebody who asks for a subject.
pub(super) struct Attack {
    /// Which of several that are refused alike.
    what: String,
    /// What was served before, if somebody looked.
    before: Files,
    /// What is served.
    served: Files,
    /// When it is looked at.
    now: Timestamp,
    /// Who is asked for.
    asked: &'static str,
    /// Whether somebody who never checked before must refuse it too.
    at_the_first_start: bool,
}

impl Attack {
    fn new(what: impl Into<String>, site: &Site, served: Files) -> Outcome<Self> {
        Ok(Self {
            what: what.into(),
            before: site.files()?,
            served,
            now: at(0),
            asked: "app",
            at_the_first_start: true,
        })
    }

    fn on(self, asked: &'static str) -> Self {
        Self { asked, ..self }
    }

    fn before(self, before: Files) -> Self {
        Self { before, ..self }
    }

    fn seen_before(self) -> Self {
        Self {
            at_the_first_start: false,
            ..self
        }
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/hazards")
}

fn hazard(name: &str) -> Outcome<Hazard> {
    let path = folder().join(name).join("hazard.toml");
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(toml::from_str(&text)?)
}

/// An error and its causes, as one text.
fn all_of(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text.push_str(": ");
        text.push_str(&next.to_string());
        cause = next.source();
    }
    text
}

fn assert_refused<T>(name: &str, what: &str, outcome: Result<T, TrustError>) -> Outcome {
    let hazard = hazard(name)?;
    let Err(error) = outcome else {
        return Err(format!("{name}, {what}: it was believed").into());
    };
    let text = all_of(&error);
    assert_eq!(error.code(), hazard.refused, "{name}, {what}: {text}");
    assert!(text.contains(&hazard.because), "{name}, {what}: {text}");
    Ok(())
}

/// Makes the attacks of a hazard, and has each refused; afterwards what was believed is believed, and the next good check works.
async fn refused(name: &str, make: fn(&Site) -> Outcome<Vec<Attack>>) -> Outcome {
    let site = Site::new()?;
    let anchor = site.anchor()?;
    let attacks = make(&site)?;
    assert!(!attacks.is_empty(), "{name}");
    // Later than everything that a thief of keys has signed.
    for (version, days) in [("1.9.1", 60), ("1.9.2", 120), ("1.9.3", 180)] {
        let mut editor = site.editor()?;
        for attack in &attacks {
            add_release(&mut editor, attack.asked, version).or_else(|error| {
                // Several attacks on one subject.
                let twice = error.to_string().contains("clients would refuse");
                if twice { Ok(()) } else { Err(error) }
            })?;
        }
        // So late that every role is renewed.
        editor.resign(at(days))?;
    }
    let good = site.files()?;
    for attack in attacks {
        for first_start in [false, true] {
            if first_start && !attack.at_the_first_start {
                continue;
            }
            meet(name, &anchor, &attack, first_start, &good).await?;
        }
    }
    Ok(())
}

async fn meet(name: &str, anchor: &Anchor, attack: &Attack, first_start: bool, good: &Files) -> Outcome {
    let what = format!(
        "{}, {}",
        attack.what,
        if first_start { "first start" } else { "seen before" }
    );
    let mirror = Mirror::serving(attack.before.clone());
    let mut computer = Computer::new(anchor.clone(), &mirror)?;
    if !first_start && !attack.before.is_empty() {
        computer.refresh().await?;
        // There need not be anything of it yet.
        let _ = computer.index(attack.asked).await;
    }
    let believed = computer.client.beliefs().floor;

    mirror.serve(attack.served.clone());
    let outcome = match computer.client.refresh(attack.now).await {
        Ok(_) => {
            computer
                .client
                .index(&subject(attack.asked), TRIPLE, attack.now)
                .await
        }
        Err(error) => Err(error),
    };
    assert_refused(name, &what, outcome)?;
    let after = computer.client.beliefs().floor;
    for (role, floor) in &believed.roles {
        assert!(
            after.version(role) >= Some(floor.version),
            "{name}, {what}: the floor of {role} sank"
        );
    }

    mirror.serve(good.clone());
    for restarted in [false, true] {
        if restarted {
            computer.restart()?;
        }
        let newest = computer
            .newest(attack.asked)
            .await
            .map_err(|error| format!("{name}, {what}: the next good check: {}", all_of(&error)))?;
        assert_eq!(newest, "1.9.3", "{name}, {what}");
    }
    Ok(())
}

macro_rules! hazards {
    ($($name:ident: $make:path,)*) => {
        $(
            #[tokio::test]
            async fn $name() -> Outcome {
                refused(&stringify!($name).replace('_', "-"), $make).await
            }
        )*
        /// The hazards that are made here and met alike.
        const MET: &[&str] = &[$(stringify!($name)),*];
    };
}

hazards! {
    wrong_key: metadata::wrong_key,
    below_threshold: metadata::below_threshold,
    one_key_signs_twice: metadata::one_key_signs_twice,
    one_key_by_two_ids: metadata::one_key_by_two_ids,
    older_metadata_replayed: metadata::older_metadata_replayed,
    expired_metadata: metadata::expired_metadata,
    mix_and_match: metadata::mix_and_match,
    gap_in_the_roots: metadata::gap_in_the_roots,
    hole_in_the_roots: metadata::hole_in_the_roots,
    root_by_nobody: metadata::root_by_nobody,
    replaced_key: metadata::replaced_key,
    huge_metadata: metadata::huge_metadata,
    nested_metadata: metadata::nested_metadata,
    field_twice: metadata::field_twice,
    one_role_for_another: metadata::one_role_for_another,
    later_specification: metadata::later_specification,
    fraction_for_a_version: metadata::fraction_for_a_version,
    role_taken_from_the_snapshot: metadata::role_taken_from_the_snapshot,
    changed_index: indexes::changed_index,
    huge_index: indexes::huge_index,
    index_of_another: indexes::index_of_another,
    index_with_foreign_files: indexes::index_with_foreign_files,
    foreign_paths: indexes::foreign_paths,
    circle_of_delegations: indexes::circle_of_delegations,
}

/// Those that need something else than files that are served.
const OTHERS: &[&str] = &[
    "metadata_deleted",
    "metadata_emptied",
    "metadata_torn",
    "older_copy_restored",
    "one_floor_copy_torn",
    "floor_deleted",
    "profile_restored",
    "floor_not_written",
    "clock_ten_years_ahead",
    "clock_ten_years_behind",
    "clock_jumps_in_a_check",
    "signature_of_another_version",
    "signature_by_another_key",
    "signature_over_other_bytes",
    "signature_without_a_version",
];

#[test]
fn every_hazard_has_a_folder_and_every_folder_of_this_crate_a_hazard() -> Outcome {
    let made: BTreeSet<_> = MET
        .iter()
        .chain(OTHERS)
        .map(|name| name.replace('_', "-"))
        .collect();
    let mut described = BTreeSet::new();
    for entry in fs::read_dir(folder())? {
        let entry = entry?;
        if !entry.file_type()?.is_dir() {
            continue;
        }
        let name = entry.file_name().to_string_lossy().into_owned();
        let hazard = hazard(&name)?;
        assert!((6..=12).contains(&hazard.row), "{name}: row {}", hazard.row);
        assert!(
            hazard.attack.ends_with('.') && !hazard.because.is_empty(),
            "{name}"
        );
        if hazard.package == "moult-trust" {
            described.insert(name);
        }
    }
    assert_eq!(made, described);
    Ok(())
}
