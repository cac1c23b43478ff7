//! The words, signs and texts of a Rust source, without comments. Refuses to know what they mean.

/// A word, a sign, or a text in quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    /// As it is written, texts with their quotes; `::` is one sign, all others have one character. Raw
    /// texts and single characters are left out.
    pub(crate) text: String,
    /// The line on which it stands; the first is 1.
    pub(crate) line: usize,
    /// Whether it is a word: a name, a keyword or a number.
    pub(crate) is_word: bool,
}

/// Takes a source apart.
pub(crate) fn tokens(text: &str) -> Vec<Token> {
    let characters: Vec<char> = text.chars().collect();
    let mut found = Vec::new();
    let (mut at, mut line) = (0, 1);
    while at < characters.len() {
        let rest = &characters[at..];
        let length = match rest {
            ['/', '/', ..] => rest.iter().take_while(|character| **character != '\n').count(),
            ['/', '*', ..] => comment(rest),
            ['"', ..] | ['b', '"', ..] => quoted(rest),
            ['r', '"' | '#', ..] | ['b', 'r', '"' | '#', ..] if raw(rest).is_some() => raw(rest).unwrap_or(1),
            ['\'', '\\', ..] => 2 + quote_after(&rest[2..]),
            ['\'', _, '\'', ..] => 3,
            [':', ':', ..] => 2,
            [first, ..] if is_of_word(*first) => rest
                .iter()
                .take_while(|character| is_of_word(**character))
                .count(),
            _ => 1,
        };
        let token: String = rest[..length].iter().collect();
        let is_word = is_of_word(rest[0]) && token.chars().all(is_of_word);
        let is_sign = length == 1 && !rest[0].is_whitespace() || token == "::";
        let is_text = rest[0] == '"';
        if is_word || is_text || is_sign && rest[0] != '\'' {
            found.push(Token {
                text: token.clone(),
                line,
                is_word,
            });
        }
        line += token.matches('\n').count();
        at += length;
    }
    found
}

fn is_of_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// The length of a comment in which there may be others.
fn comment(text: &[char]) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < text.len() {
        match text[at..] {
            ['/', '*', ..] => (depth, at) = (depth + 1, at + 2),
            ['*', '/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// The length of a text in quotes.
fn quoted(text: &[char]) -> usize {
    let mut at = if text[0] == 'b' { 2 } else { 1 };
    while at < text.len() {
        match text[at] {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    text.len()
}

/// The length of a raw text.
fn raw(text: &[char]) -> Option<usize> {
    let start = if text[0] == 'b' { 2 } else { 1 };
    let hashes = text[start..]
        .iter()
        .take_while(|character| **character == '#')
        .count();
    if text.get(start + hashes) != Some(&'"') {
        return None;
    }
    let mut at = start + hashes + 1;
    while at < text.len() {
        let closing = text[at + 1..]
            .iter()
            .take_while(|character| **character == '#')
            .count();
        if text[at] == '"' && closing >= hashes {
            return Some(at + 1 + hashes);
        }
        at += 1;
    }
    Some(text.len())
}

/// How far it is to the end of a character that begins with a backslash; that one is left out.
fn quote_after(text: &[char]) -> usize {
    let escaped = text.iter().skip(1).position(|character| *character == '\'');
    escaped.map_or(text.len(), |at| at + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_left_out_and_lines_are_counted() {
        let text = "a // b\n/* c /* d */ e */ f::g(\"h \\\" i\", r#\"j\"k\"#, b\"l\", 'm', '\\'', '\\u{1}')\n&'n o_1";
        let shown: Vec<_> = tokens(text)
            .iter()
            .map(|token| format!("{}{}", token.text, token.line))
            .collect();
        let expected = [
            "a1",
            "f2",
            "::2",
            "g2",
            "(2",
            "\"h \\\" i\"2",
            ",2",
            ",2",
            ",2",
            ",2",
            ",2",
            ")2",
            "&3",
            "n3",
            "o_13",
        ];
        assert_eq!(shown, expected);
    }
}
