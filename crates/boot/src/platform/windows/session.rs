//! Windows of this process hear that the session ends. Refuses to know what is saved then.
//!
//! The system ends a process as soon as its windows have answered, and the window library ends it itself at
//! the first of them. So this stands before all windows of the thread that it is called on, and each answer
//! waits. While it waits, the thread's other messages go on: saving needs them.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io;
use std::ptr::null;
use std::rc::Rc;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::{Duration, Instant};

use windows_sys::Win32::Foundation::{HWND, LPARAM, LRESULT, SetLastError, WPARAM};
use windows_sys::Win32::System::Threading::GetCurrentThreadId;
use windows_sys::Win32::UI::WindowsAndMessaging::{
    CallWindowProcW, DefWindowProcW, DispatchMessageW, EnumThreadWindows, GWLP_WNDPROC, MSG,
    MWMO_INPUTAVAILABLE, MsgWaitForMultipleObjectsEx, PM_REMOVE, PeekMessageW, PostQuitMessage, QS_ALLINPUT,
    SetWindowLongPtrW, TranslateMessage, WM_NCDESTROY, WM_QUIT, WNDPROC,
};

use super::session_words::{Answer, Progress, Word, hear};

/// The system asks its user whether to end a program that takes five seconds.
const LIMIT: Duration = Duration::from_secs(4);
/// How long a pause between two looks is at most, in milliseconds.
const PAUSE_MS: u32 = 10;

/// What saves, and what ends: the latter's answer waits until its receiver hears something or is cut.
struct Listener {
    save: Box<dyn Fn()>,
    end: Box<dyn Fn() -> Receiver<()>>,
    progress: Cell<Progress>,
}

thread_local! {
    static LISTENER: RefCell<Option<Rc<Listener>>> = const { RefCell::new(None) };
    /// What each window did before, by its number.
    static BEFORE: RefCell<HashMap<usize, isize>> = RefCell::new(HashMap::new());
}

/// Has the windows that this thread has now hear of the session's end. To be called once per thread.
pub(crate) fn on_end_of_session(
    save: impl Fn() + 'static,
    end: impl Fn() -> Receiver<()> + 'static,
) -> io::Result<()> {
    let listener = Listener {
        save: Box::new(save),
        end: Box::new(end),
        progress: Cell::default(),
    };
    LISTENER.set(Some(Rc::new(listener)));
    let mut windows: Vec<HWND> = Vec::new();
    list_windows(&mut windows);
    windows.into_iter().try_for_each(stand_before)
}

#[expect(unsafe_code, reason = "the standard library knows no windows")]
fn list_windows(windows: &mut Vec<HWND>) {
    // SAFETY: the list outlives the call, which is over when all windows were told.
    unsafe { EnumThreadWindows(GetCurrentThreadId(), Some(note), (&raw mut *windows) as LPARAM) };
}

#[expect(unsafe_code, reason = "the system calls it, and so says its shape")]
unsafe extern "system" fn note(window: HWND, list: LPARAM) -> i32 {
    // SAFETY: `list_windows` gave it, and does nothing with it meanwhile.
    unsafe { (*(list as *mut Vec<HWND>)).push(window) };
    1
}

#[expect(unsafe_code, reason = "the standard library knows no windows")]
fn stand_before(window: HWND) -> io::Result<()> {
    let procedure: unsafe extern "system" fn(HWND, u32, WPARAM, LPARAM) -> LRESULT = procedure;
    // SAFETY: the window is of this thread, and the procedure has the shape that is called. It is there as
    // long as the process. A zero may be an answer: only the error tells.
    let before = unsafe {
        SetLastError(0);
        SetWindowLongPtrW(window, GWLP_WNDPROC, procedure as usize as isize)
    };
    if before == 0 {
        return Err(io::Error::last_os_error());
    }
    BEFORE.with_borrow_mut(|all| all.insert(window.addr(), before));
    Ok(())
}

#[expect(unsafe_code, reason = "the system calls it, and so says its shape")]
unsafe extern "system" fn procedure(window: HWND, message: u32, wparam: WPARAM, lparam: LPARAM) -> LRESULT {
    if let Some(answer) = listen(message, wparam) {
        return answer;
    }
    let before = BEFORE.with_borrow_mut(|all| {
        if message == WM_NCDESTROY {
            all.remove(&window.addr())
        } else {
            all.get(&window.addr()).copied()
        }
    });
    let Some(before) = before else {
        // SAFETY: what came is passed on as it came.
        return unsafe { DefWindowProcW(window, message, wparam, lparam) };
    };
    // SAFETY: the system gave this number for the procedure that the window had, and takes it back here;
    // what came is passed on as it came.
    unsafe {
        let before = std::mem::transmute::<isize, WNDPROC>(before);
        CallWindowProcW(before, window, message, wparam, lparam)
    }
}

/// The answer to what is of the session, when all is done.
fn listen(message: u32, brings: usize) -> Option<LRESULT> {
    // Held by this call itself: what is dispatched while it waits may come back here.
    let listener = LISTENER.with_borrow(Clone::clone)?;
    let (progress, word, answer) = hear(listener.progress.get(), message, brings);
    listener.progress.set(progress);
    match word {
        Some(Word::Save) => (listener.save)(),
        Some(Word::End) => wait(&(listener.end)(), LIMIT),
        None => {}
    }
    match answer {
        Answer::With(answer) => Some(answer),
        Answer::NotOurs => None,
    }
}

/// Waits for a word, while this thread's messages go on.
fn wait(done: &Receiver<()>, limit: Duration) {
    let begin = Instant::now();
    while done.try_recv() == Err(TryRecvError::Empty) && begin.elapsed() < limit {
        if !dispatch_what_waits() {
            return;
        }
    }
}

/// Carries out the messages that are there, or waits for some for a moment. Says whether there may be more.
#[expect(unsafe_code, reason = "the standard library knows no messages")]
fn dispatch_what_waits() -> bool {
    let mut message = MSG::default();
    // SAFETY: no handles are given, and the message outlives each call.
    unsafe {
        MsgWaitForMultipleObjectsEx(0, null(), PAUSE_MS, QS_ALLINPUT, MWMO_INPUTAVAILABLE);
        while PeekMessageW(&raw mut message, std::ptr::null_mut(), 0, 0, PM_REMOVE) != 0 {
            if message.message == WM_QUIT {
                // It is for the loop that this one is in.
                PostQuitMessage(message.wParam as i32);
                return false;
            }
            TranslateMessage(&raw const message);
            DispatchMessageW(&raw const message);
        }
    }
    true
}

#[cfg(test)]
mod tests;
