# The app, the command line, and what embeds on a cluster. Written and linted; never built, since no Docker was at hand.
FROM python:3.12-slim-bookworm

ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    SIMILARITY_HOME=/data \
    HOME=/tmp

# Galleries, models and caches; a new volume takes over whom the folder belongs to.
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin similarity \
    && install --directory --owner similarity /data

WORKDIR /app

# Six gigabytes that only change when the requirements do.
COPY requirements.txt ./
RUN python -m pip install -r requirements.txt

COPY pyproject.toml README.md LICENSE streamlit_app.py ./
COPY .streamlit .streamlit
COPY artifacts/sample artifacts/sample
COPY similarity similarity
RUN python -m pip install --editable '.[scale]'

# As a number, which an orchestrator can tell from root.
USER 10001
VOLUME /data
EXPOSE 8501

HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://localhost:8501/_stcore/health', timeout=4)"]

CMD ["python", "-m", "streamlit", "run", "streamlit_app.py", "--server.address=0.0.0.0", "--server.port=8501", "--server.headless=true"]
