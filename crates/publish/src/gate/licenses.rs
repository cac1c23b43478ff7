//! The licences of what a release is made from.

use std::path::Path;

use cargo_metadata::MetadataCommand;
use moult_model::config::Licenses;
use serde_json::Value;
use spdx::{Expression, LicenseReq, ParseMode};

use super::{Fault, GateError, Rule};

/// A package and what it says of its licence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Licensed {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) license: Option<String>,
    /// Where it was read.
    pub(crate) place: String,
}

/// The packages that an executable is built from. Of the workspace's own ones those with a licence are looked at too.
pub(crate) fn of_cargo(manifest: &Path) -> Result<Vec<Licensed>, GateError> {
    let metadata = MetadataCommand::new()
        .manifest_path(manifest)
        .other_options(["--locked".to_owned()])
        .exec()
        .map_err(|source| GateError::Read {
            path: manifest.to_owned(),
            source: source.into(),
        })?;
    let packages = metadata.packages.iter();
    let packages = packages.filter(|package| package.source.is_some() || package.license.is_some());
    Ok(packages
        .map(|package| Licensed {
            name: package.name.to_string(),
            version: package.version.to_string(),
            license: package.license.clone(),
            place: "Cargo.lock".to_owned(),
        })
        .collect())
}

/// The packages in a lock file of npm that are built into bundles: those for development alone are left out.
pub(crate) fn of_npm(lock_file: &Path) -> Result<Vec<Licensed>, GateError> {
    let read = |source: Box<dyn std::error::Error + Send + Sync>| GateError::Read {
        path: lock_file.to_owned(),
        source,
    };
    let bytes = std::fs::read(lock_file).map_err(|error| read(error.into()))?;
    let file: Value = serde_json::from_slice(&bytes).map_err(|error| read(error.into()))?;
    Ok(npm_packages(&file))
}

pub(crate) fn npm_packages(file: &Value) -> Vec<Licensed> {
    let packages = file.get("packages").and_then(Value::as_object);
    let packages = packages.into_iter().flatten();
    packages
        .filter(|(path, package)| {
            let is = |name: &str| package.get(name).and_then(Value::as_bool) == Some(true);
            path.contains("node_modules/") && !is("dev") && !is("link")
        })
        .filter_map(|(path, package)| {
            let name = path.rsplit("node_modules/").next()?.to_owned();
            let text = |name: &str| package.get(name).and_then(Value::as_str).map(str::to_owned);
            Some(Licensed {
                name,
                version: text("version")?,
                license: text("license"),
                place: "package-lock.json".to_owned(),
            })
        })
        .collect()
}

/// The packages whose licence the rules forbid.
pub(crate) fn banned(packages: &[Licensed], rules: &Licenses) -> Result<Vec<Fault>, GateError> {
    for (field, names) in [
        ("publish.policy.licenses.allow", &rules.allow),
        ("publish.policy.licenses.deny", &rules.deny),
    ] {
        for name in names {
            if Expression::parse_mode(name, ParseMode::LAX).is_err() {
                return Err(GateError::Rule {
                    field,
                    value: name.clone(),
                    problem: "is no SPDX licence".to_owned(),
                });
            }
        }
    }
    let packages = packages.iter();
    Ok(packages
        .filter(|package| !rules.except.contains(&package.name))
        .filter_map(|package| {
            let what = problem(package.license.as_deref(), rules)?;
            let place = format!("{} {} in {}", package.name, package.version, package.place);
            Some(Fault::new(Rule::License, place, what))
        })
        .collect())
}

/// What is wrong with a licence. An expression with `OR` is right if one of its sides is.
fn problem(license: Option<&str>, rules: &Licenses) -> Option<String> {
    let Some(license) = license else {
        return (!rules.allow.is_empty()).then(|| "it names no licence".to_owned());
    };
    let Ok(expression) = Expression::parse_mode(license, ParseMode::LAX) else {
        return (!rules.allow.is_empty()).then(|| format!("`{license}` is no SPDX expression"));
    };
    let may_be = |requirement: &LicenseReq| {
        let name = requirement.to_string();
        let base = name
            .split(" WITH ")
            .next()
            .unwrap_or_default()
            .trim_end_matches('+');
        let is_in = |names: &[String]| names.iter().any(|known| *known == name || known == base);
        !is_in(&rules.deny) && (rules.allow.is_empty() || is_in(&rules.allow))
    };
    (!expression.evaluate(may_be)).then(|| format!("the licence `{license}` is not allowed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_is_right_if_one_way_through_it_is() {
        let denying = Licenses {
            deny: vec!["GPL-3.0-only".to_owned(), "AGPL-3.0".to_owned()],
            ..Licenses::default()
        };
        let allowing = Licenses {
            allow: vec!["MIT".to_owned(), "Apache-2.0".to_owned()],
            ..Licenses::default()
        };
        for (license, denied, allowed) in [
            (Some("MIT"), false, true),
            (Some("MIT OR GPL-3.0-only"), false, true),
            (Some("MIT AND GPL-3.0-only"), true, false),
            (Some("MIT/Apache-2.0"), false, true),
            (Some("GPL-3.0-only"), true, false),
            (Some("Apache-2.0 WITH LLVM-exception"), false, true),
            (Some("BSD-3-Clause"), false, false),
            (Some("whatever I like"), false, false),
            (None, false, false),
        ] {
            assert_eq!(problem(license, &denying).is_some(), denied, "{license:?}");
            assert_eq!(problem(license, &allowing).is_none(), allowed, "{license:?}");
        }
    }

    #[test]
    fn npm_packages_for_development_are_left_out() {
        let file = serde_json::json!({ "packages": {
            "": { "name": "us", "version": "1.0.0" },
            "node_modules/a": { "version": "1.0.0", "license": "MIT" },
            "node_modules/a/node_modules/@s/b": { "version": "2.0.0" },
            "node_modules/c": { "version": "3.0.0", "dev": true },
            "node_modules/d": { "link": true },
        }});
        let names: Vec<_> = npm_packages(&file)
            .into_iter()
            .map(|package| package.name)
            .collect();
        assert_eq!(names, ["a", "@s/b"]);
    }
}
