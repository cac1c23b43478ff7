//! Native dialogs.

use moult_update::{ExecutableDecision, StagedExecutable};
use rfd::{AsyncFileDialog, AsyncMessageDialog, MessageButtons, MessageDialogResult, MessageLevel};
use tauri::AppHandle;
use tokio::sync::oneshot;

const NOW: &str = "Restart now";
const ON_QUIT: &str = "When I quit";
const LATER: &str = "Later";

/// Asks whether to restart into a new version. Closing the dialog means later.
pub(crate) async fn ask_restart(handle: &AppHandle, staged: &StagedExecutable) -> ExecutableDecision {
    let notes = staged.notes.get("en").or_else(|| staged.notes.values().next());
    let notes = notes
        .map(|notes| format!("{}\n\n", notes.trim()))
        .unwrap_or_default();
    let from = &staged.from;
    let text = format!(
        "{notes}{from} runs now. The restart takes about a second. Boards and notes come back as they are."
    );
    let title = format!("Moult {} is ready", staged.version);
    let answer = on_main_thread(handle, move || {
        AsyncMessageDialog::new()
            .set_level(MessageLevel::Info)
            .set_title(title)
            .set_description(text)
            .set_buttons(MessageButtons::YesNoCancelCustom(
                NOW.into(),
                ON_QUIT.into(),
                LATER.into(),
            ))
            .show()
    })
    .await;
    match answer {
        Some(MessageDialogResult::Yes) => ExecutableDecision::Now,
        Some(MessageDialogResult::No) => ExecutableDecision::OnQuit,
        Some(MessageDialogResult::Custom(label)) if label == NOW => ExecutableDecision::Now,
        Some(MessageDialogResult::Custom(label)) if label == ON_QUIT => ExecutableDecision::OnQuit,
        _ => ExecutableDecision::Later,
    }
}

/// Asks for a folder. None if the user chose none.
pub(crate) async fn choose_folder(handle: &AppHandle, title: &'static str) -> Option<std::path::PathBuf> {
    let chosen = on_main_thread(handle, move || {
        AsyncFileDialog::new().set_title(title).pick_folder()
    })
    .await;
    chosen.flatten().map(|folder| folder.path().to_owned())
}

/// Dialogs are made on the thread that owns the windows, and awaited on any other.
async fn on_main_thread<T, F>(handle: &AppHandle, dialog: impl FnOnce() -> F + Send + 'static) -> Option<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let (send, answer) = oneshot::channel();
    let queued = handle.run_on_main_thread(move || {
        let shown = dialog();
        tauri::async_runtime::spawn(async move {
            // Nobody waits for the answer any more if the application is ending.
            let _ = send.send(shown.await);
        });
    });
    if let Err(error) = queued {
        tracing::error!(%error, "no dialog can be shown");
    }
    answer.await.ok()
}
