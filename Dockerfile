# The program alone, in an empty image. `docker build .` expects a statically linked program:
# cargo build --release --locked --target x86_64-unknown-linux-musl
FROM scratch
ARG BINARY=target/x86_64-unknown-linux-musl/release/cloudmanager-emulator
COPY --chmod=755 ${BINARY} /cloudmanager-emulator
# An empty image has no directory for temporary files; the volume serves as one.
ENV CME_LISTEN=0.0.0.0:4600 TMPDIR=/data
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 4600
HEALTHCHECK --interval=5s --timeout=5s --start-period=2s CMD ["/cloudmanager-emulator", "healthcheck"]
ENTRYPOINT ["/cloudmanager-emulator"]
