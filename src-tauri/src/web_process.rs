//! The web engine's process of the window: ending it, hearing of its end, and what it takes of the computer.
//! Refuses to know why.
//!
//! WebKitGTK and WKWebView run all frames of a window in one process. WebView2 gives frames of other sites, and every
//! widget is one, processes of their own: there a widget holds up itself alone, and the engine ends what uses too much.

use std::time::Duration;

use tauri::WebviewWindow;

/// Calls back when the process is gone, with whether the engine ended it because of its memory.
#[cfg(target_os = "linux")]
pub(crate) fn on_gone(window: &WebviewWindow, gone: impl Fn(bool) + Send + 'static) -> tauri::Result<()> {
    use webkit2gtk::{WebProcessTerminationReason, WebViewExt as _};
    window.with_webview(move |webview| {
        webview.inner().connect_web_process_terminated(move |_, reason| {
            gone(reason == WebProcessTerminationReason::ExceededMemoryLimit);
        });
    })
}

/// On macOS the builder of the application hears of it (`on_web_content_process_terminate`); WebView2 loads a page whose
/// process has failed anew by itself.
#[cfg(not(target_os = "linux"))]
pub(crate) fn on_gone(_: &WebviewWindow, _: impl Fn(bool) + Send + 'static) -> tauri::Result<()> {
    Ok(())
}

/// Ends the process. Says whether it will be heard of.
#[cfg(target_os = "linux")]
pub(crate) fn end(window: &WebviewWindow) -> tauri::Result<bool> {
    use webkit2gtk::WebViewExt as _;
    window.with_webview(|webview| webview.inner().terminate_web_process())?;
    Ok(true)
}

/// Neither system has a public call for it. A page that is loaded again gets a new process there when the old one
/// does not answer.
#[cfg(not(target_os = "linux"))]
pub(crate) fn end(_: &WebviewWindow) -> tauri::Result<bool> {
    Ok(false)
}

/// What the process takes of the computer. Looked up anew when it changes.
#[derive(Debug, Default)]
pub(crate) struct Usage {
    #[cfg(target_os = "linux")]
    processes: Vec<u32>,
    #[cfg(target_os = "linux")]
    busy: Duration,
}

#[cfg(target_os = "linux")]
impl Usage {
    /// For how long its main thread had a processor since the last call, and its memory in bytes.
    pub(crate) fn take(&mut self) -> (Option<Duration>, u64) {
        if self.processes.is_empty() || self.processes.iter().any(|id| run_time(*id).is_none()) {
            self.processes = web_processes();
            self.busy = Duration::ZERO;
        }
        let times = self.processes.iter().filter_map(|id| run_time(*id));
        let (mut all, mut known) = (Duration::ZERO, false);
        for time in times {
            (all, known) = (all + time, true);
        }
        let first = self.busy.is_zero();
        let since = all.saturating_sub(self.busy);
        self.busy = all;
        let memory = self
            .processes
            .iter()
            .map(|id| memory(*id))
            .max()
            .unwrap_or_default();
        ((known && !first).then_some(since), memory)
    }
}

#[cfg(not(target_os = "linux"))]
impl Usage {
    /// Not told here.
    pub(crate) fn take(&mut self) -> (Option<Duration>, u64) {
        (None, 0)
    }
}

/// The web processes that this process has started.
#[cfg(target_os = "linux")]
fn web_processes() -> Vec<u32> {
    let own = std::process::id().to_string();
    let Ok(folder) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    folder
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok())
        .filter(|id| {
            // The name is cut off at 15 letters and stands in parentheses; the parent is the second word after it.
            let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
            stat.split_once("(WebKitWebProces) ")
                .and_then(|(_, rest)| rest.split(' ').nth(1))
                .is_some_and(|parent| parent == own)
        })
        .collect()
}

/// How long the main thread of a process has had a processor.
#[cfg(target_os = "linux")]
fn run_time(id: u32) -> Option<Duration> {
    let text = std::fs::read_to_string(format!("/proc/{id}/schedstat")).ok()?;
    let nanoseconds = text.split_whitespace().next()?.parse().ok()?;
    Some(Duration::from_nanos(nanoseconds))
}

/// The memory of a process, what lies on the disk for it included.
#[cfg(target_os = "linux")]
fn memory(id: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let kilobytes = |name: &str| -> u64 {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|line| line.split_whitespace().next()?.parse().ok())
            .unwrap_or_default()
    };
    (kilobytes("RssAnon:") + kilobytes("VmSwap:")) * 1024
}
