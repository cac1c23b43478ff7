//! The regions of two releases, paired.
//!
//! Refuses to know executable formats: regions are known by name, kind and order.

use super::draft::{Draft, Named};
use crate::layout::{Form, Kind, Layout};

/// Two layouts with the same number of regions, alike pairwise. None if the two drafts are of
/// different formats or machines, or if nothing is left to be paired.
pub(super) fn pair(old: Draft, new: Draft) -> Option<(Layout, Layout)> {
    if old.machine != new.machine {
        return None;
    }
    let chosen = longest_common(&old.regions, &new.regions);
    if chosen.is_empty() {
        return None;
    }
    let (mut old_regions, mut new_regions) = (Vec::new(), Vec::new());
    for (left, right) in chosen {
        old_regions.push(old.regions[left].region.clone());
        new_regions.push(new.regions[right].region.clone());
    }
    let old = Layout {
        spans: old.spans,
        regions: old_regions,
    };
    let new = Layout {
        spans: new.spans,
        regions: new_regions,
    };
    Some((old, new))
}

/// The longest choice of pairs that keeps the order of both sides, since a layout is sorted by
/// offset. At most 256 x 256 steps.
fn longest_common(old: &[Named], new: &[Named]) -> Vec<(usize, usize)> {
    let width = new.len() + 1;
    // The length of the longest choice from the ends of both sides.
    let mut best = vec![0_u32; (old.len() + 1) * width];
    for left in (0..old.len()).rev() {
        for right in (0..new.len()).rev() {
            let skip = best[(left + 1) * width + right].max(best[left * width + right + 1]);
            let take = if alike(&old[left], &new[right]) {
                best[(left + 1) * width + right + 1] + 1
            } else {
                0
            };
            best[left * width + right] = skip.max(take);
        }
    }
    let (mut left, mut right) = (0, 0);
    let mut chosen = Vec::new();
    while left < old.len() && right < new.len() {
        let here = best[left * width + right];
        if alike(&old[left], &new[right]) && here == best[(left + 1) * width + right + 1] + 1 {
            chosen.push((left, right));
            left += 1;
            right += 1;
        } else if here == best[(left + 1) * width + right] {
            left += 1;
        } else {
            right += 1;
        }
    }
    chosen
}

fn alike(old: &Named, new: &Named) -> bool {
    old.name == new.name && same_shape(&old.region.kind, &new.region.kind)
}

/// Whether references are found by the same rule, whatever the bases and limits.
fn same_shape(old: &Kind, new: &Kind) -> bool {
    let (probes, others) = (old.probes(), new.probes());
    std::mem::discriminant(old) == std::mem::discriminant(new)
        && probes.len() == others.len()
        && probes.iter().zip(others).all(|(old, new)| {
            (old.stride, old.phase, old.align) == (new.stride, new.phase, new.align)
                && same_form(old.form, new.form)
        })
}

fn same_form(old: Form, new: Form) -> bool {
    match (old, new) {
        (Form::Absolute64 { bits: old, .. }, Form::Absolute64 { bits: new, .. }) => old == new,
        (old, new) => std::mem::discriminant(&old) == std::mem::discriminant(&new),
    }
}
