# syntax=docker/dockerfile:1
# One static program on an empty root: `docker build -t onetimeshare .`, for the architecture of whoever builds it (amd64 or arm64).
# The pages and their WebAssembly are made in here, from source, and lie inside of the program.
ARG BUILD_IMAGE=docker.io/library/rust:1.95-slim-bookworm
ARG RUN_IMAGE=scratch

FROM ${BUILD_IMAGE} AS build
SHELL ["/bin/sh", "-euc"]
# hadolint ignore=DL3008
RUN if ! command -v musl-gcc; then \
        apt-get update; \
        apt-get install -y --no-install-recommends musl-tools ca-certificates; \
        rm -rf /var/lib/apt/lists/*; \
    fi
ENV CARGO_HOME=/cargo
WORKDIR /src
COPY . .
# What comes over the network: packages, checked against Cargo.lock, targets of the toolchain where there is a rustup, and the tool that
# leaves the list of packages in the program. Nothing after it needs any.
RUN --mount=type=cache,target=/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo xtask dist --fetch
# The same program as in a release's archive.
RUN --mount=type=cache,target=/cargo/registry \
    --mount=type=cache,target=/src/target \
    export CARGO_NET_OFFLINE=true; \
    cargo xtask dist --program; \
    install -D target/dist/onetimeshare-server /out/onetimeshare-server; \
    install -d -m 0700 /out/own/data

FROM ${RUN_IMAGE}
# For buckets and Redis that are reached by TLS.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/onetimeshare-server /onetimeshare-server
# With the folder around it, since its mode would be lost without.
COPY --from=build --chown=65532:65532 /out/own/ /
USER 65532:65532
ENV ONETIMESHARE_LISTEN=0.0.0.0:8080 \
    ONETIMESHARE_DATA_DIR=/data
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=6s --start-period=10s --retries=3 \
    CMD ["/onetimeshare-server", "healthcheck"]
ENTRYPOINT ["/onetimeshare-server"]
