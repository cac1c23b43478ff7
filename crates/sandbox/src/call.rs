//! Calls of bundles, read: what is asked for, and the capability that it needs. Shapes and sizes are checked here;
//! whether it is allowed, [`Broker`](crate::Broker) decides.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use crate::Capability;

/// The largest request, value or event, in bytes of JSON.
pub const REQUEST_BYTES: usize = 256 * 1024;
/// The longest key of the storage, in bytes.
pub const KEY_BYTES: usize = 128;
/// The longest text of a notification or of the clipboard, in characters.
const TITLE: usize = 120;
const BODY: usize = 600;
/// The longest name of a timer.
const TIMER_NAME: usize = 64;
/// A timer goes off after 1 s to 30 days.
const TIMER_MS: std::ops::RangeInclusive<u64> = 1_000..=30 * 24 * 60 * 60 * 1_000;

/// What a bundle asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Call {
    /// `system.figures`.
    SystemFigures,
    /// `network.fetch`.
    Fetch(Fetch),
    /// `storage.get`, with the key.
    Get(String),
    /// `storage.set`, with key and value.
    Set(String, Value),
    /// `storage.delete`, with the key.
    Delete(String),
    /// `storage.keys`.
    Keys,
    /// `notifications.show`.
    Notify {
        /// One line.
        title: String,
        /// A few more.
        body: String,
    },
    /// `clipboard.write`, with the text.
    Copy(String),
    /// `open.url`, with an `https:` or `mailto:` address.
    Open(Url),
    /// `timers.set`.
    SetTimer {
        /// Its name.
        name: String,
        /// When it goes off, in milliseconds from now.
        after_ms: u64,
    },
    /// `timers.clear`, with the name.
    ClearTimer(String),
    /// `bus.publish`: to a topic of its own.
    Publish(String, Value),
    /// `bus.listen`: to a whole topic.
    Listen(String),
    /// `bus.answer`: on a topic of its own.
    Answer(String),
    /// `bus.ask`: a whole topic.
    Ask(String, Value),
    /// `shared.set`: a value of its own.
    Share(String, Value),
    /// `shared.get`: a whole name.
    Observe(String),
}

/// A request over HTTPS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetch {
    /// Where to.
    pub url: Url,
    /// How.
    pub method: Method,
    /// With what.
    pub headers: BTreeMap<String, String>,
    /// And what.
    pub body: Option<String>,
}

/// The methods that there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "they are what HTTP calls them")]
pub enum Method {
    #[default]
    Get,
    Head,
    Post,
    Put,
    Delete,
}

/// Why a call can't be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// No such call.
    #[error("this host knows no call `{0}`")]
    Unknown(String),
    /// More bytes than a request may have.
    #[error("the request has {0} bytes; {REQUEST_BYTES} are allowed")]
    TooLarge(usize),
    /// Not the shape that the call has.
    #[error("the request of `{call}` can't be read")]
    Shape {
        /// Which call.
        call: &'static str,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// A value that is out of its bounds.
    #[error("`{what}` of `{call}` is out of its bounds")]
    Bounds {
        /// Which call.
        call: &'static str,
        /// Which of its members.
        what: &'static str,
    },
    /// No address, or one of a kind that is not allowed.
    #[error("`{0}` is no address that can be used here")]
    Address(String),
}

impl Call {
    /// Reads a call.
    pub fn read(name: &str, request: Value) -> Result<Self, CallError> {
        let bytes = request.to_string().len();
        if bytes > REQUEST_BYTES {
            return Err(CallError::TooLarge(bytes));
        }
        Ok(match name {
            "system.figures" => Self::SystemFigures,
            "network.fetch" => Self::Fetch(fetch(request)?),
            "storage.get" => Self::Get(key("storage.get", request)?),
            "storage.set" => {
                let KeyValue { key, value } = shape("storage.set", request)?;
                Self::Set(bounded_key("storage.set", key)?, value)
            }
            "storage.delete" => Self::Delete(key("storage.delete", request)?),
            "storage.keys" => Self::Keys,
            "notifications.show" => {
                let Note { title, body } = shape("notifications.show", request)?;
                let call = "notifications.show";
                Self::Notify {
                    title: text(call, "title", title, TITLE)?,
                    body: text(call, "body", body, BODY)?,
                }
            }
            "clipboard.write" => {
                let Text { text } = shape("clipboard.write", request)?;
                Self::Copy(text)
            }
            "open.url" => {
                let Address { url } = shape("open.url", request)?;
                Self::Open(address(&url, &["https", "mailto"])?)
            }
            "timers.set" => {
                let Timer { name, after_ms } = shape("timers.set", request)?;
                let (call, what) = ("timers.set", "after_ms");
                if !TIMER_MS.contains(&after_ms) {
                    return Err(CallError::Bounds { call, what });
                }
                let name = text(call, "name", name, TIMER_NAME)?;
                Self::SetTimer { name, after_ms }
            }
            "timers.clear" => {
                let Name { name } = shape("timers.clear", request)?;
                Self::ClearTimer(name)
            }
            "bus.publish" => topic("bus.publish", request, Self::Publish)?,
            "bus.ask" => topic("bus.ask", request, Self::Ask)?,
            "bus.listen" => topic("bus.listen", request, |topic, _| Self::Listen(topic))?,
            "bus.answer" => topic("bus.answer", request, |topic, _| Self::Answer(topic))?,
            "shared.set" => {
                let NameValue { name, value } = shape("shared.set", request)?;
                Self::Share(name, value)
            }
            "shared.get" => {
                let Name { name } = shape("shared.get", request)?;
                Self::Observe(name)
            }
            other => return Err(CallError::Unknown(other.chars().take(64).collect())),
        })
    }

    /// Whether it does more than read: something is seen outside of the widget, or stays. While two versions of a widget
    /// stand, only the one that its user sees may.
    pub fn acts(&self) -> bool {
        match self {
            Self::SystemFigures
            | Self::Get(_)
            | Self::Keys
            | Self::Listen(_)
            | Self::Answer(_)
            | Self::Observe(_) => false,
            Self::Fetch(fetch) => !matches!(fetch.method, Method::Get | Method::Head),
            Self::Set(..)
            | Self::Delete(_)
            | Self::Notify { .. }
            | Self::Copy(_)
            | Self::Open(_)
            | Self::SetTimer { .. }
            | Self::ClearTimer(_)
            | Self::Publish(..)
            | Self::Ask(..)
            | Self::Share(..) => true,
        }
    }

    /// What it needs.
    pub fn capability(&self) -> Capability {
        match self {
            Self::SystemFigures => Capability::SystemFigures,
            Self::Fetch(_) => Capability::Network,
            Self::Get(_) | Self::Set(..) | Self::Delete(_) | Self::Keys => Capability::Storage,
            Self::Notify { .. } => Capability::Notifications,
            Self::Copy(_) => Capability::ClipboardWrite,
            Self::Open(_) => Capability::OpenUrl,
            Self::SetTimer { .. } | Self::ClearTimer(_) => Capability::Timers,
            Self::Publish(..) | Self::Listen(_) | Self::Answer(_) | Self::Ask(..) => Capability::Bus,
            Self::Share(..) | Self::Observe(_) => Capability::Shared,
        }
    }
}

#[derive(Deserialize)]
struct KeyOnly {
    key: String,
}

#[derive(Deserialize)]
struct KeyValue {
    key: String,
    value: Value,
}

#[derive(Deserialize)]
struct Note {
    title: String,
    #[serde(default)]
    body: String,
}

#[derive(Deserialize)]
struct Text {
    text: String,
}

#[derive(Deserialize)]
struct Address {
    url: String,
}

#[derive(Deserialize)]
struct Timer {
    name: String,
    after_ms: u64,
}

#[derive(Deserialize)]
struct Name {
    name: String,
}

#[derive(Deserialize)]
struct NameValue {
    name: String,
    value: Value,
}

#[derive(Deserialize)]
struct Topic {
    topic: String,
    #[serde(default)]
    data: Value,
}

#[derive(Deserialize)]
struct FetchRequest {
    url: String,
    #[serde(default)]
    method: Method,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    body: Option<String>,
}

fn shape<T: DeserializeOwned>(call: &'static str, request: Value) -> Result<T, CallError> {
    serde_json::from_value(request).map_err(|source| CallError::Shape { call, source })
}

fn key(call: &'static str, request: Value) -> Result<String, CallError> {
    let KeyOnly { key } = shape(call, request)?;
    bounded_key(call, key)
}

fn bounded_key(call: &'static str, key: String) -> Result<String, CallError> {
    let fits = (1..=KEY_BYTES).contains(&key.len());
    fits.then_some(key).ok_or(CallError::Bounds { call, what: "key" })
}

fn text(call: &'static str, what: &'static str, text: String, most: usize) -> Result<String, CallError> {
    let fits = text.chars().count() <= most && !text.chars().any(|one| one.is_control() && one != '\n');
    fits.then_some(text).ok_or(CallError::Bounds { call, what })
}

fn topic(
    call: &'static str,
    request: Value,
    make: impl Fn(String, Value) -> Call,
) -> Result<Call, CallError> {
    let Topic { topic, data } = shape(call, request)?;
    Ok(make(topic, data))
}

fn address(text: &str, schemes: &[&str]) -> Result<Url, CallError> {
    let refused = || CallError::Address(text.chars().take(200).collect());
    let url = Url::parse(text).map_err(|_| refused())?;
    // A name and a password in an address are made to be misread.
    let plain = url.username().is_empty() && url.password().is_none();
    (schemes.contains(&url.scheme()) && plain)
        .then_some(url)
        .ok_or_else(refused)
}

fn fetch(request: Value) -> Result<Fetch, CallError> {
    let FetchRequest {
        url,
        method,
        headers,
        body,
    } = shape("network.fetch", request)?;
    // Plain HTTP is for this computer alone, where a developer's server runs; which hosts are allowed is the broker's.
    let url = address(&url, &["https", "http"])?;
    let is_here = matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"));
    if url.scheme() == "http" && !is_here {
        return Err(CallError::Address(url.to_string()));
    }
    let forbidden = |name: &str| {
        let name = name.to_ascii_lowercase();
        [
            "host",
            "content-length",
            "transfer-encoding",
            "connection",
            "upgrade",
            "te",
            "trailer",
            "expect",
        ]
        .contains(&&*name)
            || name.starts_with("proxy-")
            || name.starts_with("sec-")
    };
    if headers.len() > 32 || headers.keys().any(|name| forbidden(name)) {
        return Err(CallError::Bounds {
            call: "network.fetch",
            what: "headers",
        });
    }
    Ok(Fetch {
        url,
        method,
        headers,
        body,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn calls_are_read_and_need_their_capability() {
        let cases = [
            ("system.figures", json!({}), Capability::SystemFigures),
            (
                "network.fetch",
                json!({"url": "https://example.org/x"}),
                Capability::Network,
            ),
            (
                "network.fetch",
                json!({"url": "http://127.0.0.1:80/", "method": "POST", "body": "b"}),
                Capability::Network,
            ),
            ("storage.get", json!({"key": "a"}), Capability::Storage),
            (
                "storage.set",
                json!({"key": "a", "value": null}),
                Capability::Storage,
            ),
            ("storage.delete", json!({"key": "a"}), Capability::Storage),
            ("storage.keys", json!({}), Capability::Storage),
            (
                "notifications.show",
                json!({"title": "t"}),
                Capability::Notifications,
            ),
            (
                "clipboard.write",
                json!({"text": "t"}),
                Capability::ClipboardWrite,
            ),
            (
                "open.url",
                json!({"url": "mailto:a@example.org"}),
                Capability::OpenUrl,
            ),
            (
                "timers.set",
                json!({"name": "n", "after_ms": 1000}),
                Capability::Timers,
            ),
            ("timers.clear", json!({"name": "n"}), Capability::Timers),
            ("bus.publish", json!({"topic": "t", "data": 1}), Capability::Bus),
            ("bus.listen", json!({"topic": "w/a/b:t"}), Capability::Bus),
            ("shared.set", json!({"name": "n", "value": 1}), Capability::Shared),
            ("shared.get", json!({"name": "w/a/b:n"}), Capability::Shared),
        ];
        for (name, request, capability) in cases {
            let call = Call::read(name, request.clone());
            assert_eq!(
                call.map(|call| call.capability()).ok(),
                Some(capability),
                "{name} {request}"
            );
        }
    }

    #[test]
    fn what_is_out_of_bounds_is_refused_for_its_own_reason() {
        let cases = [
            ("everything", json!({}), "no call `everything`"),
            ("storage.get", json!({}), "can't be read"),
            ("storage.get", json!({"key": ""}), "`key` of `storage.get`"),
            (
                "storage.set",
                json!({"key": "k".repeat(129), "value": 1}),
                "`key` of `storage.set`",
            ),
            (
                "storage.set",
                json!({"key": "k", "value": "v".repeat(REQUEST_BYTES)}),
                "bytes; 262144 are allowed",
            ),
            (
                "notifications.show",
                json!({"title": "t".repeat(121)}),
                "`title` of `notifications.show`",
            ),
            (
                "notifications.show",
                json!({"title": "a\u{1b}[31m"}),
                "`title` of `notifications.show`",
            ),
            ("open.url", json!({"url": "file:///etc/passwd"}), "no address"),
            ("open.url", json!({"url": "javascript:alert(1)"}), "no address"),
            (
                "open.url",
                json!({"url": "https://bank.example@evil.example/"}),
                "no address",
            ),
            ("open.url", json!({"url": "http://example.org"}), "no address"),
            (
                "network.fetch",
                json!({"url": "http://example.org"}),
                "no address",
            ),
            ("network.fetch", json!({"url": "ftp://example.org"}), "no address"),
            (
                "network.fetch",
                json!({"url": "https://example.org", "method": "CONNECT"}),
                "can't be read",
            ),
            (
                "network.fetch",
                json!({"url": "https://example.org", "headers": {"Host": "x"}}),
                "`headers`",
            ),
            ("timers.set", json!({"name": "n", "after_ms": 999}), "`after_ms`"),
        ];
        for (name, request, expected) in cases {
            let said = Call::read(name, request).err().map(|error| error.to_string());
            assert!(
                said.as_deref().is_some_and(|said| said.contains(expected)),
                "{name}: {said:?}"
            );
        }
    }
}
