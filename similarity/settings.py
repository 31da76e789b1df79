"""All settings: environment variables that begin with SIMILARITY_, with what each does.

`python -m tests.docs` writes the page Settings of the documentation from them.
"""

from typing import NamedTuple

PREFIX = "SIMILARITY_"


class Setting(NamedTuple):
    """An environment variable that the program reads.

    Attributes:
        name: of the variable.
        unset: the value that counts where it is not set, in words.
        about: its values and what they do, as Markdown.
    """

    name: str
    unset: str
    about: str


PLACES = (
    Setting(
        "SIMILARITY_HOME",
        "`artifacts/` in a clone; the user's data folder where the program was installed",
        "The folder of galleries, models and caches.",
    ),
    Setting(
        "SIMILARITY_STORE",
        "`faiss`",
        "Where new galleries are searched: `faiss`, in the gallery's folder, or `milvus`.",
    ),
    Setting(
        "SIMILARITY_MILVUS_URI",
        "none",
        "The address of Milvus. It also stands in for that of every gallery on a server, which may have another "
        "name where it is seen from.",
    ),
    Setting(
        "SIMILARITY_MILVUS_TOKEN",
        "none",
        "What Milvus wants to know: `user:password` or a key. It is never written down.",
    ),
    Setting(
        "SIMILARITY_MILVUS_FILES",
        "none",
        "A place that this program writes to and a Milvus server reads from: a folder under the same path on both, or "
        "one in the store of the server's own files, as `s3://a-bucket/files/incoming`. With it, the server reads a "
        "new collection from files there (*bulk insert*), which takes half the processor time. They are then removed.",
    ),
    Setting(
        "SIMILARITY_EARLIER_STATES",
        "`5`",
        "How many states of a gallery before the present one are kept, 1 to 100. The last one is always kept, "
        "further ones while all of them take 2 GB at most. Of a gallery in Milvus only the last one is kept. "
        "Pictures that were taken out are in earlier states, with their thumbnails, until those are pushed out or"
        " deleted: on the gallery's page (*History*), or by `restore --forget`.",
    ),
    Setting(
        "SIMILARITY_LOCAL_FEATURES",
        "on",
        "With `off`, the local features that tell copies are not kept beside thumbnails (16 kB a picture that was"
        " looked at), but found each time.",
    ),
)
PEOPLE = (
    Setting(
        "SIMILARITY_MANAGE",
        "`local`",
        "Who may change galleries in the app, and see where pictures lie: `local` is whoever sits at the computer"
        " that it runs on, `nobody`, or `everyone` who reaches it. In a container no visitor is local.",
    ),
    Setting(
        "SIMILARITY_HOSTS",
        "none",
        "Names that the app is reached by, as `gallery.example,photos.local`. `localhost` and addresses in "
        "numbers are known. Under any other name it answers with a sentence alone.",
    ),
    Setting(
        "SIMILARITY_LOGIN",
        "none",
        "With `oidc`, nothing is shown before a login by OpenID Connect. That needs the section `[auth]` in "
        "`.streamlit/secrets.toml`, which asks for a login by itself: see [deployment](deployment.md).",
    ),
    Setting(
        "SIMILARITY_USERS",
        "everybody",
        "Who of those that can log in may come in, as `ann@example.org, @example.com` (all of example.com). An "
        "e-mail address counts if the provider says that it is verified.",
    ),
    Setting(
        "SIMILARITY_MANAGERS",
        "nobody",
        "Who may change galleries where people log in, written likewise, whatever `SIMILARITY_MANAGE` says.",
    ),
)
PROGRAMS = (
    Setting(
        "SIMILARITY_API",
        "`local`",
        "Which programs may search without a key: those on this computer (`local`), `everyone` (120 requests a "
        "minute each), or `nobody`.",
    ),
    Setting(
        "SIMILARITY_API_KEYS",
        "`api-keys.json` in `SIMILARITY_HOME`",
        "The file of keys.",
    ),
    Setting(
        "SIMILARITY_API_ORIGINS",
        "none",
        "Origins whose pages may call the API from a browser, as `https://shop.example,http://localhost:5173`; "
        "`*` is refused. Such a page needs a key to change anything, in a browser on this computer too.",
    ),
    Setting(
        "SIMILARITY_AUDIT_LOG",
        "`audit.jsonl` in `SIMILARITY_HOME`",
        "The record of changes: a line of JSON when a change begins over the API or on the pages, and one with "
        "its outcome; keys made and revoked. Rotated at 10 MB, five older files; only its owner may read it.",
    ),
    Setting(
        "SIMILARITY_EVENTS_LOG",
        "none",
        "A file that gets a line of JSON (`gallery`, `state`, `task`, `time`, `count`) whenever a gallery has "
        "another state, by whichever door; `state` is null once it is gone. Its folder is made. It may be a link "
        "or a device such as `/dev/stderr`. What it cannot take is told of once it can.",
    ),
    Setting(
        "SIMILARITY_WEBHOOK",
        "none",
        "An address, in your own network too, that each of these events is sent to by POST: see "
        "[events](api.md#events-and-the-audit-log).",
    ),
    Setting(
        "SIMILARITY_WEBHOOK_SECRET",
        "none",
        "Signs them: `X-Similarity-Signature` is `sha256=` and the HMAC-SHA256 of the body.",
    ),
)
PICTURES = (
    Setting(
        "SIMILARITY_PRIVATE_HOSTS",
        "none",
        "Hosts inside your network whose pictures may be fetched by address, as `host` or `host:port` with commas"
        " between them. Addresses that lead to any other private host are refused.",
    ),
    Setting(
        "SIMILARITY_PORTS",
        "80 and 443 alone",
        "Further ports that pictures may be fetched from on public hosts, as `8080,8443`.",
    ),
    Setting(
        "SIMILARITY_CONTACT",
        "none",
        "A mail or web address of yours that is sent with each request for a picture, since many sites refuse "
        "programs that name nobody.",
    ),
    Setting(
        "SIMILARITY_MAX_MEGAPIXELS",
        "`50`",
        "The most megapixels of a picture. Decoding takes up to 8 bytes of memory a pixel.",
    ),
    Setting(
        "SIMILARITY_MAX_FILE_MB",
        "`200`",
        "The most megabytes of a picture's file.",
    ),
)
# Headings of the documentation's page, with the settings under each.
TOPICS = {
    "Places and storage": PLACES,
    "People at the app": PEOPLE,
    "Programs, events and records": PROGRAMS,
    "Pictures and addresses": PICTURES,
}
NAMES = frozenset(setting.name for settings in TOPICS.values() for setting in settings)
