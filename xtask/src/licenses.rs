//! Licenses, banned packages and sources of all dependencies, by the rules in `deny.toml`.
//!
//! If cargo-deny is installed it does the work; else the same rules are read here, as far as they
//! can be told from `cargo metadata`.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context as _, Result, bail};
use cargo_metadata::{Metadata, MetadataCommand, Package};
use toml::{Table, Value};

use crate::command::{cargo, command, quiet, root, works};
use crate::spdx;

struct Rules {
    allowed_licenses: Vec<String>,
    banned: Vec<String>,
}

/// Fails with a line for each package that breaks a rule.
pub(crate) fn check() -> Result<String> {
    let cargo = cargo();
    if works(&cargo, &["deny", "--version"]) {
        quiet(&mut command(
            &cargo,
            &["deny", "--all-features", "check", "bans", "licenses", "sources"],
        ))?;
        return Ok("by cargo-deny".to_owned());
    }
    let text = fs::read_to_string(root().join("deny.toml")).context("`deny.toml` could not be read")?;
    let rules = Rules::read(&text)?;
    let metadata: Metadata = MetadataCommand::new()
        .current_dir(root())
        .cargo_path(&cargo)
        .features(cargo_metadata::CargoOpt::AllFeatures)
        .other_options(["--locked".to_owned()])
        .exec()?;
    let foreign: Vec<&Package> = metadata
        .packages
        .iter()
        .filter(|package| package.source.is_some())
        .collect();
    let broken: Vec<_> = foreign
        .iter()
        .filter_map(|package| rules.broken_by(package))
        .chain(two_sources(&foreign))
        .collect();
    if !broken.is_empty() {
        bail!("{}", broken.join("\n"));
    }
    Ok(format!("{} packages", foreign.len()))
}

impl Rules {
    fn read(text: &str) -> Result<Self> {
        let rules: Table = text.parse().context("`deny.toml` can't be read")?;
        let list = |table: &str, key: &str| {
            rules
                .get(table)
                .and_then(|table| table.get(key))
                .and_then(Value::as_array)
                .with_context(|| format!("`deny.toml` has no list `{key}` in `[{table}]`"))
        };
        let allowed_licenses = list("licenses", "allow")?
            .iter()
            .filter_map(Value::as_str)
            .map(String::from)
            .collect();
        let name = |ban: &Value| ban.get("crate").and_then(Value::as_str).map(String::from);
        let bans = list("bans", "deny")?;
        let banned: Vec<_> = bans.iter().filter_map(name).collect();
        if banned.len() != bans.len() {
            bail!("each entry of `deny` in `[bans]` of `deny.toml` is a table with `crate`");
        }
        Ok(Self {
            allowed_licenses,
            banned,
        })
    }

    fn broken_by(&self, package: &Package) -> Option<String> {
        let named = format!("{} {}", package.name, package.version);
        let source = package.source.as_ref().map_or("", |source| source.repr.as_str());
        let license = package.license.as_deref().unwrap_or("");
        if !source.starts_with("registry+") && !source.starts_with("sparse+") {
            Some(format!("{named} comes from {source}, which is no registry"))
        } else if self.banned.iter().any(|banned| **package.name == **banned) {
            Some(format!("{named} is banned"))
        } else if license.is_empty() {
            Some(format!("{named} names no license"))
        } else if !spdx::is_allowed(license, &self.allowed_licenses) {
            Some(format!("{named} has the license {license}, which is not allowed"))
        } else {
            None
        }
    }
}

/// All packages come from one registry.
fn two_sources(packages: &[&Package]) -> Option<String> {
    let sources: BTreeSet<_> = packages
        .iter()
        .filter_map(|package| package.source.as_ref())
        .map(|source| &*source.repr)
        .collect();
    (sources.len() > 1).then(|| format!("packages come from more than one source: {sources:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_projects_own_rules_can_be_read() -> Result<()> {
        let rules = Rules::read(&fs::read_to_string(root().join("deny.toml"))?)?;
        assert!(rules.allowed_licenses.iter().any(|license| license == "MIT"));
        assert!(
            !rules
                .allowed_licenses
                .iter()
                .any(|license| license.starts_with("GPL"))
        );
        assert!(rules.banned.iter().any(|banned| banned == "openssl-sys"));
        Ok(())
    }

    #[test]
    fn rules_without_a_list_are_refused() {
        for bad in [
            "",
            "[licenses]\nallow = []",
            "[bans]\ndeny = []",
            "[licenses]\nallow = []\n[bans]\ndeny = [\"x\"]",
        ] {
            assert!(Rules::read(bad).is_err(), "{bad}");
        }
    }
}
