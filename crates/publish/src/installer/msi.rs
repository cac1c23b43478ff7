//! A package for Windows Installer, for one user, by the WiX toolset, or by msitools elsewhere than on Windows.
//!
//! For whoever rolls software out with group policies; everybody else takes the NSIS installer.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::contents::Contents;
use super::texts::xml;
use super::tree::{Entry, FILE, Tree};
use super::{Format, InstallerError, program};

pub(super) fn make(contents: &Contents, work: &Path) -> Result<PathBuf, InstallerError> {
    let windows = contents.installer.windows.as_ref();
    let Some((windows, code)) = windows.and_then(|windows| Some((windows, windows.upgrade_code.as_deref()?)))
    else {
        return Err(InstallerError::Lacks {
            format: Format::Msi,
            field: "windows.upgrade_code",
        });
    };
    let mut tree = Tree::default();
    contents.install_into(&mut tree, "program", Format::Msi);
    let icon = contents.read("icon", &windows.icon)?;
    tree.file("icon.ico", icon, FILE);
    tree.text("moult.wxs", source(contents, &tree, code)?);
    let folder = work.join("msi.root");
    tree.write_to(&folder)?;
    let date = Some(contents.seconds());
    if cfg!(windows) {
        let processor = Format::Msi.processor(&contents.target)?;
        program::run(
            "candle",
            ["-nologo", "-arch", processor, "moult.wxs"],
            &folder,
            date,
        )?;
        // A package for one user breaks rules that are meant for packages for all.
        let arguments = [
            "-nologo",
            "-sice:ICE38",
            "-sice:ICE64",
            "-sice:ICE91",
            "-out",
            "moult.msi",
            "moult.wixobj",
        ];
        program::run("light", arguments, &folder, date)?;
    } else {
        let processor = match Format::Msi.processor(&contents.target)? {
            "x86" => "x86",
            _ => "x64",
        };
        program::run(
            "wixl",
            ["--arch", processor, "-o", "moult.msi", "moult.wxs"],
            &folder,
            date,
        )?;
    }
    Ok(folder.join("moult.msi"))
}

/// The source for WiX 3, which msitools read as well.
fn source(contents: &Contents, tree: &Tree, code: &str) -> Result<String, InstallerError> {
    let installer = &contents.installer;
    let version = &contents.version;
    let name = xml(&contents.product.name);
    let publisher = xml(installer.maintainer.split(" <").next().unwrap_or_default());
    let key = format!("Software\\{}", xml(&contents.product.identifier));
    let is_64 = Format::Msi.processor(&contents.target)? != "x86";
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<Wix xmlns=\"http://schemas.microsoft.com/wix/2006/wi\">\n  \
         <Product Id=\"*\" Name=\"{name}\" Language=\"1033\" Version=\"{}.{}.{}\" Manufacturer=\"{publisher}\" UpgradeCode=\"{}\">\n    \
         <Package InstallerVersion=\"500\" Compressed=\"yes\" InstallScope=\"perUser\" Description=\"{}\"/>\n    \
         <MajorUpgrade AllowSameVersionUpgrades=\"yes\" DowngradeErrorMessage=\"A newer version is installed.\"/>\n    \
         <MediaTemplate EmbedCab=\"yes\"/>\n    <Icon Id=\"icon.ico\" SourceFile=\"icon.ico\"/>\n    \
         <Property Id=\"ARPPRODUCTICON\" Value=\"icon.ico\"/>\n    <Property Id=\"ARPURLINFOABOUT\" Value=\"{}\"/>\n    \
         <Directory Id=\"TARGETDIR\" Name=\"SourceDir\">\n      <Directory Id=\"LocalAppDataFolder\">\n        \
         <Directory Id=\"Programs\" Name=\"Programs\">\n          <Directory Id=\"INSTALLDIR\" Name=\"{name}\">\n",
        version.major,
        version.minor,
        version.patch,
        xml(code),
        xml(&installer.summary),
        xml(&installer.homepage),
    );
    let mut components = String::new();
    let bits = if is_64 { " Win64=\"yes\"" } else { "" };
    for (at, (path, entry)) in tree.entries().enumerate() {
        let (Some(file), Entry::File { .. }) = (path.strip_prefix("program/"), entry) else {
            continue;
        };
        let _ = write!(
            text,
            "            <Component Id=\"c{at}\" Guid=\"*\"{bits}>\n              \
             <File Id=\"f{at}\" Name=\"{file}\" Source=\"{path}\"/>\n              \
             <RegistryValue Root=\"HKCU\" Key=\"{key}\" Name=\"{file}\" Type=\"integer\" Value=\"1\" KeyPath=\"yes\"/>\n            \
             </Component>\n",
            file = xml(file),
            path = xml(path),
        );
        let _ = writeln!(components, "      <ComponentRef Id=\"c{at}\"/>");
    }
    text.push_str("          </Directory>\n        </Directory>\n      </Directory>\n      <Directory Id=\"ProgramMenuFolder\">\n");
    let _ = write!(
        text,
        "        <Component Id=\"menu\" Guid=\"*\"{bits}>\n          \
         <Shortcut Id=\"shortcut\" Name=\"{name}\" Description=\"{}\" Target=\"[INSTALLDIR]{launcher}\"/>\n          \
         <RemoveFolder Id=\"remove\" Directory=\"INSTALLDIR\" On=\"uninstall\"/>\n",
        xml(&installer.summary),
        launcher = contents.launcher(),
    );
    for scheme in &installer.schemes {
        let scheme = xml(scheme);
        let classes = format!("Software\\Classes\\{scheme}");
        let _ = write!(
            text,
            "          <RegistryValue Root=\"HKCU\" Key=\"{classes}\" Type=\"string\" Value=\"URL:{name}\"/>\n          \
             <RegistryValue Root=\"HKCU\" Key=\"{classes}\" Name=\"URL Protocol\" Type=\"string\" Value=\"\"/>\n          \
             <RegistryValue Root=\"HKCU\" Key=\"{classes}\\shell\\open\\command\" Type=\"string\" \
             Value=\"&quot;[INSTALLDIR]{launcher}&quot; &quot;%1&quot;\"/>\n",
            launcher = contents.launcher(),
        );
    }
    let _ = write!(
        text,
        "          <RegistryValue Root=\"HKCU\" Key=\"{key}\" Name=\"menu\" Type=\"integer\" Value=\"1\" KeyPath=\"yes\"/>\n        \
         </Component>\n      </Directory>\n    </Directory>\n    <Feature Id=\"all\" Level=\"1\">\n{components}      \
         <ComponentRef Id=\"menu\"/>\n    </Feature>\n  </Product>\n</Wix>\n"
    );
    Ok(text)
}
