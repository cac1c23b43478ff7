//! A new version that differs in a picture, a style and a text is taken over by the page that runs.

use anyhow::Context as _;
use moult_tests::scene::{PATIENCE, Setting, play};
use moult_tests::steps::{self, NOTES};
use moult_tests::wait::{Look, until};
use serde_json::Value;

#[tokio::test]
async fn a_change_of_picture_style_and_text_alone_loads_no_page() -> anyhow::Result<()> {
    play("resources", Setting::default(), async |scene| {
        for item in steps::opening(scene)? {
            let notes = item.subject() == &steps::widget("notes")?;
            let item = if notes {
                steps::probed(scene, "notes-picture-1")?
            } else {
                item
            };
            scene.publish(&item)?;
        }
        scene.start().await?;
        steps::widgets_run(scene).await?;
        steps::write_probed_note(scene, "still here").await?;
        let words = scene
            .stage()?
            .read(NOTES, "#words", "The first words", PATIENCE)
            .await?;
        anyhow::ensure!(words == "The first words", "{words:?}");
        let (page, size, red) = looks(scene.stage()?).await?;
        let (token, loads) = (
            scene.stage()?.live(NOTES).await?.token,
            scene.stage()?.loads().await?,
        );
        scene.picture("before")?;

        let item = steps::probed(scene, "notes-picture-2")?;
        let (published, entry) = steps::update(scene, &item).await?;
        scene.live(NOTES, "92.0.1").await?;
        scene
            .stage()?
            .read(NOTES, "#words", "Other words", PATIENCE)
            .await?;
        let after = until("the other picture and style", PATIENCE, async || {
            let after = looks(scene.stage()?).await?;
            Ok(Look::when(after.1 != size && after.2 != red, format!("{after:?}")).map(|()| after))
        })
        .await?;
        assert_eq!((size, after.1), (12.into(), 20.into()), "the style is another");
        assert_eq!(after.0, page, "the page is the one it was");
        assert_eq!(scene.stage()?.live(NOTES).await?.token, token, "and the load");
        assert_eq!(scene.stage()?.loads().await?, loads, "nothing was loaded");
        let text = scene.stage()?.value(NOTES, steps::NOTE).await?;
        assert_eq!(text, "still here");
        assert_eq!(entry.wire_bytes, steps::patch_from(&published, "92.0.0")?.size);
        scene.picture("after")?;
        Ok(())
    })
    .await
}

/// The random number that the page made when it was loaded, the size of its words, and the address of its picture.
async fn looks(stage: &moult_tests::stage::Stage) -> anyhow::Result<(Value, Value, Value)> {
    let script = "const words = document.querySelector('#words'), image = document.querySelector('#picture');
        return [words.dataset.page, parseFloat(getComputedStyle(words).fontSize), image.complete && image.src]";
    let found = stage.inside(NOTES, script, vec![]).await?;
    let [page, size, picture] = found.as_array().map(Vec::as_slice).context("no answer")? else {
        anyhow::bail!("{found}");
    };
    Ok((page.clone(), size.clone(), picture.clone()))
}
