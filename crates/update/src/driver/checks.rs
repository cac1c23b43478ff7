//! When a check is made, and what follows from what it found.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use moult_model::bundle::Permission;
use moult_model::stage::ConsentRequest;
use moult_model::{Bundle, ErrorCode, Release, Subject};
use tokio::time::Instant;

use super::{Driver, Message, in_words};
use crate::check::Checked;
use crate::error::{UpdateError, chain};
use crate::fetch::blocking;
use crate::link::Link;
use crate::perform::base_of;
use crate::plan::Base;
use crate::words;

impl Driver {
    /// Begins a check, or sees to it that another one follows the one under way.
    pub(super) fn begin_check(&mut self) {
        let Some(checker) = self.checker.take() else {
            self.check_again = true;
            return;
        };
        self.check_again = false;
        self.is_full = false;
        let (subjects, sender) = (self.subjects(), self.sender.clone());
        let limit = self.settings.stages.in_range().detect.timeout_seconds;
        let looks = self.tools.repository.is_remote();
        self.work.spawn(async move {
            let link = if looks { Some(Link::look().await) } else { None };
            let mut found = checker.check(subjects, Timestamp::now(), limit).await;
            found.link = link;
            // Nobody listens any more when the engine has ended.
            let _ = sender.send(Message::Checked(Box::new(found)));
        });
    }

    pub(super) async fn end_check(&mut self, checked: Checked) {
        let Checked {
            checker,
            mut outcome,
            indexes,
            orders,
            failed,
            link,
        } = checked;
        self.note_link(link);
        self.pass_alerts();
        let beliefs = in_words(&checker.beliefs());
        self.checker = Some(checker);
        let mut read = Vec::new();
        let unread = orders.as_ref().err().map(|error| (error.code(), chain(error)));
        if outcome.is_ok() {
            for (subject, index) in indexes {
                read.push(subject.clone());
                self.indexes.insert(subject, index);
            }
            // Nothing is installed on the word of orders that this computer can't remember.
            outcome = self.note_orders(orders).await;
        }
        let problem = match (&outcome, &failed) {
            (Err(error), _) => Some(words::check(error.code(), None, chain(error))),
            (Ok(()), Some((subject, error))) => Some(words::check(error.code(), Some(subject), chain(error))),
            (Ok(()), None) => unread.map(|(code, detail)| words::orders(code, detail)),
        };
        if let Some(problem) = &problem {
            tracing::warn!(code = ?problem.code, detail = problem.detail, "a check failed");
        }
        let server_failed = matches!(&outcome, Err(error) if error.code() == ErrorCode::ServerFailed);
        // A check that asked nobody says nothing more about the server.
        let was_resting = matches!(&outcome, Err(error) if error.is_resting());
        self.server_failures = if was_resting {
            self.server_failures
        } else if server_failed {
            self.server_failures.saturating_add(1)
        } else {
            0
        };
        self.next_check = self.after_a_while();
        if outcome.is_ok() {
            self.consider(&read).await;
            // What nobody took up is no longer wanted, unless there was only no room for it.
            if !self.is_full {
                for record in std::mem::take(&mut self.leftovers) {
                    self.close(record.id());
                }
            }
            self.keep_pending().await;
        }
        self.explain(problem.as_ref()).await;
        // Said last: whoever sees that a check has ended sees what followed from it, too.
        self.shared.with(|picture| {
            picture.beliefs = beliefs;
            picture.check_problem = problem;
            if outcome.is_ok() {
                picture.checked_at = Some(Timestamp::now());
            }
        });
        self.show();
        if self.check_again {
            self.begin_check();
        }
    }

    /// The time of the next check: the usual one with jitter, later while the server fails.
    pub(super) fn after_a_while(&self) -> Instant {
        let random = getrandom::u32().unwrap_or(u32::MAX / 2);
        let seconds = self.settings.check_every_seconds;
        Instant::now()
            + pause(
                seconds,
                self.config.check_jitter_percent,
                self.server_failures,
                random,
            )
    }

    /// What a widget's new version asks for beyond what the one that runs asks for, and the user has not
    /// granted. The first installation waits for nothing: it gets nothing until the user grants it.
    pub(super) async fn consent(&self, subject: &Subject, release: &Release) -> Option<ConsentRequest> {
        let Subject::Widget(widget) = subject else {
            return None;
        };
        let current = self.tools.bundles.subject(subject).ok()?.current?;
        let path = self.tools.bundles.path(&current.digest);
        let bundle = blocking(move || {
            let bytes = std::fs::read(&path).map_err(UpdateError::disk("read", &path))?;
            Ok(Bundle::parse(bytes).ok())
        });
        // A bundle that can't be read asks for nothing, so everything is new.
        let bundle = bundle.await.ok().flatten();
        let asked: &[Permission] = bundle
            .as_ref()
            .map_or(&[], |bundle| &bundle.manifest().permissions);
        let is_new = |wish: &&Permission| {
            !asked.iter().any(|known| known.capability == wish.capability)
                && !self.tools.host.granted(subject, &wish.capability)
        };
        let permissions: Vec<Permission> = release.permissions.iter().filter(is_new).cloned().collect();
        let name = bundle.as_ref().map_or_else(
            || widget.name().to_owned(),
            |bundle| bundle.manifest().name.clone(),
        );
        let version = release.version.clone();
        (!permissions.is_empty()).then(|| ConsentRequest {
            widget: widget.clone(),
            name,
            version,
            permissions,
        })
    }

    /// What runs for a subject, and what is banned for it.
    pub(super) fn running(
        &self,
        subject: &Subject,
    ) -> Result<(Option<Base>, BTreeSet<moult_model::Digest>), UpdateError> {
        if *subject == Subject::Executable {
            let running = &self.config.running;
            let base = Base {
                version: running.version.clone(),
                digest: running.digest,
            };
            let refused = self.tools.store.state()?.refused().collect();
            return Ok((Some(base), refused));
        }
        let banned = self
            .tools
            .bundles
            .subject(subject)?
            .banned
            .iter()
            .map(|ban| ban.digest)
            .collect();
        Ok((base_of(&self.tools.bundles, subject)?, banned))
    }
}

/// The time between two checks. Each check in a row that the server failed doubles it, up to an hour or
/// the usual time, whichever is longer. `random` is uniform over all its values.
pub fn pause(every_seconds: u32, jitter_percent: u8, server_failures: u32, random: u32) -> Duration {
    const LONGEST: Duration = Duration::from_hours(1);
    let usual = Duration::from_secs(u64::from(every_seconds.clamp(1, 86_400)));
    let spread = f64::from(jitter_percent.min(90)) / 100.0;
    let place = f64::from(random) / f64::from(u32::MAX);
    let delay = usual.mul_f64(1.0 + spread * (2.0 * place - 1.0));
    delay
        .saturating_mul(2_u32.saturating_pow(server_failures.min(20)))
        .min(LONGEST.max(delay))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_come_with_jitter_and_more_rarely_while_the_server_fails() {
        for (seconds, jitter, failures, random, expected) in [
            (300, 10, 0, 0, 270),
            (300, 10, 0, u32::MAX, 330),
            (300, 0, 0, 7, 300),
            (300, 0, 1, 7, 600),
            (300, 0, 3, 7, 2400),
            (300, 0, 4, 7, 3600),
            (300, 0, u32::MAX, 7, 3600),
            (86_400, 0, 5, 7, 86_400),
            (0, 0, 0, 7, 1),
            (u32::MAX, 0, 0, 7, 86_400),
        ] {
            let found = pause(seconds, jitter, failures, random);
            assert_eq!(
                found.as_secs(),
                expected,
                "{seconds} s, {jitter} %, {failures} failures"
            );
        }
    }
}
