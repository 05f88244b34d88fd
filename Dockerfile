# The daemon in a small image: Swift's runtime is linked in, libmosquitto and OpenSSL come from Debian.
# There is no broker in it, and no mqtt-bridge-torture: `--embedded-broker` and `torture` do not work here.

FROM swift:6.2-bookworm AS build
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        libmosquitto-dev libsqlite3-dev libssl-dev pkg-config \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src

# The dependencies have a layer of their own: fetched again only when the manifest changes.
COPY Package.* ./
RUN swift package resolve

COPY Sources Sources
COPY Tests Tests
RUN swift build -c release --static-swift-stdlib --product mqtt-bridge -Xlinker -z -Xlinker now \
    && install -D --strip "$(swift build -c release --static-swift-stdlib --show-bin-path)/mqtt-bridge" /out/mqtt-bridge

FROM debian:bookworm-slim
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        ca-certificates libmosquitto1 libsqlite3-0 libstdc++6 tzdata \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin mqtt-bridge
# The store is a volume's business; the folder gives it its owner.
RUN install -d -o 10001 -g 10001 -m 0700 /var/lib/mqtt-bridge
COPY --from=build /out/mqtt-bridge /usr/local/bin/mqtt-bridge
COPY LICENSE NOTICE /usr/share/doc/mqtt-bridge/

# A number, so that a cluster can see that it is not root. docker-compose.yml gives files to this user.
USER 10001:10001
STOPSIGNAL SIGTERM
ENTRYPOINT ["mqtt-bridge"]
CMD ["run", "--config", "/etc/mqtt-bridge/bridge.yaml"]
