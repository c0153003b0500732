# A static binary that runs as nobody in an image that holds nothing else.
#
#   docker build --tag crrctl .
#   docker run --rm --network none crrctl apply --sandbox --yes
FROM rust:1.95.0-alpine3.22 AS build
# The TLS library compiles a little C.
# hadolint ignore=DL3018
RUN apk add --no-cache build-base ca-certificates
WORKDIR /crrctl
COPY . .
RUN cargo build --release --locked

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /crrctl/target/release/crrctl /crrctl
# Manifests are mounted here.
WORKDIR /work
USER 65532:65532
ENTRYPOINT ["/crrctl"]
