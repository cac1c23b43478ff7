//! Drives a running page by the WebDriver protocol. Knows frames and elements, and nothing of Moult.
//!
//! The driver is attached to an application that runs already (`--target`), so one start of the
//! application needs one driver, and the application does not end with it.

use std::net::{Ipv4Addr, TcpListener};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use axum::http::Method;
use fantoccini::elements::Element;
use fantoccini::error::CmdError;
use fantoccini::wd::{TimeoutConfiguration, WebDriverCompatibleCommand};
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::Value;
use url::Url;

use crate::processes::Guard;
use crate::wait::{Look, until};

/// No command takes longer in a page that answers.
const COMMAND_PATIENCE: Duration = Duration::from_secs(10);

/// A session in a running page.
#[derive(Debug)]
pub struct Driver {
    client: Client,
    _process: Guard,
}

impl Driver {
    /// Attaches to the application whose inspector listens on this port of the loopback address.
    pub async fn attach(inspector_port: u16) -> anyhow::Result<Self> {
        let port = free_port()?;
        let child = Command::new("WebKitWebDriver")
            .args([
                format!("--port={port}"),
                format!("--target=127.0.0.1:{inspector_port}"),
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("WebKitWebDriver could not be started; install the package webkit2gtk-driver")?;
        let process = Guard::new(child);
        until("the driver to listen", COMMAND_PATIENCE, async || {
            let connection = tokio::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await;
            Ok(Look::when(connection.is_ok(), "nobody listens"))
        })
        .await?;
        let mut builder = ClientBuilder::new(HttpConnector::new());
        // The application was started before: there is nothing to choose.
        builder.capabilities(serde_json::Map::new());
        let address = format!("http://127.0.0.1:{port}/");
        let session = tokio::time::timeout(COMMAND_PATIENCE, builder.connect(&address)).await;
        let client = session.context("the page did not let itself be driven in time")??;
        let timeouts = TimeoutConfiguration::new(
            Some(COMMAND_PATIENCE),
            Some(COMMAND_PATIENCE),
            Some(Duration::ZERO),
        );
        client.update_timeouts(timeouts).await?;
        Ok(Self {
            client,
            _process: process,
        })
    }

    /// Runs a script in the frame that was entered last.
    pub async fn run(&self, script: &str, arguments: Vec<Value>) -> anyhow::Result<Value> {
        within(self.client.execute(script, arguments))
            .await
            .with_context(|| format!("the script {script:?}"))
    }

    /// Goes to the top document.
    pub async fn enter_top(&self) -> anyhow::Result<()> {
        within(self.client.issue_cmd(EnterTop)).await?;
        Ok(())
    }

    /// Goes from the present document into one of its frames.
    pub async fn enter(&self, frame: &str) -> anyhow::Result<()> {
        let element = self.find(frame).await?;
        within(element.enter_frame())
            .await
            .with_context(|| format!("the frame {frame}"))
    }

    /// Presses the mouse on an element.
    pub async fn click(&self, selector: &str) -> anyhow::Result<()> {
        let element = self.find(selector).await?;
        within(element.click())
            .await
            .with_context(|| format!("a click on {selector}"))
    }

    /// Clicks into a field and types at the end of what is there.
    pub async fn type_into(&self, selector: &str, text: &str) -> anyhow::Result<()> {
        self.click(selector).await?;
        let to_end = "const field = document.querySelector(arguments[0]);
            field.setSelectionRange(field.value.length, field.value.length)";
        self.run(to_end, vec![selector.into()]).await?;
        let element = self.find(selector).await?;
        // The protocol's name for the key; a line feed is no key.
        let text = &text.replace('\n', "\u{E007}");
        within(element.send_keys(text))
            .await
            .with_context(|| format!("typing into {selector}"))
    }

    async fn find(&self, selector: &str) -> anyhow::Result<Element> {
        within(self.client.find(Locator::Css(selector)))
            .await
            .with_context(|| format!("{selector} in the page"))
    }
}

async fn within<T>(command: impl Future<Output = Result<T, CmdError>>) -> anyhow::Result<T> {
    let result = tokio::time::timeout(COMMAND_PATIENCE, command).await;
    Ok(result.context("the page did not answer the driver in time")??)
}

fn free_port() -> anyhow::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port")?;
    Ok(listener.local_addr()?.port())
}

/// The protocol's way to the top document, which the client library has no function for.
#[derive(Debug)]
struct EnterTop;

impl WebDriverCompatibleCommand for EnterTop {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, url::ParseError> {
        base.join(&format!("session/{}/frame", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _url: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(r#"{"id":null}"#.to_owned()))
    }
}
