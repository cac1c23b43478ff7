//! What the manifest asks for, against what the code calls.

use std::collections::BTreeMap;

use moult_sandbox::Capability;

use super::{Findings, Widget, member};

/// Each call of the host interface, and what it needs.
const CALLS: [(&str, Capability); 17] = [
    ("system.figures", Capability::SystemFigures),
    ("network.fetch", Capability::Network),
    ("storage.get", Capability::Storage),
    ("storage.set", Capability::Storage),
    ("storage.delete", Capability::Storage),
    ("storage.keys", Capability::Storage),
    ("notifications.show", Capability::Notifications),
    ("clipboard.write", Capability::ClipboardWrite),
    ("open.url", Capability::OpenUrl),
    ("timers.set", Capability::Timers),
    ("timers.clear", Capability::Timers),
    ("bus.publish", Capability::Bus),
    ("bus.listen", Capability::Bus),
    ("bus.answer", Capability::Bus),
    ("bus.ask", Capability::Bus),
    ("shared.set", Capability::Shared),
    ("shared.get", Capability::Shared),
];

/// Where a capability is called.
struct Use {
    place: String,
    call: &'static str,
    /// Not so where the code looks first whether it may; nor in logic, which holds its texts without bounds, so that a
    /// name found there may be a part of another.
    certain: bool,
}

/// Unknown, asked for in vain, and called without being asked for.
pub(super) fn look(widget: &Widget<'_>, findings: &mut Findings) {
    let used = used(widget);
    let mut declared = Vec::new();
    for (place, permission) in widget.manifest.permissions.iter().enumerate() {
        let place = member(&format!("permissions[{place}]"));
        let Ok(capability) = permission.capability.parse::<Capability>() else {
            let known: Vec<_> = Capability::ALL.iter().map(|known| known.name()).collect();
            findings.fault(
                "permission_unknown",
                place,
                format!("no host has the capability `{}`", permission.capability),
                format!(
                    "{}these are known: {}",
                    likely(&permission.capability),
                    known.join(", ")
                ),
            );
            continue;
        };
        declared.push(capability);
        if !used.contains_key(&capability) {
            findings.doubt(
                "permission_unused",
                place,
                format!("`{capability}` is asked for, and no call of it is in the code"),
                "remove it: each capability is a question to the user; leave it if the name of the call is put together at run time",
            );
        }
    }
    for (capability, used) in used
        .iter()
        .filter(|(capability, _)| !declared.contains(capability))
    {
        let (what, mend) = (
            format!(
                "`{}` is called, and the manifest does not ask for `{capability}`",
                used.call
            ),
            format!(
                "add {} to `permissions`, or remove the call: the host refuses it",
                sample(*capability)
            ),
        );
        if used.certain {
            findings.fault("permission_missing", &*used.place, what, mend);
        } else {
            findings.doubt("permission_missing", &*used.place, what, mend);
        }
    }
}

/// What is called, and where first.
fn used(widget: &Widget<'_>) -> BTreeMap<Capability, Use> {
    let mut used = BTreeMap::new();
    for (call, capability) in CALLS {
        for script in &widget.scripts {
            if let Some(line) = script.quoted(call) {
                used.entry(capability).or_insert_with(|| Use {
                    place: format!("{}:{line}", widget.project.shown(script.path)),
                    call,
                    certain: !is_asked_before(widget, capability),
                });
            }
        }
    }
    let Some((path, bytes)) = widget
        .manifest
        .entry
        .logic
        .as_ref()
        .and_then(|path| widget.files.get_key_value(path))
    else {
        return used;
    };
    for (call, capability) in CALLS {
        let found = bytes.windows(call.len()).any(|window| window == call.as_bytes());
        if found {
            used.entry(capability).or_insert_with(|| Use {
                place: widget.project.shown(path),
                call,
                certain: false,
            });
        }
    }
    used
}

/// Whether the code looks at what is granted before it calls.
fn is_asked_before(widget: &Widget<'_>, capability: Capability) -> bool {
    let asks = |quote: &str| format!("includes({quote}{capability}{quote})");
    widget.scripts.iter().any(|script| {
        ["\"", "'", "`"]
            .into_iter()
            .any(|quote| script.places(&asks(quote)).next().is_some())
    })
}

/// What to write for a capability.
fn sample(capability: Capability) -> String {
    let bounds = match capability {
        Capability::Network => ", \"hosts\": [\"example.org\"]",
        Capability::Bus => ", \"publishes\": [\"...\"]",
        Capability::Shared => ", \"writes\": [\"...\"]",
        _ => "",
    };
    format!("`{{ \"capability\": \"{capability}\", \"reason\": \"...\"{bounds} }}`")
}

/// A capability with the same beginning.
fn likely(name: &str) -> String {
    let begin = name.split(['.', '_', '-']).next().unwrap_or_default();
    let found = Capability::ALL
        .iter()
        .find(|known| !begin.is_empty() && known.name().starts_with(begin));
    found.map_or_else(String::new, |known| format!("`{known}` may be meant; "))
}

#[cfg(test)]
mod tests {
    use moult_sandbox::Call;
    use serde_json::json;

    use super::*;

    #[test]
    fn every_call_in_the_table_is_one_of_the_host() {
        for (call, capability) in CALLS {
            let error = Call::read(call, json!({ "not": "the shape" })).err();
            let unknown = error.is_some_and(|error| error.to_string().contains("knows no call"));
            assert!(!unknown, "{call} of {capability}");
        }
        for capability in Capability::ALL {
            assert!(
                CALLS.iter().any(|(_, needed)| *needed == capability),
                "{capability}"
            );
        }
    }
}
