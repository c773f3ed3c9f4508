# The proxy with every connector that needs no local weights.
#
#   docker build -t modelmesh .
#   docker run -p 8080:8080 -e OPENAI_API_KEY="sk-..." modelmesh --host 0.0.0.0 --port 8080
#
# Arguments are flags of `modelmesh serve`. A configuration is mounted at /app/modelmesh.yaml, stored state in /app/data.

ARG PYTHON=3.13

FROM python:${PYTHON}-slim AS build
WORKDIR /src
COPY constraints.txt ./
COPY modelmesh-core/ modelmesh-core/
COPY modelmesh-cdk/ modelmesh-cdk/
COPY modelmesh-proxy/ modelmesh-proxy/
COPY connectors/ connectors/
COPY strategies/ strategies/
COPY secret-stores/ secret-stores/
COPY storage/ storage/
COPY observability/ observability/
COPY discovery/ discovery/
COPY pricing/ pricing/
RUN python3 -m venv /build \
    && /build/bin/pip install --no-cache-dir --constraint constraints.txt hatchling \
    && /build/bin/pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /wheels \
    ./modelmesh-* ./connectors/* ./strategies/* ./secret-stores/* ./storage/* ./observability/* ./discovery/* ./pricing/*
RUN python3 -m venv /opt/modelmesh \
    && /opt/modelmesh/bin/pip install --no-cache-dir --constraint constraints.txt --find-links /wheels \
    "modelmesh-core[cli]" "modelmesh-cdk[fast]" /wheels/*.whl \
    && /opt/modelmesh/bin/pip uninstall --yes pip

FROM python:${PYTHON}-slim
LABEL org.opencontainers.image.title="ModelMesh" \
      org.opencontainers.image.description="One OpenAI-compatible endpoint for the models of many providers" \
      org.opencontainers.image.licenses="MIT"
RUN useradd --system --uid 10001 --user-group --no-create-home --home-dir /app --shell /usr/sbin/nologin modelmesh \
    && install --directory --owner=modelmesh --group=modelmesh --mode=0750 /app /app/data
COPY --from=build /opt/modelmesh /opt/modelmesh
ENV PATH=/opt/modelmesh/bin:$PATH \
    PYTHONUNBUFFERED=1
WORKDIR /app
USER 10001:10001
EXPOSE 8080
STOPSIGNAL SIGTERM
# A proxy on another port, or with TLS, needs a health check of its own: --health-cmd.
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 \
    CMD ["python3", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/health', timeout=4)"]
ENTRYPOINT ["modelmesh", "serve"]
CMD ["--host", "0.0.0.0", "--port", "8080"]
