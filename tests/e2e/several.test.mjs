/**
 * The main job on two servers that share a Redis and an S3 server, behind a balancer that remembers nobody; in one direction, since
 * which server a browser meets is chance in either.
 *
 * @module
 */

process.env.ONETIMESHARE_SERVERS = "several";
await import("./transfer.test.mjs?one-way");
