//! What the user pressed last, as the system told it: a page can claim a press, and only this knows of one.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Deserialize;

/// A rectangle in the window, in CSS px.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub(crate) struct Area {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
    /// Whether keys go there.
    focused: bool,
}

/// A press.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Press {
    /// Of a pointer, in CSS px.
    #[cfg_attr(
        not(any(target_os = "linux", test)),
        expect(dead_code, reason = "`listen` does not hear of it there")
    )]
    At(f64, f64),
    /// Of a key.
    Key,
}

/// The last press.
#[derive(Debug, Default)]
pub(crate) struct Presses(Mutex<Option<(Instant, Press)>>);

impl Presses {
    /// Notes a press.
    pub(crate) fn note(&self, press: Press, now: Instant) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, press));
    }

    /// Whether the last press was in an area, and no longer ago than this.
    pub(crate) fn was_in(&self, area: Area, within: Duration, now: Instant) -> bool {
        let last = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((at, press)) = last else { return false };
        let inside = match press {
            Press::At(x, y) => {
                (area.x..area.x + area.width).contains(&x) && (area.y..area.y + area.height).contains(&y)
            }
            Press::Key => area.focused,
        };
        inside && now.saturating_duration_since(at) <= within
    }
}

/// Listens to the presses in a window.
#[cfg(target_os = "linux")]
pub(crate) fn listen(
    window: &tauri::WebviewWindow,
    note: impl Fn(Press) + Clone + Send + 'static,
) -> tauri::Result<()> {
    use gtk::glib::Propagation;
    use gtk::prelude::WidgetExt as _;
    window.with_webview(move |webview| {
        let view = webview.inner();
        let keys = note.clone();
        view.connect_button_press_event(move |_, event| {
            let (x, y) = event.position();
            note(Press::At(x, y));
            Propagation::Proceed
        });
        view.connect_key_press_event(move |_, _| {
            keys(Press::Key);
            Propagation::Proceed
        });
    })
}

/// Elsewhere the system does not tell this process of presses inside of the page: a press of a key is taken for granted while the
/// window has the keyboard, so that only the widget that has it too may act.
#[cfg(not(target_os = "linux"))]
pub(crate) fn listen(
    window: &tauri::WebviewWindow,
    note: impl Fn(Press) + Clone + Send + 'static,
) -> tauri::Result<()> {
    window.on_window_event(move |event| {
        if let tauri::WindowEvent::Focused(true) = event {
            note(Press::Key);
        }
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const AREA: Area = Area {
        x: 10.0,
        y: 10.0,
        width: 100.0,
        height: 50.0,
        focused: false,
    };

    #[test]
    fn only_a_press_in_the_area_and_just_now_counts() {
        let begin = Instant::now();
        let second = Duration::from_secs(1);
        let focused = Area {
            focused: true,
            ..AREA
        };
        let cases = [
            (Press::At(10.0, 10.0), AREA, 0, true),
            (Press::At(109.0, 59.0), AREA, 1_000, true),
            (Press::At(109.0, 59.0), AREA, 1_001, false),
            (Press::At(110.0, 20.0), AREA, 0, false),
            (Press::At(20.0, 60.0), focused, 0, false),
            (Press::Key, AREA, 0, false),
            (Press::Key, focused, 0, true),
        ];
        for (press, area, after, expected) in cases {
            let presses = Presses::default();
            assert!(!presses.was_in(area, second, begin), "nothing was pressed yet");
            presses.note(press, begin);
            let now = begin + Duration::from_millis(after);
            assert_eq!(
                presses.was_in(area, second, now),
                expected,
                "{press:?} {area:?} {after}"
            );
        }
    }
}
