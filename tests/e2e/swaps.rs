//! Every first-party widget is swapped again and again, while events come in and somebody types.
//! `cargo xtask bench swap` does the same a thousand times.

use std::time::Duration;

use moult_tests::fixtures::Fixtures;
use moult_tests::scene::PATIENCE;
use moult_tests::stage::Part;
use moult_tests::swap::{Board, Chance, VERSIONS, WIDGETS, instance, model};
use moult_tests::wait::{Look, until};

/// How often each is swapped here.
const SWAPS: usize = 5;

#[tokio::test(flavor = "multi_thread")]
async fn every_widget_holds_what_it_held_after_each_of_many_swaps_and_is_never_gone() -> anyhow::Result<()> {
    let fixtures = tokio::task::spawn_blocking(|| Fixtures::ensure(&mut |_| {})).await??;
    let mut board = Board::open(&fixtures).await?;
    let mut chance = Chance(7);
    for (name, _) in WIDGETS {
        let typed = model::typed(name, 24);
        let mut typing = None;
        if let Some(field) = model::field(name) {
            board.focus(name, field).await?;
            typing = Some(board.display().begin_typing(&typed, 80)?);
        }
        for number in 1..=SWAPS {
            let swap = board.swap(name, number % 2, &typed, &mut chance)?;
            let what = format!("{name}, swap {number}: {swap:?}\n{}", board.tail());
            assert_eq!(swap.fault, None, "{what}");
            assert_eq!(swap.astray, 0, "{what}");
            assert!(swap.gone_ms.abs() < f64::EPSILON, "{what}");
            assert!(swap.points > 20, "too little is known of what is seen: {what}");
        }
        let frame = board.stage().live(Part::Widget(&instance(name))).await?;
        assert_eq!(frame.version, VERSIONS[SWAPS % 2].0);
        if let Some(mut typing) = typing {
            typing.wait()?;
            let field = if name == "notes" { "body" } else { "draft" };
            let whole = model::whole(name, &typed);
            until("all that was typed", PATIENCE, async || {
                let state = board.state(name)?;
                let held = state["widget"][field].clone();
                Ok(Look::when(held == whole.as_str(), held))
            })
            .await?;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}
