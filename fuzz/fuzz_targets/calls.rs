//! Any bytes as a call of a frame: a name, and a request in JSON after it.
#![no_main]

use std::time::Instant;

use libfuzzer_sys::fuzz_target;
use moult_model::bundle::Permission;
use moult_model::{Subject, WidgetId};
use moult_sandbox::call::KEY_BYTES;
use moult_sandbox::{Broker, Call, Caller, Capability, Grants, reaches};
use serde_json::Value;

fuzz_target!(|data: &[u8]| {
    let Some(end) = data.iter().position(|byte| *byte == b'\n') else {
        return;
    };
    let Ok(name) = std::str::from_utf8(&data[..end]) else {
        return;
    };
    let Ok(request) = serde_json::from_slice::<Value>(&data[end + 1..]) else {
        return;
    };
    let id: WidgetId = "acme/tide".parse().expect("a name");
    let subject = Subject::Widget(id.clone());
    let network = Permission {
        hosts: vec!["example.org".to_owned(), "*.example.net".to_owned()],
        ..Permission::new("network", "r")
    };
    let declared = [network, Permission::new("storage", "r")];
    let mut grants = Grants::default();
    grants.decide(&id, "network", true, String::new());
    let caller = Caller {
        subject: &subject,
        instance: "tide-1",
        declared: &declared,
    };
    let admitted = Broker::default().admit(caller, &grants, name, request.clone(), Instant::now());
    let Ok(call) = Call::read(name, request) else {
        assert!(admitted.is_err());
        return;
    };
    match &call {
        Call::Fetch(fetch) => {
            assert!(matches!(fetch.url.scheme(), "https" | "http"));
            assert!(fetch.url.username().is_empty() && fetch.url.password().is_none());
        }
        Call::Open(url) => assert!(matches!(url.scheme(), "https" | "mailto")),
        Call::Get(key) | Call::Set(key, _) | Call::Delete(key) => {
            assert!((1..=KEY_BYTES).contains(&key.len()));
        }
        _ => {}
    }
    // Only what was declared and granted comes through, and only to hosts that were named.
    if let Ok(Call::Fetch(fetch)) = &admitted {
        let host = fetch.url.host_str().unwrap_or_default();
        assert!(host == "example.org" || host.ends_with(".example.net"), "{host}");
        assert!(reaches(&declared[0], &fetch.url));
    } else if let Ok(call) = admitted {
        assert_eq!(call.capability(), Capability::Network, "{call:?} was not granted");
    }
});
