//! Tables in Markdown, and numbers as a person reads them. It knows nothing of what they mean.

use std::fmt::Write as _;

/// A table that grows row by row.
pub(super) struct Table(String);

impl Table {
    /// With these headings.
    pub(super) fn new<'a>(headings: impl IntoIterator<Item = &'a str>) -> Self {
        let headings: Vec<&str> = headings.into_iter().collect();
        let mut table = Self(String::new());
        table.row(headings.iter().copied());
        table.row(headings.iter().map(|_| "---"));
        table
    }

    /// One more row.
    pub(super) fn row<S: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = S>) {
        for cell in cells {
            write!(self.0, "| {} ", cell.as_ref()).expect("writing to a string cannot fail");
        }
        self.0.push_str("|\n");
    }

    /// All of it.
    pub(super) fn text(self) -> String {
        self.0
    }
}

/// The middle of them, or between the two in the middle; 0 of none.
pub(super) fn median(numbers: impl IntoIterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = numbers.into_iter().collect();
    sorted.sort_by(f64::total_cmp);
    let (low, high) = (sorted.len().saturating_sub(1) / 2, sorted.len() / 2);
    match (sorted.get(low), sorted.get(high)) {
        (Some(low), Some(high)) => f64::midpoint(*low, *high),
        _ => 0.0,
    }
}

/// With about three digits: `1234`, `123`, `12.3`, `1.23`, `0.12`.
pub(super) fn number(value: f64) -> String {
    match value {
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// How many times `base`; a dash where there is nothing to compare with.
pub(super) fn ratio(value: f64, base: f64) -> String {
    if base > 0.0 {
        format!("{:.2}", value / base)
    } else {
        "–".to_owned()
    }
}

/// Bytes in the largest unit that leaves at least 1: `1 KiB`, `4.3 GiB`.
pub(super) fn size(bytes: u64) -> String {
    let mut units = [(1_u64 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")].into_iter();
    match units.find(|(unit, _)| bytes >= *unit) {
        None => format!("{bytes} B"),
        Some((unit, name)) if bytes.is_multiple_of(unit) => format!("{} {name}", bytes / unit),
        Some((unit, name)) => {
            let tenths = u128::from(bytes) * 10 / u128::from(unit);
            format!("{}.{} {name}", tenths / 10, tenths % 10)
        }
    }
}

/// A count with its thousands apart: `1 000 000`.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_a_line_under_its_headings() {
        let mut table = Table::new(["a", "b"]);
        table.row(["1", "2"]);
        assert_eq!(table.text(), "| a | b |\n| --- | --- |\n| 1 | 2 |\n");
    }

    #[test]
    fn the_median_is_the_middle_or_between_two() {
        let check = |numbers: &[f64], expected: f64| {
            let found = median(numbers.iter().copied());
            assert!((found - expected).abs() < 1e-9, "{numbers:?}: {found}");
        };
        check(&[], 0.0);
        check(&[3.0], 3.0);
        check(&[4.0, 1.0], 2.5);
        check(&[9.0, 1.0, 2.0], 2.0);
        check(&[4.0, 3.0, 1.0, 2.0], 2.5);
    }

    #[test]
    fn numbers_keep_about_three_digits() {
        let check = |value, expected: &str| assert_eq!(number(value), expected);
        check(1234.4, "1234");
        check(123.4, "123");
        check(12.34, "12.3");
        check(1.234, "1.23");
        check(0.0, "0.00");
        assert_eq!(ratio(3.0, 2.0), "1.50");
        assert_eq!(ratio(3.0, 0.0), "–");
    }

    #[test]
    fn sizes_and_counts_are_read_at_a_glance() {
        assert_eq!(size(0), "0 B");
        assert_eq!(size(1023), "1023 B");
        assert_eq!(size(1 << 10), "1 KiB");
        assert_eq!(size(1 << 20), "1 MiB");
        assert_eq!(size((4 << 30) + (1 << 29)), "4.5 GiB");
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_000), "1 000");
        assert_eq!(count(1_000_000), "1 000 000");
    }
}
