//! What kind of place the application is installed in, and what the person should know about it.
//!
//! Pure from [`Facts`]; [`Facts::gather`] is thin. It refuses to change anything: wherever the packaged
//! version lies, newer ones lie in the user's own folder and start from there.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

mod environment;

pub use environment::slot_environment;

use crate::layout::executable_name;

/// The kind of place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The user's own folder.
    Own,
    /// A folder of the system that a package put there.
    System {
        /// Whose package it is.
        package: Package,
    },
    /// Mounted from an AppImage.
    AppImage {
        /// The AppImage.
        file: PathBuf,
    },
    /// A folder that this user can't write.
    ReadOnly,
    /// A folder of another user, who can change what starts from it.
    Foreign,
    /// A copy at a random place, from which macOS runs what was not moved after its download.
    Translocated,
}

/// Who looks after a packaged installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Package {
    /// dpkg: Debian, Ubuntu and their kin.
    Deb,
    /// rpm: Fedora, openSUSE and their kin.
    Rpm,
    /// snapd: mounted from a snap, which the store renews as a whole.
    Snap,
    /// Another one.
    Other,
}

/// Whose a folder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The user who runs this.
    User,
    /// The administrator.
    Administrator,
    /// Somebody else.
    Other,
}

/// What is known about the install folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The folder with the packaged executable.
    pub install: PathBuf,
    /// The mounted AppImage's file and the folder that it is mounted at, if this was started from one.
    pub app_image: Option<(PathBuf, PathBuf)>,
    /// The package that the executable belongs to.
    pub package: Option<Package>,
    /// Whose folder it is.
    pub owner: Owner,
    /// Whether the user may write it.
    pub writable: bool,
}

/// What a person is told: what is the case, what is kept, what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// What is the case.
    pub happened: String,
    /// What works and stays all the same.
    pub kept: String,
    /// What the person can do.
    pub advice: String,
}

impl std::fmt::Display for Statement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {}", self.happened, self.kept, self.advice)
    }
}

impl Facts {
    /// Looks at an install folder. `variable` looks up an environment variable. What can't be found out
    /// counts as the more cautious answer.
    pub fn gather(install: &Path, variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let (owner, writable) = crate::platform::ownership(install);
        Self {
            install: install.to_owned(),
            app_image: mounted(install, &variable),
            package: snap(install, &variable).or_else(|| package(Path::new("/"), install)),
            owner,
            writable,
        }
    }
}

impl Place {
    /// The kind of place that these facts describe.
    pub fn of(facts: &Facts) -> Self {
        if facts
            .install
            .components()
            .any(|part| part.as_os_str() == "AppTranslocation")
        {
            return Self::Translocated;
        }
        if let Some((file, mount)) = &facts.app_image
            && facts.install.starts_with(mount)
        {
            return Self::AppImage { file: file.clone() };
        }
        match (facts.package, facts.owner, facts.writable) {
            (Some(package), ..) => Self::System { package },
            (None, Owner::User, true) => Self::Own,
            // An administrator's folder that everybody may write is nobody's own, and no package's.
            (None, Owner::Other, _) | (None, Owner::Administrator, true) => Self::Foreign,
            (None, Owner::User | Owner::Administrator, false) => Self::ReadOnly,
        }
    }

    /// What the person should know, if anything. Said once for each version, and in a report.
    pub fn statement(&self, install: &Path) -> Option<Statement> {
        let folder = install.display();
        let newer = "Newer versions are kept in your own folder, are checked, and start from there.";
        let (happened, kept, advice) = match self {
            Self::Own => return None,
            Self::System { package } => {
                let how = match package {
                    Package::Deb => "with apt or your software centre",
                    Package::Rpm => "with dnf, zypper or your software centre",
                    Package::Snap => return Some(of_a_snap(install)),
                    Package::Other => "with your system's package manager",
                };
                (
                    format!("Moult is installed for everybody in {folder}, which only an administrator can change."),
                    newer.to_owned(),
                    format!("Nothing needs to be done. The packaged version itself is renewed {how}."),
                )
            }
            Self::AppImage { file } => (
                format!("Moult runs from the AppImage {}, which stays as it is.", file.display()),
                newer.to_owned(),
                "Keep the file: it starts them. To renew the file itself, download a newer one.".to_owned(),
            ),
            Self::ReadOnly => (
                format!("Moult is installed in {folder}, which you can't change."),
                newer.to_owned(),
                "Nothing needs to be done. To renew the packaged version, install Moult again from an account that may."
                    .to_owned(),
            ),
            Self::Foreign => (
                format!("Moult is installed in {folder}, which another user can change."),
                newer.to_owned(),
                "If you do not trust that user, install Moult in a folder of your own.".to_owned(),
            ),
            Self::Translocated => (
                "Moult was started where it was downloaded, so macOS runs a copy of it at another place each time."
                    .to_owned(),
                "Your data is kept.".to_owned(),
                "Quit Moult, move it to the Applications folder, and start it from there.".to_owned(),
            ),
        };
        Some(Statement {
            happened,
            kept,
            advice,
        })
    }

    /// Whether the launcher and what lies beside it can be replaced here.
    pub fn is_own(&self) -> bool {
        *self == Self::Own
    }
}

/// The AppImage that an install folder belongs to. A newer version in its slot is not told the mount, so
/// that it is known by the name that AppImages give it.
fn mounted(install: &Path, variable: impl Fn(&str) -> Option<OsString>) -> Option<(PathBuf, PathBuf)> {
    let named = |folder: &&Path| {
        let name = folder
            .file_name()
            .map(OsStr::as_encoded_bytes)
            .unwrap_or_default();
        name.starts_with(b".mount_") || name.starts_with(b"appimage_extracted_")
    };
    app_image(&variable).or_else(|| {
        let file = variable("APPIMAGE").map(PathBuf::from)?;
        let mount = install.ancestors().find(named)?;
        Some((file, mount.to_owned()))
    })
}

/// The AppImage's file and its mount. Both must be named: other programs use the one or the other.
fn app_image(variable: impl Fn(&str) -> Option<OsString>) -> Option<(PathBuf, PathBuf)> {
    let absolute = |name: &str| {
        variable(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute() && path.parent().is_some())
    };
    Some((absolute("APPIMAGE")?, absolute("APPDIR")?))
}

/// What is said in a snap: nothing of the executable is kept in the user's folder there.
fn of_a_snap(install: &Path) -> Statement {
    Statement {
        happened: format!("Moult runs from the snap in {}.", install.display()),
        kept: "Newer widgets are kept in your own folder, are checked, and are used from there.".to_owned(),
        advice: "Nothing needs to be done. The application itself is renewed with the snap.".to_owned(),
    }
}

/// Whether a snap is mounted around the install folder. Other snaps, such as a terminal's, set the variable as well.
fn snap(install: &Path, variable: impl Fn(&str) -> Option<OsString>) -> Option<Package> {
    let mount = variable("SNAP").map(PathBuf::from)?;
    (mount.is_absolute() && mount.parent().is_some() && install.starts_with(mount)).then_some(Package::Snap)
}

/// The package that owns the executable. `root` is `/`, or a folder that stands for it.
fn package(root: &Path, install: &Path) -> Option<Package> {
    if !["usr", "opt"]
        .iter()
        .any(|top| install.starts_with(root.join(top)))
    {
        return None;
    }
    let inside = install.strip_prefix(root).ok()?.join(executable_name());
    let line = Path::new("/").join(inside);
    if is_listed_by_dpkg(&root.join("var/lib/dpkg/info"), &line) {
        return Some(Package::Deb);
    }
    // What rpm has installed is in a database that nothing here can read.
    let has_rpm = ["usr/lib/sysimage/rpm", "var/lib/rpm"]
        .iter()
        .any(|folder| root.join(folder).is_dir());
    Some(if has_rpm { Package::Rpm } else { Package::Other })
}

fn is_listed_by_dpkg(folder: &Path, file: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return false;
    };
    entries.flatten().map(|entry| entry.path()).any(|list| {
        let name = list.file_name().map(OsStr::as_encoded_bytes).unwrap_or_default();
        let is_ours = name.starts_with(b"moult") && name.ends_with(b".list");
        is_ours
            && std::fs::read_to_string(&list)
                .is_ok_and(|text| text.lines().any(|line| Path::new(line) == file))
    })
}

#[cfg(all(test, unix))]
#[expect(
    clippy::unwrap_used,
    reason = "a test that can't set up its folder has failed"
)]
mod tests {
    use super::*;

    fn facts(install: &str) -> Facts {
        Facts {
            install: install.into(),
            app_image: None,
            package: None,
            owner: Owner::User,
            writable: true,
        }
    }

    #[test]
    fn each_place_is_known_by_its_facts_and_says_what_is_so_what_stays_and_what_to_do() {
        let image = || Some(("/home/a/Moult ä.AppImage".into(), "/tmp/.mount_x".into()));
        let (deb, rpm) = (Some(Package::Deb), Some(Package::Rpm));
        let admin = Owner::Administrator;
        let system = |package| Place::System { package };
        let own_image = Place::AppImage {
            file: "/home/a/Moult ä.AppImage".into(),
        };
        let moved = "/private/var/folders/x/AppTranslocation/y/d/Moult.app/Contents/MacOS";
        #[rustfmt::skip]
        let table = [
            (facts("/home/a/moult"), Place::Own),
            (Facts { writable: false, ..facts("/home/a/moult") }, Place::ReadOnly),
            (Facts { owner: admin, writable: false, ..facts("/srv/moult") }, Place::ReadOnly),
            (Facts { owner: admin, ..facts("/srv/moult") }, Place::Foreign),
            (Facts { owner: Owner::Other, ..facts("/home/b/moult") }, Place::Foreign),
            (Facts { owner: Owner::Other, writable: false, ..facts("/home/b/moult") }, Place::Foreign),
            (Facts { owner: admin, writable: false, package: deb, ..facts("/usr/bin") }, system(Package::Deb)),
            (Facts { owner: admin, package: rpm, ..facts("/usr/bin") }, system(Package::Rpm)),
            (Facts { app_image: image(), writable: false, ..facts("/tmp/.mount_x/usr/bin") }, own_image),
            // Started from the terminal of another program that is an AppImage.
            (Facts { app_image: image(), ..facts("/home/a/moult") }, Place::Own),
            (Facts { writable: false, ..facts(moved) }, Place::Translocated),
        ];
        for (facts, expected) in table {
            let place = Place::of(&facts);
            assert_eq!(place, expected, "{facts:?}");
            assert_eq!(
                place.is_own(),
                place.statement(&facts.install).is_none(),
                "{place:?}"
            );
            if let Some(statement) = place.statement(&facts.install) {
                for part in [&statement.happened, &statement.kept, &statement.advice] {
                    assert!(part.ends_with('.'), "{place:?}: {part}");
                }
            }
        }
    }

    #[test]
    fn an_app_image_is_known_in_the_packaged_version_and_in_a_slot() {
        let all = [("APPIMAGE", "/home/a/M.AppImage"), ("APPDIR", "/tmp/.mount_x")];
        let table = [
            (&all[..], "/tmp/.mount_x/usr/bin", Some("/tmp/.mount_x")),
            (&all[..1], "/tmp/.mount_x/usr/bin", Some("/tmp/.mount_x")),
            (
                &all[..1],
                "/tmp/appimage_extracted_1f/usr/bin",
                Some("/tmp/appimage_extracted_1f"),
            ),
            (&all[..1], "/home/a/moult", None),
            (&all[1..], "/tmp/.mount_x/usr/bin", None),
        ];
        for (variables, install, mount) in table {
            let variable = |name: &str| {
                let found = variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| OsString::from(value))
            };
            let expected = mount.map(|mount| (PathBuf::from("/home/a/M.AppImage"), PathBuf::from(mount)));
            assert_eq!(
                mounted(Path::new(install), variable),
                expected,
                "{variables:?} {install}"
            );
        }
    }

    #[test]
    fn a_package_is_found_by_its_list_of_files_else_by_its_manager() {
        let deb = "var/lib/dpkg/info/moult.list";
        let lists_it = "/.\n/usr/bin\n/usr/bin/moult-app\n";
        let table = [
            (deb, lists_it, "usr/bin", Some(Package::Deb)),
            (
                "var/lib/dpkg/info/moult:amd64.list",
                lists_it,
                "usr/bin",
                Some(Package::Deb),
            ),
            (deb, "/usr/bin/moult-apps\n", "usr/bin", Some(Package::Other)),
            (
                "var/lib/dpkg/info/x.list",
                lists_it,
                "usr/bin",
                Some(Package::Other),
            ),
            ("var/lib/rpm/rpmdb.sqlite", "", "opt/moult", Some(Package::Rpm)),
            (deb, lists_it, "home/a/moult", None),
        ];
        for (file, content, install, expected) in table {
            let root = tempfile::tempdir().unwrap();
            let path = root.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, content).unwrap();
            let found = package(root.path(), &root.path().join(install));
            assert_eq!(found, expected, "{file} {content:?} {install}");
        }
    }

    #[test]
    fn a_folder_that_is_made_here_is_ones_own() {
        let folder = tempfile::tempdir().unwrap();
        let facts = Facts::gather(folder.path(), |_| None);
        assert_eq!(facts.package, None);
        assert_eq!((facts.owner, facts.writable), (Owner::User, true));
    }

    #[test]
    fn a_snap_is_the_one_that_is_mounted_around_it() {
        for (mount, install, expected) in [
            (
                Some("/snap/moult/7"),
                "/snap/moult/7/usr/lib/moult",
                Some(Package::Snap),
            ),
            (Some("/snap/terminal/1"), "/usr/lib/moult", None),
            (Some("/"), "/usr/lib/moult", None),
            (Some("snap"), "snap/moult", None),
            (None, "/snap/moult/7/usr/lib/moult", None),
        ] {
            let found = snap(Path::new(install), |name| {
                mount.filter(|_| name == "SNAP").map(OsString::from)
            });
            assert_eq!(found, expected, "{mount:?} {install}");
        }
        let snap = Place::System {
            package: Package::Snap,
        };
        let said = snap.statement(Path::new("/snap/moult/7")).unwrap();
        assert!(said.advice.contains("with the snap"), "{said}");
    }
}
