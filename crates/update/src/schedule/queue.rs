//! The machine of the queue.

use jiff::Timestamp;
use moult_model::{Stage, Stages};

use super::policy::{deadline, later};
use super::{Effect, Event, Refusal, Schedule, Task, TaskState, pause, workers};

impl Schedule {
    /// The most updates that are open at once.
    pub const ROOM: usize = 64;
    /// The most ids of ended updates that are kept.
    pub const OVER: usize = 256;

    /// An empty queue, with the ids that were over before.
    pub fn new(stages: Stages, over: Vec<String>) -> Self {
        Self {
            tasks: Vec::new(),
            stages,
            next_place: 0,
            over,
        }
    }

    /// Whether another update can be taken.
    pub fn has_room(&self) -> bool {
        self.tasks.len() < Self::ROOM
    }

    /// The ids that are over, newest last, at most [`OVER`](Self::OVER).
    pub fn over(&self) -> &[String] {
        &self.over
    }

    /// Whether an update runs, that is, whether a result of its work is expected.
    pub fn is_running(&self, id: &str) -> bool {
        self.task(id)
            .is_some_and(|task| matches!(task.state, TaskState::Running { .. }))
    }

    /// When something happens by itself, if nothing else does before.
    pub fn wakes_at(&self, now: Timestamp) -> Option<Timestamp> {
        let moment = |task: &Task| match task.state {
            // What only waits for a worker is woken by its end. A pause may be over since the last event.
            TaskState::Queued { not_before } => {
                (not_before > now || self.at_work(task.stage) < workers(task.stage)).then_some(not_before)
            }
            TaskState::Running { until } => until,
            TaskState::Resting => None,
        };
        self.tasks.iter().filter_map(moment).min()
    }

    /// Lets an event happen.
    pub fn next(&mut self, event: Event, now: Timestamp) -> Vec<Effect> {
        let mut effects = Vec::new();
        match event {
            Event::Submit { id, priority } => {
                if let Some(why) = self.refusal(&id) {
                    effects.push(Effect::Refuse { id, why });
                } else {
                    self.tasks.push(Task {
                        id,
                        priority,
                        place: self.next_place,
                        stage: Stage::Detect,
                        attempt: 0,
                        state: TaskState::Resting,
                    });
                    self.next_place += 1;
                }
            }
            Event::Want { id, stage } => {
                if let Some(task) = self.task_mut(&id) {
                    task.stage = stage;
                    task.attempt = 1;
                    task.state = TaskState::Queued { not_before: now };
                }
                self.hand_out(now, &mut effects);
                self.say_that_it_waits(&id, &mut effects);
                return effects;
            }
            Event::Done { id } | Event::Rest { id } => {
                if let Some(task) = self.task_mut(&id) {
                    task.state = TaskState::Resting;
                }
            }
            Event::Failed { id, again, random } => self.failed(&id, again, random, now, &mut effects),
            Event::Tick { random } => self.time_out(random, now, &mut effects),
            Event::End { id } => {
                self.tasks.retain(|task| task.id != id);
                if !self.over.contains(&id) {
                    self.over.push(id);
                    let excess = self.over.len().saturating_sub(Self::OVER);
                    self.over.drain(..excess);
                }
            }
            Event::Policies(stages) => self.stages = stages,
        }
        // After each event: a pause may have ended meanwhile, and nobody else would notice.
        self.hand_out(now, &mut effects);
        effects
    }

    fn refusal(&self, id: &str) -> Option<Refusal> {
        if self.over.iter().any(|over| over == id) {
            Some(Refusal::AlreadyOver)
        } else if self.task(id).is_some() {
            Some(Refusal::AlreadyQueued)
        } else if !self.has_room() {
            Some(Refusal::QueueFull)
        } else {
            None
        }
    }

    fn failed(&mut self, id: &str, again: bool, random: u32, now: Timestamp, effects: &mut Vec<Effect>) {
        let stages = self.stages;
        let Some(task) = self.task_mut(id) else {
            return;
        };
        if !matches!(task.state, TaskState::Running { .. }) {
            return;
        }
        let policy = stages.of(task.stage);
        if again && task.attempt < policy.tries {
            let not_before = later(now, pause(policy, task.attempt, random));
            task.attempt += 1;
            task.state = TaskState::Queued { not_before };
            effects.push(Effect::Wait {
                id: id.to_owned(),
                stage: task.stage,
            });
        } else {
            task.state = TaskState::Resting;
            effects.push(Effect::GiveUp { id: id.to_owned() });
        }
    }

    fn time_out(&mut self, random: u32, now: Timestamp, effects: &mut Vec<Effect>) {
        let is_late =
            |task: &&Task| matches!(task.state, TaskState::Running { until: Some(until) } if until <= now);
        let late: Vec<_> = self
            .tasks
            .iter()
            .filter(is_late)
            .map(|task| (task.id.clone(), task.stage))
            .collect();
        for (id, stage) in late {
            effects.push(Effect::Stop {
                id: id.clone(),
                stage,
                seconds: self.stages.of(stage).timeout_seconds,
            });
            self.failed(&id, true, random, now, effects);
        }
    }

    /// Gives free workers to whoever is first.
    fn hand_out(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        let mut order: Vec<usize> = (0..self.tasks.len()).collect();
        order.sort_by_key(|place| (self.tasks[*place].priority, self.tasks[*place].place));
        for place in order {
            let stage = self.tasks[place].stage;
            let is_due =
                matches!(self.tasks[place].state, TaskState::Queued { not_before } if not_before <= now);
            if !is_due || self.at_work(stage) >= workers(stage) {
                continue;
            }
            let until = deadline(self.stages.of(stage), stage, now);
            let task = &mut self.tasks[place];
            task.state = TaskState::Running { until };
            effects.push(Effect::Run {
                id: task.id.clone(),
                stage,
                attempt: task.attempt,
            });
        }
    }

    /// How many are at work in a stage.
    fn at_work(&self, stage: Stage) -> usize {
        let is_there = |task: &&Task| task.stage == stage && matches!(task.state, TaskState::Running { .. });
        self.tasks.iter().filter(is_there).count()
    }

    fn say_that_it_waits(&self, id: &str, effects: &mut Vec<Effect>) {
        if let Some(task) = self.task(id)
            && matches!(task.state, TaskState::Queued { .. })
        {
            effects.push(Effect::Wait {
                id: id.to_owned(),
                stage: task.stage,
            });
        }
    }

    fn task(&self, id: &str) -> Option<&Task> {
        self.tasks.iter().find(|task| task.id == id)
    }

    fn task_mut(&mut self, id: &str) -> Option<&mut Task> {
        self.tasks.iter_mut().find(|task| task.id == id)
    }
}

#[cfg(test)]
mod tests;
