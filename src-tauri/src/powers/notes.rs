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

/// The system asks the user once whether Moult may; until then, and after a no, nothing is shown.
#[cfg(target_os = "macos")]
pub(crate) fn show(_context: &Arc<Context>, from: &str, title: &str, body: &str) -> anyhow::Result<()> {
    use objc2_foundation::{NSBundle, NSString};
    use objc2_user_notifications::{
        UNAuthorizationOptions, UNMutableNotificationContent, UNNotificationRequest, UNUserNotificationCenter,
    };
    // Without an identifier, as from a terminal, the system ends whoever asks for the center.
    NSBundle::mainBundle()
        .bundleIdentifier()
        .context("notifications need the installed application")?;
    let content = UNMutableNotificationContent::new();
    content.setTitle(&NSString::from_str(&format!("{from}: {title}")));
    content.setBody(&NSString::from_str(body));
    // The same name again would replace the one before.
    let name = NSString::from_str(&crate::loads::random_name()?);
    let request = UNNotificationRequest::requestWithIdentifier_content_trigger(&name, &content, None);
    let answered = block2::RcBlock::new(
        move |allowed: objc2::runtime::Bool, _error: *mut objc2_foundation::NSError| {
            if allowed.as_bool() {
                UNUserNotificationCenter::currentNotificationCenter()
                    .addNotificationRequest_withCompletionHandler(&request, None);
            }
        },
    );
    UNUserNotificationCenter::currentNotificationCenter()
        .requestAuthorizationWithOptions_completionHandler(UNAuthorizationOptions::Alert, &answered);
    Ok(())
}

#[cfg(windows)]
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
