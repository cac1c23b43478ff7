//! The application's font as one of the system's, for as long as the application runs.
//!
//! A page that loads a font of its own leaves some 0.4 MB in WebKitGTK's process when it goes (2.50, whatever the font): after a
//! thousand swaps of a widget that would be 400 MB. A font that fontconfig knows is loaded once for all pages. So the
//! font is laid into this slot's folder, and fontconfig is told of it by the environment that the web process inherits.
//! The style sheets name it first; where it is not known, they fall back to the one that the page loads.

use std::path::{Path, PathBuf};

use gtk::glib;

use crate::places::Places;

/// Names fontconfig's configuration file.
const VARIABLE: &str = "FONTCONFIG_FILE";
/// The configuration that holds where nothing else is named.
const USUAL: &str = "/etc/fonts/fonts.conf";
/// The font's file. The configuration knows it by this name.
const FILE: &str = "moult-inter.woff2";

/// Makes the font known to this process and to those that it starts. To be called before any window is made.
pub(crate) fn make_known(places: &Places, font: &[u8]) {
    if let Err(error) = try_to(places, font) {
        tracing::warn!(error = format!("{error:#}"), "each page loads the font by itself");
    }
}

fn try_to(places: &Places, font: &[u8]) -> anyhow::Result<()> {
    let folder = places.web().join("fonts");
    moult_durable::create_dir_all(&folder)?;
    let usual = std::env::var_os(VARIABLE).map_or_else(|| PathBuf::from(USUAL), PathBuf::from);
    let configuration = folder.join("fonts.conf");
    // One that was started from here may be told of this very file.
    if usual == configuration {
        return Ok(());
    }
    for (path, bytes) in [
        (folder.join(FILE), font),
        (configuration.clone(), described(&folder, &usual).as_bytes()),
    ] {
        if std::fs::read(&path).ok().as_deref() != Some(bytes) {
            moult_durable::write_atomic(&path, bytes)?;
        }
    }
    Ok(glib::setenv(VARIABLE, configuration, true)?)
}

fn described(folder: &Path, usual: &Path) -> String {
    let text = |path: &Path| {
        let path = path.to_string_lossy();
        path.replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
    };
    format!(
        "<?xml version=\"1.0\"?>\n\
         <!DOCTYPE fontconfig SYSTEM \"fonts.dtd\">\n\
         <fontconfig>\n\
         <include ignore_missing=\"yes\">{}</include>\n\
         <dir>{}</dir>\n\
         <match target=\"scan\">\n\
         <test name=\"file\" compare=\"contains\"><string>/{FILE}</string></test>\n\
         <edit name=\"family\" mode=\"assign\" binding=\"same\"><string>Moult Inter</string></edit>\n\
         </match>\n\
         </fontconfig>\n",
        text(usual),
        text(folder),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_holds_without_it_holds_with_it_and_a_path_breaks_nothing() {
        let text = described(Path::new("/home/a&b/<web>"), Path::new("/opt/fonts.conf"));
        assert!(text.contains("<dir>/home/a&amp;b/&lt;web&gt;</dir>"), "{text}");
        assert!(text.contains(">/opt/fonts.conf</include>"), "{text}");
        let css = include_str!("../../sdk/src/tokens.css");
        assert!(
            css.contains("\"Moult Inter\", \"Inter Variable\""),
            "the style sheets name it first"
        );
    }
}
