//! With windows of the system's own kind, which nobody sees.

use std::rc::Rc;
use std::sync::mpsc::channel;

use windows_sys::Win32::UI::WindowsAndMessaging::{
    CreateWindowExW, DestroyWindow, PostMessageW, SendMessageW, WM_ENDSESSION, WM_GETTEXTLENGTH,
    WM_QUERYENDSESSION, WM_SETTEXT, WS_OVERLAPPED,
};

use super::*;
use crate::platform::windows::wide;

#[expect(unsafe_code, reason = "the standard library makes no windows")]
fn window() -> HWND {
    let (class, title) = (wide("STATIC"), wide("moult"));
    // SAFETY: the texts end with a zero and outlive the call; all else is none.
    let window = unsafe {
        CreateWindowExW(
            0,
            class.as_ptr(),
            title.as_ptr(),
            WS_OVERLAPPED,
            0,
            0,
            10,
            10,
            std::ptr::null_mut(),
            std::ptr::null_mut(),
            std::ptr::null_mut(),
            null(),
        )
    };
    assert!(!window.is_null(), "{}", io::Error::last_os_error());
    window
}

#[expect(unsafe_code, reason = "the standard library sends no messages")]
fn send(window: HWND, message: u32, brings: usize) -> LRESULT {
    // SAFETY: the window is of this thread, and none of these messages brings an address.
    unsafe { SendMessageW(window, message, brings, 0) }
}

#[test]
#[expect(unsafe_code, reason = "the standard library posts no messages")]
fn the_answer_to_the_end_waits_for_what_is_saved_and_messages_go_on_meanwhile() {
    let windows = [window(), window()];
    let (saved, ended) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
    let (of_save, of_end) = (Rc::clone(&saved), Rc::clone(&ended));
    let first = windows[0].expose_provenance();
    on_end_of_session(
        move || of_save.set(of_save.get() + 1),
        move || {
            of_end.set(of_end.get() + 1);
            let (sender, receiver) = channel();
            std::thread::spawn(move || {
                // As a page that saves: another thread needs the one of the windows, which is waiting.
                let window = std::ptr::with_exposed_provenance_mut(first);
                let text = wide("saved");
                // SAFETY: the text ends with a zero and outlives the call, which waits for the answer.
                unsafe {
                    PostMessageW(window, 0, 0, 0);
                    SendMessageW(window, WM_SETTEXT, 0, text.as_ptr() as LPARAM);
                }
                let _ = sender.send(());
            });
            receiver
        },
    )
    .unwrap();
    assert_eq!(
        send(windows[0], WM_GETTEXTLENGTH, 0),
        5,
        "the window is as before"
    );
    for window in windows {
        assert_eq!(send(window, WM_QUERYENDSESSION, 0), 1);
    }
    assert_eq!((saved.get(), ended.get()), (1, 0));
    // Called off, and asked for again.
    assert_eq!(send(windows[1], WM_ENDSESSION, 0), 0);
    assert_eq!(send(windows[0], WM_QUERYENDSESSION, 0), 1);
    assert_eq!((saved.get(), ended.get()), (2, 0));
    for window in windows {
        assert_eq!(send(window, WM_ENDSESSION, 1), 0);
        assert_eq!((saved.get(), ended.get()), (2, 1));
    }
    assert_eq!(send(windows[0], WM_GETTEXTLENGTH, 0), 5);
    for window in windows {
        // SAFETY: the window is of this thread.
        assert_ne!(unsafe { DestroyWindow(window) }, 0);
    }
    BEFORE.with_borrow(|all| assert!(all.is_empty()));
}

#[test]
fn what_is_never_saved_keeps_the_computer_on_for_a_moment_only() {
    let (_sender, receiver) = channel();
    let begin = Instant::now();
    wait(&receiver, Duration::from_millis(50));
    assert!(begin.elapsed() >= Duration::from_millis(50));
    let (sender, cut) = channel();
    drop(sender);
    wait(&cut, Duration::from_hours(1));
}
