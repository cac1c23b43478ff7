//! How a window lies under another one until it is ready, and then above it: what differs between systems.
//!
//! On X11 a window that is shown paints the theme's ground first, which would be seen over the one before it for
//! some hundred milliseconds. So it is mapped underneath and raised when it has been painted. On Windows it is
//! cloaked until then: it counts as shown, so that its page loads and paints, and nobody sees it. On macOS it is
//! ordered below the other one. Where nothing can order windows (Wayland) it lies above from the beginning, and the
//! ground colour is seen for that time.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(windows)]
mod windows;

#[cfg(target_os = "linux")]
pub(crate) use linux::{number, raise, show_underneath};
#[cfg(target_os = "macos")]
pub(crate) use macos::{number, raise, show_underneath};
#[cfg(windows)]
pub(crate) use windows::{number, raise, show_underneath};

/// Where a window is put in the order of all, when it may not be seen yet.
#[cfg(any(not(target_os = "linux"), test))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Right below this window of another process.
    Below(isize),
    /// Below all others: which one it is to lie under is not known.
    Last,
}

#[cfg(any(not(target_os = "linux"), test))]
impl Place {
    /// The place under a window that another process named. What can be no window's number is none: an older
    /// version names none, and a wrong one must not keep the window from being shown.
    fn under(number: Option<u64>) -> Self {
        match number.and_then(|number| isize::try_from(number).ok()) {
            // A number that is not above zero means something else to the system: the top, the bottom.
            Some(number) if number > 1 => Self::Below(number),
            _ => Self::Last,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_windows_number_is_a_window_to_lie_under() {
        let table = [
            (None, Place::Last),
            (Some(0), Place::Last),
            (Some(1), Place::Last),
            (Some(2), Place::Below(2)),
            (Some(0x0001_05f4), Place::Below(0x0001_05f4)),
            (Some(u64::MAX), Place::Last),
        ];
        for (number, place) in table {
            assert_eq!(Place::under(number), place, "{number:?}");
        }
    }
}
