//! Reads `MOULT_FAULT`. It refuses to know what a fault does: that is in `moult_durable::faults`.

use std::path::Path;

use anyhow::{Context as _, bail};
use moult_durable::faults::{Action, Plan};
use rustix::io::Errno;

/// The variable.
pub(crate) const VARIABLE: &str = "MOULT_FAULT";

/// The plan that a text asks for: at most one fault, and where to log. Points are the changes below `root`.
pub(crate) fn plan(text: &str, root: &Path) -> anyhow::Result<Plan> {
    let mut plan = Plan {
        at: 0,
        action: Action::Nothing,
        log: None,
        root: root.to_owned(),
    };
    for part in text.split(',').filter(|part| !part.is_empty()) {
        if let Some((name, value)) = part.split_once('=') {
            match name {
                "log" => plan.log = Some(value.into()),
                "snapshots" => plan.action = Action::Snapshot { into: value.into() },
                "record" => plan.action = Action::Record { into: value.into() },
                _ => bail!("`{part}` is not understood"),
            }
            continue;
        }
        let (name, at) = part
            .split_once('@')
            .with_context(|| format!("`{part}` names no point"))?;
        plan.at = at.parse().with_context(|| format!("`{at}` is no number"))?;
        plan.action = action(name).with_context(|| format!("`{name}` is no fault"))?;
    }
    Ok(plan)
}

fn action(name: &str) -> Option<Action> {
    if name == "kill" {
        return Some(Action::Kill);
    }
    let (name, sticky) = match name.strip_suffix('+') {
        Some(name) => (name, true),
        None => (name, false),
    };
    let errno = match name {
        "enospc" => Errno::NOSPC,
        "eio" => Errno::IO,
        "edquot" => Errno::DQUOT,
        "emfile" => Errno::MFILE,
        "eacces" => Errno::ACCESS,
        _ => return None,
    };
    Some(Action::Fail {
        errno: errno.raw_os_error(),
        sticky,
    })
}
