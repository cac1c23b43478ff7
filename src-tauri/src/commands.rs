//! The five commands of the stage page. Each is guarded by the page's key, on top of Tauri's own
//! access list, because Tauri takes every custom scheme for local.

use std::sync::Arc;

use moult_model::board::Tile;
use moult_model::stage::{SavedState, ShellCommand, StageReport, StageStart};
use moult_model::{ErrorCode, Problem, Subject};
use serde_json::Value;
use tauri::{State, Webview};

use crate::app::{Context, wanted};
use crate::presses::Area;
use crate::stage::WEBVIEW;
use crate::{developer, health, host, overview, powers, report};

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
    let start = StageStart {
        key,
        shell: host::load_shell(&context).map_err(|error| failed(&error))?,
        widgets: host::load_widgets(&context),
        overview: overview::draw(&context),
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
        StageReport::Heartbeat => health::beat(&context),
        other => context.stage.report(other),
    }
    Ok(())
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
    powers::call(&context, &load, &capability, request, area).await
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
            context.records.set_board(board)?;
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
            engine.into_iter().for_each(moult_update::Engine::check_now);
        }
        ShellCommand::GoBack { subject, version } => {
            if let Some(engine) = engine {
                engine.go_back(subject, version);
            }
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
