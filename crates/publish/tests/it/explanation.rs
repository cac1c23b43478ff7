//! What `moult explain` says of an installation, from what its engine noted.

use anyhow::Result;
use moult_durable::TwoCopy;
use moult_model::explanation::{Authority, Candidate, Explanation, Gate, NextWave, Verdict};
use moult_model::{Channel, Share, Subject, Version};

use crate::support::Desk;

fn candidate(minor: u64, verdict: Verdict) -> Candidate {
    Candidate {
        version: Version::new(1, minor, 0),
        verdict,
    }
}

/// What an engine of a computer outside the wave notes.
fn noted() -> Result<Vec<Explanation>> {
    let next = NextWave {
        from: "2026-12-02T10:00:00Z".to_owned(),
        share: Share::ALL,
    };
    let wave = Verdict::OutsideWave {
        place: 3412,
        share: Share::NONE,
        next: Some(next),
    };
    let held = Verdict::Held {
        by: Authority::Order,
        reason: Some("It loses notes.".to_owned()),
    };
    let of = |subject: Subject, candidates: Vec<Candidate>| Explanation {
        subject,
        channel: Channel::stable(),
        running: Some(Version::new(1, 1, 0)),
        pinned: None,
        min_secure: None,
        candidates,
        gate: Gate {
            at: Some("2026-12-01T12:00:00Z".to_owned()),
            ..Gate::default()
        },
    };
    Ok(vec![
        of(Subject::Executable, vec![candidate(1, Verdict::Runs)]),
        of(
            "w/moult/notes".parse()?,
            vec![
                candidate(3, wave),
                candidate(2, held),
                candidate(1, Verdict::Runs),
            ],
        ),
    ])
}

#[test]
fn it_says_why_each_part_has_its_version() -> Result<()> {
    let desk = Desk::new()?;
    std::fs::create_dir_all(desk.path("data/update"))?;
    TwoCopy::new(desk.path("data/update"), "explained").store(&noted()?)?;
    let explain = |args: &[&str]| desk.moult(&[&["explain", "--data", "data"], args].concat());
    desk.snapshot("explain", &explain(&[])?);
    desk.snapshot("explain_one", &explain(&["w/moult/notes"])?);
    desk.snapshot("explain_json", &explain(&["app", "--json"])?);
    desk.snapshot("error_explain_unknown", &explain(&["shell"])?);
    Ok(())
}

#[test]
fn without_an_installation_it_says_so() -> Result<()> {
    let desk = Desk::new()?;
    let ran = desk.moult(&["explain", "--data", "nowhere"])?;
    desk.snapshot("error_explain_nowhere", &ran);
    desk.snapshot("help_explain", &desk.moult(&["explain", "--help"])?);
    Ok(())
}
