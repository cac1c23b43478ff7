//! What an AppImage leaves in the environment, and what of it must not reach others. Refuses to know what
//! is started.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::app_image;

/// What has to change in the environment of whatever does not come from the AppImage: variables to set,
/// and, without a value, to remove. Nothing outside of an AppImage.
///
/// An AppImage points the loader, the interpreters and the toolkits at its own files. What was built for
/// the system, a newer version in its slot or a program of the system, must not find those.
pub fn slot_environment(
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) -> Vec<(OsString, Option<OsString>)> {
    let variables: Vec<_> = variables.into_iter().collect();
    let look_up = |name: &str| {
        variables
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.clone())
    };
    let Some((_, mount)) = app_image(look_up) else {
        return Vec::new();
    };
    variables
        .into_iter()
        .filter_map(|(name, value)| match without_mount(&name, &value, &mount) {
            Some(kept) if kept == value => None,
            changed => Some((name, changed)),
        })
        .collect()
}

/// A variable's value without what lies in the mount; `None` if nothing is left of it.
fn without_mount(name: &OsStr, value: &OsStr, mount: &Path) -> Option<OsString> {
    // These are the AppImage's alone, whatever they hold. APPIMAGE stays: it is what starts all this again.
    let is_its_own = ["APPDIR", "OWD", "ARGV0", "LD_LIBRARY_PATH", "LD_PRELOAD"]
        .iter()
        .any(|known| name == *known)
        || name.as_encoded_bytes().starts_with(b"PYTHON");
    if is_its_own {
        return None;
    }
    let parts: Vec<PathBuf> = std::env::split_paths(value).collect();
    if !parts.iter().any(|part| part.starts_with(mount)) {
        return Some(value.to_owned());
    }
    // An empty part would mean the current folder; it is left behind by a list that was empty before.
    let kept: Vec<_> = parts
        .into_iter()
        .filter(|part| !part.starts_with(mount) && !part.as_os_str().is_empty())
        .collect();
    if kept.is_empty() {
        return None;
    }
    std::env::join_paths(kept).ok()
}

#[cfg(all(test, unix))]
#[expect(clippy::unwrap_used, reason = "a test that can't build its input has failed")]
mod tests {
    use super::*;

    #[test]
    fn a_slot_gets_nothing_that_leads_into_the_mount() {
        let mount = [("APPIMAGE", "/home/a/M.AppImage"), ("APPDIR", "/m")];
        let environment = |variables: &[(&str, &str)]| {
            let all = mount.iter().chain(variables);
            let mut changes = slot_environment(all.map(|(name, value)| (name.into(), value.into())));
            changes.retain(|(name, _)| name != "APPDIR");
            let text = |value: OsString| value.into_string().unwrap();
            changes
                .into_iter()
                .map(|(name, value)| (text(name), value.map(text)))
                .collect::<Vec<_>>()
        };
        let table = [
            ("PATH", "/m/usr/bin:/usr/bin:/bin", Some(Some("/usr/bin:/bin"))),
            ("PATH", "/usr/bin:/bin", None),
            ("PATH", "/usr/bin::/bin", None),
            ("XDG_DATA_DIRS", "/m/usr/share:", Some(None)),
            ("GTK_PATH", "/m/usr/lib/gtk-3.0", Some(None)),
            ("LD_LIBRARY_PATH", "/m/usr/lib:/opt/x", Some(None)),
            ("PYTHONHOME", "/m/usr", Some(None)),
            ("PYTHONDONTWRITEBYTECODE", "1", Some(None)),
            ("OWD", "/home/a", Some(None)),
            ("ARGV0", "M.AppImage", Some(None)),
            ("HOME", "/mother", None),
            ("APPIMAGE_EXTRACT", "/m2/x", None),
        ];
        for (name, value, change) in table {
            let expected: Vec<_> = change
                .into_iter()
                .map(|value: Option<&str>| (name.to_owned(), value.map(str::to_owned)))
                .collect();
            assert_eq!(environment(&[(name, value)]), expected, "{name}={value}");
        }
    }

    #[test]
    fn outside_of_an_app_image_nothing_changes() {
        let rest = [
            ("PATH", "/m/bin:/bin"),
            ("LD_LIBRARY_PATH", "/m/lib"),
            ("PYTHONPATH", "/m"),
        ];
        for own in [
            &[][..],
            &[("APPDIR", "/m")],
            &[("APPIMAGE", "/x.AppImage")],
            &[("APPIMAGE", "/x.AppImage"), ("APPDIR", "m")],
            &[("APPIMAGE", "/x.AppImage"), ("APPDIR", "/")],
        ] {
            let all = rest.iter().chain(own);
            let changes = slot_environment(all.map(|(name, value)| (name.into(), value.into())));
            assert_eq!(changes, [], "{own:?}");
        }
    }
}
