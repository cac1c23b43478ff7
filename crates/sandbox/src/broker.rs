//! The only door from a bundle to the host: each call is held against what the manifest of the very version that calls
//! declares, what the user granted, and how much was called before. It decides and carries nothing out.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use moult_model::bundle::Permission;
use moult_model::{Subject, WidgetId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use crate::call::{Call, CallError, REQUEST_BYTES};
use crate::rate::Bucket;
use crate::{Capability, Grants};

/// Calls of one instance: so many at once, and so many a second on average.
const CALLS: (f64, f64) = (200.0, 100.0);
/// Notifications of one instance: 6 at once, and 6 an hour on average.
const NOTES: (f64, f64) = (6.0, 6.0 / 3600.0);

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
    /// What came by the network since the computer was started.
    pub network_received: u64,
    /// What went by it.
    pub network_sent: u64,
}

/// Checks calls.
#[derive(Debug, Default)]
pub struct Broker {
    rates: Mutex<HashMap<String, Rates>>,
}

#[derive(Debug)]
struct Rates {
    calls: Bucket,
    notes: Bucket,
}

/// Who calls.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a> {
    /// The bundle.
    pub subject: &'a Subject,
    /// The instance on the board.
    pub instance: &'a str,
    /// What the manifest of the very version that calls declares.
    pub declared: &'a [Permission],
}

/// Why a call was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CapabilityError {
    /// The shell has no capabilities: it has commands of its own.
    #[error("{0} is no widget and has no capabilities")]
    NotAWidget(Subject),
    /// It can't be read.
    #[error(transparent)]
    Call(#[from] CallError),
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
    /// The manifest asks for it, but not for this host, topic or name.
    #[error("{widget} does not declare `{what}` under `{capability}`")]
    OutOfBounds {
        /// Who called.
        widget: WidgetId,
        /// What for.
        capability: Capability,
        /// The host, topic or name.
        what: String,
    },
    /// More bytes for its logic than it may send.
    #[error("the event for the logic of {widget} has {bytes} bytes")]
    EventTooLarge {
        /// Who called.
        widget: WidgetId,
        /// How many.
        bytes: usize,
    },
    /// Its logic too often.
    #[error("{widget} calls its logic too often")]
    LogicTooOften {
        /// Who called.
        widget: WidgetId,
    },
    /// Too often.
    #[error("{widget} calls `{capability}` too often")]
    TooOften {
        /// Who called.
        widget: WidgetId,
        /// What for.
        capability: Capability,
    },
}

impl Broker {
    /// Reads and admits a call, or says why not.
    pub fn admit(
        &self,
        caller: Caller<'_>,
        grants: &Grants,
        name: &str,
        request: Value,
        now: Instant,
    ) -> Result<Call, CapabilityError> {
        let Subject::Widget(widget) = caller.subject else {
            return Err(CapabilityError::NotAWidget(caller.subject.clone()));
        };
        let call = Call::read(name, request)?;
        let capability = call.capability();
        let declared = caller
            .declared
            .iter()
            .find(|permission| permission.capability == capability.name());
        let Some(permission) = declared else {
            return Err(CapabilityError::NotDeclared {
                widget: widget.clone(),
                capability,
            });
        };
        if !grants.allows(widget, capability.name()) {
            return Err(CapabilityError::NotGranted {
                widget: widget.clone(),
                capability,
            });
        }
        if let Some(what) = foreign(&call, permission) {
            return Err(CapabilityError::OutOfBounds {
                widget: widget.clone(),
                capability,
                what,
            });
        }
        if !self.is_in_time(caller.instance, &call, now) {
            return Err(CapabilityError::TooOften {
                widget: widget.clone(),
                capability,
            });
        }
        Ok(call)
    }

    /// Admits a call of a page to its own logic, which needs no capability, or says why not.
    pub fn admit_logic(
        &self,
        caller: Caller<'_>,
        event: &Value,
        now: Instant,
    ) -> Result<(), CapabilityError> {
        let Subject::Widget(widget) = caller.subject else {
            return Err(CapabilityError::NotAWidget(caller.subject.clone()));
        };
        let bytes = event.to_string().len();
        if bytes > REQUEST_BYTES {
            let widget = widget.clone();
            return Err(CapabilityError::EventTooLarge { widget, bytes });
        }
        let mut rates = self.rates.lock().unwrap_or_else(PoisonError::into_inner);
        if Self::rates_of(&mut rates, caller.instance, now).calls.take(now) {
            return Ok(());
        }
        Err(CapabilityError::LogicTooOften {
            widget: widget.clone(),
        })
    }

    /// An instance is gone: what was counted of it goes as well.
    pub fn forget(&self, instance: &str) {
        self.rates
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(instance);
    }

    fn is_in_time(&self, instance: &str, call: &Call, now: Instant) -> bool {
        let mut rates = self.rates.lock().unwrap_or_else(PoisonError::into_inner);
        let rates = Self::rates_of(&mut rates, instance, now);
        rates.calls.take(now) && (!matches!(call, Call::Notify { .. }) || rates.notes.take(now))
    }
}

impl Broker {
    fn rates_of<'a>(rates: &'a mut HashMap<String, Rates>, instance: &str, now: Instant) -> &'a mut Rates {
        rates.entry(instance.to_owned()).or_insert_with(|| Rates {
            calls: Bucket::new(CALLS.0, CALLS.1, now),
            notes: Bucket::new(NOTES.0, NOTES.1, now),
        })
    }
}

/// What a call names that its permission does not.
fn foreign(call: &Call, permission: &Permission) -> Option<String> {
    let among = |names: &[String], name: &String| (!names.contains(name)).then(|| name.clone());
    match call {
        Call::Fetch(fetch) => {
            (!reaches(permission, &fetch.url)).then(|| fetch.url.host_str().unwrap_or_default().to_owned())
        }
        Call::Publish(topic, _) => among(&permission.publishes, topic),
        Call::Listen(topic) => among(&permission.listens, topic),
        Call::Answer(topic) => among(&permission.answers, topic),
        Call::Ask(topic, _) => among(&permission.asks, topic),
        Call::Share(name, _) => among(&permission.writes, name),
        Call::Observe(name) => among(&permission.reads, name),
        _ => None,
    }
}

/// Whether a permission covers an address. To be asked again at each redirect.
pub fn reaches(permission: &Permission, url: &Url) -> bool {
    let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
        return false;
    };
    permission.hosts.iter().any(|declared| {
        let (name, declared_port) = match declared.rsplit_once(':') {
            Some((name, port)) => (name, port.parse().ok()),
            None => (&**declared, Some(443)),
        };
        let is_named = match name.strip_prefix("*.") {
            Some(above) => host
                .strip_suffix(above)
                .is_some_and(|below| below.len() > 1 && below.ends_with('.')),
            None => host == name,
        };
        is_named && declared_port == Some(port)
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;

    fn network(hosts: &[&str]) -> Permission {
        Permission {
            hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
            ..Permission::new("network", "for the test")
        }
    }

    fn admit(
        broker: &Broker,
        declared: &[Permission],
        granted: &[&str],
        subject: &str,
        (name, request): (&str, Value),
        now: Instant,
    ) -> Result<Call, CapabilityError> {
        let subject: Subject = subject.parse().unwrap_or(Subject::Executable);
        let mut grants = Grants::default();
        if let Subject::Widget(widget) = &subject {
            for capability in granted {
                grants.decide(widget, capability, true, String::new());
            }
        }
        let caller = Caller {
            subject: &subject,
            instance: "one",
            declared,
        };
        broker.admit(caller, &grants, name, request, now)
    }

    fn once(
        declared: &[Permission],
        granted: &[&str],
        subject: &str,
        call: (&str, Value),
    ) -> Result<Call, CapabilityError> {
        admit(
            &Broker::default(),
            declared,
            granted,
            subject,
            call,
            Instant::now(),
        )
    }

    #[test]
    fn what_is_declared_and_granted_is_admitted() {
        let figures = [Permission::new("system.figures", "r")];
        let call = once(
            &figures,
            &["system.figures"],
            "w/moult/system",
            ("system.figures", json!({})),
        );
        assert!(matches!(call, Ok(Call::SystemFigures)));
    }

    #[test]
    fn each_capability_is_refused_without_its_declaration_and_without_its_grant() {
        use CapabilityError as E;
        let requests = [
            ("system.figures", json!({})),
            ("network.fetch", json!({"url": "https://example.org/"})),
            ("storage.keys", json!({})),
            ("notifications.show", json!({"title": "t"})),
            ("clipboard.write", json!({"text": "t"})),
            ("open.url", json!({"url": "https://example.org/"})),
            ("timers.clear", json!({"name": "n"})),
            ("bus.listen", json!({"topic": "w/a/b:t"})),
            ("shared.get", json!({"name": "w/a/b:n"})),
        ];
        let all: Vec<_> = Capability::ALL
            .iter()
            .map(|one| Permission::new(one.name(), "r"))
            .collect();
        let names: Vec<_> = Capability::ALL.iter().map(|one| one.name()).collect();
        for request in requests {
            assert!(
                matches!(
                    once(&[], &names, "w/a/b", request.clone()),
                    Err(E::NotDeclared { .. })
                ),
                "{request:?}"
            );
            assert!(
                matches!(
                    once(&all, &[], "w/a/b", request.clone()),
                    Err(E::NotGranted { .. })
                ),
                "{request:?}"
            );
            assert!(
                matches!(
                    once(&all, &names, "shell", request.clone()),
                    Err(E::NotAWidget(_))
                ),
                "{request:?}"
            );
        }
    }

    #[test]
    fn only_declared_hosts_topics_and_names_are_reached() {
        use CapabilityError as E;
        let hosts = network(&["example.org", "*.example.net", "127.0.0.1:8080"]);
        let cases = [
            ("https://example.org/a", true),
            ("https://example.org:443/a", true),
            ("https://example.org:444/a", false),
            ("https://www.example.org/a", false),
            ("https://example.org.evil.example/a", false),
            ("https://a.example.net/", true),
            ("https://a.b.example.net/", true),
            ("https://example.net/", false),
            ("https://evilexample.net/", false),
            ("http://127.0.0.1:8080/", true),
            ("http://127.0.0.1:8081/", false),
            ("http://127.0.0.1/", false),
        ];
        for (url, reached) in cases {
            let call = once(
                std::slice::from_ref(&hosts),
                &["network"],
                "w/a/b",
                ("network.fetch", json!({"url": url})),
            );
            assert_eq!(call.is_ok(), reached, "{url}: {call:?}");
        }
        let bus = [Permission {
            publishes: vec!["phase".to_owned()],
            ..Permission::new("bus", "r")
        }];
        let publish = |topic: &str| once(&bus, &["bus"], "w/a/b", ("bus.publish", json!({"topic": topic})));
        assert!(publish("phase").is_ok());
        assert!(matches!(publish("other"), Err(E::OutOfBounds { .. })));
        assert!(matches!(publish("w/c/d:phase"), Err(E::OutOfBounds { .. })));
    }

    #[test]
    fn a_flood_is_refused_and_passes() {
        let (broker, figures, begin) = (
            Broker::default(),
            [Permission::new("system.figures", "r")],
            Instant::now(),
        );
        let call = |at| {
            admit(
                &broker,
                &figures,
                &["system.figures"],
                "w/a/b",
                ("system.figures", json!({})),
                at,
            )
            .is_ok()
        };
        assert_eq!((0..300).filter(|_| call(begin)).count(), 200);
        let later = begin + Duration::from_millis(500);
        assert_eq!((0..300).filter(|_| call(later)).count(), 50);
    }
}
