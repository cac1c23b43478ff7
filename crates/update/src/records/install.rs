//! The number that an installation was given once: 128 random bits. It is sent nowhere; only places in rollouts come from it.

use serde_json::{Value, json};

use crate::select::InstallId;

pub(super) fn read(value: &Value) -> Option<InstallId> {
    let text = value.get("id")?.as_str()?;
    if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    u128::from_str_radix(text, 16)
        .ok()
        .map(|number| InstallId::of(number.to_be_bytes()))
}

pub(super) fn write(id: InstallId) -> Value {
    json!({ "id": format!("{:032x}", u128::from_be_bytes(id.bytes())) })
}

/// None without randomness.
pub(super) fn make() -> Option<InstallId> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).ok()?;
    Some(InstallId::of(bytes))
}
