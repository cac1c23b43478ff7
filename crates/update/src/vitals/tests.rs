#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io;
use std::path::PathBuf;

use moult_durable::DurableError;

use super::*;

fn well() -> Vitals {
    Vitals {
        driver: Vital::Well,
        trust: Vital::Well,
        delta: Vital::Well,
        disk: Vital::Well,
        client: Vital::Well,
    }
}

#[test]
fn each_broken_part_makes_a_version_unfit_and_says_which() {
    let broken = || Vital::Broken("why".to_owned());
    let cases = [
        (
            "driver",
            Vitals {
                driver: broken(),
                ..well()
            },
        ),
        (
            "trust",
            Vitals {
                trust: broken(),
                ..well()
            },
        ),
        (
            "delta",
            Vitals {
                delta: broken(),
                ..well()
            },
        ),
        (
            "disk",
            Vitals {
                disk: broken(),
                ..well()
            },
        ),
        (
            "client",
            Vitals {
                client: broken(),
                ..well()
            },
        ),
    ];
    for (name, vitals) in cases {
        assert_eq!(vitals.verdict(), Verdict::Unfit(format!("{name}: why")));
    }
    assert_eq!(well().verdict(), Verdict::Fit);
}

#[test]
fn what_can_not_be_tried_blames_nobody_and_confirms_nothing() {
    let untried = Vitals {
        disk: Vital::Untried("full".to_owned()),
        ..well()
    };
    assert_eq!(untried.verdict(), Verdict::Later("disk: full".to_owned()));
    let worse = Vitals {
        client: Vital::Broken("why".to_owned()),
        ..untried
    };
    assert_eq!(
        worse.verdict(),
        Verdict::Unfit("client: why".to_owned()),
        "what is broken counts more"
    );
}

#[test]
fn a_driver_that_ended_or_hangs_is_broken() {
    for (answered, expected) in [(Some(true), true), (Some(false), false), (None, false)] {
        assert_eq!(driver(answered) == Vital::Well, expected, "{answered:?}");
    }
}

#[test]
fn the_golden_patch_is_applied_and_damage_to_it_is_seen() {
    assert_eq!(delta(), Vital::Well);
    let seen = (0..PATCH.len())
        .filter(|place| {
            let mut damaged = PATCH.to_vec();
            damaged[*place] ^= 0x10;
            matches!(applied(&damaged), Vital::Broken(_))
        })
        .count();
    // Here and there a bit says nothing.
    assert!(seen * 10 >= PATCH.len() * 9, "{seen} of {}", PATCH.len());
    assert!(matches!(applied(&PATCH[..PATCH.len() / 2]), Vital::Broken(_)));
}

#[test]
fn a_client_can_be_made_without_a_network() {
    assert_eq!(client(), Vital::Well);
}

#[test]
fn a_full_disk_is_not_this_version_s_fault_but_a_record_that_reads_otherwise_is() {
    let failed = |kind: io::ErrorKind| {
        Err(UpdateError::from(DurableError::Write {
            path: PathBuf::from("probe.a"),
            source: kind.into(),
        }))
    };
    assert_eq!(written(Ok((7, Some(7)))), Vital::Well);
    assert!(matches!(written(Ok((7, Some(6)))), Vital::Broken(_)));
    assert!(matches!(written(Ok((7, None))), Vital::Broken(_)));
    for kind in [
        io::ErrorKind::StorageFull,
        io::ErrorKind::QuotaExceeded,
        io::ErrorKind::PermissionDenied,
    ] {
        assert!(matches!(written(failed(kind)), Vital::Untried(_)), "{kind}");
    }
    assert!(matches!(written(Err(UpdateError::Abandoned)), Vital::Broken(_)));
}

#[tokio::test]
async fn the_disk_is_probed_again_and_again_and_grows_by_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..5 {
        assert_eq!(disk(folder.path()).await, Vital::Well);
    }
    let found = std::fs::read_dir(folder.path().join("update")).unwrap().count();
    assert_eq!(found, 2, "two copies of one record");
}

/// Writes the golden patch anew, with `MOULT_WRITE_GOLDEN` set. Patches that were released are applied for
/// ever, so this one is made once.
#[test]
fn the_golden_patch_is_one_that_this_code_could_have_made() {
    let mut made = Vec::new();
    moult_delta::diff(OLD, NEW, &mut made).unwrap();
    if std::env::var_os("MOULT_WRITE_GOLDEN").is_some() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/vitals/old-new.patch");
        std::fs::write(path, &made).unwrap();
    }
    assert_eq!(applied(&made), Vital::Well);
}
