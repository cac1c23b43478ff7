//! Windows: cloaked while underneath.
//!
//! The window library counts the window as hidden until it is raised: shown by the library, it would take the
//! keyboard from the window that its user types into.

use std::io;

use anyhow::Context as _;
use tauri::WebviewWindow;
use windows_sys::Win32::Foundation::HWND;
use windows_sys::Win32::Graphics::Dwm::{DWMWA_CLOAK, DwmSetWindowAttribute};
use windows_sys::Win32::UI::WindowsAndMessaging::{
    HWND_BOTTOM, HWND_NOTOPMOST, HWND_TOPMOST, SWP_NOACTIVATE, SWP_NOMOVE, SWP_NOSIZE, SWP_SHOWWINDOW,
    SetWindowPos,
};

use super::Place;

/// The number by which other processes order their windows under this one.
pub(crate) fn number(window: &WebviewWindow) -> Option<u64> {
    u64::try_from(window.hwnd().ok()?.0.expose_provenance()).ok()
}

/// Puts a window that was built hidden on the screen, right under the other one, where nobody sees it.
pub(crate) fn show_underneath(window: &WebviewWindow, over: Option<u64>) -> anyhow::Result<()> {
    let native = native(window)?;
    window.set_skip_taskbar(true)?;
    cloak(native, true)?;
    let under = match Place::under(over) {
        Place::Below(other) => std::ptr::with_exposed_provenance_mut(other.cast_unsigned()),
        Place::Last => HWND_BOTTOM,
    };
    // The other window may have gone, or belong to somebody whose windows can't be named here.
    order(native, under, SWP_SHOWWINDOW).or_else(|_| order(native, HWND_BOTTOM, SWP_SHOWWINDOW))
}

/// Puts it above all others, lets it be seen, and gives it the keyboard.
pub(crate) fn raise(window: &WebviewWindow, focus: bool) -> anyhow::Result<()> {
    let native = native(window)?;
    // A process that has not the keyboard can't simply go to the top: above all others for a moment brings
    // it there.
    order(native, HWND_TOPMOST, 0)?;
    order(native, HWND_NOTOPMOST, 0)?;
    // Now the library knows that it is shown. What that draws anew is not seen yet.
    window.show()?;
    cloak(native, false)?;
    window.set_skip_taskbar(false)?;
    if focus {
        window.set_focus()?;
    }
    Ok(())
}

fn native(window: &WebviewWindow) -> anyhow::Result<HWND> {
    Ok(window.hwnd().context("the window has no number")?.0)
}

#[expect(unsafe_code, reason = "the window library orders no windows")]
fn order(window: HWND, after: HWND, further: u32) -> anyhow::Result<()> {
    let flags = SWP_NOMOVE | SWP_NOSIZE | SWP_NOACTIVATE | further;
    // SAFETY: numbers alone; one that names no window is an error of the call.
    if unsafe { SetWindowPos(window, after, 0, 0, 0, 0, flags) } == 0 {
        return Err(io::Error::last_os_error()).context("the window could not be ordered among the others");
    }
    Ok(())
}

#[expect(unsafe_code, reason = "the window library cloaks no windows")]
fn cloak(window: HWND, cloaked: bool) -> anyhow::Result<()> {
    let value = i32::from(cloaked);
    let attribute = DWMWA_CLOAK.cast_unsigned();
    // SAFETY: the value is the four bytes that this attribute has, and outlives the call.
    let outcome = unsafe {
        DwmSetWindowAttribute(
            window,
            attribute,
            (&raw const value).cast(),
            size_of::<i32>() as u32,
        )
    };
    if outcome < 0 {
        return Err(io::Error::from_raw_os_error(outcome))
            .context("the window could not be cloaked or uncloaked");
    }
    Ok(())
}
