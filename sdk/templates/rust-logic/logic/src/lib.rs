//! The logic of the widget: it keeps the counter, and tells the page whenever that changes.

use moult_guest::{Logic, Refused, Value, json};

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// What the logic keeps. Its shape has a number, the schema in moult.json; this is schema 2.
#[derive(Debug, Default, PartialEq)]
struct Counter {
    count: u64,
    /// The day that was counted on, in days since 1970, UTC.
    day: u64,
}

impl Counter {
    /// Each day begins at zero.
    fn on_day(&mut self, day: u64) {
        if self.day != day {
            *self = Self { count: 0, day };
        }
    }

    fn add(&mut self, amount: i64) {
        self.count = self.count.saturating_add_signed(amount).min(999);
    }

    /// Reads a state of this schema or an older one. When the shape changes again, raise the schema in moult.json, and
    /// add a step here.
    fn read(state: &Value, schema: u32) -> Result<Self, Refused> {
        let number = |name: &str| {
            let found = state[name].as_u64();
            found.ok_or_else(|| Refused::from(format!("`{name}` is no number")))
        };
        match schema {
            // Schema 1 had no day.
            1 => Ok(Self {
                count: number("count")?,
                day: 0,
            }),
            2 => Ok(Self {
                count: number("count")?,
                day: number("day")?,
            }),
            other => Err(format!("schema {other} is not known here").into()),
        }
    }
}

impl Logic for Counter {
    fn new(_settings: Value) -> Self {
        Self::default()
    }

    fn handle(&mut self, event: Value) -> Value {
        self.on_day(moult_guest::now() / DAY_MS);
        // Any other event is a page that wants to know.
        if event["kind"] == "add" {
            self.add(event["amount"].as_i64().unwrap_or(1));
        }
        json!({ "count": self.count })
    }

    fn snapshot(&self) -> Value {
        json!({ "count": self.count, "day": self.day })
    }

    fn restore(&mut self, state: Value, schema: u32) -> Result<(), Refused> {
        *self = Self::read(&state, schema)?;
        Ok(())
    }
}

moult_guest::export!(Counter);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_counts_up_and_down_and_never_below_zero() {
        let mut counter = Counter { count: 1, day: 7 };
        counter.add(1);
        assert_eq!(counter.count, 2);
        counter.add(-5);
        assert_eq!(counter.count, 0);
    }

    #[test]
    fn each_day_begins_at_zero() {
        let mut counter = Counter { count: 5, day: 7 };
        counter.on_day(7);
        assert_eq!(counter.count, 5);
        counter.on_day(8);
        assert_eq!(counter, Counter { count: 0, day: 8 });
    }

    #[test]
    fn what_is_kept_comes_back_also_from_schema_1() {
        let counter = Counter { count: 5, day: 7 };
        assert_eq!(Counter::read(&counter.snapshot(), 2).unwrap(), counter);
        assert_eq!(Counter::read(&json!({ "count": 3 }), 1).unwrap().count, 3);
        assert!(Counter::read(&json!({ "count": "3" }), 2).is_err());
        assert!(Counter::read(&json!({}), 9).is_err());
    }
}
