//! One repository's address and the HTTP clients that may speak to it.

use std::fmt;
use std::net::IpAddr;
use std::path::Path;

use reqwest::redirect::{Action, Attempt, Policy};
use reqwest::{Certificate, Client, Proxy, RequestBuilder, Response};
use url::{Host, Url};

use crate::error::UpdateError;
use crate::fetch::{Folder, Limits};

/// A client for one repository.
///
/// `https` goes anywhere, with at most 5 redirects, each of them to `https`. Its certificates are those of the
/// system, and what the settings name beside them: so a company's proxy that looks into TLS is believed where
/// its certificate is installed. `http` goes to loopback addresses alone, redirects included, without a proxy.
#[derive(Clone, Debug)]
pub struct Http {
    base: Url,
    client: Client,
    limits: Limits,
    /// Set if a folder answers in place of the network.
    folder: Option<Folder>,
}

/// How connections are made, beside what an address says.
#[derive(Clone, Default)]
pub(crate) struct Dialling {
    proxy: Way,
    certificates: Vec<Certificate>,
}

/// Through which proxy.
#[derive(Clone, Default)]
enum Way {
    /// As the system and the environment say.
    #[default]
    System,
    Direct,
    Through(Box<Proxy>),
}

impl Dialling {
    /// What the settings ask for. Reads the file with certificates, if there is one.
    pub(crate) fn new(proxy: &str, certificates: &str) -> Result<Self, UpdateError> {
        let proxy = match proxy.trim() {
            "" => Way::System,
            "none" => Way::Direct,
            address => Way::Through(Box::new(through(address)?)),
        };
        let mut trusted = Vec::new();
        if !certificates.is_empty() {
            let path = Path::new(certificates);
            let bytes = std::fs::read(path).map_err(UpdateError::disk("read", path))?;
            trusted = Certificate::from_pem_bundle(&bytes).map_err(|source| UpdateError::Certificates {
                path: path.to_owned(),
                source,
            })?;
        }
        Ok(Self {
            proxy,
            certificates: trusted,
        })
    }
}

impl fmt::Debug for Dialling {
    /// An address of a proxy may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dialling").finish_non_exhaustive()
    }
}

/// A proxy at an address. What is wrong with it is told without the address, which may hold a password.
fn through(address: &str) -> Result<Proxy, UpdateError> {
    let refused = |why| UpdateError::Proxy { why };
    let url: Url = address.parse().map_err(|_| refused("it is not a URL"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(refused("it is neither `http` nor `https`"));
    }
    if url.host().is_none() {
        return Err(refused("it has no host"));
    }
    Proxy::all(url).map_err(|_| refused("it can't be used"))
}

impl Http {
    /// The most redirects that are followed.
    pub const MAX_REDIRECTS: usize = 5;

    /// A client for the repository at this address.
    pub fn new(repository: &str, limits: Limits) -> Result<Self, UpdateError> {
        Self::dialled(repository, limits, &Dialling::default())
    }

    /// A client for the repository at this address, with connections made in this way.
    pub(crate) fn dialled(
        repository: &str,
        limits: Limits,
        dialling: &Dialling,
    ) -> Result<Self, UpdateError> {
        let base = address(repository)?;
        let builder = Client::builder()
            .connect_timeout(limits.connect)
            .user_agent(concat!("moult/", env!("CARGO_PKG_VERSION")))
            .referer(false);
        let builder = if base.scheme() == "https" {
            let builder = match &dialling.proxy {
                Way::System => builder,
                Way::Direct => builder.no_proxy(),
                Way::Through(proxy) => builder.proxy(Proxy::clone(proxy)),
            };
            let builder = builder.tls_certs_merge(dialling.certificates.iter().cloned());
            builder.https_only(true).redirect(Policy::custom(follow_secured))
        } else {
            // This client never speaks TLS, so the system's certificates need not be read.
            let builder = builder.no_proxy().tls_certs_only([]);
            builder.redirect(Policy::custom(follow_here))
        };
        let client = builder.build().map_err(|source| UpdateError::Client { source })?;
        Ok(Self {
            base,
            client,
            limits,
            folder: None,
        })
    }

    /// A client of which nothing leaves this process: the folder answers.
    pub fn in_folder(folder: Folder, limits: Limits) -> Result<Self, UpdateError> {
        let mut http = Self::new(Folder::ADDRESS, limits)?;
        http.folder = Some(folder);
        Ok(http)
    }

    /// The repository's address.
    pub(crate) fn base(&self) -> &Url {
        &self.base
    }

    /// The limits that hold for every request.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The address of a file: always below the repository's own.
    pub fn url(&self, path: &str) -> Result<Url, UpdateError> {
        let refused = || UpdateError::Path {
            path: path.chars().take(200).collect(),
        };
        let leaves = path
            .split('/')
            .any(|part| part.is_empty() || part == "." || part == "..");
        if leaves || path.contains(['\\', ':', '?', '#']) {
            return Err(refused());
        }
        let url = self.base.join(path).map_err(|_| refused())?;
        if url.as_str().starts_with(self.base.as_str()) {
            Ok(url)
        } else {
            Err(refused())
        }
    }

    pub(crate) fn get(&self, url: Url) -> RequestBuilder {
        self.client.get(url)
    }

    /// Sends a request to where this client's answers come from.
    pub(crate) async fn send(&self, request: RequestBuilder) -> Result<Response, reqwest::Error> {
        match &self.folder {
            Some(folder) => Ok(folder.answer(&request.build()?)),
            None => request.send().await,
        }
    }
}

fn address(text: &str) -> Result<Url, UpdateError> {
    let refused = |why| UpdateError::Address {
        address: text.chars().take(200).collect(),
        why,
    };
    let mut url: Url = text.parse().map_err(|_| refused("it is not a URL"))?;
    if !url.path().ends_with('/') {
        let path = format!("{}/", url.path());
        url.set_path(&path);
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refused("it has a query or a fragment"));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        "http" => Err(refused("`http` is for this computer alone; use `https`")),
        _ => Err(refused("it is neither `https` nor `http`")),
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        None => false,
    }
}

fn follow_secured(attempt: Attempt<'_>) -> Action {
    if attempt.url().scheme() == "https" {
        follow(attempt)
    } else {
        attempt.error("a redirect leads away from https")
    }
}

/// For this computer alone.
fn follow_here(attempt: Attempt<'_>) -> Action {
    if attempt.url().scheme() == "http" && is_loopback(attempt.url()) {
        follow(attempt)
    } else {
        attempt.error("a redirect leads away from this computer")
    }
}

fn follow(attempt: Attempt<'_>) -> Action {
    if attempt.previous().len() > Http::MAX_REDIRECTS {
        attempt.error("there are too many redirects")
    } else {
        attempt.follow()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn http_is_for_loopback_alone() {
        let cases = [
            ("https://example.org/r/", true),
            ("https://example.org/r", true),
            ("http://127.0.0.1:8080/", true),
            ("http://127.9.9.9/", true),
            ("http://[::1]:8080/", true),
            ("http://localhost:1/", true),
            ("http://example.org/", false),
            ("http://10.0.0.1/", false),
            ("http://localhost.example.org/", false),
            ("http://127.0.0.1.example.org/", false),
            ("ftp://127.0.0.1/", false),
            ("file:///etc/", false),
            ("https://example.org/?x", false),
            ("", false),
            ("repository", false),
        ];
        for (text, allowed) in cases {
            assert_eq!(address(text).is_ok(), allowed, "{text}");
        }
    }

    #[test]
    fn no_path_leaves_the_repository() {
        let http = Http::new("http://127.0.0.1:1/r", Limits::default()).unwrap();
        assert_eq!(
            http.url("targets/a/b.zst").unwrap().as_str(),
            "http://127.0.0.1:1/r/targets/a/b.zst"
        );
        for path in [
            "",
            "/x",
            "../x",
            "a/../../x",
            "a//b",
            "http://x/",
            "//x/y",
            "a?b",
            "a#b",
            "a\\..\\b",
            ".",
        ] {
            assert!(http.url(path).is_err(), "{path}");
        }
        for path in ["%2e%2e/x", "a/%2E%2e/%2e%2e/x"] {
            assert!(http.url(path).is_err(), "{path}");
        }
    }

    #[test]
    fn a_proxy_is_an_address_of_http_and_no_password_is_ever_told() {
        let cases = [
            ("", true),
            ("none", true),
            ("http://proxy.example:3128", true),
            ("http://user:secret@proxy.example:3128/", true),
            ("https://proxy.example/", true),
            ("proxy.example:3128", false),
            ("socks5://user:secret@proxy.example/", false),
            ("ftp://user:secret@x/", false),
            ("http://user:secret@:99999/", false),
        ];
        for (text, allowed) in cases {
            let dialling = Dialling::new(text, "");
            assert_eq!(dialling.is_ok(), allowed, "{text}");
            let told = format!("{dialling:?}");
            assert!(!told.contains("secret"), "{told}");
        }
    }

    #[test]
    fn certificates_must_be_there_and_be_some() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("company.pem");
        let dial = || Dialling::new("", file.to_str().unwrap());
        assert!(matches!(dial(), Err(UpdateError::Disk { .. })));
        std::fs::write(
            &file,
            "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n",
        )
        .unwrap();
        assert!(matches!(dial(), Err(UpdateError::Certificates { .. })));
    }
}
