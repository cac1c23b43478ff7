//! Whether the configuration's words about installers can work. Refuses to look at files.

use moult_model::config::Product;
use moult_model::config::installer::Installer;

/// The formats and the step that commands can be named for.
const SIGNED: [&str; 8] = ["appimage", "deb", "rpm", "snap", "nsis", "msi", "dmg", "app"];

/// A field, and what is wrong with its value.
type Problem = (&'static str, String);

/// The first field that has a value that can't work: texts of the configuration become lines of control files,
/// scripts and XML, and one with a line break in it would be two.
pub(super) fn problem(installer: &Installer, product: &Product) -> Option<Problem> {
    of_words(installer)
        .or_else(|| of_lists(installer))
        .or_else(|| of_hooks(installer))
        .or_else(|| of_product(product))
}

/// What is said about the product in single words and lines.
fn of_words(installer: &Installer) -> Option<Problem> {
    let lines = [
        ("package", &installer.package),
        ("summary", &installer.summary),
        ("license", &installer.license),
        ("homepage", &installer.homepage),
        ("maintainer", &installer.maintainer),
        ("deb.section", &installer.deb.section),
        ("snap.base", &installer.snap.base),
    ];
    for (field, text) in lines {
        if text.is_empty() || text.chars().any(char::is_control) {
            return Some((field, "must be one line".to_owned()));
        }
    }
    let Installer {
        package,
        summary,
        homepage,
        maintainer,
        ..
    } = installer;
    if !is_name(package) || !package.starts_with("moult") || package.len() > 40 {
        return Some((
            "package",
            format!("is `{package}`; it begins with `moult` and has a-z, 0-9 and - alone"),
        ));
    }
    if summary.chars().count() >= 80 || summary.ends_with('.') {
        return Some((
            "summary",
            "must be below 80 characters, without a full stop at its end".to_owned(),
        ));
    }
    if installer.description.trim().is_empty() || has_control(&installer.description) {
        return Some(("description", "must be paragraphs of text".to_owned()));
    }
    if !homepage.starts_with("https://") || homepage.contains([' ', '"', '<', '>']) {
        return Some(("homepage", format!("is `{homepage}`; an https address is needed")));
    }
    let is_address = maintainer
        .strip_suffix('>')
        .and_then(|text| text.split_once(" <"))
        .is_some_and(|(name, address)| !name.contains(['<', '>', ',']) && address.contains('@'));
    if !is_address {
        return Some((
            "maintainer",
            format!("is `{maintainer}`; `Name <name@example.org>` is needed"),
        ));
    }
    None
}

/// What is listed: schemes, categories, files, other packages.
fn of_lists(installer: &Installer) -> Option<Problem> {
    if let Some(bad) = installer.schemes.iter().find(|scheme| !is_name(scheme)) {
        return Some(("schemes", format!("has `{bad}`, which is no scheme")));
    }
    if let Some(bad) = installer.categories.iter().find(|word| !is_word(word)) {
        return Some(("categories", format!("has `{bad}`, which is no category")));
    }
    if installer
        .beside
        .keys()
        .any(|name| !is_word(name) || name.starts_with('.'))
    {
        return Some(("beside", "has a name that is no plain file name".to_owned()));
    }
    let leaves = |path: &str| {
        path.split('/')
            .skip(1)
            .any(|part| !is_word(part) || part.starts_with('.'))
    };
    if let Some(bad) = installer
        .system
        .keys()
        .find(|path| !path.starts_with('/') || leaves(path))
    {
        return Some(("system", format!("has `{bad}`, which is no whole path")));
    }
    let relations = [
        ("deb.depends", &installer.deb.depends),
        ("deb.recommends", &installer.deb.recommends),
        ("rpm.requires", &installer.rpm.requires),
        ("rpm.recommends", &installer.rpm.recommends),
        ("snap.plugs", &installer.snap.plugs),
    ];
    for (field, words) in relations {
        if words
            .iter()
            .any(|word| word.is_empty() || word.contains(',') || word.chars().any(char::is_control))
        {
            return Some((field, "has an entry that is no single name".to_owned()));
        }
    }
    None
}

/// The commands that sign.
fn of_hooks(installer: &Installer) -> Option<Problem> {
    for (step, hooks) in &installer.sign {
        if !SIGNED.contains(&step.as_str()) {
            return Some((
                "sign",
                format!("has `{step}`, but there are {}", SIGNED.join(", ")),
            ));
        }
        if hooks.iter().any(|hook| hook.first().is_none_or(String::is_empty)) {
            return Some(("sign", format!("has a command without a program for `{step}`")));
        }
    }
    None
}

fn of_product(product: &Product) -> Option<Problem> {
    if !is_word(&product.name.replace(' ', "-")) {
        return Some((
            "package",
            format!(
                "goes with the product name `{}`, which can't be in a file name",
                product.name
            ),
        ));
    }
    None
}

fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    name.bytes().all(plain)
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && !name.ends_with('-')
}

/// Other than line breaks.
fn has_control(text: &str) -> bool {
    text.chars().any(|letter| letter.is_control() && letter != '\n')
}

/// What can be part of a path and of every script.
fn is_word(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.+".contains(&byte))
}
