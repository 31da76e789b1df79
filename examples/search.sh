#!/bin/sh
# Search a gallery with a picture over HTTP: sh search.sh PICTURE GALLERY
set -eu
api=${API:-http://localhost:8502/api/v1}

# A gallery of another computer needs a key: KEY=... sh search.sh PICTURE GALLERY
call() {
    curl --silent --show-error --fail-with-body ${KEY:+--header "Authorization: Bearer $KEY"} "$@"
}

# With a file.
call --form "file=@$1" --form k=5 "$api/galleries/$2/search"
echo

# With a picture of the gallery itself, under a condition, as JSON; the first one that the list of results names.
item=$(call --form "file=@$1" --form k=1 "$api/galleries/$2/search" | sed 's/.*"id": *"\([^"]*\)".*/\1/')
call --json "{\"like\": [{\"item\": \"$item\"}], \"k\": 5, \"where\": [\"width>=100\"]}" "$api/galleries/$2/search"
echo

# The thumbnail of that picture.
escaped=$(printf %s "$item" | sed 's/%/%25/g; s/ /%20/g; s/#/%23/g; s/?/%3F/g')
call --output thumbnail.jpg "$api/galleries/$2/items/$escaped/thumbnail"
