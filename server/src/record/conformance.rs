//! What every [`RecordStore`] must do, races included: functions that a store's tests call. They sleep for nothing; time is
//! the [`Moment`](crate::transfer::Moment) that they pass, and each begins years after the one before, on a queue that it has emptied.

mod claims;
mod ends;
mod fixture;
mod holders;
mod once;
mod owner;
mod queue;
mod races;
mod uploads;

use std::sync::Arc;

pub use self::fixture::{Fixture, PERIODS, Sample};
use super::RecordStore;

/// Runs everything, one after the other. The store is empty, or left by an earlier run.
pub async fn run_all(store: Arc<dyn RecordStore>) {
    let fixture = || Fixture::on(Arc::clone(&store));
    uploads::create_is_idempotent(&fixture().await).await;
    uploads::parts_come_in_any_order(&fixture().await).await;
    uploads::part_calls_are_refused(&fixture().await).await;
    uploads::a_part_is_accepted_once(&fixture().await).await;
    uploads::a_late_part_is_refused(&fixture().await).await;
    uploads::tries_that_come_to_nothing_are_bounded(&fixture().await).await;
    uploads::complete_needs_every_part(&fixture().await).await;
    uploads::uploads_are_abandoned(&fixture().await).await;
    claims::peek_shows_what_is_proved(&fixture().await).await;
    claims::claim_gives_the_ciphertext(&fixture().await).await;
    claims::claim_waits_for_complete(&fixture().await).await;
    claims::wrong_link_proofs_count_nothing(&fixture().await).await;
    claims::five_wrong_proofs_lock(&fixture().await).await;
    claims::a_claim_is_repeated(&fixture().await).await;
    claims::leases_are_renewed(&fixture().await).await;
    claims::locking_touches_no_lease(&fixture().await).await;
    races::sixty_wrong_proofs_cost_five(&fixture().await).await;
    races::one_of_many_claimers_wins(&fixture().await).await;
    races::three_opens_have_three_winners(&fixture().await).await;
    races::repeats_of_one_token_are_one_claim(&fixture().await).await;
    races::one_of_many_writers_of_a_part_wins(&fixture().await).await;
    races::creates_of_one_id_make_one_transfer(&fixture().await).await;
    ends::the_last_delivery_erases(&fixture().await).await;
    ends::a_delivery_leaves_other_claims(&fixture().await).await;
    ends::leases_lapse(&fixture().await).await;
    ends::a_lease_outlives_expiry(&fixture().await).await;
    ends::burning_ends_everything(&fixture().await).await;
    ends::expiry_erases_without_a_sweep(&fixture().await).await;
    ends::sweeping_settles_and_forgets(&fixture().await).await;
    ends::a_spent_id_is_free_after_its_tombstone(&fixture().await).await;
    owner::unlocking_gives_the_attempts_back(&fixture().await).await;
    owner::receipts_list_each_claim(&fixture().await).await;
    owner::only_owners_are_told(&fixture().await).await;
    owner::counters_count_each_step_once(&fixture().await).await;
    holders::what_lives_counts_for_its_holder_and_its_site(&fixture().await).await;
    holders::every_end_gives_it_back(&fixture().await).await;
    holders::creates_and_ends_that_race_are_counted_once(&fixture().await).await;
    once::an_inline_body_is_given_once(&fixture().await).await;
    once::a_body_in_parts_is_fetched_once(&fixture().await).await;
    once::what_does_not_go_on_lapses(&fixture().await).await;
    once::several_are_each_given_it_once(&fixture().await).await;
    races::ends_that_race_are_one(&fixture().await).await;
    races::one_of_many_fetches_begins(&fixture().await).await;
    races::one_of_many_claims_is_given_the_body(&fixture().await).await;
    queue::objects_are_offered_until_confirmed(&fixture().await).await;
    queue::an_erased_part_is_deleted_twice(&fixture().await).await;
    queue::an_upload_that_is_over_dooms_its_parts_and_nothing_else(&fixture().await).await;
    queue::the_store_knows_itself(&fixture().await).await;
}
