//! The formats of Linux, installed by the programs of their systems.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::{has, left_out, made, make, real_desk, run, start, told};
use crate::support::TRIPLE;

/// Runs as the administrator of a system in a folder. Who is none here becomes one of its own small world.
fn as_administrator(words: &[&str], folder: &Path) -> Result<String> {
    if run("id", &["-u"], folder)?.trim() == "0" {
        run(words[0], &words[1..], folder)
    } else {
        run(
            "unshare",
            &[&["--map-root-user", "--mount"], words].concat(),
            folder,
        )
    }
}

#[test]
fn a_deb_installs_starts_is_verified_and_leaves_nothing() -> Result<()> {
    if !has("dpkg") {
        return Ok(());
    }
    let desk = real_desk()?;
    make(&desk, TRIPLE, "deb")?;
    let deb = made(&desk, "moult_1.2.3_amd64.deb");
    let deb = deb.to_str().context("text")?;
    let fields = run("dpkg-deb", &["--field", deb], &desk.path("."))?;
    for line in [
        "Package: moult",
        "Version: 1.2.3",
        "Architecture: amd64",
        "Depends: libc6 (>= 2.34)",
        "Recommends: zenity",
        "Description: Desktop widgets that stay current while they are used",
    ] {
        ensure!(fields.lines().any(|found| found == line), "{line}\n{fields}");
    }
    // A system of its own: dpkg's database, and nothing installed.
    let system = desk.path("system");
    for folder in ["info", "updates", "triggers"] {
        std::fs::create_dir_all(system.join("var/lib/dpkg").join(folder))?;
    }
    for file in ["status", "available"] {
        std::fs::write(system.join("var/lib/dpkg").join(file), "")?;
    }
    let root = format!("--root={}", system.display());
    let dpkg = |words: &[&str]| {
        let log = format!("--log={}", desk.path("dpkg.log").display());
        as_administrator(
            &[&["dpkg", &root, &log, "--force-depends"], words].concat(),
            &desk.path("."),
        )
    };
    dpkg(&["--install", deb])?;
    // Every file has the sum that the package names.
    assert_eq!(dpkg(&["--verify", "moult"])?, "");
    let (install, noted) = start(&system.join("usr/bin/moult"), &["moult://open/x"])?;
    assert_eq!(install, system.canonicalize()?.join("usr/lib/moult"));
    assert_eq!(noted[0]["slot"], "base");
    assert_eq!(noted[0]["arguments"], json!(["moult://open/x"]));
    ensure!(
        system
            .join("usr/share/polkit-1/actions/dev.moult.rescue.policy")
            .is_file()
    );
    let mode = std::fs::metadata(system.join("usr/lib/moult/moult-app"))?
        .permissions()
        .mode();
    assert_eq!(mode & 0o7777, 0o755);
    dpkg(&["--remove", "moult"])?;
    ensure!(
        !system.join("usr").exists(),
        "{:?}",
        run("find", &["system/usr"], &desk.path("."))
    );
    Ok(())
}

/// lintian is Debian's own critic. It is not installed by `cargo xtask setup`: it brings a hundred packages.
#[test]
fn a_deb_is_what_debian_expects() -> Result<()> {
    if !Path::new("/usr/bin/lintian").exists() {
        left_out("lintian");
        return Ok(());
    }
    let desk = real_desk()?;
    make(&desk, TRIPLE, "deb")?;
    let deb = made(&desk, "moult_1.2.3_amd64.deb");
    let tags = [
        // Programs of a debug build; releases are stripped and hardened (`cargo xtask check hardening`).
        "unstripped-binary-or-object",
        "hardening-no-bindnow",
        "hardening-no-fortify-functions",
        // The bytes that stand here for programs are none.
        "executable-not-elf-or-script",
        // A product of its own, not a package of the distribution.
        "initial-upload-closes-no-bugs",
        "bad-distribution-in-changes-file",
    ]
    .join(",");
    let output = Command::new("lintian")
        .args([
            "--fail-on",
            "error,warning",
            "--allow-root",
            "--suppress-tags",
            &tags,
        ])
        .arg(&deb)
        .env("LC_ALL", "C.UTF-8")
        .output()?;
    told("lintian", &output).map(drop)
}

#[test]
fn an_rpm_is_read_back_installs_and_starts() -> Result<()> {
    if !has("rpm") || !has("rpm2cpio") || !has("cpio") {
        return Ok(());
    }
    let desk = real_desk()?;
    make(&desk, TRIPLE, "rpm")?;
    let rpm = made(&desk, "moult-1.2.3-1.x86_64.rpm");
    let rpm = rpm.to_str().context("text")?;
    let here = desk.path(".");
    let format = "%{NAME} %{VERSION} %{RELEASE} %{ARCH} %{LICENSE} %{URL}";
    let told = run("rpm", &["-qp", "--queryformat", format, rpm], &here)?;
    assert_eq!(
        told,
        "moult 1.2.3 1 x86_64 MIT OR Apache-2.0 https://moult.example/"
    );
    ensure!(run("rpm", &["-qip", rpm], &here)?.contains("Moult shows widgets."));
    let requires = run("rpm", &["-qp", "--requires", rpm], &here)?;
    ensure!(
        requires.lines().any(|line| line == "libgtk-3.so.0()(64bit)"),
        "{requires}"
    );
    ensure!(run("rpm", &["--checksig", "--nosignature", rpm], &here)?.contains("digests OK"));
    let listed = run("rpm", &["-qlp", rpm], &here)?;
    for path in [
        "/usr/lib/moult",
        "/usr/lib/moult/moult-app.json",
        "/usr/bin/moult",
        "/usr/share/licenses/moult/LICENSE-MIT",
    ] {
        ensure!(listed.lines().any(|line| line == path), "{path}\n{listed}");
    }
    let unpacked = desk.path("unpacked");
    std::fs::create_dir(&unpacked)?;
    run(
        "sh",
        &["-c", "rpm2cpio \"$1\" | cpio --quiet -idm", "sh", rpm],
        &unpacked,
    )?;
    let (install, noted) = start(&unpacked.join("usr/bin/moult"), &[])?;
    assert_eq!(install, unpacked.canonicalize()?.join("usr/lib/moult"));
    assert_eq!(noted[0]["slot"], "base");
    // And by rpm itself, into a system of its own.
    let root = desk.path("system");
    std::fs::create_dir(&root)?;
    let root = root.to_str().context("text")?;
    as_administrator(
        &[
            "rpm",
            "--root",
            root,
            "--nodeps",
            "--nosignature",
            "--install",
            rpm,
        ],
        &here,
    )?;
    assert_eq!(
        as_administrator(&["rpm", "--root", root, "--verify", "--nodeps", "moult"], &here)?,
        ""
    );
    start(&desk.path("system/usr/bin/moult"), &[])?;
    as_administrator(&["rpm", "--root", root, "--erase", "moult"], &here)?;
    ensure!(!desk.path("system/usr/lib/moult").exists() && !desk.path("system/usr/bin/moult").exists());
    Ok(())
}

#[test]
fn an_app_image_unpacks_and_starts_without_being_mounted() -> Result<()> {
    if !has("mksquashfs") {
        return Ok(());
    }
    let desk = real_desk()?;
    make(&desk, TRIPLE, "appimage")?;
    let image = made(&desk, "Moult-1.2.3-x86_64.AppImage");
    assert_eq!(std::fs::metadata(&image)?.permissions().mode() & 0o777, 0o755);
    if desk.read("runtime")?.len() < 10_000 {
        ensure!(
            cfg!(not(target_arch = "x86_64")),
            "the runtime is missing: run `cargo xtask setup`"
        );
        left_out("the runtime of AppImages");
        return Ok(());
    }
    let image_name = image.to_str().context("text")?;
    let folder = desk.path("unpacked");
    std::fs::create_dir(&folder)?;
    run(image_name, &["--appimage-extract"], &folder)?;
    let root = folder.join("squashfs-root");
    assert_eq!(
        std::fs::read_link(root.join("AppRun"))?,
        Path::new("usr/lib/moult/moult")
    );
    for name in ["dev.moult.app.desktop", "moult.png", ".DirIcon"] {
        ensure!(root.join(name).is_file(), "{name}");
    }
    let (install, noted) = start(&image, &["--appimage-extract-and-run", "moult://open/x"])?;
    ensure!(install.ends_with("usr/lib/moult"), "{}", install.display());
    assert_eq!(noted[0]["slot"], "base");
    assert_eq!(noted[0]["arguments"], json!(["moult://open/x"]));
    Ok(())
}

#[test]
fn a_snap_says_what_it_may_and_leaves_its_executable_to_the_store() -> Result<()> {
    if !has("unsquashfs") {
        return Ok(());
    }
    let desk = real_desk()?;
    make(&desk, TRIPLE, "snap")?;
    let snap = made(&desk, "moult_1.2.3_amd64.snap");
    let folder = desk.path(".");
    run(
        "unsquashfs",
        &[
            "-quiet",
            "-no-progress",
            "-dest",
            "unpacked",
            snap.to_str().context("text")?,
        ],
        &folder,
    )?;
    let text = String::from_utf8(desk.read("unpacked/meta/snap.yaml")?)?;
    let yaml: Value = serde_saphyr::from_str(&text)?;
    assert_eq!(yaml["name"], "moult");
    assert_eq!(yaml["version"], "1.2.3");
    assert_eq!(yaml["confinement"], "strict");
    assert_eq!(yaml["grade"], "stable");
    assert_eq!(yaml["architectures"], json!(["amd64"]));
    ensure!(
        yaml["description"]
            .as_str()
            .is_some_and(|text| text.contains("It & its widgets"))
    );
    let app = &yaml["apps"]["moult"];
    let plugs = app["plugs"].as_array().context("plugs")?;
    for plug in ["desktop", "network"] {
        ensure!(plugs.contains(&json!(plug)), "{plugs:?}");
    }
    let command = app["command"].as_str().context("a command")?;
    let desktop = app["desktop"].as_str().context("a menu entry")?;
    let entry = String::from_utf8(desk.read(&format!("unpacked/{desktop}"))?)?;
    ensure!(entry.contains("\nExec=moult %U\n"), "{entry}");
    ensure!(desk.path("unpacked/gnome-platform").is_dir());
    let (install, noted) = start(&desk.path("unpacked").join(command), &[])?;
    assert_eq!(noted[0]["slot"], "base");
    let label: Value = serde_json::from_slice(&std::fs::read(install.join("moult-app.json"))?)?;
    assert_eq!(label["updates_executable"], false);
    ensure!(
        !moult_boot::updates_executable(&install),
        "the application must know it"
    );
    Ok(())
}

/// The next AppImage takes the place of the one before, as the application has it done: it is started for a test first.
#[test]
fn an_app_image_is_renewed_in_one_step_and_can_go_back() -> Result<()> {
    use moult_boot::{AppImage, Renewed, WriteRight};

    if !has("mksquashfs") {
        return Ok(());
    }
    let desk = real_desk()?;
    if desk.read("runtime")?.len() < 10_000 {
        left_out("the runtime of AppImages");
        return Ok(());
    }
    let image = |version: &str| -> Result<Vec<u8>> {
        let words = [
            "installer",
            "--version",
            version,
            "--target",
            TRIPLE,
            "--format",
            "appimage",
        ];
        desk.moult(&words)?.done()?;
        desk.read(&format!(
            "dist/installers/{version}/{TRIPLE}/Moult-{version}-x86_64.AppImage"
        ))
    };
    let (old, new) = (image("1.2.3")?, image("1.2.4")?);
    let (home, data) = (desk.path("home"), desk.path("data"));
    std::fs::create_dir(&home)?;
    let path = home.join("Moult.AppImage");
    std::fs::write(&path, &old)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))?;
    let right = WriteRight::take(&data, std::time::Duration::ZERO)?.context("nobody else is at work")?;
    let renewal = AppImage::at(&path);
    let renew = |bytes: &[u8]| -> Result<Renewed> {
        let told = renewal.begin(&right)?;
        std::fs::remove_file(told)?;
        std::fs::write(told, bytes)?;
        Ok(renewal.place(&right, moult_model::Digest::of(bytes), &data)?)
    };
    // One whose file system is damaged does not start.
    let mut damaged = new.clone();
    damaged.truncate(new.len() - 20_000);
    assert_eq!(renew(&damaged)?, Renewed::Failed);
    ensure!(std::fs::read(&path)? == old);
    assert_eq!(renew(&new)?, Renewed::Placed);
    let version = |path: &Path| -> Result<Value> {
        let (install, _) = start(path, &["--appimage-extract-and-run"])?;
        ensure!(install.ends_with("usr/lib/moult"));
        run(
            path.to_str().context("text")?,
            &["--appimage-extract", "usr/lib/moult/moult-app.json"],
            &home,
        )?;
        let label = std::fs::read(home.join("squashfs-root/usr/lib/moult/moult-app.json"))?;
        Ok(serde_json::from_slice::<Value>(&label)?["version"].clone())
    };
    assert_eq!(version(&path)?, "1.2.4");
    ensure!(renewal.go_back(&right)?);
    assert_eq!(version(&path)?, "1.2.3");
    Ok(())
}
