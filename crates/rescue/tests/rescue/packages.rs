//! The elevated step: what is installed, what is refused, and what the package manager is given.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use moult_model::{Digest, Version};
use moult_rescue::package::{PackageError, System, Tools, install};
use moult_trust::sign::Keys;

/// An administrator's computer, in a folder.
struct Computer {
    folder: tempfile::TempDir,
    keys: Keys,
    system: System,
}

/// The bytes of a package of a kind, as far as its beginning.
fn deb(text: &str) -> Vec<u8> {
    [b"!<arch>\ndebian-binary   ", text.as_bytes()].concat()
}

fn rpm() -> Vec<u8> {
    [&[0xed, 0xab, 0xee, 0xdb][..], b"rpm"].concat()
}

impl Computer {
    /// With package managers that note what they are given.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::create(&folder.path().join("keys")).unwrap();
        let tool = |name: &str| {
            let path = folder.path().join(name);
            let script = "#!/bin/sh\n\
                 tr '\\0' '\\n' < /proc/$$/environ | sort > \"$0.environment\"\n\
                 printf '%s\\n' \"$@\" > \"$0.arguments\"\n\
                 for last; do :; done\n\
                 cat \"$last\" > \"$0.package\"\n\
                 stat -c %a \"$last\" > \"$0.mode\"\n\
                 pwd > \"$0.folder\"\n\
                 read line && echo \"$line\" > \"$0.heard\"\n\
                 test ! -e \"$0.fails\" || { echo 'the database is locked' >&2; exit 3; }\n";
            fs::write(&path, script).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
            path
        };
        let system = System {
            work: folder.path().join("work"),
            audit: folder.path().join("audit.log"),
            caller: rustix::process::geteuid().as_raw(),
            installed: Some(Version::new(1, 1, 0)),
            tools: Tools {
                dpkg: tool("dpkg"),
                dpkg_arguments: Vec::new(),
                rpm: tool("rpm"),
            },
        };
        Self { folder, keys, system }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Puts a package and its signature where the caller has them.
    fn offer(&self, bytes: &[u8], version: &str) -> PathBuf {
        let file = self.path("offered -x.deb");
        fs::write(&file, bytes).unwrap();
        let version = version.parse().unwrap();
        let signature = self.keys.sign_artifact(bytes, &version, "moult.deb").unwrap();
        fs::write(self.path("offered -x.deb.sig"), signature).unwrap();
        file
    }

    fn install(&self, file: &Path, digest: Digest) -> Result<String, PackageError> {
        let key = self.keys.minisign_public();
        install(file, digest, &key, &self.system).map(|done| done.version.to_string())
    }

    /// What the package manager noted.
    fn noted(&self, name: &str) -> Option<String> {
        fs::read_to_string(self.path(name)).ok()
    }

    /// The outcomes in the audit log.
    fn audited(&self) -> Vec<String> {
        let text = fs::read_to_string(&self.system.audit).unwrap_or_default();
        text.lines()
            .map(|line| {
                let line: serde_json::Value = serde_json::from_str(line).unwrap();
                assert_eq!(line["caller"], self.system.caller);
                line["outcome"].as_str().unwrap().to_owned()
            })
            .collect()
    }
}

#[test]
fn a_signed_package_reaches_its_manager_as_a_copy_with_nothing_of_the_callers() {
    for (tool, bytes, arguments) in [
        ("dpkg", deb("one"), "--force-confold\n--install\n"),
        ("rpm", rpm(), "--upgrade\n--quiet\n"),
    ] {
        let computer = Computer::new();
        let file = computer.offer(&bytes, "1.2.0");
        assert_eq!(computer.install(&file, Digest::of(&bytes)).unwrap(), "1.2.0");
        let noted = |what: &str| computer.noted(&format!("{tool}.{what}")).unwrap();
        let copy = computer.system.work.join("copy.package");
        assert_eq!(noted("arguments"), format!("{arguments}{}\n", copy.display()));
        let installed = fs::read(computer.path(&format!("{tool}.package"))).unwrap();
        assert_eq!(installed, bytes);
        assert_eq!(noted("mode"), "600\n");
        assert_eq!(noted("folder"), "/\n");
        assert_eq!(
            noted("environment"),
            "DEBIAN_FRONTEND=noninteractive\nHOME=/root\nLC_ALL=C.UTF-8\nPATH=/usr/sbin:/usr/bin:/sbin:/bin\n"
        );
        assert_eq!(
            computer.noted(&format!("{tool}.heard")),
            None,
            "nobody answers it"
        );
        assert!(!copy.exists(), "the copy is gone");
        assert_eq!(computer.audited(), ["installs 1.2.0", "installed 1.2.0"]);
    }
}

#[test]
fn what_is_not_the_callers_signed_package_is_refused_without_a_word_why() {
    type Change = fn(&mut Computer, &Path) -> PathBuf;
    let same: Change = |_, file| file.to_owned();
    let good = deb("one");
    let table: [(&str, Vec<u8>, Digest, Change); 11] = [
        ("another digest", good.clone(), Digest::of(b"another"), same),
        (
            "no signature",
            good.clone(),
            Digest::of(&good),
            |computer, file| {
                fs::remove_file(computer.path("offered -x.deb.sig")).unwrap();
                file.to_owned()
            },
        ),
        (
            "a torn signature",
            good.clone(),
            Digest::of(&good),
            |computer, file| {
                fs::write(computer.path("offered -x.deb.sig"), "dW50cnVzdGVk").unwrap();
                file.to_owned()
            },
        ),
        (
            "a signature of other bytes",
            good.clone(),
            Digest::of(&deb("two")),
            |_, file| {
                fs::write(file, deb("two")).unwrap();
                file.to_owned()
            },
        ),
        (
            "another's signature",
            good.clone(),
            Digest::of(&good),
            |computer, file| {
                computer.keys = Keys::create(&computer.path("stranger")).unwrap();
                file.to_owned()
            },
        ),
        (
            "no package",
            b"#!/bin/sh\n".to_vec(),
            Digest::of(b"#!/bin/sh\n"),
            same,
        ),
        ("a link", good.clone(), Digest::of(&good), |computer, file| {
            let link = computer.path("link");
            std::os::unix::fs::symlink(file, &link).unwrap();
            fs::copy(computer.path("offered -x.deb.sig"), computer.path("link.sig")).unwrap();
            link
        }),
        ("a pipe", good.clone(), Digest::of(&good), |computer, _| {
            let pipe = computer.path("pipe");
            assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
            fs::copy(computer.path("offered -x.deb.sig"), computer.path("pipe.sig")).unwrap();
            pipe
        }),
        ("a folder", good.clone(), Digest::of(&good), |computer, _| {
            computer.path("keys")
        }),
        ("nothing", good.clone(), Digest::of(&good), |computer, _| {
            computer.path("nothing")
        }),
        (
            "another user's",
            good.clone(),
            Digest::of(&good),
            |computer, file| {
                computer.system.caller += 1;
                file.to_owned()
            },
        ),
    ];
    for (name, bytes, digest, change) in table {
        let mut computer = Computer::new();
        let file = computer.offer(&bytes, "1.2.0");
        let file = change(&mut computer, &file);
        let ended = computer.install(&file, digest);
        assert!(matches!(ended, Err(PackageError::Refused)), "{name}: {ended:?}");
        for tool in ["dpkg", "rpm"] {
            assert_eq!(computer.noted(&format!("{tool}.arguments")), None, "{name}");
        }
        let audited = computer.audited();
        assert_eq!(audited.len(), 1, "{name}: {audited:?}");
        assert!(audited[0].starts_with("failed: "), "{name}: {audited:?}");
        let left = fs::read_dir(&computer.system.work).unwrap().count();
        assert_eq!(left, 1, "{name}: the lock alone");
    }
}

#[test]
fn a_signed_package_of_old_does_not_bring_its_holes_back() {
    let bytes = deb("one");
    for (offered, installed, allowed) in [
        ("1.0.9", Some("1.1.0"), false),
        ("1.1.0-beta.1", Some("1.1.0"), false),
        ("1.1.0", Some("1.1.0"), true),
        ("1.2.0", Some("1.1.0"), true),
        ("0.1.0", None, true),
    ] {
        let mut computer = Computer::new();
        computer.system.installed = installed.map(|text| text.parse().unwrap());
        let file = computer.offer(&bytes, offered);
        let ended = computer.install(&file, Digest::of(&bytes));
        assert_eq!(ended.is_ok(), allowed, "{offered} over {installed:?}: {ended:?}");
        if !allowed {
            assert!(matches!(ended, Err(PackageError::Older { .. })), "{ended:?}");
            assert_eq!(computer.noted("dpkg.arguments"), None, "{offered}");
        }
    }
}

#[test]
fn a_folder_that_others_can_enter_a_relative_path_and_a_second_call_are_refused() {
    let bytes = deb("one");
    let digest = Digest::of(&bytes);
    let computer = Computer::new();
    let file = computer.offer(&bytes, "1.2.0");
    let relative = computer.install(Path::new("offered -x.deb"), digest);
    assert!(matches!(relative, Err(PackageError::Relative)), "{relative:?}");

    fs::create_dir(&computer.system.work).unwrap();
    for mode in [0o755, 0o770, 0o701] {
        fs::set_permissions(&computer.system.work, fs::Permissions::from_mode(mode)).unwrap();
        let open = computer.install(&file, digest);
        assert!(
            matches!(open, Err(PackageError::Folder { .. })),
            "{mode:o}: {open:?}"
        );
    }
    fs::set_permissions(&computer.system.work, fs::Permissions::from_mode(0o700)).unwrap();
    let held = moult_durable::Lock::acquire(&computer.system.work.join("lock")).unwrap();
    let second = computer.install(&file, digest);
    assert!(matches!(second, Err(PackageError::Busy)), "{second:?}");
    drop(held);
    // What a kill left behind is no hindrance.
    fs::write(computer.system.work.join("copy.package"), "half").unwrap();
    assert_eq!(computer.install(&file, digest).unwrap(), "1.2.0");
}

#[test]
fn without_its_audit_log_nothing_is_installed() {
    let bytes = deb("one");
    let mut computer = Computer::new();
    computer.system.audit = computer.path("missing/audit.log");
    let file = computer.offer(&bytes, "1.2.0");
    let ended = computer.install(&file, Digest::of(&bytes));
    assert!(matches!(ended, Err(PackageError::Audit { .. })), "{ended:?}");
    assert_eq!(computer.noted("dpkg.arguments"), None);
}

#[test]
fn what_the_manager_says_when_it_refuses_is_told_and_audited() {
    let bytes = deb("one");
    let computer = Computer::new();
    fs::write(computer.path("dpkg.fails"), "").unwrap();
    let file = computer.offer(&bytes, "1.2.0");
    let error = computer.install(&file, Digest::of(&bytes)).unwrap_err();
    assert!(matches!(error, PackageError::Tool { code: 3, .. }), "{error:?}");
    assert!(error.to_string().contains("the database is locked"), "{error}");
    assert_eq!(computer.audited().len(), 2);
    assert!(computer.audited()[1].contains("the database is locked"));
}

/// The real package manager installs a real package, into a root of its own.
#[test]
fn dpkg_installs_a_package_that_was_built_here() {
    let made = Command::new("dpkg-deb").arg("--version").output();
    if !made.is_ok_and(|output| output.status.success()) {
        return;
    }
    let mut computer = Computer::new();
    let tree = computer.path("tree");
    fs::create_dir_all(tree.join("DEBIAN")).unwrap();
    fs::create_dir_all(tree.join("opt/moult")).unwrap();
    fs::write(tree.join("opt/moult/moult-app"), "the application").unwrap();
    let control = "Package: moult-test\nVersion: 1.2.0\nArchitecture: all\nMaintainer: Nobody <n@example.org>\nDescription: Moult\n";
    fs::write(tree.join("DEBIAN/control"), control).unwrap();
    let package = computer.path("built.deb");
    let built = Command::new("dpkg-deb")
        .args(["--root-owner-group", "--build"])
        .args([&tree, &package])
        .output()
        .unwrap();
    assert!(built.status.success(), "{built:?}");

    let root = computer.path("root");
    for folder in [
        "var/lib/dpkg/info",
        "var/lib/dpkg/updates",
        "var/lib/dpkg/triggers",
    ] {
        fs::create_dir_all(root.join(folder)).unwrap();
    }
    for file in ["status", "available"] {
        fs::write(root.join("var/lib/dpkg").join(file), "").unwrap();
    }
    computer.system.tools = Tools {
        dpkg_arguments: vec![
            format!("--root={}", root.display()),
            "--log=/dev/null".to_owned(),
            "--force-not-root".to_owned(),
        ],
        ..Tools::default()
    };
    let bytes = fs::read(&package).unwrap();
    let file = computer.offer(&bytes, "1.2.0");
    assert_eq!(computer.install(&file, Digest::of(&bytes)).unwrap(), "1.2.0");
    let installed = fs::read_to_string(root.join("opt/moult/moult-app")).unwrap();
    assert_eq!(installed, "the application");
}
