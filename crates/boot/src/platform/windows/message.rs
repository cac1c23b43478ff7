//! A message to the user from a process that has no window. Refuses to know what it says.

use std::ptr::null_mut;

use windows_sys::Win32::UI::WindowsAndMessaging::{
    MB_ICONERROR, MB_OK, MB_SETFOREGROUND, MB_TASKMODAL, MessageBoxW,
};

use super::wide;

/// Shows a message and waits until it is read. Tells whether it was shown.
#[expect(unsafe_code, reason = "the standard library shows nothing")]
pub(crate) fn message_box(title: &str, text: &str) -> bool {
    let (title, text) = (wide(title), wide(text));
    // SAFETY: both texts end with a zero and outlive the call; there is no window that owns the message.
    let answer = unsafe {
        MessageBoxW(
            null_mut(),
            text.as_ptr(),
            title.as_ptr(),
            MB_OK | MB_ICONERROR | MB_SETFOREGROUND | MB_TASKMODAL,
        )
    };
    answer != 0
}
