//! X11 by hints and by the order itself; Wayland ignores both.

use gtk::prelude::{GtkWindowExt as _, WidgetExt as _};
use tauri::WebviewWindow;

/// Windows of other processes have no number here by which one could be ordered.
pub(crate) fn number(_: &WebviewWindow) -> Option<u64> {
    None
}

/// Puts a window that was built hidden on the screen, below all others and without the keyboard.
pub(crate) fn show_underneath(window: &WebviewWindow, _over: Option<u64>) -> anyhow::Result<()> {
    let native = window.gtk_window()?;
    native.set_focus_on_map(false);
    native.set_accept_focus(false);
    native.set_skip_taskbar_hint(true);
    native.set_skip_pager_hint(true);
    // A window manager goes by the hint; without one, or with one that ignores it, the order itself counts.
    native.set_keep_below(true);
    native.realize();
    if let Some(surface) = native.window() {
        surface.lower();
    }
    native.show_all();
    if let Some(surface) = native.window() {
        surface.lower();
    }
    Ok(())
}

/// Puts it above all others and gives it the keyboard.
pub(crate) fn raise(window: &WebviewWindow, focus: bool) -> anyhow::Result<()> {
    let native = window.gtk_window()?;
    native.set_keep_below(false);
    native.set_skip_taskbar_hint(false);
    native.set_skip_pager_hint(false);
    native.set_accept_focus(true);
    native.set_focus_on_map(true);
    if let Some(surface) = native.window() {
        surface.raise();
        if focus {
            surface.focus(gtk::gdk::ffi::GDK_CURRENT_TIME as u32);
        }
    }
    Ok(())
}
