//! The five commands of the stage page. Each is guarded by the page's key, on top of Tauri's own
//! access list, because Tauri takes every custom scheme for local.

use std::sync::Arc;

use moult_model::board::Tile;
use moult_model::stage::{HeldCause, SavedState, ShellCommand, StageReport, StageStart};
use moult_model::{ErrorCode, Problem, Subject};
use moult_sandbox::Side;
use serde_json::Value;
use tauri::{State, Webview};

use crate::app::{Context, wanted};
use crate::presses::Area;
use crate::stage::WEBVIEW;
use crate::{developer, health, host, logic, overview, powers, report, revival, swaps};

type Shared<'a> = State<'a, Arc<Context>>;

fn guard(context: &Context, webview: &Webview, key: &str) -> Result<(), Problem> {
    if webview.label() == WEBVIEW && context.stage.holds_key(key) {
        Ok(())
    } else {
        tracing::error!(
            webview = webview.label(),
            "a command without the stage's key was refused"
        );
        Err(refused("a command without the stage's key was refused"))
    }
}

fn refused(detail: &str) -> Problem {
    Problem {
        code: ErrorCode::Internal,
        happened: "This was refused.".to_owned(),
        kept: "Nothing was changed.".to_owned(),
        advice: None,
        detail: detail.to_owned(),
    }
}

fn failed(error: &anyhow::Error) -> Problem {
    tracing::warn!(error = format!("{error:#}"), "a command failed");
    Problem::new(ErrorCode::DiskFailed, format!("{error}."), error.as_ref())
        .kept("What was there before goes on.")
}

/// Opens the stage: once per page load.
#[tauri::command]
pub(crate) async fn stage_open(context: Shared<'_>, webview: Webview) -> Result<StageStart, Problem> {
    if webview.label() != WEBVIEW {
        return Err(refused("only the stage opens the stage"));
    }
    let key = context.stage.open().map_err(|error| failed(&error))?;
    revival::opened(&context);
    let start = StageStart {
        key,
        shell: host::load_shell(&context).map_err(|error| failed(&error))?,
        widgets: host::load_widgets(&context),
        overview: overview::draw(&context),
        watch: context.watch.as_str().to_owned(),
    };
    context.stage.opened();
    Ok(start)
}

/// Takes a report of the stage.
#[tauri::command]
pub(crate) async fn stage_report(
    context: Shared<'_>,
    webview: Webview,
    key: String,
    report: StageReport,
) -> Result<(), Problem> {
    guard(&context, &webview, &key)?;
    health::observe(&context, &report);
    match report {
        StageReport::Painted => health::painted(&context),
        StageReport::Heartbeat { pulse } => {
            health::beat(&context);
            revival::beat(&context, pulse);
        }
        StageReport::Switching { token } => logic::swap::hand_over(&context, &token),
        StageReport::Answered {
            token,
            id,
            ok,
            value,
            reason,
        } => {
            let outcome = if ok {
                Ok(value)
            } else {
                Err(reason.unwrap_or_default())
            };
            context.powers.talk.page_answered(&context, &token, id, outcome);
        }
        StageReport::Stopped { token, cause, detail } => stopped(&context, &token, cause, &detail),
        StageReport::Denied { token, detail } => denied(&context, &token, &detail),
        StageReport::Settled => {
            context.stage.report(StageReport::Settled);
            revival::settled(&context);
        }
        StageReport::Ready { ref token } | StageReport::LoadFailed { ref token, .. } => {
            revival::ended(&context, token);
            context.stage.report(report);
        }
        other => context.stage.report(other),
    }
    Ok(())
}

/// The stage has ended a load for what it did.
fn stopped(context: &Arc<Context>, token: &str, cause: HeldCause, detail: &str) {
    let load = context.loads.by_token(token);
    if let Some(instance) = load.and_then(|load| load.instance) {
        revival::hold(context, &instance, cause, detail);
    }
}

/// Each attempt at what is not allowed is named in the log.
fn denied(context: &Context, token: &str, detail: &str) {
    if let Some(load) = context.loads.by_token(token) {
        let version = &load.bundle.manifest().version;
        tracing::warn!(subject = %load.subject, %version, instance = load.instance, detail, "was denied");
    }
}

/// Saves a widget's state. When this returns, it is on the disk.
#[tauri::command]
pub(crate) async fn state_save(
    context: Shared<'_>,
    webview: Webview,
    key: String,
    instance: String,
    state: SavedState,
) -> Result<(), Problem> {
    guard(&context, &webview, &key)?;
    context
        .records
        .save_state(&instance, state)
        .map_err(|error| failed(&error))
}

/// Carries out a capability call of a widget, on behalf of the load with this token.
#[tauri::command]
pub(crate) async fn capability(
    context: Shared<'_>,
    webview: Webview,
    key: String,
    token: String,
    capability: String,
    request: Value,
    area: Option<Area>,
) -> Result<Value, Problem> {
    guard(&context, &webview, &key)?;
    let load = context
        .loads
        .by_token(&token)
        .ok_or_else(|| refused("the load is gone"))?;
    powers::call(&context, &load, Side::Page, &capability, request, area).await
}

/// Carries out what the shell asks for.
#[tauri::command]
pub(crate) async fn shell_command(
    context: Shared<'_>,
    webview: Webview,
    key: String,
    command: ShellCommand,
) -> Result<Value, Problem> {
    guard(&context, &webview, &key)?;
    let answer = carry_out(&context, command).await.map_err(|error| failed(&error));
    overview::announce(&context);
    answer
}

async fn carry_out(context: &Arc<Context>, command: ShellCommand) -> anyhow::Result<Value> {
    let engine = context.writing.engine();
    let engine = engine.as_deref();
    match command {
        ShellCommand::CheckNow => engine.into_iter().for_each(moult_update::Engine::check_now),
        ShellCommand::SetSettings { settings } => {
            context.records.set_settings(&settings)?;
            tracing::info!(source = "settings page", "settings changed");
            if let Some(engine) = engine {
                engine.set_settings(settings);
            }
        }
        ShellCommand::SetBoard { board } => {
            let widgets: Vec<_> = context
                .records
                .board()
                .tiles
                .into_iter()
                .map(|tile| tile.widget)
                .collect();
            context.records.set_board(board)?;
            logic::board_changed(context);
            // A tile that is gone holds no version any more.
            for widget in widgets {
                swaps::hold(context, &Subject::Widget(widget))?;
            }
            if let Some(engine) = engine {
                engine.set_wanted(wanted(context));
            }
        }
        ShellCommand::AddTile { tile } => add_tile(context, tile)?,
        ShellCommand::SetTileSettings { instance, settings } => {
            context.records.set_tile_settings(&instance, settings)?;
            host::tell_settings(context, &instance);
        }
        ShellCommand::Grant {
            widget,
            capability,
            allowed,
        } => {
            context.records.decide(&widget, &capability, allowed)?;
            context.powers.decided();
            engine.into_iter().for_each(moult_update::Engine::check_now);
        }
        ShellCommand::ListUses { widget } => return Ok(serde_json::to_value(context.powers.uses(&widget))?),
        ShellCommand::StartLogic { instance } => context.logic.start_again(context, &instance),
        ShellCommand::Pin { instance, version } => swaps::pin(context, &instance, version).await?,
        ShellCommand::GoBack { subject, version } => {
            if let Some(engine) = engine {
                engine.go_back(subject, version);
            }
        }
        ShellCommand::TryAgain { instance } => {
            revival::release(context, &instance);
            host::open_tile(context, &instance)?;
        }
        ShellCommand::RestartNow => engine.into_iter().for_each(moult_update::Engine::restart_now),
        ShellCommand::SetDeveloper { on } => developer::set(context, on)?,
        ShellCommand::SaveReport => return report::save(context).await,
    }
    Ok(Value::Null)
}

fn add_tile(context: &Arc<Context>, tile: Tile) -> anyhow::Result<()> {
    let mut board = context.records.board();
    let subject = Subject::Widget(tile.widget.clone());
    let instance = tile.instance.clone();
    revival::release(context, &instance);
    board.tiles.push(tile);
    context.records.set_board(board)?;
    if context.writing.bundles().subject(&subject)?.current.is_some() {
        host::open_tile(context, &instance)?;
    } else if let Some(engine) = context.writing.engine() {
        engine.set_wanted(wanted(context));
        engine.check_now();
    }
    Ok(())
}
