//! What libFuzzer says in its log, as far as a person wants to know it.

/// How many of the last lines are shown of a run that failed: the input stands there too, in base64.
const END_LINES: usize = 40;

/// One run, or several of one target together.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Log {
    /// How many inputs were run.
    pub(crate) executions: u64,
    /// How many edges the corpus reached at the start, and all inputs at the end.
    pub(crate) edges: (u64, u64),
    /// How many inputs were added to what was found.
    pub(crate) added: u64,
    /// Whether it ended otherwise than by its time being over.
    pub(crate) has_failed: bool,
    /// Its last lines.
    pub(crate) end: String,
}

impl Log {
    /// Of a program that has ended.
    pub(crate) fn read(text: &str, has_passed: bool) -> Self {
        let statistic = |name: &str| {
            let mut lines = text.lines().rev();
            lines.find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
        };
        let start = text.lines().find(|line| line.contains("\tINITED "));
        let last = text.lines().rev().find_map(edges);
        let lines: Vec<&str> = text.lines().collect();
        let end = lines.len().saturating_sub(END_LINES);
        Self {
            executions: statistic("stat::number_of_executed_units:").unwrap_or_default(),
            edges: (
                start.and_then(edges).unwrap_or_default(),
                last.unwrap_or_default(),
            ),
            added: statistic("stat::new_units_added:").unwrap_or_default(),
            has_failed: !has_passed,
            end: lines.get(end..).unwrap_or_default().join("\n"),
        }
    }

    /// Runs of one target that shared what they found.
    pub(crate) fn sum<'a>(logs: impl Iterator<Item = &'a Self>) -> Self {
        logs.fold(Self::default(), |sum, log| Self {
            executions: sum.executions + log.executions,
            edges: (sum.edges.0.max(log.edges.0), sum.edges.1.max(log.edges.1)),
            added: sum.added + log.added,
            has_failed: sum.has_failed || log.has_failed,
            end: String::new(),
        })
    }

    /// In a line.
    pub(crate) fn line(&self, name: &str) -> String {
        let Self {
            executions,
            edges: (from, to),
            added,
            has_failed,
            ..
        } = self;
        let verdict = if *has_failed { "FAILED" } else { "no fault" };
        format!(
            "{name}: {executions} executions, edges {from} to {to}, {added} inputs more, {verdict}"
        )
    }
}

/// 12 of `#34 NEW cov: 12 ft: …`.
fn edges(line: &str) -> Option<u64> {
    let (_, rest) = line.split_once(" cov: ")?;
    rest.split(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "INFO: Seed: 1\n#27\tINITED cov: 400 ft: 500 corp: 26/2Kb exec/s: 0 rss: 40Mb\n\
        #99\tNEW    cov: 410 ft: 510 corp: 27/2Kb lim: 48 exec/s: 0 rss: 40Mb L: 4/4 MS: 1 -\n\
        #12345\tDONE   cov: 411 ft: 512 corp: 28/2Kb lim: 48 exec/s: 99 rss: 40Mb\nDone 12345 runs in 5 second(s)\n\
        stat::number_of_executed_units: 12345\nstat::average_exec_per_sec:     99\nstat::new_units_added:          2\n";

    #[test]
    fn a_run_is_told_in_a_line() {
        let log = Log::read(LOG, true);
        assert_eq!(
            log.line("link"),
            "link: 12345 executions, edges 400 to 411, 2 inputs more, no fault"
        );
        let sum = Log::sum([&log, &log].into_iter());
        assert_eq!((sum.executions, sum.edges), (24_690, (400, 411)));
    }

    #[test]
    fn a_run_that_failed_is_told_with_its_end() {
        let log = Log::read("first\nlast", false);
        assert!(log.line("link").ends_with("FAILED"));
        assert_eq!(log.end, "first\nlast");
    }
}
