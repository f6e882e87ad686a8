//! One function for each route: parse, ask the service, answer. None decides what a transfer allows.

pub(crate) mod body;
pub(crate) mod claim;
pub(crate) mod config;
pub(crate) mod create;
pub(crate) mod health;
pub(crate) mod metrics;
pub(crate) mod openapi;
pub(crate) mod owner;
pub(crate) mod pages;
pub(crate) mod parts;
pub(crate) mod peek;
pub(crate) mod security;
pub(crate) mod stats;
