//! The running application as its screen shows it: the stage page, the shell's frame and the widgets' frames.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context as _;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::driver::Driver;
use crate::install::{Inspector, Running};
use crate::wait::{Hopeless, Look, until};

/// The shell or one widget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<'a> {
    /// The shell's frame.
    Shell,
    /// The frame of a widget's instance.
    Widget(&'a str),
}

/// A frame on the stage, as the stage tells it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Frame {
    /// The widget's instance; none for the shell.
    pub instance: Option<String>,
    /// The version in it.
    pub version: String,
    /// The token of its load: a frame that was loaded again has another.
    pub token: String,
    /// `live`, `incoming` or `outgoing`.
    pub state: String,
}

/// How often each part was loaded since the stage page opened.
pub type Loads = BTreeMap<String, u64>;

/// A session on the stage of one start of the application.
#[derive(Debug)]
pub struct Stage {
    driver: Driver,
    inspector: Inspector,
}

impl Stage {
    /// Attaches to the start that runs now. With `after`, waits for a later start than that one.
    pub async fn attach(running: &mut Running, after: Option<&Inspector>) -> anyhow::Result<Self> {
        let what = "the application to let itself be driven";
        until(what, Duration::from_mins(1), async || {
            if let Some(status) = running.ended() {
                return Err(Hopeless(format!("the launcher ended with {status}")).into());
            }
            let inspector = running.inspector()?;
            if after.is_some_and(|before| before.start == inspector.start) {
                return Ok(Look::NotYet(format!(
                    "still the start in slot {}",
                    inspector.slot
                )));
            }
            let connection = tokio::net::TcpStream::connect(("127.0.0.1", inspector.port)).await;
            connection.context("the inspector does not listen yet")?;
            let driver = Driver::attach(inspector.port).await?;
            let stage = Self { driver, inspector };
            let frames = stage.frames().await?;
            Ok(if frames.is_empty() {
                Look::NotYet("a page without frames".to_owned())
            } else {
                Look::There(stage)
            })
        })
        .await
    }

    /// Which start this is.
    pub fn inspector(&self) -> &Inspector {
        &self.inspector
    }

    /// The frames on the stage.
    pub async fn frames(&self) -> anyhow::Result<Vec<Frame>> {
        Ok(serde_json::from_value(self.tell("frames").await?)?)
    }

    /// How often each part was loaded.
    pub async fn loads(&self) -> anyhow::Result<Loads> {
        Ok(serde_json::from_value(self.tell("loads").await?)?)
    }

    /// The shell's version.
    pub async fn shell_version(&self) -> anyhow::Result<String> {
        Ok(serde_json::from_value(self.tell("shellVersion").await?)?)
    }

    /// The version that is live in a part.
    pub async fn version(&self, part: Part<'_>) -> anyhow::Result<String> {
        Ok(self.live(part).await?.version)
    }

    /// The live frame of a part.
    pub async fn live(&self, part: Part<'_>) -> anyhow::Result<Frame> {
        let frames = self.frames().await?;
        let named = match part {
            Part::Shell => None,
            Part::Widget(instance) => Some(instance),
        };
        let live = frames
            .iter()
            .find(|frame| frame.instance.as_deref() == named && frame.state == "live");
        live.cloned()
            .with_context(|| format!("{part:?} has no live frame among {frames:?}"))
    }

    /// Everything that can be read in a part.
    pub async fn text(&self, part: Part<'_>) -> anyhow::Result<String> {
        let value = self
            .inside(part, "return document.body.innerText", vec![])
            .await?;
        Ok(value.as_str().unwrap_or_default().to_owned())
    }

    /// The value of a field in a part.
    pub async fn value(&self, part: Part<'_>, selector: &str) -> anyhow::Result<String> {
        let script = "const field = document.querySelector(arguments[0]);
            return field === null ? null : field.value ?? field.textContent";
        let value = self.inside(part, script, vec![json!(selector)]).await?;
        Ok(value
            .as_str()
            .with_context(|| format!("{part:?} has no {selector}"))?
            .to_owned())
    }

    /// Runs a script in the stage's own page.
    pub async fn on_top(&self, script: &str, arguments: Vec<Value>) -> anyhow::Result<Value> {
        self.driver.enter_top().await?;
        self.driver.run(script, arguments).await
    }

    /// Runs a script in a part's frame.
    pub async fn inside(&self, part: Part<'_>, script: &str, arguments: Vec<Value>) -> anyhow::Result<Value> {
        self.enter(part).await?;
        self.driver.run(script, arguments).await
    }

    /// Clicks into a field of a part and types at its end.
    pub async fn type_into(&self, part: Part<'_>, selector: &str, text: &str) -> anyhow::Result<()> {
        self.enter(part).await?;
        self.driver.type_into(selector, text).await
    }

    /// Clicks an element of a part.
    pub async fn click(&self, part: Part<'_>, selector: &str) -> anyhow::Result<()> {
        self.enter(part).await?;
        self.driver.click(selector).await
    }

    /// Clicks an element of a part once it is there.
    pub async fn press(&self, part: Part<'_>, selector: &str) -> anyhow::Result<()> {
        until(
            &format!("{selector} in {part:?}"),
            Duration::from_secs(20),
            async || {
                self.click(part, selector).await?;
                Ok(Look::There(()))
            },
        )
        .await
    }

    /// An attribute of an element of a part; none if there is no such element or attribute.
    pub async fn attribute(
        &self,
        part: Part<'_>,
        selector: &str,
        name: &str,
    ) -> anyhow::Result<Option<String>> {
        let script = "return document.querySelector(arguments[0])?.getAttribute(arguments[1]) ?? null";
        let value = self
            .inside(part, script, vec![json!(selector), json!(name)])
            .await?;
        Ok(value.as_str().map(str::to_owned))
    }

    /// Waits until an attribute of an element of a part has this value.
    pub async fn read_attribute(
        &self,
        part: Part<'_>,
        selector: &str,
        name: &str,
        value: &str,
    ) -> anyhow::Result<()> {
        let what = format!("{name}={value} of {selector} in {part:?}");
        until(&what, Duration::from_mins(1), async || {
            let found = self.attribute(part, selector, name).await?;
            Ok(Look::when(found.as_deref() == Some(value), format!("{found:?}")))
        })
        .await
    }

    /// What can be read in an element of a part; none if there is no such element.
    pub async fn words(&self, part: Part<'_>, selector: &str) -> anyhow::Result<Option<String>> {
        let script = "return document.querySelector(arguments[0])?.innerText ?? null";
        let value = self.inside(part, script, vec![json!(selector)]).await?;
        Ok(value.as_str().map(str::to_owned))
    }

    /// Waits until an element of a part says this, and tells all that it says.
    pub async fn read(
        &self,
        part: Part<'_>,
        selector: &str,
        text: &str,
        patience: Duration,
    ) -> anyhow::Result<String> {
        until(
            &format!("{text:?} in {selector} of {part:?}"),
            patience,
            async || {
                let words = self.words(part, selector).await?;
                let says = words.as_deref().is_some_and(|words| words.contains(text));
                Ok(Look::when(says, format!("{words:?}")).map(|()| words.unwrap_or_default()))
            },
        )
        .await
    }

    /// Where the live widget frames stand, in CSS px.
    pub async fn layout(&self) -> anyhow::Result<BTreeMap<String, Value>> {
        self.driver.enter_top().await?;
        let script = "const box = document.querySelector(arguments[0]).getBoundingClientRect();
            return [box.x, box.y, box.width, box.height].map(Math.round)";
        let mut layout = BTreeMap::new();
        for frame in self
            .frames()
            .await?
            .into_iter()
            .filter(|frame| frame.state == "live")
        {
            let place = self.driver.run(script, vec![json!(selector(&frame))]).await?;
            if let Some(instance) = frame.instance {
                layout.insert(instance, place);
            }
        }
        Ok(layout)
    }

    async fn tell(&self, what: &str) -> anyhow::Result<Value> {
        self.driver.enter_top().await?;
        let script = "const value = window.__moult?.[arguments[0]];
            return value === undefined ? null
                : JSON.parse(JSON.stringify(value instanceof Map ? Object.fromEntries(value) : value))";
        let value = self.driver.run(script, vec![json!(what)]).await?;
        anyhow::ensure!(!value.is_null(), "the stage does not tell its {what} yet");
        Ok(value)
    }

    async fn enter(&self, part: Part<'_>) -> anyhow::Result<()> {
        let live = self.live(part).await?;
        self.driver.enter_top().await?;
        self.driver.enter(&selector(&live)).await
    }
}

/// How the stage marks the frame of a version.
fn selector(frame: &Frame) -> String {
    let instance = frame.instance.as_deref().unwrap_or("shell");
    format!(
        "iframe[data-instance=\"{instance}\"][data-version=\"{}\"]",
        frame.version
    )
}
