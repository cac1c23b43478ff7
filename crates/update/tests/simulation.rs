//! A small share of the week that docs/scale.md is about.

#[expect(dead_code, reason = "the page alone needs the rest")]
#[path = "../examples/simulate/fleet/mod.rs"]
mod fleet;

use fleet::{Options, simulate};

#[test]
fn a_small_share_of_a_million_gets_what_was_asked_for_and_comes_back_in_no_herd() {
    let figures = simulate(Options {
        clients: 1_500,
        seed: 7,
        asks_always: false,
    });
    assert_eq!(figures.waves.len(), 7, "{:#?}", figures.waves);
    for wave in &figures.waves {
        // What is under way counts too: at most some computers.
        let most = 4.0 * wave.standard_error() + 0.5;
        assert!(wave.off().abs() <= most, "{wave:?}");
    }
    let recall = &figures.recall;
    assert!(
        recall.had_at_hold > 0 && recall.installed_after_hold <= recall.had_at_hold,
        "{recall:?}"
    );
    assert!(recall.last_after < 900, "{recall:?}");
    assert!(
        recall.left_at_end < recall.had_when_recalled.div_ceil(5),
        "{recall:?}"
    );
    let outage = &figures.outage;
    assert!(outage.after.0 <= outage.before.0 * 1.3 + 1.0, "{outage:?}");
}

#[test]
fn a_check_that_asks_nothing_new_would_have_been_told_nothing_new() {
    let run = |asks_always, seed| {
        simulate(Options {
            clients: 40,
            seed,
            asks_always,
        })
    };
    let (quick, full) = (run(false, 3), run(true, 3));
    assert!(quick == full);
    assert!(quick == run(false, 3), "the same seed gives the same week");
    assert!(quick != run(false, 4));
}
