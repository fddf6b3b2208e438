# syntax=docker/dockerfile:1
FROM python:3.13-slim-bookworm AS build
WORKDIR /build
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY mockserver ./mockserver
COPY contracts ./contracts
COPY fixtures ./fixtures
RUN python -m venv /opt/mockserver \
    && /opt/mockserver/bin/pip install --no-cache-dir --disable-pip-version-check -c constraints.txt '.[redis]' \
    && /opt/mockserver/bin/python -m compileall -q /opt/mockserver/lib

FROM python:3.13-slim-bookworm
RUN groupadd --gid 10001 mockserver && useradd --uid 10001 --gid 10001 --no-create-home mockserver \
    && install -d -o mockserver -g mockserver /data /tls /var/lib/mockserver
COPY --from=build /opt/mockserver /opt/mockserver
ENV PATH=/opt/mockserver/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    XDG_STATE_HOME=/var/lib MOCKSERVER_SERVE_HOST=0.0.0.0 MOCKSERVER_SERVE_PORT=8080
USER 10001:10001
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=3s --start-period=5s --retries=5 \
    CMD ["python", "-m", "mockserver.cli.healthcheck"]
ENTRYPOINT ["mockserver", "serve"]
