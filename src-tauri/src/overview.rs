//! The picture that the shell draws: everything it may know, put together from the engine, the store and the records.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use moult_boot::BundleSlots;
use moult_model::stage::{ConsentRequest, GrantedPermission, InstalledPart, Overview, StageEvent};
use moult_model::{Channel, ErrorCode, HistoryEntry, Outcome, Problem, Settings, Subject, Version};
use moult_update::Picture;

use crate::app::Context;
use crate::build::TRIPLE;
use crate::host;

/// Progress comes in faster than anybody can read: the picture is sent at most this often.
const PACE: Duration = Duration::from_millis(80);

static ANNOUNCED: AtomicBool = AtomicBool::new(false);

/// Sends the picture to the stage, soon.
pub(crate) fn announce(context: &Arc<Context>) {
    if ANNOUNCED.swap(true, Ordering::AcqRel) {
        return;
    }
    let context = Arc::clone(context);
    tauri::async_runtime::spawn(async move {
        tokio::time::sleep(PACE).await;
        ANNOUNCED.store(false, Ordering::Release);
        let overview = Box::new(draw(&context));
        context.stage.send(&StageEvent::Overview { overview });
    });
}

/// Draws the picture as of now.
pub(crate) fn draw(context: &Context) -> Overview {
    let settings = context.records.settings();
    let picture = context
        .writing
        .engine()
        .map(|engine| engine.picture())
        .unwrap_or_default();
    let installed = installed(context, &picture, &settings);
    Overview {
        app_version: context.build.version.clone(),
        triple: TRIPLE.to_owned(),
        board: context.records.board(),
        logic: context.logic.notices(),
        shadow_runs: context.logic.shadows().standings(),
        needs: needs(&installed, &picture.waiting),
        held: context.records.held(),
        installed,
        channels: channels(&picture, &settings),
        settings,
        activities: picture.activities,
        history: picture.history,
        checked_at: picture.checked_at.map(|at| at.to_string()),
        check_problem: picture
            .check_problem
            .or_else(|| only_reading(context))
            .or_else(|| without_engine(context)),
        not_tried: context.not_tried.now(),
        explanations: picture.explanations.into_values().collect(),
        beliefs: picture
            .beliefs
            .into_iter()
            .chain(
                context
                    .places
                    .statement
                    .clone()
                    .map(|text| ("place".to_owned(), text)),
            )
            .collect(),
        developer: context
            .developer
            .is_on()
            .then(|| context.records.session().view()),
    }
}

/// What is said while another process holds the right to write. A process that takes over says nothing: it is
/// not seen before it has the right.
fn only_reading(context: &Context) -> Option<Problem> {
    let reads = !context.writing.holds_right() && !context.take_over.is_under_way();
    reads.then(|| Problem {
        code: ErrorCode::DiskFailed,
        happened: "Another Moult that runs holds the data, and this one can't save.".to_owned(),
        kept: "Everything is as it was saved last. Nothing is updated from here.".to_owned(),
        advice: Some("Close the other Moult; this one goes on by itself then. If there is none to be seen, sign out and in again.".to_owned()),
        detail: "the right to write is held by another process".to_owned(),
    })
}

/// What is said when the update engine could not be started.
fn without_engine(context: &Context) -> Option<Problem> {
    let detail = context.writing.without_engine()?;
    Some(Problem {
        code: ErrorCode::Internal,
        happened: "The part that brings updates could not be started.".to_owned(),
        kept: "Boards and notes work as always, and are saved.".to_owned(),
        advice: Some(
            "Start Moult again. If this stays, install it anew; your boards and notes stay.".to_owned(),
        ),
        detail,
    })
}

fn installed(context: &Context, picture: &Picture, settings: &Settings) -> Vec<InstalledPart> {
    let mut parts = vec![executable(context, picture, settings)];
    let mut bundles = context.writing.bundles().all().unwrap_or_else(|error| {
        tracing::error!(%error, "the installed bundles can't be listed");
        BTreeMap::new()
    });
    parts.extend(
        bundles
            .remove(&Subject::Shell)
            .and_then(|slots| bundle(context, picture, settings, Subject::Shell, &slots)),
    );
    parts.extend(
        bundles
            .into_iter()
            .filter_map(|(subject, slots)| bundle(context, picture, settings, subject, &slots)),
    );
    let written = context.records.session().subjects().into_iter();
    parts.extend(
        written.filter_map(|subject| bundle(context, picture, settings, subject, &BundleSlots::default())),
    );
    parts
}

/// What waits for consent: versions that ask for more than the one that runs, and installed widgets whose
/// permissions were never decided on.
fn needs(installed: &[InstalledPart], waiting: &[ConsentRequest]) -> Vec<ConsentRequest> {
    let undecided = installed.iter().filter_map(|part| {
        let Subject::Widget(widget) = &part.subject else {
            return None;
        };
        let open = part.permissions.iter().filter(|found| found.granted.is_none());
        let permissions: Vec<_> = open.map(|found| found.permission.clone()).collect();
        let request = ConsentRequest {
            widget: widget.clone(),
            name: part.name.clone(),
            version: part.version.clone(),
            permissions,
        };
        (!request.permissions.is_empty()).then_some(request)
    });
    let mut needs = waiting.to_vec();
    for request in undecided {
        if !needs.iter().any(|waiting| waiting.widget == request.widget) {
            needs.push(request);
        }
    }
    needs
}

fn executable(context: &Context, picture: &Picture, settings: &Settings) -> InstalledPart {
    let state = context.store.state().ok();
    let earlier = state
        .iter()
        .filter_map(|state| state.previous.as_ref().map(|previous| (state, previous)));
    let earlier =
        earlier.filter_map(|(state, previous)| state.slots.iter().find(|slot| slot.name == *previous));
    InstalledPart {
        subject: Subject::Executable,
        name: "Moult".to_owned(),
        description: String::new(),
        version: context.build.version.clone(),
        channel: settings.channel_of(&Subject::Executable).clone(),
        earlier: earlier.map(|slot| slot.version.clone()).collect(),
        banned: state
            .iter()
            .flat_map(|state| state.banned.iter().map(|ban| ban.version.clone()))
            .collect(),
        permissions: Vec::new(),
        settings: BTreeMap::new(),
        sizes: Vec::new(),
        whole_tile: false,
        updated_at: updated_at(&picture.history, &Subject::Executable, &context.build.version),
    }
}

fn bundle(
    context: &Context,
    picture: &Picture,
    settings: &Settings,
    subject: Subject,
    slots: &BundleSlots,
) -> Option<InstalledPart> {
    let found = host::current(context, &subject)
        .inspect_err(|error| tracing::error!(%subject, error = format!("{error:#}"), "can't be read"))
        .ok()??;
    let manifest = found.manifest();
    let grants = context.records.grants();
    let permissions = manifest.permissions.iter().map(|permission| {
        let granted = match &subject {
            Subject::Widget(widget) => grants
                .decision(widget, &permission.capability)
                .map(|found| found.allowed),
            Subject::Executable | Subject::Shell => None,
        };
        GrantedPermission {
            permission: permission.clone(),
            granted,
        }
    });
    Some(InstalledPart {
        name: manifest.name.clone(),
        description: manifest.description.clone(),
        version: manifest.version.clone(),
        channel: settings.channel_of(&subject).clone(),
        earlier: slots.earlier.iter().map(|kept| kept.version.clone()).collect(),
        banned: slots.banned.iter().map(|ban| ban.version.clone()).collect(),
        permissions: permissions.collect(),
        settings: manifest.settings.clone(),
        sizes: manifest.sizes.clone(),
        whole_tile: manifest.whole_tile,
        updated_at: updated_at(&picture.history, &subject, &manifest.version),
        subject,
    })
}

/// When a version came in by an update, as the history has it. One that was gone back to is not fresh.
fn updated_at(history: &[HistoryEntry], subject: &Subject, version: &Version) -> Option<String> {
    let newest = history
        .iter()
        .find(|entry| entry.subject == *subject && entry.outcome == Outcome::Updated)?;
    let fresh = newest.from.as_ref().is_none_or(|from| *from < newest.to);
    (fresh && newest.to == *version).then(|| newest.at.clone())
}

/// The channels that are known: the usual ones, those that releases are offered on, and those that are followed.
fn channels(picture: &Picture, settings: &Settings) -> Vec<Channel> {
    let usual = ["stable", "beta", "nightly"]
        .into_iter()
        .filter_map(|name| name.parse().ok());
    let offered = picture
        .releases
        .values()
        .flatten()
        .flat_map(|(_, channels)| channels.iter().cloned());
    let followed = settings
        .channels
        .values()
        .cloned()
        .chain([settings.channel.clone()]);
    let mut found: Vec<Channel> = Vec::new();
    for channel in usual.chain(offered).chain(followed) {
        if !found.contains(&channel) {
            found.push(channel);
        }
    }
    found
}
