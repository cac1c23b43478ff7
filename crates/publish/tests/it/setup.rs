//! The configuration written from answers, completions and manual pages.

use anyhow::{Result, ensure};

use crate::support::Desk;

fn empty() -> Result<Desk> {
    let desk = Desk::new()?;
    std::fs::remove_file(desk.path("release.config.json"))?;
    Ok(desk)
}

#[test]
fn a_configuration_is_written_without_questions() -> Result<()> {
    let desk = empty()?;
    let full = [
        "init",
        "--name",
        "Hearth",
        "--identifier",
        "com.example.hearth",
        "--url",
        "https://updates.example/",
        "--target",
        "x86_64-unknown-linux-gnu",
        "--channel",
        "stable",
        "--channel",
        "beta",
        "--store",
        "s3://updates/hearth",
        "--preset",
        "quick",
        "--executable",
        "target/{target}/release/hearth",
        "--shell",
        "shell",
    ];
    desk.snapshot(
        "init_dry_run",
        &desk.moult(&[&full[..], &["--dry-run"]].concat())?,
    );
    ensure!(!desk.path("release.config.json").exists(), "a dry run wrote it");
    desk.snapshot("init", &desk.moult(&full)?);
    desk.snapshot("error_init_is_there", &desk.moult(&full)?);
    desk.moult(&["init", "--yes", "--force"])?.done()?;
    // What was written is good for what comes next.
    desk.moult(&["keys", "init"])?.done()?;
    desk.moult(&["publish", "all", "--no-push"])?;
    Ok(())
}

#[test]
fn what_can_not_work_is_not_written() -> Result<()> {
    let desk = empty()?;
    desk.snapshot("error_init_nobody", &desk.moult(&["init"])?);
    desk.snapshot(
        "error_init_url",
        &desk.moult(&["init", "--yes", "--url", "updates.example"])?,
    );
    desk.snapshot(
        "error_init_preset",
        &desk.moult(&["init", "--yes", "--preset", "slow"])?,
    );
    ensure!(!desk.path("release.config.json").exists(), "it was written");
    Ok(())
}

#[test]
fn a_shell_can_complete_every_command_and_man_has_a_page_for_each() -> Result<()> {
    let desk = empty()?;
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ran = desk.moult(&["completions", shell])?.done()?;
        for word in ["diff-report", "roll-forward", "publish"] {
            ensure!(ran.stdout.contains(word), "{shell} lacks {word}");
        }
    }
    desk.snapshot("error_completions", &desk.moult(&["completions", "dash"])?);
    let made = desk.json(&["man", "pages"])?;
    let pages = desk.files("pages")?;
    assert_eq!(made["pages"], pages.len());
    let page = String::from_utf8_lossy(&pages["moult-rollout-pause.1"]).into_owned();
    ensure!(
        page.contains(".TH moult\\-rollout\\-pause") || page.contains(".TH moult-rollout-pause"),
        "{page}"
    );
    ensure!(
        pages.contains_key("moult.1") && pages.contains_key("moult-publish-widget.1"),
        "a page is missing"
    );
    desk.snapshot("man", &desk.moult(&["man", "pages"])?);
    desk.write("file", "")?;
    let ran = desk.moult(&["man", "file/pages"])?;
    ensure!(ran.code == Some(2) && ran.stderr.starts_with("error: "), "{ran}");
    Ok(())
}
