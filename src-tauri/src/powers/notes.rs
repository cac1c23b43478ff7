//! Notifications of the system, and its clipboard. Refuses to know who asks.

use std::sync::Arc;

use anyhow::Context as _;

use crate::app::Context;

/// Shows a notification under a widget's name.
#[cfg(target_os = "linux")]
pub(crate) fn show(_context: &Arc<Context>, from: &str, title: &str, body: &str) -> anyhow::Result<()> {
    use gtk::gio::{BusType, Cancellable, DBusCallFlags, bus_get_sync};
    use gtk::glib::ToVariant as _;
    let bus = bus_get_sync(BusType::Session, Cancellable::NONE).context("there is no session bus")?;
    // The body is markup to some desktops.
    let body = body.replace('&', "&amp;").replace('<', "&lt;");
    let nothing: std::collections::HashMap<String, gtk::glib::Variant> = std::collections::HashMap::new();
    let none: Vec<String> = Vec::new();
    let arguments = (
        "Moult",
        0_u32,
        "",
        format!("{from}: {title}"),
        body,
        none,
        nothing,
        -1_i32,
    )
        .to_variant();
    bus.call_sync(
        Some("org.freedesktop.Notifications"),
        "/org/freedesktop/Notifications",
        "org.freedesktop.Notifications",
        "Notify",
        Some(&arguments),
        None,
        DBusCallFlags::NONE,
        2_000,
        Cancellable::NONE,
    )
    .context("the desktop shows no notifications")?;
    Ok(())
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn show(_context: &Arc<Context>, from: &str, title: &str, body: &str) -> anyhow::Result<()> {
    notify_rust::Notification::new()
        .appname("Moult")
        .summary(&format!("{from}: {title}"))
        .body(body)
        .show()
        .map(|_| ())
        .context("the system shows no notifications")
}

/// Puts text on the clipboard.
#[cfg(target_os = "linux")]
pub(crate) fn copy(context: &Arc<Context>, text: String) -> anyhow::Result<()> {
    let handle = context.handle.get().context("there is no window")?;
    handle.run_on_main_thread(move || {
        gtk::Clipboard::get(&gtk::gdk::SELECTION_CLIPBOARD).set_text(&text);
    })?;
    Ok(())
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn copy(_context: &Arc<Context>, text: String) -> anyhow::Result<()> {
    let mut clipboard = arboard::Clipboard::new().context("there is no clipboard")?;
    clipboard.set_text(text).context("the clipboard is taken")
}
