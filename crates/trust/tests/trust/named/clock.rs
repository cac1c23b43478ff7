//! Row 10: a clock that goes wrong locks nobody out, and nobody in.

use jiff::Timestamp;

use super::assert_refused;
use crate::support::{Computer, Mirror, Outcome, Site, TRIPLE, at, subject};

const TEN_YEARS: i64 = 3653;

async fn newest_at(computer: &mut Computer, now: Timestamp) -> Outcome<String> {
    computer.client.refresh(now).await?;
    let index = computer.client.index(&subject("app"), TRIPLE, now).await?;
    Ok(index.releases[0].version.to_string())
}

#[tokio::test]
async fn clock_ten_years_ahead() -> Outcome {
    let site = Site::new()?;
    let mirror = Mirror::serving(site.files()?);
    for seen_before in [false, true] {
        let mut computer = Computer::new(site.anchor()?, &mirror)?;
        if seen_before {
            computer.newest("app").await?;
        }
        for restarted in [false, true] {
            let ahead = computer.client.refresh(at(TEN_YEARS)).await;
            assert_refused("clock-ten-years-ahead", "", ahead)?;
            if restarted {
                computer.restart()?;
            }
            assert_eq!(newest_at(&mut computer, at(0)).await?, "1.0.0", "corrected");
        }
    }
    Ok(())
}

#[tokio::test]
async fn clock_ten_years_behind() -> Outcome {
    let site = Site::new()?;
    let old = site.files()?;
    site.publish("app", "1.1.0")?;
    let mirror = Mirror::serving(site.files()?);
    let mut computer = Computer::new(site.anchor()?, &mirror)?;
    // What is new is found all the same, and what is old is not believed because the clock says that it is young.
    assert_eq!(newest_at(&mut computer, at(-TEN_YEARS)).await?, "1.1.0");
    mirror.serve(old);
    assert_refused(
        "clock-ten-years-behind",
        "",
        computer.client.refresh(at(-TEN_YEARS)).await,
    )?;
    mirror.serve(site.files()?);
    assert_eq!(newest_at(&mut computer, at(0)).await?, "1.1.0", "corrected");
    computer.restart()?;
    assert_eq!(newest_at(&mut computer, at(0)).await?, "1.1.0", "and restarted");
    Ok(())
}

#[tokio::test]
async fn clock_jumps_in_a_check() -> Outcome {
    let site = Site::new()?;
    let mirror = Mirror::serving(site.files()?);
    let mut computer = Computer::new(site.anchor()?, &mirror)?;
    // It jumps between the timestamp and the index: what was good a moment ago has ended.
    computer.client.refresh(at(0)).await?;
    let jumped = computer
        .client
        .index(&subject("app"), TRIPLE, at(TEN_YEARS))
        .await;
    assert_refused("clock-jumps-in-a-check", "ahead", jumped)?;
    // And back: the same check goes on.
    let back = computer.client.index(&subject("app"), TRIPLE, at(0)).await?;
    assert_eq!(back.releases.len(), 1);
    computer.client.refresh(at(-TEN_YEARS)).await?;
    let forth = computer.client.index(&subject("app"), TRIPLE, at(0)).await?;
    assert_eq!(forth.releases.len(), 1);
    Ok(())
}
