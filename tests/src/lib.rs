//! What tests of the whole have in common: the real server as a process of its own, S3 servers for it, what goes wrong
//! between the two, and how long it all takes. It knows nothing of the server's code.

mod redis;
mod s3;
mod s3_faults;
pub mod scale;
mod server;

pub use redis::Redis;
pub use s3::S3;
pub use s3_faults::{Meddling, Request, S3Faults};
pub use server::Server;
