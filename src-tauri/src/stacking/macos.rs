//! macOS: ordered below the other window by its number.

use std::sync::mpsc::channel;

use anyhow::Context as _;
use objc2_app_kit::{NSWindow, NSWindowOrderingMode};
use tauri::WebviewWindow;

use super::Place;

/// The number by which other processes order their windows under this one. Asked for on any thread.
pub(crate) fn number(window: &WebviewWindow) -> Option<u64> {
    let (sender, told) = channel();
    let asked = window.clone();
    window
        .run_on_main_thread(move || {
            let number = with_native(&asked, |native| native.windowNumber()).ok();
            // Who waited may have given up.
            let _ = sender.send(number.and_then(|number| u64::try_from(number).ok()));
        })
        .ok()?;
    told.recv().ok()?
}

/// Puts a window that was built hidden on the screen, right under the other one, without the keyboard.
pub(crate) fn show_underneath(window: &WebviewWindow, over: Option<u64>) -> anyhow::Result<()> {
    with_native(window, |native| {
        // With zero it is below all windows of its level.
        let other = match Place::under(over) {
            Place::Below(other) => other,
            Place::Last => 0,
        };
        native.orderWindow_relativeTo(NSWindowOrderingMode::Below, other);
    })
}

/// Puts it above all others and gives it the keyboard.
pub(crate) fn raise(window: &WebviewWindow, focus: bool) -> anyhow::Result<()> {
    // `orderFront` alone stays below the windows of the application that is active, which is the older one.
    with_native(window, NSWindow::orderFrontRegardless)?;
    if focus {
        window.set_focus()?;
    }
    Ok(())
}

/// To be called on the main thread, as all of windows.
#[expect(unsafe_code, reason = "the window library gives the window as an address")]
fn with_native<T>(window: &WebviewWindow, act: impl FnOnce(&NSWindow) -> T) -> anyhow::Result<T> {
    let native = window
        .ns_window()
        .context("the window has no native one")?
        .cast::<NSWindow>();
    // SAFETY: the library's window is an `NSWindow`, which lives as long as `window` is held; it is used on the main
    // thread alone.
    let native = unsafe { native.as_ref() }.context("the window is gone")?;
    Ok(act(native))
}
