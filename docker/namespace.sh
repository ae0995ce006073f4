#!/bin/sh
# Make the namespace TEMPORAL_NAMESPACE and the search attributes of runs at TEMPORAL_ADDRESS; what exists stays as it is.
# RETENTION is how long Temporal keeps ended runs.
set -eu

operator() {
  temporal operator "$@" --namespace "$TEMPORAL_NAMESPACE"
}

operator namespace describe >/dev/null 2>&1 || operator namespace create --retention "${RETENTION:-365d}"

# A new namespace takes a moment until every part of the server knows it.
tries=0
until known=$(operator search-attribute list 2>&1); do
  tries=$((tries + 1))
  if [ "$tries" -gt 30 ]; then
    echo "$known" >&2
    exit 1
  fi
  sleep 1
done

attribute() {
  echo "$known" | grep -qw "$1" || operator search-attribute create --name "$1" --type "$2"
}

attribute PhaseloomDefinition Keyword
attribute PhaseloomStatus Keyword
attribute PhaseloomWaitingFor KeywordList
