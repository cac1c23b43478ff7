//! What one subject may have, in the order in which it is preferred. Pure.

use std::cmp::Ordering;

use moult_model::explanation::Verdict;
use moult_model::{Digest, Index, Release, Version};

use super::gate::{malformed, refuse, refuse_data, refuse_downwards};
use super::orders::{Recall, recall};
use super::{Member, Situation, offered};

/// Why a subject would change to something, or stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Up, or a first installation.
    Up,
    /// Back, because what runs was recalled.
    Recall,
    /// Down to what the user pinned.
    Pin,
    /// Down to what another channel offers.
    Channel,
    /// As it is.
    Stay,
    /// Down, because what runs does not work with another part.
    Repair,
}

/// Something that a subject may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Prospect {
    pub(super) way: Way,
    /// The place in the index. For what stays: none if it is not listed, or if nothing runs.
    pub(super) place: Option<usize>,
}

/// All that a subject may have.
#[derive(Debug)]
pub(super) struct Ranked<'a> {
    pub(super) index: &'a Index,
    pub(super) situation: Situation<'a>,
    /// The best first. Staying is always among them.
    pub(super) prospects: Vec<Prospect>,
    /// A verdict for each place of the index, as far as it is known without the other subjects.
    pub(super) verdicts: Vec<Verdict>,
    /// The places, highest version first.
    pub(super) order: Vec<usize>,
    /// The recall of what runs.
    pub(super) recall: Option<Recall>,
}

impl Ranked<'_> {
    pub(super) fn is_recalled(&self) -> bool {
        self.prospects.iter().any(|found| found.way == Way::Recall)
    }

    pub(super) fn release(&self, prospect: Prospect) -> Option<&Release> {
        self.index.releases.get(prospect.place?)
    }
}

/// Puts what a subject may have into order: up, back if it was recalled, down if that was wished for, as it is, and last down
/// so that it fits.
pub(super) fn rank<'a>(member: &Member<'a>) -> Ranked<'a> {
    let Member { index, situation } = *member;
    let running = situation.running;
    let current = running.and_then(|running| index.release_of(&running.digest));
    let recall = current.and_then(|release| recall(release, &situation.orders.on(&index.subject, release)));
    // What runs keeps its place if its channel still offers it, and nobody is ever moved down for
    // another reason than the user's wish, a recall, or parts that would not work with each other.
    let changed = situation.channel_changed
        && !running.is_some_and(|running| offered(index, &running.digest, situation.channel));
    let mut of_way: [(Way, Vec<usize>); 5] = [
        (Way::Up, Vec::new()),
        (Way::Recall, Vec::new()),
        (Way::Pin, Vec::new()),
        (Way::Channel, Vec::new()),
        (Way::Repair, Vec::new()),
    ];
    let mut verdicts = vec![Verdict::Surpassed; index.releases.len()];
    let order = in_order(index);
    for place in order.iter().copied() {
        let release = &index.releases[place];
        let (verdict, way) = judge(index, release, &situation, recall.as_ref(), changed);
        verdicts[place] = verdict;
        if let Some((_, places)) = of_way.iter_mut().find(|(found, _)| Some(*found) == way) {
            places.push(place);
        }
    }
    let stay = Prospect {
        way: Way::Stay,
        place: current.and_then(|current| {
            index
                .releases
                .iter()
                .position(|release| release.digest == current.digest)
        }),
    };
    let [.., (_, repairs)] = &of_way;
    let repairs: Vec<Prospect> = repairs
        .iter()
        .map(|place| Prospect {
            way: Way::Repair,
            place: Some(*place),
        })
        .collect();
    let better = of_way[..4].iter().flat_map(|(way, places)| {
        places.iter().map(|place| Prospect {
            way: *way,
            place: Some(*place),
        })
    });
    let prospects = better.chain([stay]).chain(repairs).collect();
    Ranked {
        index,
        situation,
        prospects,
        verdicts,
        order,
        recall,
    }
}

/// The verdict on one release, and on which way it would be had if it is.
fn judge(
    index: &Index,
    release: &Release,
    situation: &Situation<'_>,
    recall: Option<&Recall>,
    changed: bool,
) -> (Verdict, Option<Way>) {
    let running = situation.running;
    if running.is_some_and(|running| running.digest == release.digest) {
        return (runs(index, recall), None);
    }
    if recall.is_some_and(|recall| recall.to == release.digest) {
        // Channel, waves, holds and wishes don't count for the way back. What can't run here or can't read the data is none.
        let barred = malformed(index, release, situation)
            .or_else(|| situation.refused.refusal_of_recall(release))
            .or_else(|| refuse_data(index, release, situation));
        return match barred {
            Some(verdict) => (verdict, None),
            None => (Verdict::Surpassed, Some(Way::Recall)),
        };
    }
    if let Some(verdict) = refuse(index, release, situation) {
        return (verdict, None);
    }
    match running.map(|running| release.version.cmp_precedence(&running.version)) {
        None | Some(Ordering::Greater) => (Verdict::Surpassed, Some(Way::Up)),
        Some(Ordering::Equal) => (Verdict::SameVersionOtherBytes, None),
        Some(Ordering::Less) => {
            let wished = if situation.pin.is_some() {
                Some(Way::Pin)
            } else {
                changed.then_some(Way::Channel)
            };
            match (refuse_downwards(index, release, situation), wished) {
                (None, Some(way)) => (Verdict::Surpassed, Some(way)),
                (None, None) => (Verdict::Lower, Some(Way::Repair)),
                (Some(verdict), Some(_)) => (verdict, None),
                (Some(_), None) => (Verdict::Lower, None),
            }
        }
    }
}

fn runs(index: &Index, recall: Option<&Recall>) -> Verdict {
    match recall {
        None => Verdict::Runs,
        Some(recall) => Verdict::RunsRecalled {
            to: version_of(index, &recall.to).cloned(),
            by: recall.by,
        },
    }
}

fn version_of<'a>(index: &'a Index, digest: &Digest) -> Option<&'a Version> {
    index.release_of(digest).map(|release| &release.version)
}

/// The places of an index, highest version first. Of equal precedence the order of the whole version counts, of equal
/// versions that of the digests: never the order of the index.
fn in_order(index: &Index) -> Vec<usize> {
    let mut order: Vec<usize> = (0..index.releases.len()).collect();
    order.sort_by(|left, right| {
        let (left, right) = (&index.releases[*left], &index.releases[*right]);
        right
            .version
            .cmp_precedence(&left.version)
            .then_with(|| right.version.cmp(&left.version))
            .then_with(|| right.digest.cmp(&left.digest))
    });
    order
}
