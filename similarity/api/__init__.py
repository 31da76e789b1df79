"""The HTTP API: what pages and the command line can do, for programs; `/api/v1`.

application  the web application, alone or mounted beside the pages
callers      who calls, and what they may see
bodies, change_bodies    what requests say    answers, job_facts   what they are answered
reading      how bodies are read              arriving  uploads, kept for the gallery that is changed
problems     errors, as RFC 9457 has them     limits    how much a request may bring
pictures     of queries, before they are decoded    waiting   work in threads of its own
galleries, searches, items, changes, jobs   the routes
"""
