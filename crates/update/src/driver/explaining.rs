//! Why everything has the version it has, for the picture and for whoever asks later. It refuses to know the reasons: they come from
//! `select`.

use std::collections::BTreeMap;
use std::time::Duration;

use moult_model::{Explanation, Problem, Subject};
use tokio::time::Instant;

use super::Driver;
use crate::check::Checker;
use crate::error::chain;
use crate::fetch::blocking;

impl Driver {
    /// How old what was noted of explanations may be.
    const NOTED_FOR: Duration = Duration::from_hours(1);

    /// Says with each explanation what stands before all releases, and notes it for whoever asks while nothing runs.
    pub(super) async fn explain(&mut self, problem: Option<&Problem>) {
        let beliefs = self.checker.as_ref().map(Checker::beliefs);
        let mut explained: BTreeMap<Subject, Explanation> =
            self.shared.with(|picture| picture.explanations.clone());
        for explanation in explained.values_mut() {
            let gate = &mut explanation.gate;
            gate.problem = problem.cloned();
            if let Some(beliefs) = &beliefs {
                gate.expires = beliefs.expires.map(|at| at.to_string());
                let floors = beliefs.floor.roles.iter();
                gate.floors = floors
                    .map(|(role, floor)| (role.clone(), floor.version))
                    .collect();
            }
        }
        self.shared
            .with(|picture| picture.explanations.clone_from(&explained));
        let lines: Vec<Explanation> = explained.into_values().collect();
        if self.explained.as_ref().is_some_and(|(noted, at)| {
            at.elapsed() < Self::NOTED_FOR && noted.iter().map(timeless).eq(lines.iter().map(timeless))
        }) {
            return;
        }
        let (records, written) = (self.records.clone(), lines.clone());
        match blocking(move || Ok(records.store_explained(&written)?)).await {
            Ok(()) => self.explained = Some((lines, Instant::now())),
            Err(error) => tracing::warn!(error = chain(&error), "the explanations could not be noted"),
        }
    }
}

/// An explanation without what changes with each check.
fn timeless(explanation: &Explanation) -> Explanation {
    let mut explanation = explanation.clone();
    explanation.gate.at = None;
    explanation.gate.expires = None;
    explanation.gate.orders_read = None;
    explanation.gate.floors.clear();
    explanation
}
