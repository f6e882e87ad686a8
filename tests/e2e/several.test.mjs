/**
 * The main job on two servers that share a Redis and an S3 server, behind a balancer that remembers nobody.
 *
 * @module
 */

process.env.ONETIMESHARE_SERVERS = "several";
await import("./transfer.test.mjs");
