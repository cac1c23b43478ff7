//! Known vulnerabilities of npm packages, from what `npm audit --json` has written.

use std::path::Path;

use moult_model::config::NpmAudit;
use serde_json::Value;

use super::{Fault, GateError, Rule};

const SEVERITIES: [&str; 5] = ["info", "low", "moderate", "high", "critical"];

pub(super) fn check(report: &Path, rules: &NpmAudit) -> Result<Vec<Fault>, GateError> {
    let least = SEVERITIES
        .iter()
        .position(|severity| *severity == rules.from)
        .ok_or_else(|| GateError::Rule {
            field: "publish.policy.npm_audit.from",
            value: rules.from.clone(),
            problem: format!("is none of {}", SEVERITIES.join(", ")),
        })?;
    let read = |source: Box<dyn std::error::Error + Send + Sync>| GateError::Read {
        path: report.to_owned(),
        source,
    };
    let bytes = std::fs::read(report).map_err(|error| read(error.into()))?;
    let file: Value = serde_json::from_slice(&bytes).map_err(|error| read(error.into()))?;
    // An audit that failed has no such field, and must not pass for one that found nothing.
    let found = file
        .get("vulnerabilities")
        .and_then(Value::as_object)
        .ok_or_else(|| read("it has no `vulnerabilities`: `npm audit --json` did not end well".into()))?;
    let faults = found.iter().filter_map(|(name, entry)| {
        let text = |field: &str| entry.get(field).and_then(Value::as_str);
        let severity = text("severity").unwrap_or("critical");
        let rank = SEVERITIES.iter().position(|known| *known == severity);
        if rank.is_some_and(|rank| rank < least) || rules.ignore.contains(name) {
            return None;
        }
        let title = entry
            .get("via")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .find_map(|via| via.get("title").and_then(Value::as_str))
            .unwrap_or("by what it depends on");
        let place = format!("{name} {} in package-lock.json", text("range").unwrap_or("*"));
        Some(Fault::new(
            Rule::Vulnerability,
            place,
            format!("{severity}, {title}"),
        ))
    });
    Ok(faults.collect())
}
