//! No byte leaves the sandbox but by a grant.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use moult_tests::processes::Guard;
use moult_tests::scene::{PATIENCE, Scene, Setting, play};
use moult_tests::wait::{Look, until};
use serde_json::json;

use crate::bundles;
use crate::ground::{self, HOSTILE, Hostile};
use crate::wire::Probe;

/// What a page without a sandbox reaches a server by. The rest leaves no trace there in this engine, or needs a press.
const REACHES: [&str; 16] = [
    "fetch", "request", "socket", "events", "beacon", "picture", "style", "inside", "font", "script",
    "module", "frame", "object", "video", "worker", "navigate",
];

/// The engine's own small browser: the same engine, and no sandbox of ours.
const BROWSERS: [&str; 3] = [
    "/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser",
    "/usr/lib/aarch64-linux-gnu/webkit2gtk-4.1/MiniBrowser",
    "/usr/libexec/webkit2gtk-4.1/MiniBrowser",
];

#[tokio::test]
async fn no_byte_reaches_a_server_that_was_not_granted_by_any_way_that_a_page_has() -> anyhow::Result<()> {
    play("hostile-network", Setting::default(), async |scene| {
        let probe =
            Probe::listen(|address| bundles::control(&format!("http://{address}/control/"))).await?;
        let granted = Hostile {
            permissions: json!([{ "capability": "network", "reason": "For the test.", "hosts": [probe.host()] }]),
            granted: vec!["network"],
            script: String::new(),
        };
        ground::open(scene, &[Hostile::plain(), Hostile::plain(), granted]).await?;

        let outcome = ground::attack(scene, HOSTILE, "network", json!(probe.url("hit/"))).await?;
        ground::begin(scene, HOSTILE, "navigate", json!(probe.url("hit/"))).await?;
        let second = moult_tests::stage::Part::Widget("hostile-2");
        ground::begin(scene, second, "refresh", json!(probe.url("hit/"))).await?;
        tokio::time::sleep(Duration::from_secs(3)).await;
        let arrivals = probe.take();
        ground::say("network attempts", &outcome.as_object().map_or(0, |all| all.len() + 2));
        ground::say("bytes from the sandbox", &arrivals.bytes);
        assert_eq!(
            (arrivals.connections, arrivals.bytes, arrivals.paths),
            (0, 0, Vec::new()),
            "of {outcome:#}"
        );
        let names = ["connect-src", "img-src", "style-src", "font-src", "script-src", "frame-src", "media-src"];
        for name in names {
            ground::named(scene, &["was denied", "hostile-1", name]).await?;
        }

        // The first control: by the grant, the same server is reached.
        let third = moult_tests::stage::Part::Widget("hostile-3");
        let status = ground::attack(scene, third, "granted", json!(probe.url("granted"))).await?;
        assert_eq!(status, json!(200));
        assert_eq!(probe.take().paths, ["/granted"]);
        // The second: the same attempts in a page without a sandbox all arrive.
        let reached = without_sandbox(scene, &probe).await?;
        ground::say("arrivals without a sandbox", &Vec::from_iter(reached).join(" "));
        Ok(())
    })
    .await
}

async fn without_sandbox(scene: &Scene, probe: &Probe) -> anyhow::Result<BTreeSet<String>> {
    let browser = BROWSERS
        .into_iter()
        .find(|path| std::path::Path::new(path).exists());
    let home = scene.install().folder().join("control");
    std::fs::create_dir_all(&home)?;
    let child = Command::new(browser.context("the engine's MiniBrowser is not installed")?)
        .arg(probe.url("control.html"))
        .env("DISPLAY", scene.display().name())
        .env("HOME", &home)
        .env("XDG_DATA_HOME", &home)
        .env("XDG_CACHE_HOME", &home)
        .env("WEBKIT_DISABLE_DMABUF_RENDERER", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let _browser = Guard::new(child.context("the MiniBrowser could not be started")?);
    until("every way to have reached the server", PATIENCE, async || {
        let paths: BTreeSet<String> = probe
            .seen()
            .paths
            .iter()
            .filter_map(|path| path.strip_prefix("/control/").map(str::to_owned))
            .collect();
        let missing: Vec<&str> = REACHES
            .into_iter()
            .filter(|name| !paths.contains(*name))
            .collect();
        Ok(if missing.is_empty() {
            Look::There(paths)
        } else {
            Look::NotYet(format!("{missing:?} did not arrive, {paths:?} did"))
        })
    })
    .await
}
