//! The only door from a bundle to the host.

use moult_model::{Subject, WidgetId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Capability, Grants};

/// What the host lends. One method per capability; the composition root implements it.
pub trait Powers: Send + Sync {
    /// Answers [`Capability::SystemFigures`].
    fn system_figures(&self) -> SystemFigures;
}

/// The answer of `system.figures`. Sizes are in bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SystemFigures {
    /// The load of all cores together, 0 to 100.
    pub cpu_percent: f32,
    /// The load of each core, 0 to 100.
    pub per_core: Vec<f32>,
    /// How many cores there are.
    pub cores: usize,
    /// Memory in use.
    pub memory_used: u64,
    /// Memory there is.
    pub memory_total: u64,
    /// What is used of the disk that Moult's data lies on; none if the system doesn't tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk_used: Option<u64>,
    /// How large that disk is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk_total: Option<u64>,
}

/// Checks each call against what was declared and what was granted, then carries it out.
pub struct Broker<P> {
    powers: P,
}

/// Why a call was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CapabilityError {
    /// The shell has no capabilities: it has commands of its own.
    #[error("{0} is no widget and has no capabilities")]
    NotAWidget(Subject),
    /// No such capability.
    #[error(transparent)]
    Unknown(#[from] crate::capability::UnknownCapability),
    /// The manifest does not ask for it.
    #[error("{widget} does not declare `{capability}` in its manifest")]
    NotDeclared {
        /// Who called.
        widget: WidgetId,
        /// What for.
        capability: Capability,
    },
    /// The user has not allowed it.
    #[error("{widget} was not granted `{capability}`")]
    NotGranted {
        /// Who called.
        widget: WidgetId,
        /// What for.
        capability: Capability,
    },
    /// The answer could not be written as JSON.
    #[error("the answer of `{capability}` can't be written as JSON")]
    Answer {
        /// Which capability.
        capability: Capability,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
}

impl<P: Powers> Broker<P> {
    /// A broker for these powers.
    pub const fn new(powers: P) -> Self {
        Self { powers }
    }

    /// Carries out a call of a bundle. `declared` are the capabilities in the manifest of the very
    /// version that calls, not those of the newest.
    pub fn call(
        &self,
        subject: &Subject,
        declared: &[String],
        grants: &Grants,
        capability: &str,
    ) -> Result<Value, CapabilityError> {
        let Subject::Widget(widget) = subject else {
            return Err(CapabilityError::NotAWidget(subject.clone()));
        };
        let capability: Capability = capability.parse()?;
        if !declared.iter().any(|name| name == capability.name()) {
            return Err(CapabilityError::NotDeclared {
                widget: widget.clone(),
                capability,
            });
        }
        if !grants.allows(widget, capability.name()) {
            return Err(CapabilityError::NotGranted {
                widget: widget.clone(),
                capability,
            });
        }
        let answer = match capability {
            Capability::SystemFigures => serde_json::to_value(self.powers.system_figures()),
        };
        answer.map_err(|source| CapabilityError::Answer { capability, source })
    }
}

impl<P> std::fmt::Debug for Broker<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Broker")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed;

    impl Powers for Fixed {
        fn system_figures(&self) -> SystemFigures {
            SystemFigures {
                cpu_percent: 12.5,
                per_core: vec![12.5],
                cores: 1,
                memory_used: 1,
                memory_total: 2,
                disk_used: None,
                disk_total: None,
            }
        }
    }

    fn call(
        declared: &[&str],
        granted: bool,
        subject: &str,
        capability: &str,
    ) -> Result<Value, CapabilityError> {
        let subject: Subject = subject.parse().unwrap_or(Subject::Executable);
        let mut grants = Grants::default();
        if let Subject::Widget(widget) = &subject
            && granted
        {
            grants.decide(widget, "system.figures", true, String::new());
        }
        let declared: Vec<String> = declared.iter().map(|name| (*name).to_owned()).collect();
        Broker::new(Fixed).call(&subject, &declared, &grants, capability)
    }

    #[test]
    fn a_declared_and_granted_call_is_answered() {
        let answer = call(&["system.figures"], true, "w/moult/system", "system.figures").unwrap_or_default();
        assert_eq!(answer["memory_total"], 2);
    }

    #[test]
    fn every_other_call_is_refused_for_its_own_reason() {
        use CapabilityError as E;
        assert!(matches!(
            call(&[], true, "w/a/b", "system.figures"),
            Err(E::NotDeclared { .. })
        ));
        assert!(matches!(
            call(&["system.figures"], false, "w/a/b", "system.figures"),
            Err(E::NotGranted { .. })
        ));
        assert!(matches!(
            call(&["network"], true, "w/a/b", "network"),
            Err(E::Unknown(_))
        ));
        assert!(matches!(
            call(&["system.figures"], true, "shell", "system.figures"),
            Err(E::NotAWidget(_))
        ));
    }
}
