//! What the indexes mean for what is installed: the choice for all subjects at once, and what follows from it. It refuses to
//! decide: that is `select`.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use moult_model::{Digest, Index, Orders, Phase, Subject, Version};
use moult_trust::Authentic;

use super::{Driver, new_id};
use crate::artifact::AuthenticRelease;
use crate::choices::Ledger;
use crate::error::{UpdateError, chain};
use crate::fetch::blocking;
use crate::job::Job;
use crate::machine::{Decision, Event};
use crate::perform::is_kept;
use crate::plan::Base;
use crate::select::{
    Choice, Data, Member, Refusals, Situation, Verdict, choose, moment, offered, refuse_wish,
};
use crate::set::Joined;

/// A subject as it is, for the choice.
struct Scene {
    subject: Subject,
    index: Option<Arc<Authentic<Index>>>,
    running: Option<Base>,
    banned: BTreeSet<Digest>,
    /// Whether its index was read in this check.
    is_fresh: bool,
}

/// What is wanted for a subject.
struct Want {
    release: AuthenticRelease,
    recall: bool,
    /// For a bundle that takes over with an executable: the contract that this offers.
    host_api: Option<u32>,
    together: bool,
    /// For an executable: what takes over with it.
    set: Vec<Joined>,
}

impl Driver {
    /// Takes over the orders that were read, and puts those that hold on onto the disk.
    pub(super) async fn note_orders(&mut self, read: Result<Orders, UpdateError>) -> Result<(), UpdateError> {
        if let Err(error) = &read {
            let error = chain(error);
            tracing::warn!(error, "the orders can't be read; those before stay in force");
        }
        let indexes: Vec<&Index> = self.indexes.values().map(|index| &***index).collect();
        let mut standing = self.standing.clone();
        let changed = standing.take(
            read.as_ref().map_err(UpdateError::code),
            &indexes,
            Timestamp::now(),
        );
        if changed {
            let (records, noted) = (self.records.clone(), standing.clone());
            blocking(move || Ok(records.store_orders(&noted)?)).await?;
            tracing::info!("the orders in force have changed");
        }
        self.standing = standing;
        Ok(())
    }

    /// Decides what the indexes mean, and begins what follows for the subjects whose index was read just now.
    pub(super) async fn consider(&mut self, read: &[Subject]) {
        let mut scenes = Vec::new();
        for subject in self.subjects() {
            let (running, banned) = match self.running(&subject) {
                Ok(found) => found,
                Err(error) => {
                    tracing::error!(%subject, error = chain(&error), "what is installed can't be read");
                    continue;
                }
            };
            let is_fresh = read.contains(&subject);
            let index = self.indexes.get(&subject).cloned();
            if let Some(index) = index.as_ref().filter(|_| is_fresh) {
                self.settle(&subject, index, running.as_ref()).await;
            }
            scenes.push(Scene {
                subject,
                index,
                running,
                banned,
                is_fresh,
            });
        }
        let choices = self.choose(&scenes);
        let wants: Vec<Option<Want>> = (0..scenes.len()).map(|at| want(&scenes, &choices, at)).collect();
        for ((scene, choice), want) in scenes.into_iter().zip(choices).zip(wants) {
            let Some(index) = scene.index.filter(|_| scene.is_fresh) else {
                continue;
            };
            let releases = index
                .releases
                .iter()
                .map(|release| (release.version.clone(), release.channels.clone()));
            self.shared.with(|picture| {
                picture.releases.insert(scene.subject.clone(), releases.collect());
                picture
                    .explanations
                    .insert(scene.subject.clone(), choice.explanation);
            });
            let lifts = want
                .as_ref()
                .filter(|want| want.recall && scene.banned.contains(&want.release.digest))
                .map(|want| want.release.digest);
            if let Some(digest) = lifts {
                self.lift_ban(&scene.subject, digest).await;
            }
            self.pursue(&scene.subject, want, scene.running).await;
        }
    }

    fn choose(&self, scenes: &[Scene]) -> Vec<Choice> {
        let now = Timestamp::now();
        let empty: Vec<Index> = scenes
            .iter()
            .map(|scene| Index::empty(scene.subject.clone(), None))
            .collect();
        let ledgers: Vec<Ledger<'_>> = scenes
            .iter()
            .map(|scene| Ledger {
                subject: &scene.subject,
                banned: &scene.banned,
                choices: &self.choices,
                failures: &self.tasks.failures,
                now,
            })
            .collect();
        let members = scenes
            .iter()
            .zip(&empty)
            .zip(&ledgers)
            .map(|((scene, empty), ledger)| {
                let index = scene.index.as_deref().map_or(empty, |index| &**index);
                let situation = self.situation(&scene.subject, index, scene.running.as_ref(), ledger, now);
                Member { index, situation }
            });
        choose(&members.collect::<Vec<_>>())
    }

    fn situation<'a>(
        &'a self,
        subject: &Subject,
        index: &Index,
        running: Option<&'a Base>,
        refused: &'a dyn Refusals,
        now: Timestamp,
    ) -> Situation<'a> {
        let channel = self.settings.channel_of(subject);
        let settled = self.choices.settled.get(subject);
        Situation {
            channel,
            channel_changed: settled.is_some_and(|settled| settled != channel),
            pin: self.settings.pins.get(subject),
            running,
            host_api: self.config.host_api,
            refused,
            install: self.install,
            now: moment(now, index),
            orders: &self.standing,
            data: Data {
                schema: self.choices.schemas.get(subject).copied(),
                ..Data::default()
            },
        }
    }

    /// Why the user can't go back to a kept version, if so.
    pub(super) fn bars_way_back(
        &self,
        subject: &Subject,
        running: Option<&Base>,
        version: &Version,
    ) -> Option<Verdict> {
        let index = self.indexes.get(subject)?;
        let situation = self.situation(subject, index, running, &(), Timestamp::now());
        refuse_wish(index, version, &situation)
    }

    /// Lets an artifact be tried again that a recall leads to. Noted first: it happens once.
    async fn lift_ban(&mut self, subject: &Subject, digest: Digest) {
        self.choices.lifted.insert(digest);
        self.keep_choices().await;
        let (store, bundles, of) = (
            self.tools.store.clone(),
            self.tools.bundles.clone(),
            subject.clone(),
        );
        let lifted = blocking(move || {
            match of {
                Subject::Executable => store.lift_ban(&digest)?,
                _ => bundles.lift_ban(&of, &digest)?,
            }
            Ok(())
        });
        match lifted.await {
            Ok(()) => tracing::info!(%subject, %digest, "a recall has lifted a ban"),
            Err(error) => tracing::error!(error = chain(&error), "a ban could not be lifted"),
        }
    }

    /// Begins the update to a release, unless it is on its way already.
    async fn pursue(&mut self, subject: &Subject, want: Option<Want>, running: Option<Base>) {
        let digest = want.as_ref().map(|want| want.release.digest);
        if let Some(place) = self.jobs.iter().position(|job| job.subject() == subject) {
            let job = &mut self.jobs[place];
            if Some(job.record.digest) == digest || !job.is_replaceable() {
                let id = job.id().to_owned();
                let waits_for_consent =
                    job.phase() == Phase::Waiting && job.staged.is_none() && job.record.slot.is_none();
                let Some(want) = want.filter(|want| want.release.digest == job.record.digest) else {
                    return;
                };
                let is_set_free = job.record.together && !want.together;
                let was_complete = job.record.set == want.set;
                want.mark(job);
                if job.release.is_none() {
                    job.release = Some(want.release.clone());
                }
                if waits_for_consent {
                    self.begin(&id, &want.release).await;
                } else if is_set_free && job.phase() == Phase::Waiting {
                    self.happen(&id, Event::Decided(Decision::Now)).await;
                } else if !was_complete {
                    self.ask_if_complete().await;
                }
                return;
            }
            self.replace(place).await;
        }
        let Some(want) = want else {
            return;
        };
        if !self.schedule.has_room() {
            self.is_full = true;
            return;
        }
        let base_file = match (subject, &running) {
            (Subject::Executable, _) => Some(self.config.executable.clone()),
            (_, Some(base)) => Some(self.tools.bundles.path(&base.digest)),
            (_, None) => None,
        };
        let release = want.release.clone();
        let is_same = |record: &crate::record::Record| {
            record.digest == release.digest && record.state.activity.subject == *subject
        };
        let leftover = self
            .leftovers
            .iter()
            .position(is_same)
            .map(|place| self.leftovers.remove(place));
        let now = Timestamp::now();
        let mut job = Job::to_release(new_id(now), release.clone(), running, base_file, leftover, now);
        want.mark(&mut job);
        let id = job.id().to_owned();
        job.span
            .in_scope(|| tracing::info!(to = %release.version, phase = ?Phase::Found, "an update was found"));
        self.submit(&job);
        self.jobs.push(job);
        self.begin(&id, &release).await;
    }

    /// Lets an update begin, if the user has granted what it asks for.
    async fn begin(&mut self, id: &str, release: &AuthenticRelease) {
        let subject = release.subject().clone();
        let request = self.consent(&subject, release).await;
        let needs_consent = request.is_some();
        self.shared.with(|picture| {
            picture
                .waiting
                .retain(|waiting| Subject::Widget(waiting.widget.clone()) != subject);
            picture.waiting.extend(request);
        });
        let kept = is_kept(&self.tools.store, &self.tools.bundles, &subject, &release.digest);
        self.happen(id, Event::Begin { kept, needs_consent }).await;
    }

    /// Notes the channel that the running version is offered on: another one later is the user's change. And the schema
    /// that it writes: a version that can't read it is no way back.
    async fn settle(&mut self, subject: &Subject, index: &Index, running: Option<&Base>) {
        let mut changed = false;
        let channel = self.settings.channel_of(subject);
        let is_offered = running.is_some_and(|running| offered(index, &running.digest, channel));
        let settled = self.choices.settled.get(subject);
        if settled != Some(channel) && (is_offered || settled.is_none()) {
            self.choices.settled.insert(subject.clone(), channel.clone());
            changed = true;
        }
        let writes = running
            .and_then(|running| index.release_of(&running.digest))
            .and_then(|release| release.policy.data_schema)
            .map(|data| data.writes);
        if writes > self.choices.schemas.get(subject).copied()
            && let Some(writes) = writes
        {
            self.choices.schemas.insert(subject.clone(), writes);
            changed = true;
        }
        if changed {
            self.keep_choices().await;
        }
    }
}

impl Want {
    /// Tells an update what it takes over with, and how urgent it is.
    fn mark(&self, job: &mut Job) {
        job.record.state.critical |= self.recall;
        job.record.together = self.together;
        job.record.host_api = self.host_api;
        job.record.set.clone_from(&self.set);
    }
}

/// What is wanted for one of the subjects.
fn want(scenes: &[Scene], choices: &[Choice], at: usize) -> Option<Want> {
    let (scene, choice) = (&scenes[at], &choices[at]);
    let release = AuthenticRelease::new(scene.index.clone()?, choice.wanted?)?;
    let is_executable = scene.subject == Subject::Executable;
    let offers = scenes
        .iter()
        .zip(choices)
        .find(|(scene, _)| scene.subject == Subject::Executable)
        .and_then(|(scene, choice)| scene.index.as_ref()?.releases.get(choice.wanted?)?.host_api);
    Some(Want {
        release,
        recall: choice.recall,
        host_api: offers
            .filter(|_| choice.together && !is_executable)
            .map(|range| range.max),
        together: choice.together && !is_executable,
        set: if is_executable && choice.together {
            joined(scenes, choices)
        } else {
            Vec::new()
        },
    })
}

/// The bundles that take over with the executable.
fn joined(scenes: &[Scene], choices: &[Choice]) -> Vec<Joined> {
    let bundles = scenes
        .iter()
        .zip(choices)
        .filter(|(scene, choice)| choice.together && scene.subject != Subject::Executable);
    bundles
        .filter_map(|(scene, choice)| {
            let release = scene.index.as_ref()?.releases.get(choice.wanted?)?;
            Some(Joined {
                subject: scene.subject.clone(),
                version: release.version.clone(),
                digest: release.digest,
                before: scene.running.as_ref().map(|running| running.version.clone()),
            })
        })
        .collect()
}
