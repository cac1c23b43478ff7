//! How a window lies under another one until it is ready, and then above it.
//!
//! On X11 a window that is shown paints the theme's ground first, which would be seen over the one before it for
//! some hundred milliseconds. So it is mapped underneath and raised when it has been painted. Where nothing can
//! order windows (Wayland) it lies above from the beginning, and the ground colour is seen for that time.

use tauri::WebviewWindow;

/// Puts a window that was built hidden on the screen, below all others and without the keyboard.
#[cfg(target_os = "linux")]
pub(crate) fn show_underneath(window: &WebviewWindow) -> tauri::Result<()> {
    use gtk::prelude::{GtkWindowExt as _, WidgetExt as _};
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
#[cfg(target_os = "linux")]
pub(crate) fn raise(window: &WebviewWindow, focus: bool) -> tauri::Result<()> {
    use gtk::prelude::{GtkWindowExt as _, WidgetExt as _};
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

#[cfg(not(target_os = "linux"))]
pub(crate) fn show_underneath(window: &WebviewWindow) -> tauri::Result<()> {
    window.set_skip_taskbar(true)?;
    window.set_always_on_bottom(true)?;
    window.show()
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn raise(window: &WebviewWindow, focus: bool) -> tauri::Result<()> {
    window.set_always_on_bottom(false)?;
    window.set_skip_taskbar(false)?;
    // There is no raise without focus: above all others for a moment brings it to the front.
    window.set_always_on_top(true)?;
    window.set_always_on_top(false)?;
    if focus { window.set_focus() } else { Ok(()) }
}
