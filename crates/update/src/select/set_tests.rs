//! Parts that have to work with each other, told as short stories.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use moult_model::Subject;
use moult_model::bundle::HostApi;
use moult_model::explanation::Verdict;

use super::support::*;
use super::*;

const APP: Subject = Subject::Executable;
const SHELL: Subject = Subject::Shell;

/// The parts of a computer, each running 1.0.0.
fn computer(app: Vec<Release>, shell: Vec<Release>, widget: Vec<Release>) -> [Scene; 3] {
    [(APP, app), (SHELL, shell), (notes(), widget)]
        .map(|(subject, releases)| Scene::of(&subject, releases).running("1.0.0"))
}

use super::support::Scene;

/// What each part gets, and whether it is together with others.
fn gets(parts: &[Scene]) -> Vec<(Option<String>, bool)> {
    let members: Vec<Member<'_>> = parts.iter().map(Scene::member).collect();
    choose(&members)
        .iter()
        .zip(parts)
        .map(|(choice, part)| (wanted(choice, &part.index), choice.together))
        .collect()
}

fn said_of(parts: &[Scene], at: usize, text: &str) -> String {
    let members: Vec<Member<'_>> = parts.iter().map(Scene::member).collect();
    said(&choose(&members)[at].explanation, text)
}

fn alone(text: &str) -> (Option<String>, bool) {
    (Some(text.to_owned()), false)
}

fn joined(text: &str) -> (Option<String>, bool) {
    (Some(text.to_owned()), true)
}

const STAYS: (Option<String>, bool) = (None, false);

fn needing(text: &str, subject: Subject, needs: moult_model::rollout::VersionRange) -> Release {
    with(text, |release| {
        release.policy.works_with.insert(subject, needs);
    })
}

/// An executable that offers this contract.
fn offering(text: &str, host: u32) -> Release {
    with(text, |release| {
        release.host_api = Some(HostApi { min: host, max: host });
    })
}

/// A bundle for these contracts.
fn for_hosts(text: &str, min: u32, max: u32) -> Release {
    with(text, |release| release.host_api = Some(HostApi { min, max }))
}

fn old() -> Release {
    with("1.0.0", |_| {})
}

#[test]
fn parts_that_need_nothing_of_each_other_are_updated_each_by_itself() {
    let newer = || vec![with("2.0.0", |_| {}), old()];
    let parts = computer(newer(), newer(), newer());
    assert_eq!(gets(&parts), [alone("2.0.0"), alone("2.0.0"), alone("2.0.0")]);
}

#[test]
fn an_executable_that_needs_a_newer_shell_takes_over_together_with_it() {
    let app = vec![needing("2.0.0", SHELL, from("2.0.0")), old()];
    let shell = vec![with("2.0.0", |_| {}), old()];
    let parts = computer(app.clone(), shell, vec![old()]);
    assert_eq!(gets(&parts), [joined("2.0.0"), joined("2.0.0"), STAYS]);
    assert_eq!(
        said_of(&parts, 0, "2.0.0"),
        "It takes over together with shell 2.0.0."
    );
    assert_eq!(
        said_of(&parts, 1, "2.0.0"),
        "It takes over together with app 2.0.0."
    );

    let without = computer(app, vec![old()], vec![old()]);
    assert_eq!(gets(&without), [STAYS, STAYS, STAYS]);
    assert_eq!(
        said_of(&without, 0, "2.0.0"),
        "It needs shell 2.0.0 or higher; here that is 1.0.0."
    );
}

#[test]
fn a_shell_that_needs_a_newer_executable_waits_for_it_too() {
    let app = vec![with("2.0.0", |_| {}), old()];
    let shell = || vec![needing("2.0.0", APP, from("2.0.0")), with("1.5.0", |_| {}), old()];
    let parts = computer(app, shell(), vec![old()]);
    assert_eq!(gets(&parts), [joined("2.0.0"), joined("2.0.0"), STAYS]);
    let parts = computer(vec![old()], shell(), vec![old()]);
    assert_eq!(gets(&parts), [STAYS, alone("1.5.0"), STAYS]);
}

#[test]
fn the_executable_is_chosen_before_the_shell() {
    // The newest shell works with the old executable alone.
    let app = vec![with("2.0.0", |_| {}), old()];
    let shell = vec![
        needing("3.0.0", APP, below("2.0.0")),
        with("2.0.0", |_| {}),
        old(),
    ];
    let parts = computer(app, shell, vec![old()]);
    assert_eq!(gets(&parts), [alone("2.0.0"), alone("2.0.0"), STAYS]);
    assert_eq!(
        said_of(&parts, 1, "3.0.0"),
        "It needs app lower than 2.0.0; here that is 2.0.0."
    );
}

#[test]
fn the_second_best_executable_is_taken_if_the_best_has_no_partner() {
    let app = vec![
        needing("3.0.0", SHELL, from("9.0.0")),
        with("2.0.0", |_| {}),
        old(),
    ];
    let parts = computer(app, vec![old()], vec![old()]);
    assert_eq!(gets(&parts), [alone("2.0.0"), STAYS, STAYS]);
}

#[test]
fn a_new_contract_takes_its_bundles_along_and_waits_for_no_widget() {
    let app = || vec![offering("2.0.0", 2), old()];
    let shell = || vec![for_hosts("2.0.0", 2, 2), for_hosts("1.0.0", 1, 1)];
    let parts = computer(
        app(),
        shell(),
        vec![for_hosts("2.0.0", 2, 2), for_hosts("1.0.0", 1, 1)],
    );
    assert_eq!(gets(&parts), [joined("2.0.0"), joined("2.0.0"), joined("2.0.0")]);

    let left = computer(
        app(),
        shell(),
        vec![for_hosts("1.1.0", 1, 1), for_hosts("1.0.0", 1, 1)],
    );
    assert_eq!(
        gets(&left),
        [joined("2.0.0"), joined("2.0.0"), alone("1.1.0")],
        "a widget without a version for it does not hold the application back"
    );

    let both = computer(
        app(),
        shell(),
        vec![for_hosts("2.0.0", 1, 2), for_hosts("1.0.0", 1, 1)],
    );
    assert_eq!(
        gets(&both),
        [joined("2.0.0"), joined("2.0.0"), alone("2.0.0")],
        "what works before and after waits for nobody"
    );

    let no_shell = computer(app(), vec![for_hosts("1.0.0", 1, 1)], vec![old()]);
    assert_eq!(gets(&no_shell), [STAYS, STAYS, STAYS]);
}

#[test]
fn a_widget_that_runs_and_will_not_work_any_longer_says_so() {
    let parts = computer(
        vec![offering("2.0.0", 2), old()],
        vec![old()],
        vec![for_hosts("1.0.0", 1, 1)],
    );
    assert_eq!(gets(&parts), [alone("2.0.0"), STAYS, STAYS]);
    assert_eq!(
        said_of(&parts, 2, "1.0.0"),
        "It runs, but does not work with app 2.0.0, and no version that does can be had."
    );
}

#[test]
fn no_publisher_holds_back_another() {
    let greedy = needing("2.0.0", APP, from("9.0.0"));
    let mut parts = computer(
        vec![with("2.0.0", |_| {}), old()],
        vec![with("2.0.0", |_| {}), old()],
        vec![greedy, old()],
    )
    .to_vec();
    let mut other = needing("2.0.0", notes(), from("1.0.0"));
    other
        .policy
        .works_with
        .insert("w/them/clock".parse().unwrap(), from("1.0.0"));
    parts.push(Scene::of(&"w/them/clock".parse().unwrap(), vec![other, old()]).running("1.0.0"));
    // The greedy one says what it needs of the other widget too; that binds only itself.
    parts[2].index.releases[1]
        .policy
        .works_with
        .insert("w/them/clock".parse().unwrap(), below("0.1.0"));
    assert_eq!(
        gets(&parts),
        [alone("2.0.0"), alone("2.0.0"), STAYS, alone("2.0.0")]
    );
}

#[test]
fn a_widget_needs_what_it_needs_of_another_widget() {
    let mut parts = computer(vec![old()], vec![old()], vec![with("2.0.0", |_| {}), old()]).to_vec();
    let clock: Subject = "w/them/clock".parse().unwrap();
    parts.push(Scene::of(&clock, vec![needing("2.0.0", notes(), from("2.0.0")), old()]).running("1.0.0"));
    assert_eq!(gets(&parts)[3], STAYS, "as it is now");
    parts[2] = parts[2].clone().running("2.0.0");
    assert_eq!(gets(&parts)[3], alone("2.0.0"), "once that runs");
}

#[test]
fn when_the_executable_went_back_the_shell_that_needs_it_follows() {
    // 2.0.0 of the executable failed here and is banned; the shell of its set is still current.
    let app = vec![with("2.0.0", |_| {}), old()];
    let shell = vec![needing("2.0.0", APP, from("2.0.0")), old()];
    let mut parts = computer(app, shell, vec![old()]);
    parts[0] = parts[0].clone().refusing("2.0.0", Verdict::Banned);
    parts[1] = parts[1].clone().running("2.0.0");
    assert_eq!(gets(&parts), [STAYS, alone("1.0.0"), STAYS]);
    assert_eq!(
        said_of(&parts, 1, "1.0.0"),
        "It works with app 1.0.0, and what runs does not."
    );
}

#[test]
fn a_recall_of_one_part_takes_its_partner_along() {
    let app = vec![
        with("2.0.0", |release| {
            release.policy.recalled = Some(digest("1.0.0"));
        }),
        old(),
    ];
    let shell = vec![needing("2.0.0", APP, from("2.0.0")), old()];
    let mut parts = computer(app, shell, vec![old()]);
    for part in &mut parts[..2] {
        *part = part.clone().running("2.0.0");
    }
    assert_eq!(gets(&parts), [joined("1.0.0"), joined("1.0.0"), STAYS]);
}

#[test]
fn nobody_is_moved_down_to_fit_what_is_only_offered() {
    // The new executable works with the old shell alone: it waits, and the shell stays.
    let app = vec![needing("2.0.0", SHELL, below("1.5.0")), old()];
    let shell = vec![with("2.0.0", |_| {}), old()];
    let mut parts = computer(app, shell, vec![old()]);
    parts[1] = parts[1].clone().running("2.0.0");
    assert_eq!(gets(&parts), [STAYS, STAYS, STAYS]);
}

#[test]
fn what_runs_and_is_not_listed_any_longer_says_nothing_of_others() {
    let app = vec![needing("2.0.0", SHELL, from("1.0.0"))];
    let parts = computer(app, vec![], vec![]);
    assert_eq!(gets(&parts), [alone("2.0.0"), STAYS, STAYS]);
}
