//! The page: what is shown, what is kept, and the file it is saved to. Refuses to know who hands over to whom.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use moult_boot::WriteRight;
use serde_json::Value;

pub(crate) struct Page {
    pub(crate) data: PathBuf,
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) kept: Vec<String>,
    pub(crate) frozen: bool,
    /// What is typed now goes to another window.
    pub(crate) parted: bool,
    pub(crate) right: Option<WriteRight>,
}

impl Page {
    pub(crate) fn new(data: &Path, name: &str) -> Self {
        Self {
            data: data.to_owned(),
            name: name.to_owned(),
            text: String::new(),
            kept: Vec::new(),
            frozen: false,
            parted: false,
            right: None,
        }
    }

    /// Begins with what is on the disk.
    pub(crate) fn open(&mut self, right: WriteRight) {
        self.text = fs::read_to_string(self.data.join("text")).unwrap_or_default();
        self.right = Some(right);
        self.save();
    }

    /// What became of the key.
    pub(crate) fn type_key(&mut self, key: &str) -> &'static str {
        if self.parted {
            return "elsewhere";
        }
        if self.frozen {
            self.kept.push(key.to_owned());
            return "kept";
        }
        self.text.push_str(key);
        self.save();
        "shown"
    }

    pub(crate) fn add(&mut self, keys: &[Value]) {
        for key in keys {
            self.text.push_str(key.as_str().unwrap());
        }
    }

    /// Saves the text, and notes in a journal who did so by which right. Both are whole lines or nothing.
    pub(crate) fn save(&self) {
        let right = self.right.as_ref().unwrap();
        right.check().unwrap();
        let new = self.data.join(format!("text.{}", self.name));
        fs::write(&new, &self.text).unwrap();
        fs::rename(&new, self.data.join("text")).unwrap();
        let line = format!("{} {} {}\n", right.generation(), self.name, self.text);
        let mut journal = fs::File::options()
            .append(true)
            .create(true)
            .open(self.data.join("journal"))
            .unwrap();
        journal.write_all(line.as_bytes()).unwrap();
    }
}
