//! What the user is told of logic that does not run as it should: that it is started again, for long enough to be read, or
//! that it stays off, until it does not.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use moult_model::stage::LogicNotice;

use crate::app::Context;
use crate::overview;

/// How long it is said that logic was started again.
const READING: Duration = Duration::from_secs(8);

/// The notices, one for each instance at most.
#[derive(Default)]
pub(super) struct Notices(Mutex<BTreeMap<String, (u64, LogicNotice)>>);

impl Notices {
    fn all_of_them(&self) -> MutexGuard<'_, BTreeMap<String, (u64, LogicNotice)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn all(&self) -> Vec<LogicNotice> {
        self.all_of_them()
            .values()
            .map(|(_, notice)| notice.clone())
            .collect()
    }

    /// The last one of an instance counts.
    pub(super) fn add(&self, context: &Weak<Context>, notice: LogicNotice) {
        let instance = notice.instance.clone();
        {
            let mut all = self.all_of_them();
            let number = all.get(&instance).map_or(0, |(number, _)| number + 1);
            all.insert(instance.clone(), (number, notice));
        }
        if let Some(context) = context.upgrade() {
            overview::announce(&context);
        }
    }

    pub(super) fn clear(&self, instance: &str) {
        self.all_of_them().remove(instance);
    }

    /// It runs again: the notice goes when it can have been read.
    pub(super) fn recovered(&self, context: &Weak<Context>, instance: &str) {
        let Some(number) = self.all_of_them().get(instance).map(|(number, _)| *number) else {
            return;
        };
        let (context, instance) = (context.clone(), instance.to_owned());
        tauri::async_runtime::spawn(async move {
            tokio::time::sleep(READING).await;
            let Some(context) = context.upgrade() else { return };
            let notices = &context.logic.notices;
            let is_last = notices
                .all_of_them()
                .get(&instance)
                .is_some_and(|(last, notice)| *last == number && !notice.off);
            if is_last {
                notices.clear(&instance);
                overview::announce(&context);
            }
        });
    }
}
