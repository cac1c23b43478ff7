//! The main window: made by hand, because it must stand only after the launcher was heard.

use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;
use moult_boot::link::Quit;
use moult_handover::Window;
use moult_model::settings::Theme;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tauri::utils::config::Color;
use tauri::webview::PageLoadEvent;
use tauri::{Manager as _, WebviewUrl, WebviewWindow, WebviewWindowBuilder, WindowEvent};

use crate::app::{Context, quit};
use crate::kept::Kept;
use crate::stage::WEBVIEW;
use crate::{frame_watch, health, host, presses, revival, stacking, web_process};

/// Where the window was, in logical pixels.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Geometry {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
}

/// A proxy that is not there: all that the web engine loads comes from this process.
#[cfg(target_os = "linux")]
const NOWHERE: &str = "http://127.0.0.1:1";

const FIRST: (f64, f64) = (1280.0, 800.0);
const SMALLEST: (f64, f64) = (320.0, 240.0);

/// The grounds of the themes, as `sdk/src/tokens.css` has them: what stands before the first paint.
const LIGHT: Color = Color(0xe8, 0xeb, 0xe8, 0xff);
const DARK: Color = Color(0x0d, 0x10, 0x0f, 0xff);
const BLACK: Color = Color(0, 0, 0, 0xff);

/// Builds the window with the stage page in it. With `over`, it lies exactly under that window of another process.
pub(crate) fn build(app: &tauri::App, context: &Arc<Context>, over: Option<Window>) -> anyhow::Result<()> {
    let geometry = match &over {
        Some(over) => sane(Geometry {
            x: over.x,
            y: over.y,
            width: over.width,
            height: over.height,
        }),
        None => recall(context),
    };
    let mut builder = WebviewWindowBuilder::new(app, WEBVIEW, WebviewUrl::App("index.html".into()))
        .title("Moult")
        .min_inner_size(SMALLEST.0, SMALLEST.1)
        .background_color(ground(context.records.settings().theme))
        .use_https_scheme(true)
        .data_directory(context.places.web())
        .on_navigation(|url| {
            // The stage page itself, and frames of loads. Nothing else is ever navigated to.
            let known = matches!(url.scheme(), "tauri" | "widget" | "about")
                || url.domain().is_some_and(|host| host.ends_with(".localhost"));
            if !known {
                tracing::warn!(address = url.as_str(), "a page wanted to go elsewhere");
            }
            known
        });
    builder = match geometry {
        Some(geometry) => builder
            .position(geometry.x, geometry.y)
            .inner_size(geometry.width, geometry.height),
        None => builder.inner_size(FIRST.0, FIRST.1).center(),
    };
    let paged = Arc::clone(context);
    builder = builder.on_page_load(move |_, payload| match payload.event() {
        PageLoadEvent::Started => {
            host::close_all(&paged);
            paged.stage.page_started();
        }
        PageLoadEvent::Finished => health::progress(&paged, "the page is loaded"),
    });
    // The engine itself needs no network, and a policy of a page does not forbid it to connect ahead of need.
    #[cfg(target_os = "linux")]
    {
        builder = builder.proxy_url(NOWHERE.parse().context("the way to nowhere is no address")?);
    }
    #[cfg(not(target_os = "linux"))]
    {
        builder = frame_watch::prepare(builder, &context.watch);
    }
    if over.is_some() {
        builder = builder.visible(false).focused(false);
    }
    let window = builder.build()?;
    if let Some(over) = over {
        stacking::show_underneath(&window, over.native)?;
    }
    let pressed = Arc::clone(context);
    presses::listen(&window, move |press| {
        pressed.powers.presses.note(press, Instant::now());
        pressed.revival.pressed(press);
    })?;
    frame_watch::install(&window, &context.watch)?;
    let ended = Arc::clone(context);
    web_process::on_gone(&window, move |memory| revival::gone(&ended, memory))?;
    let closing = Arc::clone(context);
    window.on_window_event(move |event| match event {
        WindowEvent::CloseRequested { api, .. } => {
            api.prevent_close();
            let context = Arc::clone(&closing);
            tauri::async_runtime::spawn(async move { quit(&context, Quit::User).await });
        }
        WindowEvent::Focused(true) => revival::woke(&closing),
        _ => {}
    });
    Ok(())
}

/// Says what the task bar starts for this window: the launcher, which knows the version that is due.
#[cfg(windows)]
pub(crate) fn name(app: &tauri::App, context: &Context) {
    let named = app
        .get_webview_window(WEBVIEW)
        .context("there is no window")
        .and_then(|window| {
            let window = window.hwnd()?.0.expose_provenance().cast_signed();
            Ok(moult_boot::presence::name_window(
                window,
                &context.places.install,
            )?)
        });
    if let Err(error) = named {
        tracing::warn!(error = format!("{error:#}"), "the window has no name");
    }
}

/// The ground of a theme. What the system prefers is not known before there is a page.
fn ground(theme: Theme) -> Color {
    match theme {
        Theme::System | Theme::Light => LIGHT,
        Theme::Dark => DARK,
        Theme::HighContrast => BLACK,
    }
}

/// Brings the window to the front.
pub(crate) fn show(context: &Context) {
    if let Some(window) = context
        .handle
        .get()
        .and_then(|handle| handle.get_webview_window(WEBVIEW))
    {
        let shown = window
            .unminimize()
            .and_then(|()| window.show())
            .and_then(|()| window.set_focus());
        if let Err(error) = shown {
            tracing::warn!(%error, "the window could not be brought to the front");
        }
    }
}

/// Where the window is, for the one that is to lie under it.
pub(crate) fn place(context: &Context) -> Option<Window> {
    let window = context.handle.get()?.get_webview_window(WEBVIEW)?;
    let geometry = geometry(&window).ok()?;
    Some(Window {
        x: geometry.x,
        y: geometry.y,
        width: geometry.width,
        height: geometry.height,
        scale: window.scale_factor().ok()?,
        maximized: window.is_maximized().unwrap_or_default(),
        minimized: window.is_minimized().unwrap_or_default(),
        focused: window.is_focused().unwrap_or_default(),
        native: stacking::number(&window),
    })
}

/// Brings a window that was built under another one to the top.
pub(crate) fn rise(context: &Arc<Context>, focus: bool) -> anyhow::Result<()> {
    let handle = context.handle.get().context("there is no window")?;
    let window = handle.get_webview_window(WEBVIEW).context("there is no window")?;
    let (done, risen) = std::sync::mpsc::channel();
    handle.run_on_main_thread(move || {
        // Who waited may have given up.
        let _ = done.send(stacking::raise(&window, focus));
    })?;
    risen.recv()?
}

/// Loads the page anew, with everything in it.
pub(crate) fn load_again(context: &Context) -> anyhow::Result<()> {
    let handle = context.handle.get().context("there is no window")?;
    let window = handle.get_webview_window(WEBVIEW).context("there is no window")?;
    Ok(window.reload()?)
}

/// Takes the window off the screen: this process ends.
pub(crate) fn hide(context: &Context) {
    let window = context
        .handle
        .get()
        .and_then(|handle| handle.get_webview_window(WEBVIEW));
    if let Some(Err(error)) = window.map(|window| window.hide()) {
        tracing::warn!(%error, "the window could not be hidden");
    }
}

/// Saves where the window is, so that it comes back there.
pub(crate) fn remember(context: &Context) {
    if let Err(error) = save(context) {
        tracing::warn!(error = format!("{error:#}"), "the window's place was not saved");
    }
}

fn save(context: &Context) -> anyhow::Result<()> {
    let Some(window) = context
        .handle
        .get()
        .and_then(|handle| handle.get_webview_window(WEBVIEW))
    else {
        return Ok(());
    };
    let geometry = geometry(&window)?;
    let path = context.places.data.join("window.json");
    let found = std::fs::read(&path)
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let kept = Kept::read(found.unwrap_or(Value::Null), geometry, |_| true)?
        .0
        .with(geometry)?;
    moult_durable::write_atomic(&path, &serde_json::to_vec(kept.whole())?)?;
    Ok(())
}

fn geometry(window: &WebviewWindow) -> tauri::Result<Geometry> {
    let scale = window.scale_factor()?;
    let position = window.outer_position()?.to_logical::<f64>(scale);
    let size = window.inner_size()?.to_logical::<f64>(scale);
    Ok(Geometry {
        x: position.x,
        y: position.y,
        width: size.width,
        height: size.height,
    })
}

fn recall(context: &Context) -> Option<Geometry> {
    let bytes = std::fs::read(context.places.data.join("window.json")).ok()?;
    sane(serde_json::from_slice(&bytes).ok()?)
}

fn sane(geometry: Geometry) -> Option<Geometry> {
    let sane = geometry.width >= SMALLEST.0 && geometry.height >= SMALLEST.1 && geometry.width < 20_000.0;
    sane.then_some(geometry)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ground_before_the_first_paint_is_that_of_the_theme() {
        let css = include_str!("../../sdk/src/tokens.css");
        let grounds: Vec<&str> = css
            .lines()
            .filter_map(|line| line.trim().strip_prefix("--ground: #"))
            .collect();
        let hex = |Color(red, green, blue, _): Color| format!("{red:02x}{green:02x}{blue:02x};");
        let short = |text: &str| {
            if text == "000;" {
                "000000;".to_owned()
            } else {
                text.to_owned()
            }
        };
        let found: Vec<String> = grounds.into_iter().map(short).collect();
        let expected = [Theme::Light, Theme::Dark, Theme::HighContrast].map(|theme| hex(ground(theme)));
        assert_eq!(found, expected);
    }
}
