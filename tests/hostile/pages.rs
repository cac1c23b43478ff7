//! No bundle reads another page, another bundle, or what they keep.

use moult_tests::scene::{Setting, play};
use moult_tests::steps;
use serde_json::Value;

use crate::ground::{self, HOSTILE, Hostile};

#[tokio::test]
async fn no_bundle_reaches_another_page_or_keeps_anything_in_the_engine() -> anyhow::Result<()> {
    play("hostile-pages", Setting::default(), async |scene| {
        ground::open(scene, &[Hostile::plain()]).await?;
        steps::write_note(scene, "secret").await?;
        let loads = scene.stage()?.loads().await?;
        let outcome = ground::attack(scene, HOSTILE, "pages", Value::Null).await?;
        ground::say("ways to other pages", &outcome);
        // What may be said to another window is heard by nobody there: the next lines show it.
        ground::all_refused(&outcome, &["port", "watch"])?;

        steps::write_note(scene, ", and goes on").await?;
        steps::note_stands(scene, "secret, and goes on").await?;
        ground::count(scene).await?;
        assert_eq!(scene.stage()?.loads().await?, loads, "no frame was led elsewhere");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn no_path_leads_out_of_a_bundle() -> anyhow::Result<()> {
    play("hostile-files", Setting::default(), async |scene| {
        ground::open(scene, &[Hostile::plain()]).await?;
        let outcome = ground::attack(scene, HOSTILE, "files", Value::Null).await?;
        // `own` is the control; an address with a second slash names the same file of the same bundle.
        ground::say("paths", &outcome);
        let own = if outcome["double"].get("got").is_some() {
            vec!["own", "double"]
        } else {
            vec!["own"]
        };
        ground::all_refused(&outcome, &own)
    })
    .await
}
