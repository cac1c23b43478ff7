//! The demonstration itself, step by step.

use std::time::Instant;

use anyhow::Context as _;
use moult_model::{HistoryEntry, Outcome, Phase, PlanStep, Subject};
use moult_tests::publisher::{Item, Published};
use moult_tests::records;
use moult_tests::scene::{PATIENCE, Scene};
use moult_tests::stage::{Loads, Part};
use moult_tests::steps::{self, CLOCK, NOTES, SYSTEM};
use moult_tests::wait::{Look, until};

use crate::checks::Claims;
use crate::report::{Opening, Report, Update};
use crate::screen::Screen;

const NOTE: &str = "Shopping\nMilk, bread, tea";

/// A performance.
#[derive(Debug)]
pub(crate) struct Play<'a> {
    screen: &'a Screen,
    claims: Claims<'a>,
    report: Report,
    shots: usize,
}

/// What is compared after an update.
struct Before {
    loads: Loads,
    mark: moult_tests::access::Mark,
    layout: std::collections::BTreeMap<String, serde_json::Value>,
    log: usize,
}

impl<'a> Play<'a> {
    pub(crate) fn new(screen: &'a Screen) -> Self {
        Self {
            screen,
            claims: Claims::new(screen),
            report: Report::default(),
            shots: 0,
        }
    }

    pub(crate) fn into_report(self) -> Report {
        let claims = self.claims.into_all();
        let all_claims_hold = !claims.is_empty() && claims.iter().all(|claim| claim.holds);
        Report {
            claims,
            all_claims_hold,
            ..self.report
        }
    }

    /// Plays all acts. An error means that one could not be played to its end.
    pub(crate) async fn all(&mut self, scene: &mut Scene) -> anyhow::Result<()> {
        self.opening(scene)?;
        self.first_start(scene).await?;
        self.notes(scene).await?;
        self.shell(scene).await?;
        self.executable(scene).await?;
        self.bad_executable(scene).await
    }

    /// Tells what has to be known to read the figures, at once and beside them.
    fn note(&mut self, text: &str) {
        self.screen.line(&format!("  {text}"));
        self.report.notes.push(text.to_owned());
    }

    fn opening(&mut self, scene: &mut Scene) -> anyhow::Result<()> {
        self.screen.heading("The publisher releases the first versions");
        for item in steps::opening(scene)? {
            let published = self.publish(scene, &item)?;
            self.report.opening.push(Opening {
                subject: published.subject.clone(),
                version: published.version.to_string(),
                size: published.size,
                full_bytes: published.full.size,
                publish_seconds: published.seconds,
            });
        }
        let url = scene.serve().url().to_string();
        self.screen.line(&format!("  Served at {url}"));
        Ok(())
    }

    async fn first_start(&mut self, scene: &mut Scene) -> anyhow::Result<()> {
        self.screen.heading("Somebody installs Moult 0.1.0 and starts it");
        let step = self.screen.step("Start through the launcher, fetch the widgets");
        scene.start().await?;
        steps::widgets_run(scene).await?;
        step.done("");
        for part in [CLOCK, NOTES, SYSTEM] {
            let version = scene.stage()?.version(part).await?;
            self.claims.that(
                version == "1.0.0",
                format!("{} {version} is on the board", name(part)),
            );
        }
        self.shot(scene, "first-start")?;

        let step = self.screen.step("Allow System to read the computer's figures");
        let before = scene.stage()?.text(SYSTEM).await?;
        scene
            .stage()?
            .press(Part::Shell, "[data-testid=consent-allow-system-1]")
            .await?;
        let figures = until("figures in System", PATIENCE, async || {
            let text = scene.stage()?.text(SYSTEM).await?;
            Ok(Look::when(text.contains('%') && text != before, &text).map(|()| text))
        })
        .await?;
        step.done("");
        self.claims.that(
            figures.contains('%'),
            "System shows figures only after it was allowed to",
        );
        self.shot(scene, "allowed")?;

        let step = self.screen.step("Type a note");
        steps::write_note(scene, NOTE).await?;
        step.done(&format!("{NOTE:?}"));
        self.shot(scene, "note")?;
        Ok(())
    }

    async fn notes(&mut self, scene: &mut Scene) -> anyhow::Result<()> {
        self.screen.heading("Notes 1.1.0 is released while it is used");
        let item = Item::widget(scene.fixtures(), "notes", "notes-1.1.0")?;
        let schema_before = schema(scene)?;
        let before = self.before(scene).await?;
        let published = self.publish(scene, &item)?;
        let (entry, seconds) = self.taken_over(scene, &published).await?;
        scene.live(NOTES, "1.1.0").await?;
        steps::note_stands(scene, NOTE).await?;
        steps::note_is_safe(scene, NOTE).await?;
        let (schema_after, expected) = (schema(scene)?, published_schema(scene, "notes-1.1.0")?);
        self.claims.that(
            schema_after == expected && schema_after > schema_before,
            format!("the note was migrated from schema {schema_before:?} to {schema_after:?}"),
        );
        let update = self.update(scene, &before, &published, &entry, seconds).await?;
        let mut loads = before.loads.clone();
        *loads.entry("notes-1".to_owned()).or_default() += 1;
        self.claims.that(
            update.loads_after == loads,
            "Notes was loaded once more and nothing else was",
        );
        self.report.updates.push(update);
        self.shot(scene, "notes-1.1.0")
    }

    async fn shell(&mut self, scene: &mut Scene) -> anyhow::Result<()> {
        self.screen.heading("The frontend, shell 0.2.0, is released");
        self.note(
            "Shell 0.2.0 differs from 0.1.0 in its version alone, so its patch is as small as one can be.",
        );
        let before = self.before(scene).await?;
        let published = self.publish(scene, &Item::shell(scene.fixtures(), "0.2.0"))?;
        let (entry, seconds) = self.taken_over(scene, &published).await?;
        scene.live(Part::Shell, "0.2.0").await?;
        let update = self.update(scene, &before, &published, &entry, seconds).await?;
        let widgets = |loads: &Loads| {
            let mut loads = loads.clone();
            loads.retain(|instance, _| instance != "shell");
            loads
        };
        let untouched = widgets(&update.loads_after) == widgets(&before.loads);
        self.claims.that(untouched, "no widget was loaded again");
        self.claims.that(
            scene.stage()?.layout().await? == before.layout,
            "no widget has moved",
        );
        self.report.updates.push(update);
        self.shot(scene, "shell-0.2.0")
    }

    async fn executable(&mut self, scene: &mut Scene) -> anyhow::Result<()> {
        self.screen.heading("The executable, Moult 0.1.1, is released");
        self.note(
            "Moult 0.1.1 is a build of its own of the same source: it differs from 0.1.0 in its version.",
        );
        self.note("Executables are stripped builds of the development profile: larger than releases.");
        let before = self.before(scene).await?;
        let published = self.publish(scene, &Item::app(scene.fixtures(), "0.1.1"))?;
        let step = self.screen.step("Fetch the delta, rebuild, verify, restart");
        scene.attach_again().await?;
        steps::widgets_run(scene).await?;
        step.done(&scene.stage()?.inspector().slot);
        self.shot(scene, "app-0.1.1-on-trial")?;
        let (entry, seconds) = self.taken_over(scene, &published).await?;
        let slot = scene.stage()?.inspector().slot.clone();
        self.claims.that(
            slot.starts_with("0.1.1-"),
            format!("the launcher runs slot {slot}"),
        );
        steps::note_stands(scene, NOTE).await?;
        let boot = scene.boot()?;
        let confirmed = boot.trial.is_none() && boot.current.to_string() == slot;
        self.claims
            .that(confirmed, format!("{} is confirmed", boot.current));
        self.claims.that(
            scene.stage()?.layout().await? == before.layout,
            "every tile stands where it stood",
        );
        for (part, version) in [
            (NOTES, "1.1.0"),
            (CLOCK, "1.0.0"),
            (SYSTEM, "1.0.0"),
            (Part::Shell, "0.2.0"),
        ] {
            let live = scene.stage()?.version(part).await?;
            self.claims
                .that(live == version, format!("{} is still {live}", name(part)));
        }
        let update = self.update(scene, &before, &published, &entry, seconds).await?;
        self.claims.that(
            update.ratio < 0.25,
            format!("the delta is {:.2} % of the full file", update.ratio * 100.0),
        );
        self.report.updates.push(update);
        self.shot(scene, "app-0.1.1")
    }

    async fn bad_executable(&mut self, scene: &mut Scene) -> anyhow::Result<()> {
        self.screen
            .heading("A broken executable, Moult 0.1.2, is released: it crashes at its start");
        let before = self.before(scene).await?;
        let published = self.publish(scene, &Item::app(scene.fixtures(), "0.1.2"))?;
        let step = self.screen.step("Try it, see it crash, go back");
        let start = Instant::now();
        let entry = scene
            .ended(&Subject::Executable, "0.1.2", Outcome::RolledBack)
            .await?;
        scene.attach_present().await?;
        steps::widgets_run(scene).await?;
        step.done("");
        let slot = scene.stage()?.inspector().slot.clone();
        self.claims.that(
            slot.starts_with("0.1.1-"),
            format!("slot {slot} runs again, by itself"),
        );
        let boot = scene.boot()?;
        self.claims.that(
            boot.is_banned(&published.digest),
            "0.1.2 is banned on this computer",
        );
        let seconds = start.elapsed().as_secs_f64();
        let update = self.update(scene, &before, &published, &entry, seconds).await?;
        self.report.updates.push(update);
        self.shot(scene, "app-0.1.2-back")?;

        let step = self.screen.step("Three more checks");
        let mark = scene.access().mark()?;
        until("three more checks", PATIENCE, async || {
            let checks = scene.access().since(mark)?.checks();
            Ok(Look::when(checks >= 3, format!("{checks} checks")))
        })
        .await?;
        step.done("");
        let traffic = scene.access().since(mark)?;
        self.claims.that(
            traffic.artifact_requests() == 0,
            "nothing of 0.1.2 was fetched again",
        );
        self.claims
            .that(scene.boot()? == boot, "and it was not tried again");
        steps::note_stands(scene, NOTE).await
    }

    fn publish(&mut self, scene: &mut Scene, item: &Item) -> anyhow::Result<Published> {
        let step = self.screen.step(&format!("Publish {}", item.title()));
        let published = scene.publish(item)?;
        let patches: Vec<String> = published
            .patches
            .iter()
            .map(|patch| {
                format!(
                    "patch from {} {} ({:.2} %)",
                    patch.from_version,
                    size(patch.size),
                    patch.ratio * 100.0
                )
            })
            .collect();
        let full = format!(
            "{}, full file {}",
            size(published.size),
            size(published.full.size)
        );
        step.done(&[vec![full], patches].concat().join(", "));
        Ok(published)
    }

    async fn before(&mut self, scene: &Scene) -> anyhow::Result<Before> {
        let stage = scene.stage()?;
        Ok(Before {
            loads: stage.loads().await?,
            mark: scene.access().mark()?,
            layout: stage.layout().await?,
            log: records::swaps(&scene.install().data())?.len(),
        })
    }

    /// Waits until the application has the version, showing the phases as they pass.
    async fn taken_over(
        &mut self,
        scene: &mut Scene,
        published: &Published,
    ) -> anyhow::Result<(HistoryEntry, f64)> {
        let step = self.screen.step("Found, fetched, verified, switched, confirmed");
        let start = Instant::now();
        let version = published.version.to_string();
        let entry = scene
            .ended(&published.subject, &version, Outcome::Updated)
            .await?;
        let phases: Vec<String> = entry
            .phases
            .iter()
            .map(|(phase, ms)| format!("{} {ms} ms", word(*phase)))
            .collect();
        step.done(&phases.join(", "));
        Ok((entry, start.elapsed().as_secs_f64()))
    }

    /// Takes the figures of an update, and checks that the server and the application tell the same.
    async fn update(
        &mut self,
        scene: &Scene,
        before: &Before,
        published: &Published,
        entry: &HistoryEntry,
        seconds: f64,
    ) -> anyhow::Result<Update> {
        let traffic = scene.access().since(before.mark)?;
        let from = entry
            .from
            .as_ref()
            .context("the history does not say from which version")?
            .to_string();
        let patch = steps::patch_from(published, &from)?;
        let wire = traffic.bytes(&patch.path) + traffic.bytes(&published.full.path);
        let mut update = Update::new(entry, wire);
        update.publish_seconds = published.seconds;
        update.seconds = seconds;
        let new = records::swaps(&scene.install().data())?.split_off(before.log);
        update.swap = new
            .into_iter()
            .rfind(|swap| swap.subject == published.subject)
            .map(|swap| swap.figures);
        update.loads_before.clone_from(&before.loads);
        update.loads_after = scene.stage()?.loads().await?;
        update.state_kept = steps::note(scene).await? == NOTE;
        let patched =
            entry.plan.iter().all(PlanStep::is_patch) && traffic.requests(&published.full.path) == 0;
        self.claims.that(
            patched,
            format!(
                "a patch of {} was fetched, the full file was not",
                size(patch.size)
            ),
        );
        self.claims.that(
            wire == patch.size && entry.wire_bytes == wire,
            format!(
                "{wire} bytes on the wire by the server's log, {} by the history",
                entry.wire_bytes
            ),
        );
        self.claims
            .that(update.state_kept, format!("the note still says {NOTE:?}"));
        Ok(update)
    }

    fn shot(&mut self, scene: &Scene, what: &str) -> anyhow::Result<()> {
        self.shots += 1;
        scene.picture(&format!("{:02}-{what}", self.shots)).map(drop)
    }
}

fn name(part: Part<'_>) -> &str {
    match part {
        Part::Shell => "the shell",
        Part::Widget(instance) => instance,
    }
}

fn schema(scene: &Scene) -> anyhow::Result<Option<u32>> {
    Ok(records::widget_state(&scene.install().data(), "notes-1")?.map(|state| state.schema))
}

fn published_schema(scene: &Scene, build: &str) -> anyhow::Result<Option<u32>> {
    let bytes = std::fs::read(scene.fixtures().widget(build).join("moult.json"))?;
    let manifest: moult_model::BundleManifest = serde_json::from_slice(&bytes)?;
    Ok(manifest.state.map(|state| state.schema))
}

fn word(phase: Phase) -> String {
    format!("{phase:?}").to_lowercase()
}

fn size(bytes: u64) -> String {
    match bytes {
        bytes @ 0..10_000 => format!("{bytes} B"),
        bytes @ 10_000..10_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        bytes => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}
