//! Who may create what: the terms on which the edge lets somebody make a transfer. It knows clients, and decides nothing of
//! transfers.

use crate::alias::Aliases;
use crate::budget::{Client, WIDER};
use crate::create_tokens::Grant;
use crate::service::{Quota, Terms};

/// The terms of all who create.
#[derive(Debug, Default)]
pub struct Creators {
    /// How much one client may hold.
    clients: Quota,
    /// What stands for whoever holds something; none where nobody's share is bounded, whatever is said of it.
    aliases: Option<Aliases>,
}

impl Creators {
    /// Anyone, of whom each client may hold as much as `clients` says, and each create token as much as its own table does.
    /// `aliases` are those of [`Aliases::of_holders`].
    pub const fn bounded(clients: Quota, aliases: Aliases) -> Self {
        Self {
            clients,
            aliases: Some(aliases),
        }
    }

    /// The terms of a client, with the create token that it has shown, if any. A token with a quota of its own counts for itself, whoever
    /// uses it from wherever, and has as much as a client of what it says nothing of; one without counts for its client.
    pub(crate) fn terms(&self, client: Client, grant: Option<&Grant>) -> Terms {
        let own = grant.map(|grant| (grant, grant.allowance().quota));
        let own = own.filter(|(_, quota)| quota.is_bound());
        match (&self.aliases, own) {
            (Some(aliases), Some((grant, quota))) => {
                let quota = quota.or(self.clients);
                Terms {
                    holder: Some(aliases.token(grant.name())),
                    quota,
                    // A token has no neighbours.
                    site_quota: quota,
                }
            }
            (Some(aliases), None) if self.clients.is_bound() => Terms {
                holder: Some(aliases.client(client)),
                quota: self.clients,
                site_quota: self.clients.times(WIDER),
            },
            _ => Terms::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::create_tokens::Allowance;
    use crate::record::StoreId;

    #[test]
    fn without_a_quota_nothing_of_a_client_is_told() {
        let aliases = Aliases::of_holders(&StoreId([1; 16]), None);
        let client = Client::new("192.0.2.1".parse().expect("an address"));
        for creators in [
            Creators::default(),
            Creators::bounded(Quota::default(), aliases.clone()),
        ] {
            assert_eq!(creators.terms(client, None), Terms::default());
        }
        let quota = Quota {
            count_max: Some(3),
            ..Quota::default()
        };
        let terms = Creators::bounded(quota, aliases.clone()).terms(client, None);
        assert_eq!(terms.holder, Some(aliases.client(client)));
        assert_eq!((terms.quota, terms.site_quota), (quota, quota.times(8)));
    }

    #[test]
    fn a_token_with_a_quota_counts_for_itself() {
        let aliases = Aliases::of_holders(&StoreId([1; 16]), None);
        let client = Client::new("192.0.2.1".parse().expect("an address"));
        let bound = |count_max| Quota {
            count_max,
            ..Quota::default()
        };
        let grant = |quota| {
            let allowance = Allowance {
                quota,
                ..Allowance::default()
            };
            Grant::new("ci".to_owned(), [0; 32], allowance)
        };
        for clients in [Quota::default(), bound(Some(3))] {
            let creators = Creators::bounded(clients, aliases.clone());
            let terms = creators.terms(client, Some(&grant(bound(Some(9)))));
            assert_eq!(terms.holder, Some(aliases.token("ci")));
            assert_eq!(terms.quota, bound(Some(9)));
            // What a token does not say is no more than anybody has.
            let of_bytes = Quota {
                len_max: Some(5),
                ..Quota::default()
            };
            let terms = creators.terms(client, Some(&grant(of_bytes)));
            let count_max = clients.count_max;
            assert_eq!(
                terms.quota,
                Quota {
                    count_max,
                    ..of_bytes
                }
            );
            let plain = creators.terms(client, Some(&grant(Quota::default())));
            assert_eq!(plain, creators.terms(client, None));
        }
    }
}
