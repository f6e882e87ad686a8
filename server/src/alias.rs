//! What stands for a client, or for the name of a create token, wherever it is kept or shared: a hash, keyed with what only servers
//! of one store have in common. No address is ever written anywhere in the clear.

use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::budget::{Client, Network};
use crate::record::StoreId;
use crate::transfer::Holder;

/// Sets the names of tokens apart from networks, whose kinds are [`kind_and_number`]'s.
const TOKEN: u8 = 0xff;

/// Hashes for one purpose.
#[derive(Clone)]
pub struct Aliases {
    /// Begun with what only servers of this store have in common.
    hash: Sha256,
}

/// Never the key.
impl fmt::Debug for Aliases {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Aliases")
    }
}

impl Aliases {
    /// For transfers' holders, in the store of this id. `password` is Redis's, which stands in none of its files of data: whoever has
    /// these alone cannot try all addresses.
    pub fn of_holders(store_id: &StoreId, password: Option<&str>) -> Self {
        Self::new(b"onetimeshare holders v1", store_id, password)
    }

    /// For what clients have spent, likewise.
    pub(crate) fn of_budgets(store_id: &StoreId, password: Option<&str>) -> Self {
        Self::new(b"onetimeshare budgets v1", store_id, password)
    }

    fn new(context: &[u8], store_id: &StoreId, password: Option<&str>) -> Self {
        let mut hash = Sha256::new();
        let id = format!("{store_id:?}");
        for secret in [
            context,
            id.as_bytes(),
            password.unwrap_or_default().as_bytes(),
        ] {
            // Hashed by itself first, so that each is of one length.
            hash.update(Sha256::digest(secret));
        }
        Self { hash }
    }

    fn name<const N: usize>(&self, kind: u8, bytes: &[u8]) -> [u8; N] {
        let hash = self.hash.clone().chain_update([kind]);
        let hash = hash.chain_update(bytes).finalize();
        let first = hash.first_chunk().copied();
        first.expect("no name is longer than 32 bytes")
    }

    /// 128 bits for what a client counts as.
    pub(crate) fn network(&self, network: Network) -> u128 {
        let (kind, number) = kind_and_number(network);
        u128::from_be_bytes(self.name(kind, &number.to_be_bytes()))
    }

    /// What a client's transfers count for: itself, and all of its /48 where it is one of IPv6.
    pub fn client(&self, client: Client) -> Holder {
        let (own, wider) = (client.network(), client.wider());
        let name = |network| {
            let (kind, number) = kind_and_number(network);
            self.name(kind, &number.to_be_bytes())
        };
        Holder::new(name(wider.unwrap_or(own)), name(own))
    }

    /// What the transfers count for that are made with the create token of this name.
    pub fn token(&self, name: &str) -> Holder {
        let name = self.name(TOKEN, name.as_bytes());
        Holder::new(name, name)
    }
}

/// No two networks have both alike.
fn kind_and_number(network: Network) -> (u8, u64) {
    match network {
        Network::V4(address) => (4, u64::from(address)),
        Network::V6(half) => (6, half),
        Network::V6Wide(third) => (7, third),
        Network::Token(name) => (8, name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aliases(password: Option<&str>) -> Aliases {
        Aliases::of_holders(&StoreId([7; 16]), password)
    }

    fn holder(text: &str) -> Holder {
        let address = text.parse().expect("an address");
        aliases(None).client(Client::new(address))
    }

    #[test]
    fn neighbours_have_one_site_and_names_of_their_own() {
        let (one, same) = (holder("2001:db8:1:2::1"), holder("2001:db8:1:2:ffff::9"));
        assert!(one == same, "one /64");
        let (beside, far) = (holder("2001:db8:1:3::1"), holder("2001:db8:2:2::1"));
        assert!(one != beside && one.site() == beside.site(), "one /48");
        assert!(one.site() != far.site());
        let (four, next) = (holder("192.0.2.1"), holder("192.0.2.2"));
        assert!(four.site() != next.site());
        assert_eq!(four, holder("::ffff:192.0.2.1"));
    }

    #[test]
    fn a_name_depends_on_the_store_its_password_and_its_purpose() {
        let client = Client::new("192.0.2.1".parse().expect("an address"));
        let other = Aliases::of_holders(&StoreId([8; 16]), None);
        let found = [
            aliases(None).client(client),
            aliases(Some("secret")).client(client),
            other.client(client),
            Aliases::of_budgets(&StoreId([7; 16]), None).client(client),
        ];
        for (place, one) in found.iter().enumerate() {
            assert!(found.iter().skip(place + 1).all(|another| one != another));
        }
    }

    #[test]
    fn a_token_is_no_client_whatever_its_name() {
        let aliases = aliases(None);
        let client = Client::new("192.0.2.1".parse().expect("an address"));
        let bytes = str::from_utf8(&[0, 0, 0, 0, 0, 0, 2, 1]).expect("control characters");
        let named = Client::new("0.0.2.1".parse().expect("an address"));
        assert!(aliases.token(bytes) != aliases.client(named));
        assert!(aliases.token("a") != aliases.token("b"));
        assert!(aliases.token("192.0.2.1") != aliases.client(client));
        let token = aliases.token("a");
        assert_eq!(token.as_bytes()[..8], token.as_bytes()[8..]);
    }
}
