//! A new version that says that it is ready and is not, or is another than it says, does not come in.

use moult_model::Outcome;
use moult_tests::publisher::Item;
use moult_tests::scene::{Setting, play};
use serde_json::json;

use crate::bundles;
use crate::ground::{self, HOSTILE, Hostile};

/// Takes the port before the honest part of the script does, and lies on it.
const LIAR: &str = r#"
addEventListener("message", (event) => {
  if (event.data?.kind !== "port") return;
  event.stopImmediatePropagation();
  const port = event.ports[0];
  port.onmessage = ({ data }) => {
    if (data.kind !== "start") return;
    for (const token of ["guess", "", data.token.slice(1), data.token.toUpperCase() + " "]) {
      port.postMessage({ kind: "ready", token });
    }
    port.postMessage({ kind: "ready" });
    port.postMessage({ kind: "restored", id: 1 });
    port.postMessage({ kind: "hello", sdk: "x", version: "9.9.9", subject: "w/moult/notes" });
  };
  port.postMessage({ kind: "ready", token: "guess" });
  port.postMessage({ kind: "hello", sdk: "x" });
});
"#;

#[tokio::test]
async fn a_version_that_lies_about_being_ready_never_takes_over() -> anyhow::Result<()> {
    play("hostile-lies", Setting::default(), async |scene| {
        ground::open(scene, &[Hostile::plain()]).await?;
        let folder = ground::folder(scene);
        let liar = bundles::hostile(&folder, "hostile", "1.1.0", &json!([]), LIAR)?;
        let item = Item::bundle("w/moult/hostile".parse()?, &liar);
        scene.publish(&item)?;
        scene.ended(item.subject(), "1.1.0", Outcome::RolledBack).await?;
        scene.live(HOSTILE, "1.0.0").await?;

        // The control: an honest one comes in.
        let honest = bundles::hostile(&folder, "hostile", "1.2.0", &json!([]), "")?;
        let item = Item::bundle("w/moult/hostile".parse()?, &honest);
        scene.publish(&item)?;
        scene.ended(item.subject(), "1.2.0", Outcome::Updated).await?;
        scene.live(HOSTILE, "1.2.0").await
    })
    .await
}

#[tokio::test]
async fn a_new_version_that_holds_up_the_board_goes_back_and_is_not_tried_again() -> anyhow::Result<()> {
    play("hostile-trial", Setting::default(), async |scene| {
        ground::open(scene, &[Hostile::plain()]).await?;
        let before = ground::count(scene).await?;
        let folder = ground::folder(scene);
        let looping = "globalThis.atStart = () => setTimeout(() => { for (;;); }, 500);";
        let bad = bundles::hostile(&folder, "hostile", "1.1.0", &json!([]), looping)?;
        let item = Item::bundle("w/moult/hostile".parse()?, &bad);
        scene.publish(&item)?;
        scene.ended(item.subject(), "1.1.0", Outcome::RolledBack).await?;
        ground::back(scene).await?;
        scene.live(HOSTILE, "1.0.0").await?;
        let kept = scene.stage()?.text(ground::PROBE).await?;
        assert_eq!(kept.trim(), before.to_string());
        Ok(())
    })
    .await
}
