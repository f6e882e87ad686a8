//! Everything that lives as long as the server, in one place; it is made in `main`, or in a test, and shared by all requests.

use std::sync::Arc;

use onetimeshare_protocol::transfer::Role;

use crate::budget::Budgets;
use crate::create_tokens::CreateTokens;
use crate::creators::Creators;
use crate::metrics::Metrics;
use crate::service::Service;

/// What a handler may reach.
#[derive(Clone)]
pub struct App {
    /// The use cases, over the stores.
    pub service: Arc<Service>,
    /// Whether anyone may read the counters.
    pub shows_stats: bool,
    /// Whom to tell of a weakness, as URIs; empty when the operator names nobody.
    pub contacts: Arc<[String]>,
    /// Whether every answer goes out over TLS of this server's own.
    pub is_encrypted: bool,
    /// Where requests are counted.
    pub metrics: Arc<Metrics>,
    /// What clients may ask for.
    pub budgets: Arc<Budgets>,
    /// Who may create transfers; none where everybody may.
    pub create_tokens: Option<Arc<CreateTokens>>,
    /// Which half of the calls is taken.
    pub role: Role,
    /// The origin that links lead to; none for this server's own.
    pub open_url: Option<Arc<str>>,
    /// On which terms they may create.
    pub creators: Arc<Creators>,
}

impl App {
    /// An app that shows its counters, names nobody, is not encrypted, refuses nobody for asking much or
    /// holding much, and takes every call of everybody.
    pub fn new(service: Arc<Service>) -> Self {
        Self {
            service,
            shows_stats: true,
            contacts: Arc::default(),
            is_encrypted: false,
            metrics: Arc::default(),
            budgets: Arc::new(Budgets::endless()),
            create_tokens: None,
            role: Role::Both,
            open_url: None,
            creators: Arc::default(),
        }
    }
}
