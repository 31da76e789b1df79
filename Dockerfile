# Three images: the door, the server of vectors, and the app, which is also the command line and what embeds on a cluster.
# Written and linted; never built, since no Docker was at hand. Versions as of November 2026; docs/deployment.md has the
# command that adds their digests.

FROM caddy:2.11.8-alpine AS door
# A copy of the program has none of the capabilities of its file, which would keep it from starting where all are dropped.
RUN cp /usr/bin/caddy /usr/bin/copy \
    && mv /usr/bin/copy /usr/bin/caddy \
    && chown -R 10001:10001 /data
COPY <<'END' /etc/caddy/Caddyfile
{
	admin off
	persist_config off
	auto_https disable_redirects
	skip_install_trust
	https_port 8443
	# Who asks for an address in numbers does not say which.
	default_sni {$SIMILARITY_DOMAIN}
	servers {
		protocols h1 h2
		listener_wrappers {
			http_redirect
			tls
		}
		timeouts {
			read_header 10s
			# For a whole upload; the other one starts anew with each byte, and keeps this from cutting off small bodies.
			read_body 60s
			read_body_idle -1s
			idle 2m
		}
	}
}

(tls_internal) {
	tls internal
}

(tls_public) {
	tls {
		issuer acme {
			disable_http_challenge
		}
	}
}

(login_password) {
	basic_auth {
		{$SIMILARITY_USER} {$SIMILARITY_PASSWORD_HASH}
	}
}

# The app asks for a login itself.
(login_oidc) {
}

# Whoever reaches the door comes in.
(login_none) {
}

(app) {
	dynamic a app 8501 {
		# How long those whose replica is gone are led to it in vain. Failures are not counted (`fail_duration`): a visitor
		# who does not end what he sends would count as one, and could shut everybody out.
		refresh 2s
	}
	header_up -Authorization
	# Streamlit keeps a visitor's session in one process: a cookie leads each browser to the same one again.
	lb_policy cookie similarity_replica
	# As long as nobody answers at its address: until it is up again, or its name is gone and another one is chosen.
	lb_try_duration 30s
}

{$SIMILARITY_DOMAIN}:8443 {
	import tls_{$SIMILARITY_TLS}
	import login_{$SIMILARITY_LOGIN}
	request_body {
		max_size 21MB
	}
	header {
		Strict-Transport-Security "max-age=31536000"
		-Server
		-Via
	}
	log {
		output stdout
		format filter {
			request>uri query {
				delete code
				delete state
			}
		}
	}
	# Such a search changes nothing, so that it may be asked again where a replica ends just as it comes. Its body is kept
	# until then if it is small; larger ones would let a few visitors fill the door's memory.
	@search {
		method POST
		path /api/v1/search /api/v1/galleries/*/search
		header_regexp Content-Length ^\d{1,5}$
	}
	reverse_proxy @search {
		import app
		request_buffers 100KB
		lb_retry_match {
			method POST
		}
	}
	reverse_proxy {
		import app
	}
}

http://127.0.0.1:8081 {
	bind 127.0.0.1
	respond 200
}
END

USER 10001
EXPOSE 8443

FROM milvusdb/milvus:v2.6.25 AS vectors
USER 0
# Files of its own are executable for their owner alone; a new volume takes over whom its folder belongs to.
RUN chmod -R a+rX /milvus \
    && install --directory --owner 10001 --group 10001 /var/lib/milvus
COPY <<'END' /milvus/configs/embedEtcd.yaml
listen-client-urls: http://127.0.0.1:2379
advertise-client-urls: http://127.0.0.1:2379
quota-backend-bytes: 4294967296
auto-compaction-mode: revision
auto-compaction-retention: "1000"
END

USER 10001

FROM python:3.12.14-slim-bookworm AS app

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
COPY docs/figures.json docs/figures.json
COPY artifacts/sample artifacts/sample
COPY similarity similarity
RUN python -m pip install --editable '.[scale,login]'

# As a number, which an orchestrator can tell from root.
USER 10001
VOLUME /data
EXPOSE 8501

HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://localhost:8501/_stcore/health', timeout=4)"]

CMD ["python", "-m", "streamlit", "run", "streamlit_app.py", "--server.address=0.0.0.0", "--server.port=8501", "--server.headless=true"]
