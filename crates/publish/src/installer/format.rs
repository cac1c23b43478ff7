//! The formats of installers, and how each spells systems, processors and versions.

use std::fmt;

use moult_model::Version;
use serde::Serialize;

use super::InstallerError;

/// A format of installers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
#[value(rename_all = "lower")]
pub enum Format {
    /// One file that runs on any Linux.
    AppImage,
    /// Debian, Ubuntu and their kin
    Deb,
    /// Fedora, openSUSE and their kin
    Rpm,
    /// The Snap store
    Snap,
    /// Windows, for one user, without an administrator
    Nsis,
    /// Windows Installer
    Msi,
    /// A disk image for macOS
    Dmg,
}

/// A system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    /// Linux.
    Linux,
    /// Windows.
    Windows,
    /// macOS.
    Macos,
}

/// A target triple, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The triple.
    pub triple: String,
    /// Its system.
    pub system: System,
    /// Its processor, as the triple names it.
    pub processor: String,
}

impl Format {
    /// The format's name in the configuration and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::AppImage => "appimage",
            Self::Deb => "deb",
            Self::Rpm => "rpm",
            Self::Snap => "snap",
            Self::Nsis => "nsis",
            Self::Msi => "msi",
            Self::Dmg => "dmg",
        }
    }

    /// The system that it is for.
    pub fn system(self) -> System {
        match self {
            Self::AppImage | Self::Deb | Self::Rpm | Self::Snap => System::Linux,
            Self::Nsis | Self::Msi => System::Windows,
            Self::Dmg => System::Macos,
        }
    }

    /// How the format spells a version.
    ///
    /// A `~` sorts before everything for dpkg and rpm, as a `-` does here: 1.0.0-beta.1 comes before 1.0.0.
    pub fn version(self, version: &Version) -> String {
        match self {
            Self::Deb | Self::Rpm => version.to_string().replacen('-', "~", 1).replace('-', "."),
            Self::AppImage | Self::Snap | Self::Nsis | Self::Msi | Self::Dmg => version.to_string(),
        }
    }

    /// How the format spells the target's processor.
    pub fn processor(self, target: &Target) -> Result<&'static str, InstallerError> {
        let names: [&str; 4] = match target.processor.as_str() {
            "x86_64" => ["amd64", "x86_64", "x64", "x64"],
            "aarch64" => ["arm64", "aarch64", "arm64", "arm64"],
            "i686" => ["i386", "i686", "x86", "x86"],
            "armv7" => ["armhf", "armv7hl", "", ""],
            "riscv64gc" => ["riscv64", "riscv64", "", ""],
            _ => [""; 4],
        };
        let name = match self {
            Self::Deb | Self::Snap => names[0],
            Self::Rpm | Self::AppImage => names[1],
            Self::Nsis | Self::Msi => names[2],
            Self::Dmg => names[3],
        };
        if name.is_empty() {
            return Err(InstallerError::NotFor {
                format: self,
                triple: target.triple.clone(),
            });
        }
        Ok(name)
    }

    /// The installer's file name, as is usual for the format.
    pub fn file_name(
        self,
        product: &str,
        package: &str,
        version: &Version,
        target: &Target,
    ) -> Result<String, InstallerError> {
        let (processor, version) = (self.processor(target)?, self.version(version));
        let product = product.replace(' ', "-");
        Ok(match self {
            Self::AppImage => format!("{product}-{version}-{processor}.AppImage"),
            Self::Deb => format!("{package}_{version}_{processor}.deb"),
            Self::Rpm => format!("{package}-{version}-1.{processor}.rpm"),
            Self::Snap => format!("{package}_{version}_{processor}.snap"),
            Self::Nsis => format!("{product}-{version}-{processor}-setup.exe"),
            Self::Msi => format!("{product}-{version}-{processor}.msi"),
            Self::Dmg => format!("{product}-{version}-{processor}.dmg"),
        })
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Target {
    /// Understands a triple.
    pub fn of(triple: &str) -> Result<Self, InstallerError> {
        let system = if triple.contains("-linux") {
            System::Linux
        } else if triple.contains("-windows") {
            System::Windows
        } else if triple.contains("-apple-darwin") {
            System::Macos
        } else {
            return Err(InstallerError::System {
                triple: triple.to_owned(),
            });
        };
        Ok(Self {
            triple: triple.to_owned(),
            system,
            processor: triple.split('-').next().unwrap_or_default().to_owned(),
        })
    }

    /// What the names of programs end in.
    pub fn suffix(&self) -> &'static str {
        match self.system {
            System::Windows => ".exe",
            System::Linux | System::Macos => "",
        }
    }

    /// The folder of libraries that Debian and Ubuntu, and so snaps, have for the processor.
    pub fn library_folder(&self) -> String {
        let processor = match self.processor.as_str() {
            "i686" => "i386",
            "riscv64gc" => "riscv64",
            "armv7" => return "arm-linux-gnueabihf".to_owned(),
            other => other,
        };
        format!("{processor}-linux-gnu")
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that can't build its input has failed")]
mod tests {
    use super::*;

    #[test]
    fn each_format_names_its_file_as_is_usual_there() {
        let names = |triple: &str, version: &str, formats: &[Format]| {
            let (target, version) = (Target::of(triple).unwrap(), version.parse().unwrap());
            formats
                .iter()
                .map(|format| format.file_name("Moult", "moult", &version, &target).unwrap())
                .collect::<Vec<_>>()
        };
        let linux = [Format::AppImage, Format::Deb, Format::Rpm, Format::Snap];
        assert_eq!(
            names("x86_64-unknown-linux-gnu", "1.2.3", &linux),
            [
                "Moult-1.2.3-x86_64.AppImage",
                "moult_1.2.3_amd64.deb",
                "moult-1.2.3-1.x86_64.rpm",
                "moult_1.2.3_amd64.snap"
            ]
        );
        assert_eq!(
            names("aarch64-unknown-linux-gnu", "2.0.0-beta.1", &linux),
            [
                "Moult-2.0.0-beta.1-aarch64.AppImage",
                "moult_2.0.0~beta.1_arm64.deb",
                "moult-2.0.0~beta.1-1.aarch64.rpm",
                "moult_2.0.0-beta.1_arm64.snap"
            ]
        );
        assert_eq!(
            names("x86_64-pc-windows-msvc", "1.2.3", &[Format::Nsis, Format::Msi]),
            ["Moult-1.2.3-x64-setup.exe", "Moult-1.2.3-x64.msi"]
        );
        assert_eq!(
            names("aarch64-apple-darwin", "1.2.3", &[Format::Dmg]),
            ["Moult-1.2.3-arm64.dmg"]
        );
    }

    #[test]
    fn what_a_format_has_no_name_for_is_refused() {
        assert!(matches!(
            Target::of("wasm32-unknown-unknown"),
            Err(InstallerError::System { .. })
        ));
        let target = Target::of("sparc64-unknown-linux-gnu").unwrap();
        assert!(matches!(
            Format::Deb.processor(&target),
            Err(InstallerError::NotFor { .. })
        ));
    }
}
