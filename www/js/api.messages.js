/**
 * What the server is asked and what it answers; types only.
 *
 * @module
 */

/**
 * @typedef {object} Limits
 * @property {string} version
 * @property {number} transfer_size_max Bytes of content.
 * @property {number} inline_max Bytes of sealed body.
 * @property {number} part_len
 * @property {number} ttl_s_min
 * @property {number} ttl_s_default
 * @property {number} ttl_s_max
 * @property {number} claims_max
 * @property {number} lease_s
 * @property {number} upload_idle_s
 * @property {number} tombstone_ttl_s How long after its expiry, or its end if that is later, the server still knows of it.
 * @property {boolean} [needs_create_token] Whether only holders of a create token may create.
 * @property {"both" | "create" | "open"} [role] Which half of the calls it takes.
 * @property {string} [open_url] The origin that links lead to; the page's own when it is absent.
 *
 * @typedef {object} CreateRequest
 * @property {string} id
 * @property {string} link_verifier
 * @property {string} access_verifier
 * @property {string} owner_verifier
 * @property {string} manifest
 * @property {number} body_len
 * @property {number} ttl_s
 * @property {number} claims_max
 * @property {string} [body]
 *
 * @typedef {object} View What a link holder learns without taking anything.
 * @property {"uploading" | "ready" | "claimed" | "gone"} state
 * @property {number} created_at
 * @property {number} [expires_at]
 * @property {number} [claimed_at] The latest claim, once there is one.
 * @property {number} claims_left
 * @property {number} attempts_left
 * @property {number} body_len
 * @property {number} part_len
 * @property {string} [manifest] Only with a right access proof.
 *
 * @typedef {object} ReceiptClaim
 * @property {number} claimed_at
 * @property {"live" | "delivered" | "lapsed" | "burnt"} state
 * @property {number} [at] When it ended.
 *
 * @typedef {object} Receipt What the owner learns, as long as the server remembers.
 * @property {"uploading" | "ready" | "claimed" | "gone"} state
 * @property {"delivered" | "lapsed" | "burnt" | "expired" | "abandoned"} [cause] Once it is gone.
 * @property {number} [at] When it went.
 * @property {number} created_at
 * @property {number} [expires_at]
 * @property {number} claims_max
 * @property {number} claims_left
 * @property {number} attempts_left
 * @property {number} body_len
 * @property {ReceiptClaim[]} claims
 */

export {};
