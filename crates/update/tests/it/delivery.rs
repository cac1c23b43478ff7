//! When downloads are held back, and what is told of them and of servers that answer what they should not.

use jiff::{ToSpan as _, Zoned};
use moult_model::settings::QuietHours;
use moult_model::{ErrorCode, Hold, Outcome, Phase, Settings, Subject};

use crate::support::server::{Fault, Server};
use crate::support::{Computer, Issue, Publisher, entry, settled, until};

/// From an hour ago until in an hour.
fn now_is_quiet() -> QuietHours {
    let clock = |at: Zoned| at.strftime("%H:%M").to_string().parse().unwrap();
    QuietHours {
        from: clock(Zoned::now().saturating_sub(1.hour())),
        to: clock(Zoned::now().saturating_add(1.hour())),
    }
}

#[tokio::test]
async fn nothing_is_fetched_in_quiet_hours_and_all_goes_on_after_them() {
    let mut publisher = Publisher::new();
    publisher.release(&Issue::of(&Subject::Shell, "1.1.0").sized(200_000));
    let server = Server::start(publisher.repository()).await;
    let mut computer = Computer::new(&publisher, &server);
    computer.settings.delivery.quiet_hours = Some(now_is_quiet());
    let engine = computer.start();
    let picture = until(&computer, &engine, "the download is held back", |picture| {
        picture
            .activities
            .first()
            .is_some_and(|activity| activity.held == Some(Hold::QuietHours))
    })
    .await;
    assert_eq!(picture.activities[0].phase, Phase::Scheduled);
    let full = publisher.full_path(&Subject::Shell, "1.1.0");
    assert!(server.seen_of(&full).is_empty(), "a check is no download");

    computer.settings.delivery.quiet_hours = None;
    engine.set_settings(computer.settings.clone());
    let picture = until(&computer, &engine, "it is installed", |picture| {
        entry(picture, &Subject::Shell).is_some()
    })
    .await;
    assert_eq!(
        entry(&picture, &Subject::Shell).unwrap().outcome,
        Outcome::Installed
    );
}

#[tokio::test]
async fn a_download_under_way_stops_when_quiet_hours_begin_and_goes_on_from_its_byte() {
    let mut publisher = Publisher::new();
    publisher.release(&Issue::of(&Subject::Shell, "1.1.0").sized(1_000_000));
    let server = Server::start(publisher.repository()).await;
    let computer = Computer::new(&publisher, &server);
    let full = publisher.full_path(&Subject::Shell, "1.1.0");
    server.fail(&full, Fault::Stall(600_000), 1);
    let engine = computer.start();
    until(&computer, &engine, "half of it is there", |picture| {
        picture
            .activities
            .first()
            .is_some_and(|activity| activity.bytes_done > 500_000)
    })
    .await;
    let mut settings: Settings = computer.settings.clone();
    settings.delivery.quiet_hours = Some(now_is_quiet());
    engine.set_settings(settings);
    until(&computer, &engine, "it is held back", |picture| {
        picture
            .activities
            .first()
            .is_some_and(|activity| activity.held == Some(Hold::QuietHours))
    })
    .await;
    engine.set_settings(computer.settings.clone());
    let picture = until(&computer, &engine, "it is installed", |picture| {
        entry(picture, &Subject::Shell).is_some()
    })
    .await;
    assert_eq!(
        entry(&picture, &Subject::Shell).unwrap().outcome,
        Outcome::Installed
    );
    let statuses: Vec<u16> = server.seen_of(&full).iter().map(|seen| seen.status).collect();
    assert_eq!(statuses, [200, 206]);
}

#[tokio::test]
async fn an_answer_that_should_not_be_reaches_the_host_once() {
    let mut publisher = Publisher::new();
    publisher.release(&Issue::of(&Subject::Shell, "1.1.0").sized(50_000));
    let server = Server::start(publisher.repository()).await;
    let computer = Computer::new(&publisher, &server);
    let full = publisher.full_path(&Subject::Shell, "1.1.0");
    server.fail(&full, Fault::Status(410), u32::MAX);
    let (_engine, picture) = settled(&computer).await;
    assert_eq!(entry(&picture, &Subject::Shell).unwrap().outcome, Outcome::Failed);
    let alerts = computer.host.alerts.lock().unwrap();
    assert_eq!(
        alerts.len(),
        1,
        "the next root that is not there is no alert: {alerts:?}"
    );
    assert_eq!(alerts[0].code, ErrorCode::ServerRefused);
    assert!(alerts[0].url.ends_with(&full), "{alerts:?}");
}

#[tokio::test]
async fn a_network_that_wants_its_user_to_sign_in_is_said_and_held_against_nobody() {
    let mut publisher = Publisher::new();
    publisher.release(&Issue::of(&Subject::Shell, "1.1.0"));
    let server = Server::start(publisher.repository()).await;
    let computer = Computer::new(&publisher, &server);
    let page = b"<!DOCTYPE html><html>Sign in</html>".to_vec();
    server.fail("timestamp.json", Fault::Replaced(page), u32::MAX);
    let (_engine, picture) = settled(&computer).await;
    let problem = picture.check_problem.unwrap();
    assert_eq!(problem.code, ErrorCode::CaptivePortal, "{problem:?}");
    assert!(problem.happened.contains("sign in"), "{problem:?}");
    assert!(problem.advice.is_some());
    assert!(computer.host.alerts.lock().unwrap().is_empty());
}
