//! What every request passes on its way in, and every answer on its way out. None of it knows a transfer.

pub(crate) mod budget;
pub(crate) mod drain;
pub(crate) mod headers;
pub(crate) mod host;
pub(crate) mod measure;
pub(crate) mod pace;
pub(crate) mod panics;
pub(crate) mod request_log;
pub(crate) mod role;
