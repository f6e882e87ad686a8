//! Every path of the API, in one place.

/// What every path of the API begins with, whatever its version.
pub const API: &str = "/api/";
/// `POST`: create a transfer.
pub const TRANSFERS: &str = "/api/v1/transfers";
/// `GET`: the receipt; `DELETE`: burn (owner token).
pub const TRANSFER: &str = "/api/v1/transfers/{id}";
/// `GET`: which parts are accepted (owner token).
pub const PARTS: &str = "/api/v1/transfers/{id}/parts";
/// `PUT`: one part (owner token).
pub const PART: &str = "/api/v1/transfers/{id}/parts/{index}";
/// `POST`: all parts are there (owner token).
pub const COMPLETE: &str = "/api/v1/transfers/{id}/complete";
/// `POST`: restore the attempts (owner token).
pub const UNLOCK: &str = "/api/v1/transfers/{id}/unlock";
/// `POST`: look, without claiming (link proof).
pub const PEEK: &str = "/api/v1/transfers/{id}/peek";
/// `POST`: claim (link proof, access proof, new claim token).
pub const CLAIM: &str = "/api/v1/transfers/{id}/claim";
/// `GET`: the sealed body, with Range (claim token).
pub const BODY: &str = "/api/v1/transfers/{id}/body";
/// `POST`: renew the lease (claim token).
pub const RENEW: &str = "/api/v1/transfers/{id}/renew";
/// `POST`: everything arrived; ends the lease (claim token).
pub const DELIVERED: &str = "/api/v1/transfers/{id}/delivered";
/// `GET`: limits.
pub const CONFIG: &str = "/api/v1/config";
/// `GET`: how much this server has passed on.
pub const STATS: &str = "/api/v1/stats";
/// `GET`: the process is alive.
pub const HEALTHZ: &str = "/healthz";
/// `GET`: the stores answer.
pub const READYZ: &str = "/readyz";
