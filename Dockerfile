# One image for web, worker and beat. Built without network but for pip and apt; runs as a user without rights.
FROM python:3.11-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /venv
COPY requirements.txt .
RUN /venv/bin/pip install --require-hashes --only-binary :all: -r requirements.txt

FROM python:3.11-slim
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 MOPS_ENV=production MOPS_VAR=/var/lib/mops
RUN useradd --system --uid 10001 --home-dir /app mops \
    && mkdir -p /app /var/lib/mops/uploads /var/lib/mops/mail /var/lib/mops/static \
    && chown -R mops:mops /var/lib/mops
COPY --from=build /venv /venv
WORKDIR /app
COPY . .
# The key of the build signs nothing: static files and catalogues need settings that load.
RUN SECRET_KEY=build-only-build-only-build-only-build-only-build-only ALLOWED_HOSTS=localhost \
    DATABASE_URL=sqlite:////tmp/build.sqlite3 sh -c 'python manage.py compile_translations && python manage.py collectstatic --noinput' \
    && chown -R mops:mops /var/lib/mops
USER mops
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen(u.Request('http://127.0.0.1:8000/healthz', headers={'Host': 'localhost'}), timeout=4)"]
CMD ["gunicorn", "mops.wsgi", "--bind=0.0.0.0:8000", "--worker-class=gthread", "--workers=3", "--threads=4", \
     "--timeout=60", "--graceful-timeout=30", "--worker-tmp-dir=/dev/shm", "--no-control-socket", "--access-logfile=-"]
