//! The main window: made by hand, because it must stand only after the launcher was heard.

use std::sync::Arc;

use moult_boot::link::Quit;
use serde::{Deserialize, Serialize};
use tauri::utils::config::Color;
use tauri::webview::PageLoadEvent;
use tauri::{Manager as _, WebviewUrl, WebviewWindowBuilder, WindowEvent};

use crate::app::{Context, quit};
use crate::stage::WEBVIEW;

/// Where the window was, in logical pixels.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Geometry {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
}

const FIRST: (f64, f64) = (1280.0, 800.0);
const SMALLEST: (f64, f64) = (320.0, 240.0);

/// The ground colour of the light theme: what stands before the first paint.
const GROUND: Color = Color(0xe8, 0xeb, 0xe8, 0xff);

/// Builds the window with the stage page in it.
pub(crate) fn build(app: &tauri::App, context: &Arc<Context>) -> anyhow::Result<()> {
    let geometry = recall(context);
    let mut builder = WebviewWindowBuilder::new(app, WEBVIEW, WebviewUrl::App("index.html".into()))
        .title("Moult")
        .min_inner_size(SMALLEST.0, SMALLEST.1)
        .background_color(GROUND)
        .use_https_scheme(true)
        .data_directory(context.places.web())
        .on_navigation(|url| {
            // The stage page itself, and frames of loads. Nothing else is ever navigated to.
            matches!(url.scheme(), "tauri" | "widget" | "about")
                || url.domain().is_some_and(|host| host.ends_with(".localhost"))
        });
    builder = match geometry {
        Some(geometry) => builder
            .position(geometry.x, geometry.y)
            .inner_size(geometry.width, geometry.height),
        None => builder.inner_size(FIRST.0, FIRST.1).center(),
    };
    let paged = Arc::clone(context);
    builder = builder.on_page_load(move |_, payload| {
        if payload.event() == PageLoadEvent::Started {
            paged.loads.close_all();
            paged.stage.page_started();
        }
    });
    let window = builder.build()?;
    let closing = Arc::clone(context);
    window.on_window_event(move |event| {
        if let WindowEvent::CloseRequested { api, .. } = event {
            api.prevent_close();
            let context = Arc::clone(&closing);
            tauri::async_runtime::spawn(async move { quit(&context, Quit::User).await });
        }
    });
    Ok(())
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
    let scale = window.scale_factor()?;
    let position = window.outer_position()?.to_logical::<f64>(scale);
    let size = window.inner_size()?.to_logical::<f64>(scale);
    let geometry = Geometry {
        x: position.x,
        y: position.y,
        width: size.width,
        height: size.height,
    };
    moult_durable::write_atomic(
        &context.places.data.join("window.json"),
        &serde_json::to_vec(&geometry)?,
    )?;
    Ok(())
}

fn recall(context: &Context) -> Option<Geometry> {
    let bytes = std::fs::read(context.places.data.join("window.json")).ok()?;
    let geometry: Geometry = serde_json::from_slice(&bytes).ok()?;
    let sane = geometry.width >= SMALLEST.0 && geometry.height >= SMALLEST.1 && geometry.width < 20_000.0;
    sane.then_some(geometry)
}
