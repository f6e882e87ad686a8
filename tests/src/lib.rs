//! What tests of the whole have in common: the real server as a process of its own. It knows nothing of the server's code.

mod redis;
mod server;

pub use redis::Redis;
pub use server::Server;
