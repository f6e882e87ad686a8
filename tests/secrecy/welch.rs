//! Welch's t over times, as dudect takes it (Reparaz, Balasch, Verbauwhede, "Dude, is my code constant time?", DATE 2017): the
//! slowest samples, which tell of the machine and not of the program, are cut off at one bound for all classes.

/// Beyond this two classes are told apart: by chance that happens to fewer than one pair in 100 000.
pub(crate) const T_MAX: f64 = 4.5;

/// Of so many samples in a thousand, over all classes together, the slowest is the bound. The high one keeps what is rare; on a
/// machine that does much else only the low one leaves samples that tell of the program.
pub(crate) const KEPT_OF_1000: [usize; 2] = [900, 500];

/// What two classes come to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Difference {
    /// Welch's t: above zero when the first takes longer.
    pub(crate) t: f64,
    /// The first's mean less the second's, in nanoseconds.
    pub(crate) mean_ns: f64,
    /// The standard error of that, in nanoseconds.
    pub(crate) error_ns: f64,
}

impl Difference {
    /// Of two lists of times.
    pub(crate) fn of(first: &[u32], second: &[u32]) -> Self {
        let (first, second) = (Moments::of(first), Moments::of(second));
        let mean_ns = first.mean - second.mean;
        let error_ns = (first.variance / first.count + second.variance / second.count).sqrt();
        Self {
            t: mean_ns / error_ns,
            mean_ns,
            error_ns,
        }
    }

    /// Whether the two can be told apart.
    pub(crate) fn is_told(&self) -> bool {
        // What is no number proves nothing.
        self.t.is_nan() || self.t.abs() >= T_MAX
    }
}

struct Moments {
    count: f64,
    mean: f64,
    variance: f64,
}

impl Moments {
    fn of(times: &[u32]) -> Self {
        let count = f64::from(u32::try_from(times.len()).unwrap());
        let mean = times.iter().copied().map(f64::from).sum::<f64>() / count;
        let squares = times.iter().map(|&time| (f64::from(time) - mean).powi(2));
        Self {
            count,
            mean,
            variance: squares.sum::<f64>() / (count - 1.0),
        }
    }
}

/// The classes without their slowest samples: those beyond one bound, which all classes together have set.
pub(crate) fn cropped(classes: &[Vec<u32>], kept_of_1000: usize) -> Vec<Vec<u32>> {
    let mut all: Vec<_> = classes.iter().flatten().copied().collect();
    let place = all.len() * kept_of_1000 / 1000;
    let (_, &mut bound, _) = all.select_nth_unstable(place);
    let within = |class: &Vec<u32>| class.iter().copied().filter(|&time| time < bound).collect();
    classes.iter().map(within).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By the formula, worked out elsewhere.
    #[test]
    fn t_is_what_others_make_of_it() {
        let difference = Difference::of(&[10, 12, 14, 16], &[11, 11, 12, 12, 19, 20]);
        assert!((difference.t + 0.546_275).abs() < 1e-4, "{difference:?}");
        assert!((difference.mean_ns + 1.166_667).abs() < 1e-4);
    }

    #[test]
    fn a_small_shift_is_told_and_none_is_not() {
        let mut rng = fastrand::Rng::with_seed(1);
        let mut draw = |shift: u32| -> Vec<u32> {
            (0..10_000)
                .map(|_| rng.u32(50_000..60_000) + shift)
                .collect()
        };
        let (first, second, slower) = (draw(0), draw(0), draw(300));
        assert!(!Difference::of(&first, &second).is_told());
        assert!(Difference::of(&first, &slower).is_told());
    }

    #[test]
    fn the_bound_is_the_same_for_all() {
        let classes = [(0..500).collect(), (500..1000).collect()];
        let check = |kept_of_1000, expected: [usize; 2]| {
            let lens: Vec<_> = cropped(&classes, kept_of_1000)
                .iter()
                .map(Vec::len)
                .collect();
            assert_eq!(lens, expected);
        };
        check(900, [500, 400]);
        check(500, [500, 0]);
        assert!(Difference::of(&[], &[1]).is_told(), "nothing is no proof");
    }
}
