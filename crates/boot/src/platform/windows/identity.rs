//! What the system takes this process and its windows for: those of all versions are one group in the task
//! bar, and what is pinned there starts the launcher, never a version's own file.

use std::ffi::{OsString, c_void};
use std::io;
use std::path::Path;
use std::ptr::null_mut;

use windows_sys::Win32::Foundation::{HWND, PROPERTYKEY};
use windows_sys::Win32::System::Com::StructuredStorage::PROPVARIANT;
use windows_sys::Win32::System::Variant::VT_LPWSTR;
use windows_sys::Win32::UI::Shell::PropertiesSystem::SHGetPropertyStoreForWindow;
use windows_sys::Win32::UI::Shell::SetCurrentProcessExplicitAppUserModelID;
use windows_sys::core::{GUID, HRESULT};

use super::wide;

/// The family of properties of `propkey.h` that says what a window belongs to.
const FAMILY: GUID = GUID::from_u128(0x9f4c_2855_9f79_4b39_a8d0_e1d4_2de1_d5f3);
/// In that family: what the task bar starts, its picture, its name, and the group itself. The group comes
/// last: it is what makes the task bar look at the others.
const RELAUNCH_COMMAND: u32 = 2;
const RELAUNCH_PICTURE: u32 = 3;
const RELAUNCH_NAME: u32 = 4;
const GROUP: u32 = 5;
/// `IPropertyStore`.
static STORE: GUID = GUID::from_u128(0x886d_8eeb_8cf2_4446_8d02_cdba_1dbd_cf99);

/// The functions of a property store, in the order of `propsys.h`.
#[repr(C)]
struct Functions {
    _query: *const c_void,
    _add: *const c_void,
    release: unsafe extern "system" fn(*mut c_void) -> u32,
    _count: *const c_void,
    _at: *const c_void,
    _get: *const c_void,
    set: unsafe extern "system" fn(*mut c_void, *const PROPERTYKEY, *const PROPVARIANT) -> HRESULT,
    commit: unsafe extern "system" fn(*mut c_void) -> HRESULT,
}

/// What the system keeps of a window. It starts with a pointer to its functions.
struct Properties(*mut *const Functions);

/// Puts this process into a group (`AppUserModelID`). Called before the first window, by each process that
/// has windows.
#[expect(unsafe_code, reason = "the standard library knows no such groups")]
pub(crate) fn join_group(group: &str) -> io::Result<()> {
    let group = wide(group);
    // SAFETY: the name ends with a zero and outlives the call.
    succeeded(unsafe { SetCurrentProcessExplicitAppUserModelID(group.as_ptr()) })
}

/// Says of a window what the task bar starts in its place: the launcher. The window is of this process.
pub(crate) fn name_window(window: isize, group: &str, title: &str, launcher: &Path) -> io::Result<()> {
    let properties = Properties::of(window)?;
    let mut command = OsString::from("\"");
    command.push(launcher);
    command.push("\"");
    let mut picture = launcher.as_os_str().to_owned();
    picture.push(",0");
    properties.set(RELAUNCH_COMMAND, &wide(command))?;
    properties.set(RELAUNCH_PICTURE, &wide(picture))?;
    properties.set(RELAUNCH_NAME, &wide(title))?;
    properties.set(GROUP, &wide(group))?;
    properties.commit()
}

impl Properties {
    #[expect(unsafe_code, reason = "the standard library knows no windows")]
    fn of(window: isize) -> io::Result<Self> {
        let mut store = null_mut();
        let window: HWND = std::ptr::with_exposed_provenance_mut(window.cast_unsigned());
        // SAFETY: a number that is no window gives an error; the pointer is written once, with what
        // `drop` gives back.
        succeeded(unsafe { SHGetPropertyStoreForWindow(window, &raw const STORE, &raw mut store) })?;
        if store.is_null() {
            return Err(io::ErrorKind::NotFound.into());
        }
        Ok(Self(store.cast()))
    }

    #[expect(unsafe_code, reason = "the system's own interface to such properties")]
    fn set(&self, number: u32, text: &[u16]) -> io::Result<()> {
        let key = PROPERTYKEY {
            fmtid: FAMILY,
            pid: number,
        };
        let mut value = PROPVARIANT::default();
        value.Anonymous.Anonymous.vt = VT_LPWSTR;
        value.Anonymous.Anonymous.Anonymous.pwszVal = text.as_ptr().cast_mut();
        // SAFETY: the store is held until `drop`; the text ends with a zero and outlives the call, which
        // copies it.
        succeeded(unsafe { ((**self.0).set)(self.0.cast(), &raw const key, &raw const value) })
    }

    #[expect(unsafe_code, reason = "the system's own interface to such properties")]
    fn commit(&self) -> io::Result<()> {
        // SAFETY: the store is held until `drop`.
        succeeded(unsafe { ((**self.0).commit)(self.0.cast()) })
    }
}

impl Drop for Properties {
    #[expect(unsafe_code, reason = "what the system gave goes back to it")]
    fn drop(&mut self) {
        // SAFETY: this is the one hold on the store, and it ends here.
        unsafe { ((**self.0).release)(self.0.cast()) };
    }
}

fn succeeded(outcome: HRESULT) -> io::Result<()> {
    if outcome >= 0 {
        Ok(())
    } else {
        Err(io::Error::from_raw_os_error(outcome))
    }
}

#[cfg(test)]
#[expect(
    clippy::unwrap_used,
    reason = "a test that can't set up its fixture has failed"
)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_joined_and_a_window_is_asked_for_its_properties() {
        join_group("dev.moult.app").unwrap();
        // There is no such window. Windows says so; Wine keeps the properties of any number.
        let named = name_window(0, "dev.moult.app", "Moult", Path::new("moult.exe"));
        assert!(named.is_ok() || named.is_err_and(|error| error.raw_os_error().is_some()));
    }
}
