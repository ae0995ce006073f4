#!/bin/sh
# Make Temporal's two databases, or bring them up to the version of this image. May run again at any time.
set -eu

versions=/etc/temporal/schema/postgresql/v12

schema() {
  name=$1
  kind=$2
  shift 2
  set -- --plugin postgres12 --ep "$SQL_HOST" -p 5432 -u "$SQL_USER" --db "$name"
  temporal-sql-tool "$@" create
  temporal-sql-tool "$@" setup-schema -v 0.0
  temporal-sql-tool "$@" update-schema -d "$versions/$kind/versioned"
}

schema temporal temporal
schema temporal_visibility visibility
