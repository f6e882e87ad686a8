//! Every path of the API, in one place.

/// What every path of the API begins with, whatever its version.
pub const API: &str = "/api/";

macro_rules! routes {
    ($(#[doc = $doc:literal] $name:ident = $path:literal;)*) => {
        $(#[doc = $doc] pub const $name: &str = $path;)*

        /// Every path, in the order of the list.
        pub const ALL: &[&str] = &[$($name),*];
    };
}

routes! {
    /// `POST`: create a transfer.
    TRANSFERS = "/api/v1/transfers";
    /// `GET`: the receipt; `DELETE`: burn (owner token).
    TRANSFER = "/api/v1/transfers/{id}";
    /// `GET`: which parts are accepted (owner token).
    PARTS = "/api/v1/transfers/{id}/parts";
    /// `PUT`: one part (owner token).
    PART = "/api/v1/transfers/{id}/parts/{index}";
    /// `POST`: all parts are there (owner token).
    COMPLETE = "/api/v1/transfers/{id}/complete";
    /// `POST`: restore the attempts (owner token).
    UNLOCK = "/api/v1/transfers/{id}/unlock";
    /// `POST`: look, without claiming (link proof).
    PEEK = "/api/v1/transfers/{id}/peek";
    /// `POST`: claim (link proof, access proof, new claim token).
    CLAIM = "/api/v1/transfers/{id}/claim";
    /// `GET`: the sealed body, with Range (claim token).
    BODY = "/api/v1/transfers/{id}/body";
    /// `POST`: renew the lease (claim token).
    RENEW = "/api/v1/transfers/{id}/renew";
    /// `POST`: everything arrived; ends the lease (claim token).
    DELIVERED = "/api/v1/transfers/{id}/delivered";
    /// `GET`: limits.
    CONFIG = "/api/v1/config";
    /// `GET`: how much this server has passed on.
    STATS = "/api/v1/stats";
    /// `GET`: this API as an OpenAPI document.
    OPENAPI = "/api/v1/openapi.json";
    /// `GET`: the process is alive.
    HEALTHZ = "/healthz";
    /// `GET`: the stores answer.
    READYZ = "/readyz";
}
