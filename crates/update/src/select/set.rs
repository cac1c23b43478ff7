//! Parts that work with each other. Pure.
//!
//! A part says which versions of others it works with, and a bundle which contract of the executable; both sides count. The
//! executable and the shell are chosen first, as a pair: the best that the executable may have, with the best that the shell
//! may have beside it. Then each widget by itself, so that no publisher holds up anybody else: one that works with
//! nothing that is to come stays as it is, and that is said.
//!
//! What would not work in between takes over together or not at all.

use moult_model::explanation::{Candidate, Explanation, Gate, Partner, Verdict};
use moult_model::{Subject, Version};

use super::gate::min_secure;
use super::part::{Pair, Part};
use super::rank::{Prospect, Ranked, Way, rank};
use super::{Choice, Member};

/// What each subject gets, in the order in which they are given. Executable and shell are among them once at most.
pub fn choose(members: &[Member<'_>]) -> Vec<Choice> {
    let ranked: Vec<Ranked<'_>> = members.iter().map(rank).collect();
    let of = |subject: &Subject| ranked.iter().find(|found| found.index.subject == *subject);
    let (app, shell) = (of(&Subject::Executable), of(&Subject::Shell));
    let (app_gets, shell_gets) = best_pair(app, shell);
    let pair = |app_gets: Option<Prospect>, shell_gets: Option<Prospect>| Pair {
        app: app.zip(app_gets).and_then(|(app, gets)| Part::of(app, gets)),
        shell: shell
            .zip(shell_gets)
            .and_then(|(shell, gets)| Part::of(shell, gets)),
    };
    let (now, then) = (pair(app.map(stay), shell.map(stay)), pair(app_gets, shell_gets));
    let moves = |gets: Option<Prospect>| gets.is_some_and(|gets| gets.way != Way::Stay);
    let (app_moves, shell_moves) = (moves(app_gets), moves(shell_gets));
    let is_free = Pair { app: then.app, ..now }.fits() && Pair { app: now.app, ..then }.fits();
    let mut app_joins = app_moves && shell_moves && !is_free;
    let mut shell_joins = app_joins;
    // Which widgets take over with the pair.
    let gets: Vec<(Prospect, bool)> = ranked
        .iter()
        .map(|found| match &found.index.subject {
            Subject::Executable => (app_gets.unwrap_or_else(|| stay(found)), false),
            Subject::Shell => (shell_gets.unwrap_or_else(|| stay(found)), false),
            Subject::Widget(_) => widget(found, &ranked, now, then, app_moves),
        })
        .collect();
    for (found, (prospect, joins)) in ranked.iter().zip(&gets) {
        if *joins {
            app_joins = true;
            // It may need the new shell too.
            let with_app_alone = Pair { app: then.app, ..now };
            let part = Part::of(found, *prospect);
            shell_joins |= shell_moves && part.is_some_and(|part| with_app_alone.clash(&part).is_some());
        }
    }
    let joined: Vec<bool> = ranked
        .iter()
        .zip(&gets)
        .map(|(found, (_, joins))| match &found.index.subject {
            Subject::Executable => app_joins,
            Subject::Shell => shell_joins,
            Subject::Widget(_) => *joins,
        })
        .collect();
    (0..ranked.len())
        .map(|at| {
            let others = (0..ranked.len()).filter(|other| *other != at && joined[*other] && joined[at]);
            let partners = others.filter_map(|other| Part::of(&ranked[other], gets[other].0));
            let partners: Vec<Partner> = partners.map(|part| part.partner()).collect();
            let others = Others {
                pair: then,
                widgets: &ranked,
            };
            conclude(&ranked[at], gets[at].0, &partners, &others)
        })
        .collect()
}

fn stay(ranked: &Ranked<'_>) -> Prospect {
    let found = ranked.prospects.iter().find(|found| found.way == Way::Stay);
    found.copied().unwrap_or(Prospect {
        way: Way::Stay,
        place: None,
    })
}

/// Which ways are open.
type May<'a> = &'a dyn Fn(Way) -> bool;

/// What executable and shell get: the first of the executable's prospects with the first of the shell's that it works with.
///
/// A recall is obeyed if the other part can be made to fit. Without one, nothing goes down to fit unless what runs does not fit.
fn best_pair(app: Option<&Ranked<'_>>, shell: Option<&Ranked<'_>>) -> (Option<Prospect>, Option<Prospect>) {
    let (Some(a), Some(s)) = (app, shell) else {
        return (app.and_then(first), shell.and_then(first));
    };
    let search = |app_may: May<'_>, shell_may: May<'_>| {
        a.prospects
            .iter()
            .filter(|found| app_may(found.way))
            .find_map(|mine| {
                let fits = |other: &&Prospect| {
                    let pair = Pair {
                        app: Part::of(a, *mine),
                        shell: Part::of(s, **other),
                    };
                    pair.fits()
                };
                let other = s
                    .prospects
                    .iter()
                    .filter(|found| shell_may(found.way))
                    .find(fits)?;
                Some((*mine, *other))
            })
    };
    let leaves = |way| matches!(way, Way::Up | Way::Recall);
    let any = |_| true;
    let level = |way| way != Way::Repair;
    let searches: [(bool, May<'_>, May<'_>); 5] = [
        (a.is_recalled() && s.is_recalled(), &leaves, &leaves),
        (a.is_recalled(), &leaves, &any),
        (s.is_recalled(), &any, &leaves),
        (true, &level, &level),
        (true, &any, &any),
    ];
    let found = searches
        .into_iter()
        .filter(|(applies, ..)| *applies)
        .find_map(|(_, app_may, shell_may)| search(app_may, shell_may));
    let (mine, other) = found.unwrap_or((stay(a), stay(s)));
    (Some(mine), Some(other))
}

/// The best of a part that has no other to fit with.
fn first(ranked: &Ranked<'_>) -> Option<Prospect> {
    ranked
        .prospects
        .iter()
        .find(|found| found.way != Way::Repair && is_at_home(ranked, **found))
        .copied()
}

/// Whether a bundle runs in the executable that runs. Asked where that is not chosen itself.
fn is_at_home(ranked: &Ranked<'_>, prospect: Prospect) -> bool {
    let is_bundle = ranked.index.subject != Subject::Executable;
    let host = ranked.situation.host_api;
    let refuses = || Part::of(ranked, prospect).is_some_and(|part| part.refuses_host(host).is_some());
    prospect.way == Way::Stay || !is_bundle || !refuses()
}

/// What a widget gets, and whether it takes over together with the executable.
fn widget(
    ranked: &Ranked<'_>,
    all: &[Ranked<'_>],
    now: Pair<'_>,
    then: Pair<'_>,
    app_moves: bool,
) -> (Prospect, bool) {
    let widgets = |part: &Part<'_>| unmet(part, all);
    let fits = |pair: Pair<'_>, prospect: &Prospect| match Part::of(ranked, *prospect) {
        Some(part) => {
            pair.clash(&part).is_none()
                && is_hosted(pair, ranked, *prospect)
                && (prospect.way == Way::Stay || widgets(&part).is_none())
        }
        // Nothing runs: there is nothing that would not work.
        None => true,
    };
    let in_order = |pair: Pair<'_>, may: May<'_>| {
        let mut found = ranked.prospects.iter().filter(|found| may(found.way));
        found.find(|found| fits(pair, found)).copied()
    };
    let leaves = |way| matches!(way, Way::Up | Way::Recall);
    let level = |way| way != Way::Repair;
    let best = |pair: Pair<'_>| {
        let recalled = ranked.is_recalled().then(|| in_order(pair, &leaves)).flatten();
        recalled
            .or_else(|| in_order(pair, &level))
            .or_else(|| in_order(pair, &|_| true))
    };
    match best(then) {
        Some(found) if found.way == Way::Stay || fits(now, &found) => (found, false),
        Some(found) if app_moves => (found, true),
        // It needs what the shell is about to be, or nothing fits what is to come: the best for what is there.
        _ => (best(now).unwrap_or_else(|| stay(ranked)), false),
    }
}

/// Whether the executable of a pair hosts a bundle; without one that which runs.
fn is_hosted(pair: Pair<'_>, ranked: &Ranked<'_>, prospect: Prospect) -> bool {
    pair.app.is_some() || is_at_home(ranked, prospect)
}

/// What a widget needs of another widget that this is not. What another widget needs of it does not count: that is its own affair.
fn unmet(part: &Part<'_>, all: &[Ranked<'_>]) -> Option<Verdict> {
    all.iter().find_map(|other| {
        let subject = &other.index.subject;
        let version = &other.situation.running?.version;
        let needs = part.needs(subject)?;
        let is_widget = matches!(subject, Subject::Widget(_)) && subject != part.subject;
        (is_widget && !needs.holds(version)).then(|| Verdict::DoesNotFit {
            with: Partner {
                subject: subject.clone(),
                version: version.clone(),
            },
            needs: needs.clone(),
        })
    })
}

/// What a part has to work with in the end.
struct Others<'a> {
    pair: Pair<'a>,
    widgets: &'a [Ranked<'a>],
}

impl Others<'_> {
    fn clash(&self, ranked: &Ranked<'_>, prospect: Prospect) -> Option<Verdict> {
        let part = Part::of(ranked, prospect)?;
        let own = &ranked.index.subject;
        let of_pair = self
            .pair
            .parts()
            .filter(|other| other.subject != own)
            .find_map(|other| part.clashes(&other));
        let of_host = || {
            let is_bundle = *own != Subject::Executable && prospect.way != Way::Stay;
            let alone = is_bundle && self.pair.app.is_none();
            alone
                .then(|| part.refuses_host(ranked.situation.host_api))
                .flatten()
        };
        let of_widgets = || {
            let is_widget = matches!(own, Subject::Widget(_)) && prospect.way != Way::Stay;
            is_widget.then(|| unmet(&part, self.widgets)).flatten()
        };
        of_pair.or_else(of_host).or_else(of_widgets)
    }
}

/// Puts a choice into words.
fn conclude(ranked: &Ranked<'_>, gets: Prospect, partners: &[Partner], others: &Others<'_>) -> Choice {
    let mut verdicts = ranked.verdicts.clone();
    let way_of = |place: usize| ranked.prospects.iter().find(|found| found.place == Some(place));
    for (place, verdict) in verdicts.iter_mut().enumerate() {
        let Some(prospect) = way_of(place).copied() else {
            continue;
        };
        if prospect == gets {
            *verdict = reached(ranked, gets, place, partners, others);
        } else if prospect.way != Way::Repair && prospect.way != Way::Stay {
            *verdict = others.clash(ranked, prospect).unwrap_or(Verdict::Surpassed);
        }
    }
    // What is about to be left is no longer stranded.
    if let (Some(recall), Some(place)) = (&ranked.recall, stay(ranked).place)
        && gets.way != Way::Stay
    {
        verdicts[place] = Verdict::Recalled {
            by: recall.by,
            reason: recall.reason.clone(),
        };
    }
    let candidates = ranked.order.iter().map(|place| Candidate {
        version: ranked.index.releases[*place].version.clone(),
        verdict: verdicts[*place].clone(),
    });
    let explanation = Explanation {
        candidates: candidates.collect(),
        ..blank(&Member {
            index: ranked.index,
            situation: ranked.situation,
        })
    };
    Choice {
        wanted: gets.place.filter(|_| gets.way != Way::Stay),
        together: !partners.is_empty(),
        recall: gets.way == Way::Recall,
        explanation,
    }
}

/// The verdict on what was chosen.
fn reached(
    ranked: &Ranked<'_>,
    gets: Prospect,
    place: usize,
    partners: &[Partner],
    others: &Others<'_>,
) -> Verdict {
    let clash = |prospect| match others.clash(ranked, prospect)? {
        Verdict::DoesNotFit { with, .. } | Verdict::NotFitted { by: with, .. } => Some(with),
        Verdict::WrongHost { .. } => others.pair.app.map(|app| app.partner()),
        _ => None,
    };
    let running = ranked.situation.running.map(|running| running.version.clone());
    match gets.way {
        Way::Stay => match (&ranked.verdicts[place], clash(gets)) {
            (Verdict::Runs, Some(with)) => Verdict::RunsUnfit { with },
            (verdict, _) => verdict.clone(),
        },
        Way::Recall => match (running, &ranked.recall) {
            (Some(from), Some(recall)) => Verdict::WantedRecalled {
                from,
                by: recall.by,
                reason: recall.reason.clone(),
            },
            _ => Verdict::Wanted,
        },
        _ if !partners.is_empty() => Verdict::WantedTogether {
            with: partners.to_vec(),
        },
        Way::Pin => Verdict::WantedPinned,
        Way::Up if ranked.situation.pin.is_some() => Verdict::WantedPinned,
        Way::Up => match higher_step(ranked, place) {
            Some(towards) => Verdict::WantedBefore { towards },
            None => Verdict::Wanted,
        },
        Way::Channel => running.map_or(Verdict::Wanted, |running| Verdict::WantedDownwards { running }),
        Way::Repair => match clash(stay(ranked)) {
            Some(with) => Verdict::WantedFitting { with },
            None => Verdict::Wanted,
        },
    }
}

/// The higher release that this one is a step to.
fn higher_step(ranked: &Ranked<'_>, place: usize) -> Option<Version> {
    let above = ranked.order.iter().take_while(|found| **found != place);
    above
        .filter(|found| matches!(ranked.verdicts[**found], Verdict::StepFirst { .. }))
        .map(|found| ranked.index.releases[*found].version.clone())
        .next()
}

/// An explanation without candidates.
pub(super) fn blank(member: &Member<'_>) -> Explanation {
    let Member { index, situation } = member;
    Explanation {
        subject: index.subject.clone(),
        channel: situation.channel.clone(),
        running: situation.running.map(|running| running.version.clone()),
        pinned: situation.pin.cloned(),
        min_secure: min_secure(index, situation).cloned(),
        candidates: Vec::new(),
        gate: Gate {
            at: Some(situation.now.to_string()),
            orders_read: situation.orders.read_at().map(str::to_owned),
            orders_problem: situation.orders.problem(),
            orders: situation.orders.count(&index.subject),
            ..Gate::default()
        },
    }
}
