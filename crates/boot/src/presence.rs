//! What an application's process tells the system that it is, and how the system tells it to end. Refuses
//! to know windows: who has one names it.

use std::path::{Path, PathBuf};

use crate::platform::{self, Stop};
use crate::{BootError, Quit};

/// The group of all windows of Moult, whatever their version and file.
pub const GROUP: &str = "dev.moult.app";

/// The launcher in an install folder.
pub fn launcher(install: &Path) -> PathBuf {
    install.join(format!("moult{}", std::env::consts::EXE_SUFFIX))
}

/// Joins the group of Moult's windows. To be called before the first window. Does nothing but on Windows:
/// elsewhere the launcher gave this process its name.
pub fn join_group() -> Result<(), BootError> {
    #[cfg(windows)]
    platform::join_group(GROUP).map_err(|source| BootError::Identity { source })?;
    Ok(())
}

/// Says of a window that what stands for it in the task bar starts the launcher. Only Windows asks.
#[cfg(windows)]
pub fn name_window(window: isize, install: &Path) -> Result<(), BootError> {
    platform::name_window(window, GROUP, "Moult", &launcher(install))
        .map_err(|source| BootError::Identity { source })
}

/// Calls `tell` on a thread of its own whenever this process is asked to end by its launcher, its console
/// or its session, for as long as it returns true. To be called once per process.
pub fn on_wish_to_end(mut tell: impl FnMut(Quit) -> bool + Send + 'static) -> Result<(), BootError> {
    platform::on_stop(move |stop| {
        tell(match stop {
            Stop::Interrupt => Quit::User,
            Stop::HangUp | Stop::Terminate => Quit::Session,
        })
    })
}

/// Has the windows of this thread, all of which there are by now, answer what the session asks of them before
/// it ends: `save` is called when it is asked for, and `end` when it has come. The system goes on as soon as what `end`
/// returned hears something or is cut, and ends this process. Only Windows asks.
#[cfg(windows)]
pub fn on_end_of_session(
    save: impl Fn() + 'static,
    end: impl Fn() -> std::sync::mpsc::Receiver<()> + 'static,
) -> Result<(), BootError> {
    platform::on_end_of_session(save, end).map_err(|source| BootError::Signals { source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_launcher_lies_in_the_install_folder() {
        let launcher = launcher(Path::new("install"));
        assert_eq!(launcher.parent(), Some(Path::new("install")));
        assert_eq!(launcher.file_stem(), Some("moult".as_ref()));
    }
}
