//! Who may create what: the terms on which the edge lets somebody make a transfer. It knows clients, and decides nothing of
//! transfers.

use crate::alias::Aliases;
use crate::budget::{Client, WIDER};
use crate::service::{Quota, Terms};

/// The terms of all who create.
#[derive(Debug, Default)]
pub struct Creators {
    /// How much one client may hold, and what stands for it then; none where clients may hold as much as there is.
    clients: Option<(Quota, Aliases)>,
}

impl Creators {
    /// Anyone, of whom each client may hold as much as `quota` says. `aliases` are those of [`Aliases::of_holders`].
    pub fn bounded(quota: Quota, aliases: Aliases) -> Self {
        Self {
            clients: quota.is_bound().then_some((quota, aliases)),
        }
    }

    /// The terms of a client.
    pub(crate) fn terms(&self, client: Client) -> Terms {
        self.clients
            .as_ref()
            .map_or_else(Terms::default, |(quota, aliases)| Terms {
                holder: Some(aliases.client(client)),
                quota: *quota,
                site_quota: quota.times(WIDER),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::StoreId;

    #[test]
    fn without_a_quota_nothing_of_a_client_is_told() {
        let aliases = Aliases::of_holders(&StoreId([1; 16]), None);
        let client = Client::new("192.0.2.1".parse().expect("an address"));
        for creators in [
            Creators::default(),
            Creators::bounded(Quota::default(), aliases.clone()),
        ] {
            assert_eq!(creators.terms(client), Terms::default());
        }
        let quota = Quota {
            count_max: Some(3),
            ..Quota::default()
        };
        let terms = Creators::bounded(quota, aliases.clone()).terms(client);
        assert_eq!(terms.holder, Some(aliases.client(client)));
        assert_eq!((terms.quota, terms.site_quota), (quota, quota.times(8)));
    }
}
