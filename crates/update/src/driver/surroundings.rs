//! What happens around the engine: the line changes, the computer wakes, an hour begins in which nothing is to
//! be fetched. It refuses to know how that is found out.

use std::time::Duration;

use jiff::Zoned;
use moult_model::{Hold, Phase};
use tokio::time::Instant;

use super::Driver;
use crate::delivery::{Circumstances, hold};
use crate::job::Job;
use crate::link::{Clocks, Link};
use crate::machine::{Effect, Event};
use crate::schedule;

impl Driver {
    /// Looks at line and clocks. After a sleep, and on another line, a check follows soon: not at once, since
    /// everybody wakes at eight, and the line may need a moment.
    pub(super) async fn look_around(&mut self) {
        if self.tools.repository.is_remote() {
            let (link, clocks) = (Link::look().await, Clocks::now());
            let is_new = link.is_new_since(&self.link);
            let slept = clocks.slept_since(&self.clocks);
            // A line that is gone for a moment is the same when it comes back.
            if link.address.is_some() {
                self.link.address = link.address;
            }
            (self.link.metered, self.clocks) = (link.metered, clocks);
            if is_new || slept {
                tracing::info!(is_new, slept, "the surroundings changed: a check follows");
                self.tools.repository.refresh();
                let random = getrandom::u32().unwrap_or(0);
                self.next_check = self.next_check.min(Instant::now() + soon(random));
            }
        }
        self.weigh_downloads().await;
    }

    /// Holds back what may not be fetched any more, and lets begin what may.
    pub(super) async fn weigh_downloads(&mut self) {
        let fetching = |job: &&Job| job.phase() == Phase::Fetching && job.work.is_some();
        let ids: Vec<String> = self
            .jobs
            .iter()
            .filter(fetching)
            .map(|job| job.id().to_owned())
            .collect();
        for id in ids {
            let why = self
                .jobs
                .iter()
                .find(|job| job.id() == id)
                .and_then(|job| self.why_held(job));
            if let (Some(why), Some(job)) = (why, self.job(&id)) {
                job.stop_work();
                job.held = job.next.take();
                self.advance(schedule::Event::Rest { id: id.clone() }).await;
                self.happen(&id, Event::Held(why)).await;
            }
        }
        self.release_held().await;
    }

    /// Hands on what somebody should look at.
    pub(super) fn pass_alerts(&self) {
        for alert in self.tools.repository.take_alerts() {
            self.tools.host.alert(alert);
        }
    }

    /// Takes over what a check has seen of the line.
    pub(super) fn note_link(&mut self, link: Option<Link>) {
        if let Some(link) = link {
            self.link = link;
        }
    }

    /// Why a download of an update may not begin now.
    fn why_held(&self, job: &Job) -> Option<Hold> {
        let activity = &job.record.state.activity;
        let now = Circumstances {
            metered: self.link.metered == Some(true),
            time: Zoned::now().time(),
            bytes: activity.bytes_total.saturating_sub(activity.bytes_done),
            critical: job.record.state.critical,
        };
        hold(&self.settings.delivery, now)
    }

    /// Lets downloads begin that were held, as far as they may now.
    async fn release_held(&mut self) {
        let held = |job: &&Job| job.phase() == Phase::Scheduled && job.record.state.activity.held.is_some();
        let ids: Vec<String> = self
            .jobs
            .iter()
            .filter(held)
            .map(|job| job.id().to_owned())
            .collect();
        for id in ids {
            let Some(job) = self.jobs.iter().find(|job| job.id() == id) else {
                continue;
            };
            let why = self.why_held(job);
            if why == job.record.state.activity.held {
                continue;
            }
            match (why, job.held.clone()) {
                (Some(why), _) => self.happen(&id, Event::Held(why)).await,
                (None, Some(fetch)) => {
                    self.happen(&id, Event::Queued).await;
                    for event in self.carry_out(&id, fetch, None).await {
                        self.happen(&id, event).await;
                    }
                }
                (None, None) => {}
            }
        }
    }

    /// Holds a download back, if it may not begin now.
    pub(super) fn hold_back(&mut self, id: &str, effect: &Effect) -> Option<Event> {
        let job = self.jobs.iter().find(|job| job.id() == id)?;
        let why = matches!(effect, Effect::Fetch(_))
            .then(|| self.why_held(job))
            .flatten();
        let held = why.map(|_| effect.clone());
        if let Some(job) = self.job(id) {
            job.held = held;
        }
        why.map(Event::Held)
    }
}

/// How long after a change of the surroundings a check is made: 2 to 30 s. `random` is uniform over all its values.
fn soon(random: u32) -> Duration {
    Duration::from_secs(2) + Duration::from_secs(28).mul_f64(f64::from(random) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_wakes_with_a_million_others_does_not_ask_with_them() {
        assert_eq!(soon(0), Duration::from_secs(2));
        assert_eq!(soon(u32::MAX), Duration::from_secs(30));
    }
}
