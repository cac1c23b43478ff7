//! What runs in every frame before its bundle does: the watch over the keyboard, the pace of its timers, and the end of the
//! native handlers.
//! Refuses to know who may have the keyboard; that is the stage's.

use tauri::WebviewWindow;

use crate::loads::random_name;

const WATCH: &str = include_str!("frame_watch.js");
const PACE: &str = include_str!("frame_pace.js");
#[cfg(target_os = "linux")]
const SHUT: &str = include_str!("frame_shut.js");

/// What the watch proves itself with to the stage. No page can read it: it stands in a script of another world.
#[derive(Debug)]
pub(crate) struct Secret(String);

impl Secret {
    pub(crate) fn new() -> anyhow::Result<Self> {
        Ok(Self(random_name()?))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// The watch, as it is to run.
fn script(secret: &Secret) -> String {
    WATCH.replace("@SECRET@", secret.as_str())
}

/// Has it run in every frame of a window that is loaded from now on.
#[cfg(target_os = "linux")]
pub(crate) fn install(window: &WebviewWindow, secret: &Secret) -> tauri::Result<()> {
    use webkit2gtk::{
        UserContentInjectedFrames, UserContentManagerExt as _, UserScript, UserScriptInjectionTime,
        WebViewExt as _,
    };
    let watch = script(secret);
    window.with_webview(move |webview| {
        let Some(manager) = webview.inner().user_content_manager() else {
            tracing::error!("frames can't be watched");
            return;
        };
        let (frames, time) = (
            UserContentInjectedFrames::AllFrames,
            UserScriptInjectionTime::Start,
        );
        manager.add_script(&UserScript::for_world(&watch, frames, time, "moult", &[], &[]));
        for script in [SHUT, PACE] {
            manager.add_script(&UserScript::new(script, frames, time, &[], &[]));
        }
    })
}

/// Elsewhere it was given to the window's builder, which knows no worlds: there it runs in the page's own, first.
#[cfg(not(target_os = "linux"))]
pub(crate) fn install(_: &WebviewWindow, _: &Secret) -> tauri::Result<()> {
    Ok(())
}

/// Gives it to a window that is being built.
#[cfg(not(target_os = "linux"))]
pub(crate) fn prepare<'a, R: tauri::Runtime, M: tauri::Manager<R>>(
    builder: tauri::WebviewWindowBuilder<'a, R, M>,
    secret: &Secret,
) -> tauri::WebviewWindowBuilder<'a, R, M> {
    builder
        .initialization_script_for_all_frames(script(secret))
        .initialization_script_for_all_frames(PACE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_start_has_a_secret_of_its_own_and_the_script_carries_it() -> anyhow::Result<()> {
        let (one, two) = (Secret::new()?, Secret::new()?);
        assert_ne!(one.as_str(), two.as_str());
        let script = script(&one);
        assert!(script.contains(one.as_str()) && !script.contains("@SECRET@"));
        Ok(())
    }
}
