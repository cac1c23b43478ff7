//! Native dialogs.

use moult_update::{ExecutableDecision, StagedExecutable};
use rfd::{AsyncFileDialog, AsyncMessageDialog, MessageButtons, MessageDialogResult, MessageLevel};
use tauri::AppHandle;
use tokio::sync::oneshot;

const NOW: &str = "Restart now";
const ON_QUIT: &str = "When I quit";
const NOT_NOW: &str = "Not now";
const REMIND: &str = "Remind me later";
const SKIP: &str = "Skip this version";
/// So many characters of release notes fit into a dialog without filling the screen.
const NOTES_LENGTH: usize = 1200;

/// Asks whether to restart into a new version. Closing a dialog means later, which is asked again.
pub(crate) async fn ask_restart(handle: &AppHandle, staged: &StagedExecutable) -> ExecutableDecision {
    let title = format!("Moult {} is ready", staged.version);
    let first = ask(handle, title, offer(staged), &[NOW, ON_QUIT, NOT_NOW]).await;
    match first.as_deref() {
        Some(NOW) => return ExecutableDecision::Now,
        Some(ON_QUIT) => return ExecutableDecision::OnQuit,
        Some(NOT_NOW) if !staged.critical => {}
        // One that is critical can be put off and not skipped.
        _ => return ExecutableDecision::Later,
    }
    let title = format!("Moult {}: not now", staged.version);
    let text =
        "It can be offered again later. A version that is skipped is not offered again; the next one is.";
    match ask(handle, title, text.to_owned(), &[REMIND, SKIP])
        .await
        .as_deref()
    {
        Some(SKIP) => ExecutableDecision::Skip,
        _ => ExecutableDecision::Later,
    }
}

/// What is said about a version that waits.
fn offer(staged: &StagedExecutable) -> String {
    let notes = staged.notes.get("en").or_else(|| staged.notes.values().next());
    let notes = notes.map(|notes| notes.trim()).unwrap_or_default();
    let mut paragraphs = Vec::new();
    if staged.critical {
        paragraphs.push("This version closes a serious hole.".to_owned());
    }
    match notes.char_indices().nth(NOTES_LENGTH) {
        Some((end, _)) => paragraphs.push(format!("{} …", &notes[..end])),
        None if !notes.is_empty() => paragraphs.push(notes.to_owned()),
        None => {}
    }
    let from = &staged.from;
    paragraphs.push(format!(
        "{from} runs now. Boards and notes come back as they are, with what you are typing."
    ));
    paragraphs.join("\n\n")
}

/// Shows a dialog with two or three buttons, and says which was pressed. None: it was closed, or not shown.
async fn ask(
    handle: &AppHandle,
    title: String,
    text: String,
    buttons: &'static [&'static str],
) -> Option<String> {
    let kind = match buttons {
        [one, two] => MessageButtons::OkCancelCustom((*one).into(), (*two).into()),
        [one, two, three] => MessageButtons::YesNoCancelCustom((*one).into(), (*two).into(), (*three).into()),
        _ => return None,
    };
    let answer = on_main_thread(handle, move || {
        AsyncMessageDialog::new()
            .set_level(MessageLevel::Info)
            .set_title(title)
            .set_description(text)
            .set_buttons(kind)
            .show()
    })
    .await?;
    pressed(&answer, buttons).map(str::to_owned)
}

/// Which button an answer means. A system without own labels answers by the place of the button.
fn pressed(answer: &MessageDialogResult, buttons: &[&'static str]) -> Option<&'static str> {
    match (answer, buttons) {
        (MessageDialogResult::Custom(label), _) => buttons.iter().find(|button| *button == label).copied(),
        (MessageDialogResult::Yes | MessageDialogResult::Ok, [first, ..])
        | (MessageDialogResult::No, [_, first, _]) => Some(first),
        _ => None,
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

#[cfg(test)]
mod tests {
    use moult_model::{Digest, stage::SwapReason};

    use super::*;

    fn staged(notes: &str, critical: bool) -> anyhow::Result<StagedExecutable> {
        Ok(StagedExecutable {
            activity: "a".to_owned(),
            version: "1.1.0".parse()?,
            digest: Digest::of(b""),
            slot: "1.1.0-00000000".parse()?,
            from: "1.0.0".parse()?,
            reason: SwapReason::Update,
            notes: [("en".to_owned(), notes.to_owned())].into(),
            critical,
        })
    }

    #[test]
    fn the_offer_shows_the_notes_and_never_more_than_a_screen() -> anyhow::Result<()> {
        assert!(offer(&staged(" Faster. \n", false)?).starts_with("Faster.\n\n1.0.0 runs now."));
        assert!(
            offer(&staged("Faster.", true)?).starts_with("This version closes a serious hole.\n\nFaster.")
        );
        assert!(offer(&staged("", false)?).starts_with("1.0.0 runs now."));
        let long = offer(&staged(&"é".repeat(NOTES_LENGTH * 2), false)?);
        assert!(
            long.chars().count() < NOTES_LENGTH + 200 && long.contains(" …"),
            "{long}"
        );
        Ok(())
    }

    #[test]
    fn an_answer_means_a_button_by_its_label_or_its_place() {
        let three: &[&str] = &[NOW, ON_QUIT, NOT_NOW];
        let two: &[&str] = &[REMIND, SKIP];
        let custom = |label: &str| MessageDialogResult::Custom(label.to_owned());
        let cases = [
            (MessageDialogResult::Yes, three, Some(NOW)),
            (MessageDialogResult::No, three, Some(ON_QUIT)),
            (custom(NOT_NOW), three, Some(NOT_NOW)),
            (custom(SKIP), two, Some(SKIP)),
            (MessageDialogResult::Ok, two, Some(REMIND)),
            (custom("closed"), three, None),
            (MessageDialogResult::Cancel, three, None),
            (MessageDialogResult::Cancel, two, None),
            (MessageDialogResult::No, two, None),
        ];
        for (answer, buttons, expected) in cases {
            assert_eq!(pressed(&answer, buttons), expected, "{answer:?}");
        }
    }
}
