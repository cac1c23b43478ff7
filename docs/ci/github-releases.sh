#!/bin/sh
# A store of `moult` (docs/publishing.md, "A script") that keeps the repository on a branch of a Git host, which serves it as pages.
# It compares nothing: publish from one machine alone.
#
#   { "kind": "script", "command": ["docs/ci/github-releases.sh", "FOLDER OF A CHECKED OUT BRANCH"] }
set -eu
branch=$1
shift
case $1 in
list)
    cd "$branch" && git ls-files | while read -r path; do
        printf '%s %s\n' "$(wc -c <"$path" | tr -d ' ')" "$path"
    done
    ;;
get)
    [ -f "$branch/$2" ] || exit 3
    cp "$branch/$2" "$3"
    ;;
put)
    mkdir -p "$(dirname "$branch/$2")"
    cp "$3" "$branch/$2"
    cd "$branch" && git add -- "$2"
    # The timestamp makes what is new visible. It comes after everything that it names, so one commit holds all of it.
    if [ "$2" = metadata/timestamp.json ]; then
        git diff --cached --quiet || git commit --quiet --message "Publish" && git push --quiet
    fi
    ;;
delete)
    cd "$branch" && git rm --quiet --ignore-unmatch -- "$2"
    ;;
*)
    echo "it is asked for list, get, put or delete" >&2
    exit 2
    ;;
esac
