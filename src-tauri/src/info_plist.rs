//! What macOS is told of an executable that lies in no bundle: its identity, its name, its version.
//!
//! `build.rs` writes it into a section of the executable, where the system looks for it first. Pure.

use moult_model::Version;

/// Whose settings, permissions and notifications these are: the same for each version, wherever its file lies.
pub(crate) const IDENTIFIER: &str = "dev.moult.app";
/// The oldest macOS on Apple's processors.
const OLDEST: &str = "11.0";

/// The property list of a version.
pub(crate) fn of(version: &Version) -> String {
    // The system compares three numbers; what a version has besides is for people.
    let numbers = format!("{}.{}.{}", version.major, version.minor, version.patch);
    let said = format!("Moult {version}");
    let texts = [
        ("CFBundleIdentifier", IDENTIFIER),
        ("CFBundleName", "Moult"),
        ("CFBundleDisplayName", "Moult"),
        ("CFBundlePackageType", "APPL"),
        ("CFBundleInfoDictionaryVersion", "6.0"),
        ("CFBundleShortVersionString", &numbers),
        ("CFBundleVersion", &numbers),
        ("CFBundleGetInfoString", &said),
        ("LSMinimumSystemVersion", OLDEST),
        ("NSPrincipalClass", "NSApplication"),
    ];
    let texts = texts.map(|(key, text)| format!("\t<key>{key}</key>\n\t<string>{text}</string>\n"));
    let texts = texts.concat();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n\
         <plist version=\"1.0\">\n<dict>\n{texts}\t<key>NSHighResolutionCapable</key>\n\t<true/>\n</dict>\n</plist>\n"
    )
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn text_of(list: &str, key: &str) -> Option<String> {
        let rest = list.split_once(&format!("<key>{key}</key>"))?.1;
        Some(
            rest.split_once("<string>")?
                .1
                .split_once("</string>")?
                .0
                .to_owned(),
        )
    }

    #[test]
    fn a_slot_says_who_it_is_and_which_version() {
        for (version, numbers) in [("1.2.3", "1.2.3"), ("2.0.0-beta.1+7", "2.0.0")] {
            let list = of(&version.parse().unwrap());
            let table = [
                ("CFBundleIdentifier", IDENTIFIER),
                ("CFBundleName", "Moult"),
                ("CFBundleShortVersionString", numbers),
                ("CFBundleVersion", numbers),
                ("CFBundleGetInfoString", &format!("Moult {version}")),
            ];
            for (key, text) in table {
                assert_eq!(text_of(&list, key).as_deref(), Some(text), "{key}");
            }
            // No version that can be parsed holds anything that would have to be escaped.
            assert!(!list.contains('&') && list.matches("</dict>").count() == 1);
        }
    }

    #[test]
    fn the_identity_is_that_of_the_configuration() {
        let configuration: serde_json::Value =
            serde_json::from_str(include_str!("../tauri.conf.json")).unwrap();
        assert_eq!(configuration["identifier"], IDENTIFIER);
        assert_eq!(configuration["productName"], "Moult");
    }
}
