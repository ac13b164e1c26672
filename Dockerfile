# The server, with the models that ship with it. Nothing is downloaded when it runs.
#   docker build -t neuromem .
#   docker run -e NEUROMEM_SERVER__ADMIN_KEY=… -p 8888:8888 -v neuromem:/data neuromem
FROM python:3.11-slim AS build
WORKDIR /src
RUN python -m venv /opt/neuromem
ENV PATH=/opt/neuromem/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
# torch first, the CPU build: it is by far the largest layer and changes least
RUN pip install --index-url https://download.pytorch.org/whl/cpu "torch>=2.6,<3"
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY LICENSES LICENSES
COPY neuromem neuromem
COPY checkpoints checkpoints
RUN pip install ".[server,sound]"

FROM python:3.11-slim
RUN useradd --system --uid 10001 --home-dir /data neuromem \
    && mkdir /data \
    && chown neuromem /data
COPY --from=build /opt/neuromem /opt/neuromem
ENV PATH=/opt/neuromem/bin:$PATH NEUROMEM_PATH=/data PYTHONUNBUFFERED=1
USER neuromem
VOLUME /data
EXPOSE 8888
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8888/ready', timeout=4)"]
# everybody on the container's network can reach it: it does not start without NEUROMEM_SERVER__ADMIN_KEY
CMD ["neuromem", "serve", "--host", "0.0.0.0", "--port", "8888"]
