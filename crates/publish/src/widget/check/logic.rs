//! Logic, against the world that the host runs.

use moult_sandbox::logic::wire::COMPONENT_BYTES;

use super::{Findings, Widget};
use crate::output::Size;
use crate::widget::component::{EXPORTED, LENT, contract, encode, is_module};

/// Whether the host can run it.
pub(super) fn look(widget: &Widget<'_>, findings: &mut Findings) {
    let Some(path) = &widget.manifest.entry.logic else {
        return;
    };
    // Packing says that it is missing.
    let Some(bytes) = widget.files.get(path) else {
        return;
    };
    let place = widget.project.shown(path);
    let made = if is_module(bytes) {
        encode(bytes)
    } else {
        Ok(bytes.clone())
    };
    let read = made.and_then(|component| Ok((component.len(), contract(&component)?)));
    let (size, contract) = match read {
        Ok(read) => read,
        Err(error) => {
            return findings.fault(
                "logic",
                place,
                error.to_string(),
                "build it for wasm32-unknown-unknown against sdk/wit (the crate moult-guest does), or as a component",
            );
        }
    };
    for import in contract
        .imports
        .iter()
        .filter(|import| !LENT.contains(&import.as_str()))
    {
        findings.fault(
            "logic_imports",
            &*place,
            format!("it imports `{import}`, which the host does not lend"),
            "build it for a target without a system (wasm32-unknown-unknown), or JavaScript with all features disabled; files, clocks and network come from the host alone",
        );
    }
    for export in EXPORTED
        .iter()
        .filter(|export| !contract.exports.contains(**export))
    {
        findings.fault(
            "logic_exports",
            &*place,
            format!("it does not export `{export}`"),
            "export the whole world `widget` of sdk/wit/v0.2/widget.wit",
        );
    }
    if size > COMPONENT_BYTES {
        findings.fault(
            "logic_size",
            place,
            format!(
                "it has {}; the host compiles at most {}",
                Size(size as u64),
                Size(COMPONENT_BYTES as u64)
            ),
            "make it smaller: `opt-level = \"s\"`, `lto = true`, `strip = true`, `panic = \"abort\"`; in JavaScript, import less",
        );
    }
}
