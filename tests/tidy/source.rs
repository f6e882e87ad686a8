//! Reads Rust and JavaScript just far enough to tell code from comments and strings; it never decides what is allowed.

/// Which language a text is in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    /// Comments nest, quotes may be lifetimes, strings may be raw.
    Rust,
    /// Three kinds of quotes, and slashes that begin a pattern.
    JavaScript,
}

/// One word or one sign of code.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    /// A word, or a single sign.
    pub(crate) text: &'a str,
    /// Where it begins, in bytes. Comments and strings are blanked in place, so this is also its place in the file.
    pub(crate) offset: usize,
}

impl Token<'_> {
    /// Whether this is a name or a keyword.
    pub(crate) fn is_word(&self) -> bool {
        self.text.starts_with(is_word_char)
    }
}

/// The text with the content of comments and strings blanked, byte for byte; quotes and line ends stay.
pub(crate) fn code_of(text: &str, language: Language) -> String {
    let mut scan = Scan {
        rest: text,
        out: String::with_capacity(text.len()),
        language,
    };
    scan.code(None);
    scan.out
}

/// The words and signs of `code`, which is blanked already.
pub(crate) fn tokens(code: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut chars = code.char_indices().peekable();
    while let Some((offset, sign)) = chars.next() {
        if sign.is_whitespace() {
            continue;
        }
        let mut end = offset + sign.len_utf8();
        if is_word_char(sign) {
            while let Some((next, letter)) = chars.next_if(|(_, letter)| is_word_char(*letter)) {
                end = next + letter.len_utf8();
            }
        }
        let text = code.get(offset..end).expect("both ends are char borders");
        found.push(Token { text, offset });
    }
    found
}

/// Whether every bracket of `code` is closed by its like. Where it is not, this reader has taken text for code or code
/// for text, and no rule can be trusted.
pub(crate) fn is_balanced(code: &str) -> bool {
    let mut open = Vec::new();
    for sign in code.chars() {
        match sign {
            '(' => open.push(')'),
            '[' => open.push(']'),
            '{' => open.push('}'),
            ')' | ']' | '}' if open.pop() != Some(sign) => return false,
            _ => {}
        }
    }
    open.is_empty()
}

/// The line of a byte offset, counted from 1.
pub(crate) fn line_of(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().iter().take(offset);
    before.filter(|byte| **byte == b'\n').count() + 1
}

/// The text without what stands from its test module on: tests stand at the foot of a file.
pub(crate) fn without_tests(text: &str) -> &str {
    text.split("\n#[cfg(test)]\nmod ").next().unwrap_or(text)
}

fn is_word_char(sign: char) -> bool {
    sign.is_alphanumeric() || sign == '_'
}

/// A walk through a text.
struct Scan<'a> {
    rest: &'a str,
    out: String,
    language: Language,
}

impl Scan<'_> {
    /// Copies code up to `end`, a sign outside of any bracket that was opened on the way, or to the end of the text.
    fn code(&mut self, end: Option<char>) {
        let mut depth = 0_u32;
        while let Some(sign) = self.rest.chars().next() {
            if depth == 0 && end == Some(sign) {
                return;
            }
            match sign {
                '{' => depth += 1,
                '}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if !self.blank_here(sign) {
                self.keep(sign.len_utf8());
            }
        }
    }

    /// Blanks a comment or string that begins here; false when none does.
    fn blank_here(&mut self, sign: char) -> bool {
        if self.rest.starts_with("//") {
            self.blank(self.rest.find('\n').unwrap_or(self.rest.len()));
        } else if self.rest.starts_with("/*") {
            self.blank(comment_len(self.rest, self.language));
        } else {
            return match self.language {
                Language::Rust => self.blank_rust(sign),
                Language::JavaScript => self.blank_javascript(sign),
            };
        }
        true
    }

    fn blank_rust(&mut self, sign: char) -> bool {
        match sign {
            '"' => self.quoted('"'),
            'r' | 'b' if !self.follows_word() => match raw_string_len(self.rest) {
                Some(len) => self.blank(len),
                None => return false,
            },
            '\'' => match char_literal_len(self.rest) {
                Some(len) => self.blank(len),
                None => return false,
            },
            _ => return false,
        }
        true
    }

    fn blank_javascript(&mut self, sign: char) -> bool {
        match sign {
            '"' | '\'' => self.quoted(sign),
            '`' => self.template(),
            '/' if self.pattern_may_begin() => self.blank(pattern_len(self.rest)),
            _ => return false,
        }
        true
    }

    /// A string in quotes with backslash escapes; the quotes stay.
    fn quoted(&mut self, quote: char) {
        self.keep(1);
        let len = escaped_len(self.rest, |sign| sign == quote);
        self.blank(len);
        self.keep(quote.len_utf8().min(self.rest.len()));
    }

    /// A template: its text is blanked, the code inside `${…}` stays.
    fn template(&mut self) {
        self.keep(1);
        loop {
            let text = escaped_len(self.rest, |sign| sign == '`' || sign == '$');
            self.blank(text);
            if self.rest.starts_with("${") {
                self.keep(2);
                self.code(Some('}'));
                self.keep(1.min(self.rest.len()));
            } else if self.rest.starts_with('$') {
                self.blank(1);
            } else {
                self.keep(1.min(self.rest.len()));
                return;
            }
        }
    }

    fn follows_word(&self) -> bool {
        self.out.chars().next_back().is_some_and(is_word_char)
    }

    /// Whether a slash here begins a pattern and does not divide.
    fn pattern_may_begin(&self) -> bool {
        let before = self.out.trim_end();
        match before.chars().next_back() {
            None => true,
            Some(sign) if is_word_char(sign) => {
                let word = before.rsplit(|sign| !is_word_char(sign)).next();
                matches!(word, Some("return" | "case" | "typeof"))
            }
            Some(sign) => !matches!(sign, ')' | ']' | '}' | '"' | '\'' | '`'),
        }
    }

    fn keep(&mut self, len: usize) {
        let (kept, rest) = self.rest.split_at(len);
        self.out.push_str(kept);
        self.rest = rest;
    }

    fn blank(&mut self, len: usize) {
        let (blanked, rest) = self.rest.split_at(len);
        let blanks = blanked
            .bytes()
            .map(|byte| if byte == b'\n' { '\n' } else { ' ' });
        self.out.extend(blanks);
        self.rest = rest;
    }
}

/// The bytes up to the first sign that `ends`, where a backslash hides the sign after it.
fn escaped_len(text: &str, ends: impl Fn(char) -> bool) -> usize {
    let mut escaped = false;
    for (offset, sign) in text.char_indices() {
        match (escaped, sign) {
            (true, _) => escaped = false,
            (false, '\\') => escaped = true,
            (false, _) if ends(sign) => return offset,
            _ => {}
        }
    }
    text.len()
}

/// The bytes of a block comment, which nests in Rust.
fn comment_len(text: &str, language: Language) -> usize {
    let mut depth = 0_u32;
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with("/*") && (depth == 0 || language == Language::Rust) {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// The bytes of a raw string that begins here, if one does.
fn raw_string_len(text: &str) -> Option<usize> {
    let rest = text.strip_prefix("br").or_else(|| text.strip_prefix('r'))?;
    let hashes: String = rest.chars().take_while(|sign| *sign == '#').collect();
    let content = rest.strip_prefix(hashes.as_str())?.strip_prefix('"')?;
    let end = format!("\"{hashes}");
    let start = text.len() - content.len();
    Some(
        content
            .find(&end)
            .map_or(text.len(), |at| start + at + end.len()),
    )
}

/// The bytes of a character that begins here; none for a lifetime.
fn char_literal_len(text: &str) -> Option<usize> {
    let content = text.strip_prefix('\'')?;
    let escaped = content.starts_with('\\');
    let len = escaped_len(content, |sign| sign == '\'' || sign == '\n');
    let is_char = escaped || content.get(..len)?.chars().count() == 1;
    (is_char && content.get(len..)?.starts_with('\'')).then_some(len + 2)
}

/// The bytes of a pattern that begins here; a slash inside of brackets does not end it.
fn pattern_len(text: &str) -> usize {
    let mut in_class = false;
    let mut escaped = false;
    for (offset, sign) in text.char_indices().skip(1) {
        match (escaped, sign) {
            (true, _) => escaped = false,
            (false, '\\') => escaped = true,
            (false, '[') => in_class = true,
            (false, ']') => in_class = false,
            (false, '\n') => return offset,
            (false, '/') if !in_class => return offset + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str, language: Language) -> Vec<String> {
        tokens(&code_of(text, language))
            .iter()
            .filter(|token| token.is_word())
            .map(|token| token.text.to_owned())
            .collect()
    }

    #[test]
    fn rust_comments_strings_and_characters_are_blanked_and_lifetimes_stay() {
        let text = "fn a<'x>(b: &'x str) { /* c /* d */ e */ f(\"g\\\"h\", r#\"i\"j\"#, br\"l\\\", b\"m\", 'k', '\\'', '\"'); } // l";
        assert_eq!(
            words(text, Language::Rust),
            ["fn", "a", "x", "b", "x", "str", "f", "b"]
        );
        assert_eq!(code_of(text, Language::Rust).len(), text.len());
        assert!(is_balanced(&code_of(text, Language::Rust)));
    }

    #[test]
    fn javascript_strings_templates_and_patterns_are_blanked_and_their_code_stays() {
        let text =
            "a('b', \"c\\\"\", `d ${e(`f${g}`)} $h`, /[/\"]i/.test(j), k / l / m); /* n */ // o";
        assert_eq!(
            words(text, Language::JavaScript),
            ["a", "e", "g", "test", "j", "k", "l", "m"]
        );
        assert!(is_balanced(&code_of(text, Language::JavaScript)));
    }

    #[test]
    fn offsets_are_those_of_the_file_whatever_stands_before() {
        let text = "/* 日本 */\n\"語\" x";
        let code = code_of(text, Language::Rust);
        let all = tokens(&code);
        let last = all.last().unwrap();
        assert_eq!(text.get(last.offset..), Some("x"));
        assert_eq!(line_of(text, last.offset), 2);
    }

    #[test]
    fn a_text_that_ends_in_the_middle_of_something_ends() {
        for text in ["\"a", "/* a", "r#\"a", "'", "`a ${b", "`", "a = /b"] {
            assert_eq!(code_of(text, Language::Rust).len(), text.len(), "{text}");
            assert_eq!(
                code_of(text, Language::JavaScript).len(),
                text.len(),
                "{text}"
            );
        }
    }

    #[test]
    fn brackets_that_do_not_match_are_found() {
        assert!(is_balanced("a(b[c], { d })"));
        for code in ["(", ")", "(]", "{[}]"] {
            assert!(!is_balanced(code), "{code}");
        }
    }

    #[test]
    fn tests_at_the_foot_are_cut_off() {
        assert_eq!(without_tests("a\n\n#[cfg(test)]\nmod tests {\n}\n"), "a\n");
        assert_eq!(
            without_tests("a\n#[cfg(test)]\nfn b() {}\n"),
            "a\n#[cfg(test)]\nfn b() {}\n"
        );
    }
}
