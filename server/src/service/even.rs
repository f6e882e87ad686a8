//! What a store's work takes is not told to who holds no proof: an id that stands for something costs a microsecond more than one that
//! does not, in caches and indices that no query can make alike.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::ServiceResult;
use crate::record::StoreResult;
use crate::transfer::{Outcome, Refusal};

/// Unknown ids and wrong proofs are answered so long after their step began, or that many times over: several times of what a step
/// takes, and nothing that a person sees.
const TICK: Duration = Duration::from_millis(5);

/// What `step` comes to; that it knows no such transfer or proof is told at a [`TICK`].
pub(super) async fn evenly<T>(
    step: impl Future<Output = StoreResult<Outcome<T>>>,
) -> StoreResult<Outcome<T>> {
    let begun = Instant::now();
    let outcome = step.await?;
    if matches!(outcome, Err(Refusal::Unknown)) {
        let passed = begun.elapsed().as_millis() / TICK.as_millis();
        let passed = u32::try_from(passed).unwrap_or(u32::MAX);
        sleep_until(begun + TICK * passed.saturating_add(1)).await;
    }
    Ok(outcome)
}

/// The same, as a use case answers it.
pub(super) async fn answer<T>(
    step: impl Future<Output = StoreResult<Outcome<T>>>,
) -> ServiceResult<T> {
    Ok(evenly(step).await??)
}

#[cfg(test)]
mod tests {
    use tokio::time::sleep;

    use super::*;

    /// After how many milliseconds a step that takes so many is told.
    async fn told_after(step_ms: u64, outcome: Outcome<()>) -> u128 {
        let begun = Instant::now();
        let step = async {
            sleep(Duration::from_millis(step_ms)).await;
            Ok(outcome.clone())
        };
        assert_eq!(evenly(step).await.unwrap(), outcome);
        begun.elapsed().as_millis()
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_unknown_is_told_at_a_tick_whatever_its_step_took() {
        for (step_ms, told_ms) in [(0, 5), (1, 5), (4, 5), (5, 10), (6, 10), (23, 25)] {
            assert_eq!(told_after(step_ms, Err(Refusal::Unknown)).await, told_ms);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_brings_a_proof_does_not_wait() {
        assert_eq!(told_after(1, Ok(())).await, 1);
        assert_eq!(told_after(1, Err(Refusal::Locked)).await, 1);
    }
}
