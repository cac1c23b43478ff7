//! What the system knows of users and of the lists that say who may do what. Refuses to judge them: that
//! is for `access`.

use std::ffi::c_void;
use std::io;
use std::os::windows::io::{AsHandle, AsRawHandle as _, FromRawHandle as _, OwnedHandle};
use std::path::Path;
use std::ptr::{null, null_mut};

use windows_sys::Win32::Foundation::{ERROR_SUCCESS, LocalFree};
use windows_sys::Win32::Security::Authorization::{
    ConvertSidToStringSidW, ConvertStringSecurityDescriptorToSecurityDescriptorW, GetSecurityInfo,
    SDDL_REVISION_1, SE_FILE_OBJECT, SE_KERNEL_OBJECT, SE_OBJECT_TYPE, SetNamedSecurityInfoW,
};
use windows_sys::Win32::Security::Cryptography::{BCRYPT_USE_SYSTEM_PREFERRED_RNG, BCryptGenRandom};
use windows_sys::Win32::Security::{
    ACCESS_ALLOWED_ACE, ACE_HEADER, ACL, DACL_SECURITY_INFORMATION, GetAce, GetSecurityDescriptorDacl,
    GetTokenInformation, INHERIT_ONLY_ACE, OWNER_SECURITY_INFORMATION, PROTECTED_DACL_SECURITY_INFORMATION,
    PSECURITY_DESCRIPTOR, PSID, TOKEN_QUERY, TOKEN_USER, TokenUser,
};
use windows_sys::Win32::System::Threading::{GetCurrentProcess, OpenProcessToken};

use super::access::{Allowed, Facts};
use super::{checked, wide};

/// The kind of an entry that allows something, and of one that does so under a condition.
const ALLOWS: [u8; 2] = [0, 9];

/// Memory that the system gave and wants back.
#[derive(Debug)]
struct Given(*mut c_void);

impl Drop for Given {
    #[expect(unsafe_code, reason = "what the system gave goes back to it")]
    fn drop(&mut self) {
        // SAFETY: the pointer came from a call whose text says that it is to be freed so, and is freed once.
        unsafe { LocalFree(self.0) };
    }
}

/// A description of who may do what, in the system's own form.
#[derive(Debug)]
pub(super) struct Descriptor(Given);

impl Descriptor {
    /// Reads the system's notation, such as `D:P(A;;GA;;;S-1-5-…)`.
    #[expect(unsafe_code, reason = "only the system makes such a description")]
    pub(super) fn of(notation: &str) -> io::Result<Self> {
        let notation = wide(notation);
        let mut made: PSECURITY_DESCRIPTOR = null_mut();
        // SAFETY: the text ends with a zero and outlives the call; the pointer is written once, with
        // memory that `Given` frees.
        checked(unsafe {
            ConvertStringSecurityDescriptorToSecurityDescriptorW(
                notation.as_ptr(),
                SDDL_REVISION_1,
                &raw mut made,
                null_mut(),
            )
        })?;
        Ok(Self(Given(made)))
    }

    /// For a call that takes one. It lives as long as this does.
    pub(super) fn as_ptr(&self) -> PSECURITY_DESCRIPTOR {
        self.0.0
    }

    /// Its list. It lives as long as this does.
    #[expect(unsafe_code, reason = "only the system reads such a description")]
    fn list(&self) -> io::Result<*mut ACL> {
        let (mut present, mut list, mut defaulted) = (0, null_mut(), 0);
        // SAFETY: the description is whole, and each pointer is to a variable of the right kind.
        checked(unsafe {
            GetSecurityDescriptorDacl(self.as_ptr(), &raw mut present, &raw mut list, &raw mut defaulted)
        })?;
        // A missing list would open the thing to everybody.
        if present == 0 || list.is_null() {
            return Err(io::ErrorKind::InvalidData.into());
        }
        Ok(list)
    }
}

/// This process's user, as `S-1-…`.
#[expect(unsafe_code, reason = "the standard library knows no users")]
pub(super) fn user() -> io::Result<String> {
    let mut token = null_mut();
    // SAFETY: the first handle stands for this process and needs no closing; the second is written once.
    checked(unsafe { OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &raw mut token) })?;
    // SAFETY: the call above opened it, and nobody else owns it.
    let token = unsafe { OwnedHandle::from_raw_handle(token) };
    // The identifier follows the structure. It has at most 68 bytes; words keep the structure aligned.
    let mut room = [0_usize; 32];
    let mut used = 0;
    // SAFETY: the room is as long as the call is told, and outlives it.
    checked(unsafe {
        GetTokenInformation(
            token.as_raw_handle(),
            TokenUser,
            room.as_mut_ptr().cast(),
            size_of_val(&room) as u32,
            &raw mut used,
        )
    })?;
    // SAFETY: the call above wrote a `TOKEN_USER` at the start of the room, which is aligned for it; the
    // identifier that it points to lies in the room too.
    text_of(unsafe { (*room.as_ptr().cast::<TOKEN_USER>()).User.Sid })
}

/// Who owns something that is open, and what its list allows.
pub(super) fn facts_of_file(handle: &impl AsHandle) -> io::Result<Facts> {
    facts(handle, SE_FILE_OBJECT)
}

/// The same of a pipe.
pub(super) fn facts_of_pipe(handle: &impl AsHandle) -> io::Result<Facts> {
    facts(handle, SE_KERNEL_OBJECT)
}

#[expect(unsafe_code, reason = "the standard library knows no owners")]
fn facts(handle: &impl AsHandle, kind: SE_OBJECT_TYPE) -> io::Result<Facts> {
    let (mut owner, mut list, mut description) = (null_mut(), null_mut(), null_mut());
    // SAFETY: the handle is borrowed for the call, and each pointer is to a variable of the right kind.
    // Owner and list lie in the description.
    let outcome = unsafe {
        GetSecurityInfo(
            handle.as_handle().as_raw_handle(),
            kind,
            OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION,
            &raw mut owner,
            null_mut(),
            &raw mut list,
            null_mut(),
            &raw mut description,
        )
    };
    succeeded(outcome)?;
    let _description = Given(description);
    Ok(Facts {
        owner: text_of(owner)?,
        allowed: if list.is_null() {
            None
        } else {
            Some(entries(list)?)
        },
    })
}

/// The entries of a list that allow something. An entry of an unknown kind is left out: those that deny
/// only narrow what others allow.
#[expect(unsafe_code, reason = "the system's lists are read entry by entry")]
fn entries(list: *const ACL) -> io::Result<Vec<Allowed>> {
    // SAFETY: the caller has the list from the system, whole, and keeps it for this call.
    let count = unsafe { (*list).AceCount };
    let mut found = Vec::new();
    for index in 0..u32::from(count) {
        let mut entry: *mut c_void = null_mut();
        // SAFETY: the list is whole, the index is below its count, and the pointer is written once.
        checked(unsafe { GetAce(list, index, &raw mut entry) })?;
        // SAFETY: each entry begins with this header.
        let header = unsafe { *entry.cast::<ACE_HEADER>() };
        if !ALLOWS.contains(&header.AceType) {
            continue;
        }
        let entry = entry.cast::<ACCESS_ALLOWED_ACE>();
        // SAFETY: entries of these kinds begin with this structure, whose last field is where the
        // identifier begins.
        let (rights, who) = unsafe { ((*entry).Mask, (&raw mut (*entry).SidStart).cast()) };
        found.push(Allowed {
            who: text_of(who)?,
            rights,
            only_inherited: u32::from(header.AceFlags) & INHERIT_ONLY_ACE != 0,
        });
    }
    Ok(found)
}

/// Sets the list of a file or folder, and of what is in it as far as it takes its list from above.
#[expect(unsafe_code, reason = "the standard library knows no such lists")]
pub(super) fn set_list(path: &Path, description: &Descriptor) -> io::Result<()> {
    let list = description.list()?;
    let path = wide(path);
    // SAFETY: the path ends with a zero, and path and list outlive the call.
    succeeded(unsafe {
        SetNamedSecurityInfoW(
            path.as_ptr(),
            SE_FILE_OBJECT,
            DACL_SECURITY_INFORMATION | PROTECTED_DACL_SECURITY_INFORMATION,
            null_mut(),
            null_mut(),
            list,
            null(),
        )
    })
}

/// Random bytes from the system.
#[expect(unsafe_code, reason = "the standard library gives no random bytes")]
pub(crate) fn random() -> Result<[u8; 16], crate::BootError> {
    let mut bytes = [0; 16];
    // SAFETY: the bytes are as many as the call is told, and no algorithm is named, as the flag wants it.
    let status = unsafe {
        BCryptGenRandom(
            null_mut(),
            bytes.as_mut_ptr(),
            bytes.len() as u32,
            BCRYPT_USE_SYSTEM_PREFERRED_RNG,
        )
    };
    if status == 0 {
        Ok(bytes)
    } else {
        let source = io::Error::other(format!("the system's generator failed with {status:#x}"));
        Err(crate::BootError::Random { source })
    }
}

#[expect(unsafe_code, reason = "only the system writes an identifier as text")]
fn text_of(who: PSID) -> io::Result<String> {
    let mut text = null_mut();
    // SAFETY: the callers have the identifier from the system and keep it; the pointer is written once.
    checked(unsafe { ConvertSidToStringSidW(who, &raw mut text) })?;
    let given = Given(text.cast());
    let mut units = Vec::new();
    let mut next = given.0.cast::<u16>().cast_const();
    // SAFETY: the text ends with a zero, and nothing after that is read.
    unsafe {
        while *next != 0 {
            units.push(*next);
            next = next.add(1);
        }
    }
    String::from_utf16(&units).map_err(io::Error::other)
}

fn succeeded(outcome: u32) -> io::Result<()> {
    if outcome == ERROR_SUCCESS {
        Ok(())
    } else {
        Err(io::Error::from_raw_os_error(outcome.cast_signed()))
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
    fn random_bytes_differ_and_the_user_has_an_identifier() {
        assert_ne!(random().unwrap(), random().unwrap());
        let user = user().unwrap();
        assert!(user.starts_with("S-1-") && user.len() > 6, "{user}");
    }

    #[test]
    fn a_notation_that_is_none_is_an_error() {
        assert!(Descriptor::of("D:P(A;;GA;;;nobody)").is_err());
        assert!(
            Descriptor::of("O:SY").unwrap().list().is_err(),
            "no list is no list"
        );
    }
}
