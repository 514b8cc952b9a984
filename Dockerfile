# One image for web, worker, beat and migrate: docker-compose.yml says which it is.
# Builds from a clean checkout: docker build -t quarter .

ARG PYTHON_VERSION=3.13
ARG NODE_VERSION=22

# 1. The page. Nothing of Node reaches the last stage but the built files.
FROM node:${NODE_VERSION}-slim AS page
WORKDIR /page
COPY frontend/package.json frontend/package-lock.json frontend/.npmrc ./
RUN npm ci --no-audit --no-fund
COPY frontend/ ./
RUN node_modules/.bin/vite build

# 2. The Python packages, each checked against its hash.
FROM python:${PYTHON_VERSION}-slim AS packages
COPY requirements.txt ./
RUN python -m venv /venv \
 && /venv/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps --require-hashes -r requirements.txt

# 3. What runs: no compiler, no package manager's cache, no root.
FROM python:${PYTHON_VERSION}-slim
RUN groupadd --gid 10001 quarter \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin quarter \
 && install -d -o quarter -g quarter -m 0700 /data
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    QUARTER_ENV=production \
    QUARTER_DATA_DIR=/data
WORKDIR /app
COPY --from=packages /venv /venv
COPY manage.py ./
COPY messenger messenger
COPY accounts accounts
COPY chat chat
COPY --from=page /page/dist frontend/dist
RUN python -m compileall -q messenger accounts chat
USER quarter
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["python", "-m", "messenger.stack.probe"]
CMD ["python", "-m", "messenger.stack.serve_uvicorn", "0.0.0.0:8000"]
