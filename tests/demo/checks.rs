//! Claims: each is told, checked and remembered.

use serde::Serialize;

use crate::screen::Screen;

/// Something that the demonstration says of the product.
#[derive(Debug, Serialize)]
pub(crate) struct Claim {
    /// In words, with what was found.
    pub(crate) text: String,
    /// Whether it held.
    pub(crate) holds: bool,
}

/// All claims so far.
#[derive(Debug)]
pub(crate) struct Claims<'a> {
    screen: &'a Screen,
    all: Vec<Claim>,
}

impl<'a> Claims<'a> {
    pub(crate) fn new(screen: &'a Screen) -> Self {
        Self {
            screen,
            all: Vec::new(),
        }
    }

    /// Tells a claim and whether it held.
    pub(crate) fn that(&mut self, holds: bool, text: impl Into<String>) {
        let text = text.into();
        self.screen.claim(&text, holds);
        self.all.push(Claim { text, holds });
    }

    pub(crate) fn into_all(self) -> Vec<Claim> {
        self.all
    }
}
