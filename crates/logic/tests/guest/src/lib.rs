//! Logic that does what a test asks for, good and bad.

use moult_guest::{Logic, Refused, Value, call, json, say};

struct Guest {
    count: u64,
    settings: Value,
    hoard: Vec<Vec<u8>>,
    /// Makes the snapshot large.
    ballast: String,
}

impl Logic for Guest {
    fn new(settings: Value) -> Self {
        Self {
            count: 0,
            settings,
            hoard: Vec::new(),
            ballast: String::new(),
        }
    }

    fn handle(&mut self, event: Value) -> Value {
        // What comes of timers, of other widgets and of the settings; it is told to the page.
        match event["kind"].as_str() {
            Some("request") => return json!({ "logic": self.count, "asked": event["data"] }),
            Some("settings") => {
                self.settings = event["settings"].clone();
                say(&event);
                return Value::Null;
            }
            Some(_) => {
                say(&event);
                return Value::Null;
            }
            None => {}
        }
        match event["do"].as_str().unwrap_or_default() {
            "version" => json!(option_env!("MOULT_GUEST_VERSION")),
            // Built as another version, it answers otherwise.
            "doubled" => {
                self.count += 1;
                let differs = option_env!("MOULT_GUEST_VERSION") == Some("different");
                json!({ "doubled": self.count * if differs { 3 } else { 2 } })
            }
            "count" => {
                self.count += 1;
                json!(self.count)
            }
            "settings" => self.settings.clone(),
            "call" => match call(event["capability"].as_str().unwrap_or_default(), &event["request"]) {
                Ok(value) => json!({ "ok": value }),
                Err(problem) => json!({ "problem": problem }),
            },
            "flood" => {
                let calls = event["calls"].as_u64().unwrap_or_default();
                let refused = (0..calls).filter(|_| call("system.figures", &json!({})).is_err()).count();
                json!(refused)
            }
            "say" => {
                say(&event["what"]);
                Value::Null
            }
            "loop" => loop {
                std::hint::black_box(self.count);
            },
            "allocate" => loop {
                self.hoard.push(vec![1; 1 << 20]);
            },
            "trap" => panic!("as asked"),
            "recurse" => json!(recurse(event["depth"].as_u64().unwrap_or(u64::MAX))),
            "large" => json!("x".repeat(event["bytes"].as_u64().unwrap_or_default() as usize)),
            "load" => {
                self.ballast = "x".repeat(event["bytes"].as_u64().unwrap_or_default() as usize);
                Value::Null
            }
            "now" => json!(moult_guest::now()),
            "random" => json!(moult_guest::random(16)),
            other => json!({ "unknown": other }),
        }
    }

    fn snapshot(&self) -> Value {
        if self.ballast.is_empty() {
            json!({ "count": self.count })
        } else {
            json!({ "count": self.count, "ballast": self.ballast })
        }
    }

    fn restore(&mut self, state: Value, schema: u32) -> Result<(), Refused> {
        if schema > 2 {
            return Err(format!("schema {schema} is not known here").into());
        }
        self.count = state["count"].as_u64().ok_or("the count is no number")?;
        Ok(())
    }
}

#[inline(never)]
fn recurse(depth: u64) -> u64 {
    let room = std::hint::black_box([depth; 64]);
    if depth == 0 { 0 } else { recurse(depth - 1) + room[5] % 2 }
}

moult_guest::export!(Guest);
