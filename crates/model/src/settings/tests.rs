#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::json;

use super::*;

fn read(value: &Value) -> Settings {
    serde_json::from_value(value.clone()).unwrap()
}

fn written(settings: &Settings) -> Value {
    serde_json::to_value(settings).unwrap()
}

/// What a newer version might write: fields, sections and values that this one has never heard of.
fn from_a_newer_version() -> Value {
    json!({
        "repository": "https://example.org/r/",
        "channel": "beta",
        "channels": { "shell": "nightly", "moon": { "phase": 3 } },
        "mode": "by_moonlight",
        "check_every_seconds": 120,
        "theme": "dark",
        "sound": { "volume": 11 },
        "stages": { "install": { "tries": 5, "blessed": true }, "rejoice": { "tries": 1 } },
        "keep_versions": "all",
        "delivery": {
            "limit_kb_per_second": 500, "metered_limit_mb": "none", "carrier_pigeon": true,
            "quiet_hours": { "from": "22:00", "to": "sunrise" }
        }
    })
}

#[test]
fn a_newer_version_s_settings_keep_the_repository_and_everything_else_that_is_understood() {
    let settings = read(&from_a_newer_version());
    assert_eq!(settings.repository, "https://example.org/r/");
    assert_eq!(settings.channel.to_string(), "beta");
    assert_eq!(settings.channel_of(&Subject::Shell).to_string(), "nightly");
    assert_eq!(settings.theme, Theme::Dark);
    assert_eq!(settings.check_every_seconds, 120);
    assert_eq!(settings.stages.install.tries, 5);
    assert_eq!(
        settings.delivery,
        Delivery {
            limit_kb_per_second: 500,
            ..Delivery::default()
        }
    );
    assert_eq!(
        settings.stages.install.timeout_seconds, 300,
        "what is not said is as usual"
    );
    assert_eq!(
        (settings.mode, settings.keep_versions),
        (Mode::Silent, 3),
        "what is not understood is as usual"
    );
}

#[test]
fn what_is_not_understood_is_written_back_as_it_was() {
    let given = from_a_newer_version();
    let mut settings = read(&given);
    settings.theme = Theme::Light;
    let found = written(&settings);
    assert_eq!(found["theme"], "light");
    for path in [
        "/sound/volume",
        "/mode",
        "/keep_versions",
        "/channels/moon/phase",
        "/channels/shell",
        "/stages/install/blessed",
        "/stages/install/tries",
        "/stages/rejoice/tries",
        "/delivery/limit_kb_per_second",
        "/delivery/metered_limit_mb",
        "/delivery/carrier_pigeon",
        "/delivery/quiet_hours/to",
        "/repository",
    ] {
        assert_eq!(found.pointer(path), given.pointer(path), "{path}");
    }
    assert_eq!(read(&found), settings, "and again");
}

#[test]
fn what_the_user_chooses_now_wins_over_what_a_newer_version_wrote() {
    let mut settings = read(&from_a_newer_version());
    settings.mode = Mode::Prompt;
    settings.keep_versions = 5;
    let found = written(&settings);
    assert_eq!(
        (&found["mode"], &found["keep_versions"]),
        (&json!("prompt"), &json!(5))
    );
}

#[test]
fn an_older_version_s_settings_are_read_and_the_new_ones_are_as_usual() {
    let settings = read(&json!({
        "repository": "http://127.0.0.1:8080/", "channel": "stable", "channels": {},
        "mode": "on_quit", "check_every_seconds": 300, "theme": "system"
    }));
    let expected = Settings {
        repository: "http://127.0.0.1:8080/".into(),
        mode: Mode::OnQuit,
        ..Settings::default()
    };
    assert_eq!(settings, expected);
}

#[test]
fn numbers_out_of_range_cost_nothing_but_themselves() {
    let settings = read(&json!({
        "repository": "https://example.org/r", "check_every_seconds": 0, "keep_versions": 0,
        "staging_limit_mb": 1, "remind_after_hours": 9999, "idle_minutes": 0,
        "stages": { "download": { "timeout_seconds": 999_999, "tries": 0, "pause_ms": 50_000, "longest_pause_ms": 10 } }
    }))
    .in_range();
    assert_eq!(settings.repository, "https://example.org/r/");
    assert_eq!((settings.check_every_seconds, settings.keep_versions), (1, 1));
    assert_eq!(
        (
            settings.staging_limit_mb,
            settings.remind_after_hours,
            settings.idle_minutes
        ),
        (64, 720, 1)
    );
    let download = settings.stages.download;
    assert_eq!((download.timeout_seconds, download.tries), (86_400, 1));
    assert_eq!((download.pause_ms, download.longest_pause_ms), (10, 10));
    let usual = Settings::default();
    assert_eq!(usual.clone().in_range(), usual, "what is usual is in range");
}

#[test]
fn what_is_no_object_is_refused() {
    for text in ["", "[]", "1", "null", "{\"repository\":"] {
        assert!(serde_json::from_str::<Settings>(text).is_err(), "{text}");
    }
}
